#include "client/operator/operator.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "base/directory/enrolment.h"
#include "base/directory/invitation.h"
#include "base/directory/neutral.h"
#include "base/directory/pem.h"
#include "base/directory/shape.h"
#include "base/directory/statement.h"
#include "base/identity/certificate.h"
#include "base/identity/files.h"
#include "base/schema/date.h"
#include "base/status/status.h"

namespace waymark::node {
namespace {

int64_t MinuteOf(absl::Time time) { return absl::ToUnixSeconds(time) / 60; }

std::string PathIn(const std::string& folder, const std::string& name) {
  return (std::filesystem::path(folder) / name).string();
}

std::string InvitedPath(const std::string& folder, const OrganisationId& organisation) {
  return PathIn(folder, "invited/" + organisation.hex());
}

absl::Status MakeFolder(const std::string& path) {
  std::error_code failed;
  std::filesystem::create_directories(path, failed);
  if (failed || chmod(path.c_str(), 0700) != 0) {
    return Error(v1::REASON_FILE_UNUSABLE, "the folder " + path + " cannot be made");
  }
  return absl::OkStatus();
}

// More than any network has; what waits for approval nobody has signed, so that only a limit ends
// it.
constexpr size_t kMaxListed = 100'000;

// A hub that works lists nothing twice, and no page without anything on it but the last.
absl::Status ListDoesNotEnd() {
  return Error(v1::REASON_MALFORMED,
               "the hub's list does not end; nothing of it was used. Another program answers in "
               "the hub's place, or one that does not work: look at what runs on its host");
}

// Whether a list of which `listed` entries have come may go on after a page of `entries`.
absl::Status CheckPage(int entries, size_t listed, const std::string& next) {
  if (next.empty() || (entries > 0 && listed < kMaxListed)) return absl::OkStatus();
  return ListDoesNotEnd();
}

v1::Member MemberFrom(const MemberPlan& plan, absl::Time now, Random& random) {
  v1::Member member;
  member.set_handle(plan.handle);
  member.set_display_name(plan.display_name);
  member.set_organisation_class(plan.organisation_class);
  member.set_jurisdiction(plan.jurisdiction);
  member.set_policy_pack(plan.policy_pack);
  member.set_status(v1::MEMBER_STATUS_ACTIVE);
  *member.mutable_member_since() = DateOf(now);
  for (const UnitPlan& planned : plan.units) {
    v1::Unit* unit = member.add_units();
    unit->set_unit_id(UnitId::Generate(random).bytes());
    unit->set_handle(plan.handle + "." + planned.name);
    unit->set_display_name(planned.display_name.empty() ? plan.display_name : planned.display_name);
  }
  return member;
}

// What the organisation would be refused for when it is approved, found before anyone is invited.
absl::Status CheckInvited(const v1::Member& member, const Catalogue& catalogue) {
  RETURN_IF_ERROR(CheckInvitedShape(member));
  if (catalogue.FindPack(member.policy_pack()) == nullptr) {
    return InvalidField("no policy pack is called '" + member.policy_pack() +
                        "'; policy_packs.json has their names");
  }
  std::vector<std::string> names = {member.handle(), member.display_name()};
  for (const v1::Unit& unit : member.units()) {
    names.insert(names.end(), {unit.handle(), unit.display_name()});
  }
  if (std::all_of(names.begin(), names.end(), IsNeutral)) return absl::OkStatus();
  return InvalidField(
      "a name of the organisation or of a unit has a word that tells onlookers whom it serves "
      "(rule N1); choose a neutral one");
}

// Fingerprints are read out by people: case and spacing do not count.
std::string Compact(const std::string& fingerprint) {
  std::string compact;
  for (const char c : fingerprint) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c))) {
      compact += absl::ascii_toupper(static_cast<unsigned char>(c));
    }
  }
  return compact;
}

}  // namespace

Operator::Operator(std::string folder, Network network,
                   std::unique_ptr<CertificateAuthority> authority, SigningKey registry_key,
                   Clock& clock, Random& random)
    : folder_(std::move(folder)),
      network_(std::move(network)),
      authority_(std::move(authority)),
      registry_key_(std::move(registry_key)),
      clock_(clock),
      random_(random) {}

absl::StatusOr<std::unique_ptr<Operator>> Operator::Create(const std::string& folder,
                                                           const NetworkPlan& plan, Clock& clock,
                                                           Random& random) {
  if (std::filesystem::exists(PathIn(folder, "ca.key"))) {
    return Error(v1::REASON_EXISTS, "the folder " + folder + " holds a network already");
  }
  const NetworkId id = NetworkId::Generate(random);
  ASSIGN_OR_RETURN(const auto authority,
                   CertificateAuthority::Create(id, kAuthorityLifetime, clock, random));
  const SigningKey registry_key = SigningKey::Generate();
  v1::Network network;
  network.set_network_id(id.bytes());
  network.set_name(plan.name);
  ASSIGN_OR_RETURN(*network.mutable_ca_certificate(),
                   DerFromPem(kPemCertificate, authority->certificate_pem()));
  network.set_registry_key(registry_key.verifying_key().spki());
  network.mutable_hub_addresses()->Assign(plan.hub_addresses.begin(), plan.hub_addresses.end());
  network.mutable_enrolment_addresses()->Assign(plan.enrolment_addresses.begin(),
                                                plan.enrolment_addresses.end());
  network.set_version(1);
  RETURN_IF_ERROR(CheckNetwork(network).status());
  const SecretBytes operator_key = GenerateTlsKey();
  const SpiffeId registry_id = SpiffeId::Registry(id);
  ASSIGN_OR_RETURN(const std::string request_pem, CreateRequest(operator_key, registry_id));
  ASSIGN_OR_RETURN(const CertificateRequest request, CertificateRequest::FromPem(request_pem));
  ASSIGN_OR_RETURN(const std::string certificate,
                   authority->Issue(request, {.id = registry_id,
                                              .client_auth = true,
                                              .server_auth = false,
                                              .validity = kAuthorityLifetime}));
  RETURN_IF_ERROR(MakeFolder(folder));
  RETURN_IF_ERROR(MakeFolder(PathIn(folder, "invited")));
  RETURN_IF_ERROR(WriteSecretFile(PathIn(folder, "registry.key"), registry_key.ToPem()));
  RETURN_IF_ERROR(WriteSecretFile(PathIn(folder, "operator.key"), operator_key));
  RETURN_IF_ERROR(WritePublicFile(PathIn(folder, "operator.crt"), certificate));
  RETURN_IF_ERROR(WritePublicFile(PathIn(folder, "ca.crt"), authority->certificate_pem()));
  RETURN_IF_ERROR(WritePublicFile(PathIn(folder, "network.json"), FormatNetwork(network)));
  // Last: its presence says that the folder is whole.
  RETURN_IF_ERROR(WriteSecretFile(PathIn(folder, "ca.key"), authority->key_pem()));
  return Open(folder, clock, random);
}

absl::StatusOr<std::unique_ptr<Operator>> Operator::Open(const std::string& folder, Clock& clock,
                                                         Random& random) {
  ASSIGN_OR_RETURN(Network network, LoadNetwork(PathIn(folder, "network.json")));
  ASSIGN_OR_RETURN(const std::string ca_pem, ReadPublicFile(PathIn(folder, "ca.crt")));
  ASSIGN_OR_RETURN(const SecretBytes ca_key, ReadSecretFile(PathIn(folder, "ca.key")));
  ASSIGN_OR_RETURN(auto authority, CertificateAuthority::FromPem(ca_pem, ca_key, clock, random));
  ASSIGN_OR_RETURN(const SecretBytes registry_pem, ReadSecretFile(PathIn(folder, "registry.key")));
  ASSIGN_OR_RETURN(SigningKey registry_key, SigningKey::FromPem(registry_pem));
  if (!(registry_key.verifying_key() == network.registry_key) ||
      authority->network() != network.id) {
    return Error(v1::REASON_FILE_UNUSABLE,
                 "the keys in " + folder + " are not those of its network.json");
  }
  return std::unique_ptr<Operator>(new Operator(folder, std::move(network), std::move(authority),
                                                std::move(registry_key), clock, random));
}

std::string Operator::key_path() const { return PathIn(folder_, "operator.key"); }
std::string Operator::certificate_path() const { return PathIn(folder_, "operator.crt"); }
std::string Operator::ca_path() const { return PathIn(folder_, "ca.crt"); }
std::string Operator::network_path() const { return PathIn(folder_, "network.json"); }

absl::StatusOr<std::string> Operator::SignHub(const std::string& request_pem,
                                              const std::vector<std::string>& dns_names,
                                              const std::vector<std::string>& ip_addresses) const {
  ASSIGN_OR_RETURN(const CertificateRequest request, CertificateRequest::FromPem(request_pem));
  return authority_->Issue(request, {.id = SpiffeId::Hub(network_.id),
                                     .dns_names = dns_names,
                                     .ip_addresses = ip_addresses,
                                     .client_auth = false,
                                     .server_auth = true,
                                     .validity = kCertificateLifetime});
}

absl::StatusOr<std::string> Operator::Invite(RegistryDesk& desk, const MemberPlan& plan,
                                             const Catalogue& catalogue) {
  const v1::Member invited = MemberFrom(plan, clock_.Now(), random_);
  RETURN_IF_ERROR(CheckInvited(invited, catalogue));
  ASSIGN_OR_RETURN(const std::vector<MemberView> members, Members(desk));
  for (const MemberView& member : members) {
    if (member.member.handle() == plan.handle) {
      return Error(v1::REASON_EXISTS, "a member has the handle " + plan.handle +
                                          "; 'waymark registry invite-again " + plan.handle +
                                          "' lets it join again");
    }
  }
  return Announce(desk, OrganisationId::Generate(random_), invited);
}

absl::StatusOr<std::string> Operator::InviteAgain(RegistryDesk& desk, const std::string& handle) {
  ASSIGN_OR_RETURN(MemberView view, FindMember(desk, handle));
  view.member.clear_identity_key();
  return Announce(desk, view.organisation, view.member);
}

absl::StatusOr<std::string> Operator::Announce(RegistryDesk& desk,
                                               const OrganisationId& organisation,
                                               const v1::Member& member) {
  v1::Invitation invitation;
  invitation.set_secret(random_.Bytes(kInvitationSize));
  invitation.set_organisation_id(organisation.bytes());
  *invitation.mutable_member() = member;
  invitation.set_expires_minute(MinuteOf(clock_.Now() + kInvitationLifetime));
  v1::Network& network = *invitation.mutable_network();
  network.set_network_id(network_.id.bytes());
  network.set_name(network_.name);
  ASSIGN_OR_RETURN(*network.mutable_ca_certificate(), DerFromPem(kPemCertificate, network_.ca_pem));
  network.set_registry_key(network_.registry_key.spki());
  for (const std::string& address : network_.hub_addresses) network.add_hub_addresses(address);
  for (const std::string& address : network_.enrolment_addresses) {
    network.add_enrolment_addresses(address);
  }
  network.set_version(network_.version);
  std::string kept = invitation.member().SerializeAsString();
  RETURN_IF_ERROR(WriteSecretFile(InvitedPath(folder_, organisation), SecretBytes::TakeFrom(kept)));
  v1::CreateInvitationRequest request;
  request.set_invitation_hash(InvitationHash(invitation.secret()));
  request.set_organisation_id(organisation.bytes());
  request.set_expires_minute(invitation.expires_minute());
  RETURN_IF_ERROR(desk.CreateInvitation(request));
  return FormatInvitation(invitation);
}

absl::StatusOr<std::vector<PendingRequest>> Operator::Requests(RegistryDesk& desk) {
  ASSIGN_OR_RETURN(const std::vector<v1::Enrolment> enrolments, Enrolments(desk));
  ASSIGN_OR_RETURN(const std::vector<MemberView> members, Members(desk));
  std::vector<PendingRequest> requests;
  for (const v1::Enrolment& enrolment : enrolments) {
    PendingRequest request;
    request.id = absl::BytesToHexString(enrolment.request_id());
    request.renewal = enrolment.renewal();
    request.requested_at = absl::FromUnixSeconds(enrolment.requested_minute() * 60);
    const auto organisation = OrganisationId::FromBytes(enrolment.organisation_id());
    if (organisation && CheckProof(enrolment).ok()) {
      if (const auto invited = InvitedMember(*organisation); invited.ok()) {
        request.member_handle = invited->handle();
      }
      for (const MemberView& member : members) {
        if (member.organisation != *organisation) continue;
        request.member_handle = member.member.handle();
        request.again = !enrolment.renewal();
        request.other_key = member.member.identity_key() != enrolment.identity_key();
      }
    }
    requests.push_back(std::move(request));
  }
  return requests;
}

absl::Status Operator::Approve(RegistryDesk& desk, const std::string& id,
                               const std::string& fingerprint) {
  ASSIGN_OR_RETURN(const v1::Enrolment enrolment, FindRequest(desk, id));
  RETURN_IF_ERROR(CheckProof(enrolment));
  ASSIGN_OR_RETURN(const VerifyingKey identity, VerifyingKey::FromSpki(enrolment.identity_key()));
  if (Compact(identity.fingerprint()) != Compact(fingerprint)) {
    return Error(v1::REASON_FINGERPRINT_MISMATCH,
                 "the fingerprint is not that of the request; nothing was signed");
  }
  v1::ApproveEnrolmentRequest request;
  request.set_request_id(enrolment.request_id());
  ASSIGN_OR_RETURN(*request.mutable_certificate(), IssueFor(enrolment));
  const OrganisationId organisation = *OrganisationId::FromBytes(enrolment.organisation_id());
  if (!enrolment.renewal()) {
    ASSIGN_OR_RETURN(v1::Member member, InvitedMember(organisation));
    uint64_t version = 0;
    ASSIGN_OR_RETURN(const std::vector<MemberView> members, Members(desk));
    for (const MemberView& present : members) {
      if (present.organisation != organisation) continue;
      // What changed since the invitation stands.
      member = present.member;
      version = present.version;
    }
    member.set_identity_key(enrolment.identity_key());
    *request.mutable_member() = SignMember(organisation, member, version);
  }
  RETURN_IF_ERROR(desk.ApproveEnrolment(request));
  std::error_code ignored;
  std::filesystem::remove(InvitedPath(folder_, organisation), ignored);
  return absl::OkStatus();
}

absl::Status Operator::Reject(RegistryDesk& desk, const std::string& id) {
  ASSIGN_OR_RETURN(const v1::Enrolment enrolment, FindRequest(desk, id));
  v1::RejectEnrolmentRequest request;
  request.set_request_id(enrolment.request_id());
  return desk.RejectEnrolment(request);
}

absl::StatusOr<std::vector<MemberView>> Operator::Members(RegistryDesk& desk) {
  std::vector<MemberView> members;
  const Verified before = std::exchange(verified_, {});
  v1::ListMembersRequest request;
  do {
    ASSIGN_OR_RETURN(v1::ListMembersResponse page, desk.ListMembers(request));
    for (const v1::SignedStatement& signed_statement : page.members()) {
      std::string bytes = signed_statement.SerializeAsString();
      const auto known = before.find(bytes);
      if (known != before.end()) {
        members.push_back(known->second);
      } else {
        ASSIGN_OR_RETURN(MemberView view, ReadMember(signed_statement));
        members.push_back(std::move(view));
      }
      if (!verified_.emplace(std::move(bytes), members.back()).second) return ListDoesNotEnd();
    }
    RETURN_IF_ERROR(CheckPage(page.members_size(), members.size(), page.next_page_token()));
    request.set_page_token(std::move(*page.mutable_next_page_token()));
  } while (!request.page_token().empty());
  return members;
}

absl::StatusOr<MemberView> Operator::ReadMember(const v1::SignedStatement& signed_statement) const {
  RETURN_IF_ERROR(VerifySignature(signed_statement, network_.registry_key));
  ASSIGN_OR_RETURN(const v1::Statement statement, ParseStatement(signed_statement));
  return MemberView{.organisation = *OrganisationId::FromBytes(statement.organisation_id()),
                    .member = statement.member(),
                    .version = statement.version(),
                    .valid_until = absl::FromUnixSeconds(statement.valid_until_minute() * 60)};
}

absl::StatusOr<std::vector<v1::Enrolment>> Operator::Enrolments(RegistryDesk& desk) {
  std::vector<v1::Enrolment> enrolments;
  v1::ListEnrolmentsRequest request;
  do {
    ASSIGN_OR_RETURN(v1::ListEnrolmentsResponse page, desk.ListEnrolments(request));
    std::move(page.mutable_enrolments()->begin(), page.mutable_enrolments()->end(),
              std::back_inserter(enrolments));
    RETURN_IF_ERROR(CheckPage(page.enrolments_size(), enrolments.size(), page.next_page_token()));
    request.set_page_token(std::move(*page.mutable_next_page_token()));
  } while (!request.page_token().empty());
  return enrolments;
}

absl::Status Operator::SetStatus(RegistryDesk& desk, const std::string& handle,
                                 v1::MemberStatus status) {
  ASSIGN_OR_RETURN(MemberView view, FindMember(desk, handle));
  view.member.set_status(status);
  v1::PublishMemberRequest request;
  *request.mutable_member() = SignMember(view.organisation, view.member, view.version);
  return desk.PublishMember(request);
}

absl::StatusOr<RefreshResult> Operator::Refresh(RegistryDesk& desk) {
  RefreshResult result;
  ASSIGN_OR_RETURN(const std::vector<MemberView> members, Members(desk));
  for (const MemberView& view : members) {
    if (view.valid_until - clock_.Now() > kStatementLifetime / 2) continue;
    v1::PublishMemberRequest request;
    *request.mutable_member() = SignMember(view.organisation, view.member, view.version);
    RETURN_IF_ERROR(desk.PublishMember(request));
    ++result.statements;
  }
  ASSIGN_OR_RETURN(const std::vector<v1::Enrolment> enrolments, Enrolments(desk));
  for (const v1::Enrolment& enrolment : enrolments) {
    if (!enrolment.renewal() || !CheckProof(enrolment).ok()) continue;
    const auto known = std::find_if(members.begin(), members.end(), [&](const MemberView& view) {
      return view.organisation.bytes() == enrolment.organisation_id() &&
             view.member.identity_key() == enrolment.identity_key() &&
             view.member.status() == v1::MEMBER_STATUS_ACTIVE;
    });
    if (known == members.end()) continue;
    v1::ApproveEnrolmentRequest request;
    request.set_request_id(enrolment.request_id());
    ASSIGN_OR_RETURN(*request.mutable_certificate(), IssueFor(enrolment));
    RETURN_IF_ERROR(desk.ApproveEnrolment(request));
    ++result.certificates;
  }
  return result;
}

absl::StatusOr<MemberView> Operator::FindMember(RegistryDesk& desk, const std::string& handle) {
  ASSIGN_OR_RETURN(std::vector<MemberView> members, Members(desk));
  for (MemberView& view : members) {
    if (view.member.handle() == handle) return std::move(view);
  }
  return Error(v1::REASON_NOT_FOUND,
               "no member has the handle " + handle + "; 'waymark registry members' lists them");
}

absl::StatusOr<v1::Enrolment> Operator::FindRequest(RegistryDesk& desk, const std::string& id) {
  ASSIGN_OR_RETURN(const std::vector<v1::Enrolment> enrolments, Enrolments(desk));
  const v1::Enrolment* found = nullptr;
  for (const v1::Enrolment& enrolment : enrolments) {
    if (id.empty() || absl::BytesToHexString(enrolment.request_id()).rfind(id, 0) != 0) continue;
    if (found != nullptr) return InvalidField("more than one request begins with " + id);
    found = &enrolment;
  }
  if (found == nullptr) {
    return Error(v1::REASON_NOT_FOUND, "no request that waits begins with '" + id +
                                           "'; 'waymark registry requests' lists them");
  }
  return *found;
}

absl::StatusOr<v1::Member> Operator::InvitedMember(const OrganisationId& organisation) const {
  auto kept = ReadSecretFile(InvitedPath(folder_, organisation));
  v1::Member member;
  if (!kept.ok() || !member.ParseFromArray(kept->data(), static_cast<int>(kept->size()))) {
    return Error(v1::REASON_NOT_FOUND, "this folder invited no such organisation");
  }
  return member;
}

absl::Status Operator::CheckProof(const v1::Enrolment& enrolment) const {
  ASSIGN_OR_RETURN(const VerifyingKey identity, VerifyingKey::FromSpki(enrolment.identity_key()));
  return enrolment.renewal()
             ? VerifyRenewal(identity, enrolment.certificate_request(), enrolment.proof())
             : VerifyEnrolment(identity, enrolment.invitation_hash(),
                               enrolment.certificate_request(), enrolment.proof());
}

absl::StatusOr<std::string> Operator::IssueFor(const v1::Enrolment& enrolment) const {
  const auto organisation = OrganisationId::FromBytes(enrolment.organisation_id());
  if (!organisation) return InvalidField("the request names no organisation");
  ASSIGN_OR_RETURN(const CertificateRequest request,
                   CertificateRequest::FromPem(
                       PemFromDer(kPemCertificateRequest, enrolment.certificate_request())));
  ASSIGN_OR_RETURN(
      const std::string pem,
      authority_->Issue(request, {.id = SpiffeId::Organisation(network_.id, *organisation),
                                  .client_auth = true,
                                  .server_auth = false,
                                  .validity = kCertificateLifetime}));
  return DerFromPem(kPemCertificate, pem);
}

v1::SignedStatement Operator::SignMember(const OrganisationId& organisation,
                                         const v1::Member& member,
                                         uint64_t previous_version) const {
  const absl::Time now = clock_.Now();
  v1::Statement statement;
  statement.set_network_id(network_.id.bytes());
  statement.set_organisation_id(organisation.bytes());
  // Above whatever the hub showed, and above whatever it may have hidden.
  statement.set_version(std::max<uint64_t>(previous_version + 1, absl::ToUnixSeconds(now)));
  statement.set_issued_minute(MinuteOf(now));
  statement.set_valid_until_minute(MinuteOf(now) + absl::ToInt64Minutes(kStatementLifetime));
  *statement.mutable_member() = member;
  return SignStatement(statement, registry_key_);
}

}  // namespace waymark::node
