#include "tests/support/network_fixture.h"

#include <cstdlib>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/directory/invitation.h"
#include "base/identity/files.h"
#include "base/random/random.h"
#include "base/status/status.h"
#include "google/protobuf/util/json_util.h"
#include "tests/support/poll.h"

namespace waymark::testing {
namespace {

using Stub = v1::NodeService::StubInterface;

constexpr absl::Duration kSettleLimit = absl::Seconds(60);

std::string TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "waymark-test-XXXXXX").string();
  return mkdtemp(name.data()) == nullptr ? "" : name;
}

}  // namespace

NetworkFixture::NetworkFixture(const std::string& folder)
    : folder_(folder), clock_(folder + "/clock") {}

NetworkFixture::~NetworkFixture() {
  nodes_.clear();
  hubs_.clear();
  if (std::getenv("WAYMARK_TEST_KEEP") != nullptr) return;
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

absl::StatusOr<std::unique_ptr<NetworkFixture>> NetworkFixture::Create(
    const std::vector<OrganisationPlan>& organisations, absl::Time start,
    const HubProcess::Variant& hub) {
  const std::string folder = TemporaryFolder();
  if (folder.empty()) return Failed("there is no temporary folder to be had");
  auto network = std::unique_ptr<NetworkFixture>(new NetworkFixture(folder));
  network->MoveTo(start);
  RETURN_IF_ERROR(network->CreateNetwork());
  RETURN_IF_ERROR(network->StartHub(hub));
  for (const OrganisationPlan& plan : organisations) RETURN_IF_ERROR(network->Join(plan));
  for (const OrganisationPlan& plan : organisations) RETURN_IF_ERROR(network->Publish(plan));
  RETURN_IF_ERROR(network->AwaitSameDirectory());
  return network;
}

absl::Time NetworkFixture::Evening() {
  // Once per process: a test that runs while an evening begins stays in the one before.
  static const absl::Time kEvening = [] {
    const absl::Time now = absl::Now();
    const absl::Time today =
        absl::FromCivil(absl::ToCivilDay(now, absl::UTCTimeZone()), absl::UTCTimeZone());
    const absl::Time candidate = today + absl::Hours(19) + absl::Minutes(41);
    return candidate <= now ? candidate : candidate - absl::Hours(24);
  }();
  return kEvening;
}

void NetworkFixture::MoveTo(absl::Time time) {
  MoveClock("/hub-clock", time);
  MoveNodesTo(time);
}

void NetworkFixture::MoveNodesTo(absl::Time time) { MoveClock("/clock", time); }

void NetworkFixture::MoveClock(const std::string& file, absl::Time time) {
  // As an offset, so that processes that look at different moments agree on the time.
  const int64_t seconds = absl::ToInt64Seconds(absl::Ceil(time - absl::Now(), absl::Seconds(1)));
  const absl::Status written =
      WritePublicFile(folder_ + file, (seconds < 0 ? "" : "+") + std::to_string(seconds) + "\n");
  if (!written.ok()) std::abort();
}

absl::Status NetworkFixture::CreateNetwork() {
  // The hub takes free ports, so its addresses are known only once it runs.
  ASSIGN_OR_RETURN(operator_, node::Operator::Create(folder_ + "/operator",
                                                     {.name = "scenario",
                                                      .hub_addresses = {"127.0.0.1:1"},
                                                      .enrolment_addresses = {"127.0.0.1:1"}},
                                                     clock_, SystemRandom()));
  return absl::OkStatus();
}

absl::StatusOr<HubProcess*> NetworkFixture::AddHub(const HubProcess::Variant& variant) {
  const std::string number = hubs_.empty() ? "" : std::to_string(hubs_.size() + 1);
  auto hub = std::make_unique<HubProcess>(HubProcess::Options{.folder = folder_ + "/hub" + number,
                                                              .network = operator_->network_path(),
                                                              .clock_file = folder_ + "/hub-clock",
                                                              .variant = variant});
  ASSIGN_OR_RETURN(const std::string request, hub->Init());
  std::vector<std::string> addresses = variant.addresses;
  addresses.insert(addresses.begin(), "127.0.0.1");
  ASSIGN_OR_RETURN(const std::string certificate,
                   operator_->SignHub(request, {"localhost"}, addresses));
  RETURN_IF_ERROR(hub->Install(certificate));
  RETURN_IF_ERROR(hub->Start());
  hubs_.push_back(std::move(hub));
  return hubs_.back().get();
}

absl::Status NetworkFixture::StartHub(const HubProcess::Variant& variant) {
  RETURN_IF_ERROR(AddHub(variant).status());
  ASSIGN_OR_RETURN(const std::string json, ReadPublicFile(operator_->network_path()));
  v1::Network file;
  if (!google::protobuf::util::JsonStringToMessage(json, &file).ok()) {
    return Failed("the network file does not parse");
  }
  file.set_hub_addresses(0, hub_address());
  file.set_enrolment_addresses(0, "127.0.0.1:" + std::to_string(hub().ports().enrolment));
  file.set_version(file.version() + 1);
  RETURN_IF_ERROR(WritePublicFile(operator_->network_path(), FormatNetwork(file)));
  ASSIGN_OR_RETURN(operator_, node::Operator::Open(folder_ + "/operator", clock_, SystemRandom()));
  ASSIGN_OR_RETURN(desk_, node::RegistryClient::Create(*operator_, clock_));
  return absl::OkStatus();
}

std::string NetworkFixture::hub_address() const {
  return "127.0.0.1:" + std::to_string(hubs_.front()->ports().exchange);
}

absl::Status NetworkFixture::Join(const OrganisationPlan& plan) {
  const std::string& handle = plan.member.handle;
  ASSIGN_OR_RETURN(const std::string text, operator_->Invite(*desk_, plan.member));
  ASSIGN_OR_RETURN(const v1::Invitation invitation, ParseInvitation(text));
  organisations_[handle] = *OrganisationId::FromBytes(invitation.organisation_id());
  for (const v1::Unit& unit : invitation.member().units()) {
    units_[unit.handle()] = *UnitId::FromBytes(unit.unit_id());
  }
  auto node = std::make_unique<NodeProcess>(
      NodeProcess::Options{.folder = folder_ + "/" + handle,
                           .unit = *UnitId::FromBytes(invitation.member().units(0).unit_id()),
                           .clock_file = folder_ + "/clock",
                           .clock = &clock_});
  RETURN_IF_ERROR(Admit(*node, handle, text));
  RETURN_IF_ERROR(node->Start());
  nodes_[handle] = std::move(node);
  return absl::OkStatus();
}

absl::Status NetworkFixture::Admit(NodeProcess& node, const std::string& handle,
                                   const std::string& invitation, NodeProcess::Joining joining) {
  const auto approve = [&](const std::string& fingerprint) -> absl::Status {
    ASSIGN_OR_RETURN(const auto requests, operator_->Requests(*desk_));
    for (const node::PendingRequest& request : requests) {
      if (request.member_handle == handle && !request.renewal) {
        return operator_->Approve(*desk_, request.id, fingerprint);
      }
    }
    return Failed("the hub holds no request of " + handle);
  };
  return node.Join(invitation, approve, joining);
}

absl::StatusOr<std::unique_ptr<CertificateAuthority>> NetworkFixture::Authority(
    Clock& clock) const {
  ASSIGN_OR_RETURN(const std::string pem, ReadPublicFile(folder_ + "/operator/ca.crt"));
  ASSIGN_OR_RETURN(const SecretBytes key, ReadSecretFile(folder_ + "/operator/ca.key"));
  return CertificateAuthority::FromPem(pem, key, clock, SystemRandom());
}

absl::Status NetworkFixture::Publish(const OrganisationPlan& plan) {
  RETURN_IF_ERROR(AwaitConnected(plan.member.handle));
  node::NodeClient& administrator = node(plan.member.handle).administrator();
  v1::PublishProfileRequest profile;
  *profile.mutable_profile() = plan.profile;
  RETURN_IF_ERROR(administrator.Call(&Stub::PublishProfile, profile).status());
  for (const ServicePlan& planned : plan.services) {
    const ServiceId id = ServiceId::Generate(SystemRandom());
    services_[planned.service.handle()] = id;
    v1::PublishServiceRequest service;
    *service.mutable_service() = planned.service;
    service.mutable_service()->set_service_id(id.bytes());
    service.mutable_service()->set_unit_id(unit(planned.unit).bytes());
    RETURN_IF_ERROR(administrator.Call(&Stub::PublishService, service).status());
    if (planned.room == v1::CAPACITY_STATUS_UNSPECIFIED) continue;
    v1::PublishCapacityRequest capacity;
    capacity.mutable_capacity()->set_service_id(id.bytes());
    capacity.mutable_capacity()->set_status(planned.room);
    if (planned.room_until) {
      capacity.mutable_capacity()->set_valid_until_minute(absl::ToUnixSeconds(*planned.room_until) /
                                                          60);
    }
    RETURN_IF_ERROR(administrator.Call(&Stub::PublishCapacity, capacity).status());
  }
  return absl::OkStatus();
}

absl::Status NetworkFixture::AwaitConnected(const std::string& handle) {
  v1::GetStatusResponse last;
  const bool connected = Eventually(
      [&] {
        const auto status =
            node(handle).administrator().Call(&Stub::GetStatus, v1::GetStatusRequest());
        if (status.ok()) last = *status;
        return status.ok() && status->connected() && status->directory_revision() > 0;
      },
      kSettleLimit);
  return connected ? absl::OkStatus()
                   : Failed("node " + handle + " does not connect: " + last.link_error());
}

absl::Status NetworkFixture::AwaitMember(const std::string& handle, const std::string& member) {
  const bool known = Eventually(
      [&] {
        const auto listed =
            node(handle).administrator().Call(&Stub::ListDirectory, v1::ListDirectoryRequest());
        if (!listed.ok()) return false;
        for (const v1::DirectoryMember& entry : listed->members()) {
          if (entry.member().handle() == member) return !entry.identity_key_fingerprint().empty();
        }
        return false;
      },
      kSettleLimit);
  return known ? absl::OkStatus() : Failed("node " + handle + " does not come to know " + member);
}

absl::Status NetworkFixture::AwaitSameDirectory() {
  const auto view = [&](const std::string& handle) {
    const auto listed =
        node(handle).administrator().Call(&Stub::ListDirectory, v1::ListDirectoryRequest());
    std::string text;
    if (!listed.ok()) return text;
    for (const v1::DirectoryMember& member : listed->members()) {
      text += member.member().handle() + ":" + member.identity_key_fingerprint() +
              std::to_string(static_cast<int>(member.has_profile())) + " ";
    }
    for (const v1::DirectoryListing& listing : listed->services()) {
      text += listing.service().handle() + ":" + v1::CapacityStatus_Name(listing.status()) + " ";
    }
    return text;
  };
  const auto complete = [&](const std::string& handle) {
    const auto listed =
        node(handle).administrator().Call(&Stub::ListDirectory, v1::ListDirectoryRequest());
    return listed.ok() && static_cast<size_t>(listed->members_size()) == nodes_.size() &&
           static_cast<size_t>(listed->services_size()) == services_.size();
  };
  const bool same = Eventually(
      [&] {
        if (nodes_.empty()) return true;
        const std::string first = view(nodes_.begin()->first);
        for (const auto& [handle, unused] : nodes_) {
          if (!complete(handle) || view(handle) != first) return false;
        }
        return true;
      },
      kSettleLimit);
  return same ? absl::OkStatus() : Failed("the nodes do not come to see one directory");
}

absl::Status NetworkFixture::RestartHub() {
  hub().Kill();
  return hub().Start();
}

absl::Status NetworkFixture::StopAll() {
  for (const auto& [unused, node] : nodes_) RETURN_IF_ERROR(node->Stop());
  for (const auto& hub : hubs_) RETURN_IF_ERROR(hub->Stop());
  return absl::OkStatus();
}

}  // namespace waymark::testing
