#include "tests/support/wire_member.h"

#include <filesystem>
#include <set>
#include <utility>

#include "base/crypto/hpke.h"
#include "base/directory/enrolment.h"
#include "base/directory/invitation.h"
#include "base/directory/pem.h"
#include "base/directory/statement.h"
#include "base/envelope/header.h"
#include "base/identity/certificate.h"
#include "base/identity/files.h"
#include "base/random/random.h"
#include "base/rpc/channel_options.h"
#include "base/rpc/status_mapping.h"
#include "base/status/status.h"
#include "grpcpp/create_channel.h"
#include "tests/support/poll.h"
#include "tests/support/process.h"
#include "waymark/v1/enrolment.grpc.pb.h"

namespace waymark::testing {
namespace {

constexpr absl::Duration kStatementLife = absl::Hours(7 * 24);
constexpr absl::Duration kConnectLimit = absl::Seconds(20);
constexpr int64_t kInquiryLifeMinutes = 240;  // U0

int64_t MinuteOf(absl::Time time) { return absl::ToUnixSeconds(time) / 60; }

}  // namespace

absl::StatusOr<std::unique_ptr<WireMember>> WireMember::Join(const std::string& folder,
                                                             const node::MemberPlan& plan,
                                                             node::Operator& registry,
                                                             node::RegistryDesk& desk,
                                                             Clock& clock) {
  ASSIGN_OR_RETURN(const std::string invitation, registry.Invite(desk, plan));
  std::filesystem::create_directories(folder);
  auto member = std::unique_ptr<WireMember>(
      new WireMember(registry.network(), SigningKey::Generate(), clock));
  member->tls_ = {.key_path = folder + "/tls.key",
                  .certificate_path = folder + "/tls.crt",
                  .ca_path = registry.ca_path()};
  RETURN_IF_ERROR(member->Enrol(invitation, registry, desk));
  member->channel_ =
      ChannelTo(member->network_.hub_addresses.front(), member->tls_, member->network_.id);
  hpke::KeyPair pair = hpke::GenerateKeyPair(SystemRandom());
  const KeyId key_id = KeyId::Generate(SystemRandom());
  v1::Statement statement;
  v1::UnitKeys& unit_keys = *statement.mutable_unit_keys();
  unit_keys.set_unit_id(member->unit().bytes());
  v1::SealingKey& key = *unit_keys.add_keys();
  key.set_key_id(key_id.bytes());
  key.set_public_key(pair.public_key);
  key.set_seal_until_minute(MinuteOf(clock.Now() + kStatementLife));
  member->keys_.push_back({.id = key_id, .private_key = std::move(pair.private_key)});
  RETURN_IF_ERROR(member->Publish(std::move(statement)));
  return member;
}

absl::Status WireMember::Enrol(const std::string& invitation_text, node::Operator& registry,
                               node::RegistryDesk& desk) {
  ASSIGN_OR_RETURN(const v1::Invitation invitation, ParseInvitation(invitation_text));
  organisation_ = *OrganisationId::FromBytes(invitation.organisation_id());
  for (const v1::Unit& unit : invitation.member().units()) {
    own_units_.push_back(*UnitId::FromBytes(unit.unit_id()));
  }
  const SecretBytes key = GenerateTlsKey();
  ASSIGN_OR_RETURN(const std::string request_pem,
                   CreateRequest(key, SpiffeId::Organisation(network_.id, organisation_)));
  v1::RequestEnrolmentRequest request;
  request.set_invitation(invitation.secret());
  ASSIGN_OR_RETURN(*request.mutable_certificate_request(),
                   DerFromPem(kPemCertificateRequest, request_pem));
  request.set_identity_key(identity_key_.verifying_key().spki());
  request.set_proof(SignEnrolment(identity_key_, InvitationHash(invitation.secret()),
                                  request.certificate_request()));
  const auto stub = v1::EnrolmentService::NewStub(grpc::CreateCustomChannel(
      network_.enrolment_addresses.front(),
      ServerAuthChannelCredentials(network_.ca_pem, SpiffeId::Hub(network_.id)), ChannelOptions()));
  {
    grpc::ClientContext context;
    v1::RequestEnrolmentResponse response;
    RETURN_IF_ERROR(FromGrpc(stub->RequestEnrolment(&context, request, &response)));
  }
  ASSIGN_OR_RETURN(const auto waiting, registry.Requests(desk));
  for (const node::PendingRequest& pending : waiting) {
    if (pending.member_handle != invitation.member().handle()) continue;
    RETURN_IF_ERROR(
        registry.Approve(desk, pending.id, identity_key_.verifying_key().fingerprint()));
  }
  grpc::ClientContext context;
  v1::GetEnrolmentRequest question;
  question.set_invitation(invitation.secret());
  v1::GetEnrolmentResponse answer;
  RETURN_IF_ERROR(FromGrpc(stub->GetEnrolment(&context, question, &answer)));
  RETURN_IF_ERROR(WriteSecretFile(tls_.key_path, key));
  return WritePublicFile(tls_.certificate_path, PemFromDer(kPemCertificate, answer.certificate()));
}

absl::Status WireMember::Publish(v1::Statement statement) {
  statement.set_network_id(network_.id.bytes());
  statement.set_organisation_id(organisation_.bytes());
  statement.set_version(static_cast<uint64_t>(absl::ToUnixMillis(absl::Now())));
  statement.set_issued_minute(MinuteOf(clock_.Now()));
  statement.set_valid_until_minute(MinuteOf(clock_.Now() + kStatementLife));
  grpc::ClientContext context;
  v1::PublishStatementsRequest request;
  *request.add_statements() = SignStatement(statement, identity_key_);
  v1::PublishStatementsResponse response;
  RETURN_IF_ERROR(FromGrpc(
      v1::DirectoryService::NewStub(channel_)->PublishStatements(&context, request, &response)));
  if (response.results_size() != 1) return Failed("the hub gives no answer to a statement");
  if (response.results(0) == v1::REASON_UNSPECIFIED) return absl::OkStatus();
  return Error(response.results(0), "the hub refused a statement of the test's member");
}

absl::Status WireMember::PublishService(const v1::Service& service) {
  v1::Statement statement;
  *statement.mutable_service() = service;
  statement.mutable_service()->set_unit_id(unit().bytes());
  return Publish(std::move(statement));
}

absl::StatusOr<v1::Welcome> WireMember::Connect() {
  absl::StatusOr<v1::Welcome> welcome;
  Eventually(
      [&] {
        welcome = SayHello();
        return !absl::IsUnavailable(welcome.status());
      },
      kConnectLimit);
  return welcome;
}

absl::StatusOr<v1::Welcome> WireMember::SayHello() {
  stream_ = std::make_unique<WireStream>(channel_);
  goodbye_.reset();
  outcomes_.clear();
  v1::ConnectRequest hello = HelloFrame();
  if (!epoch_.empty()) {
    hello.mutable_hello()->set_epoch(epoch_);
    hello.mutable_hello()->set_cursor(cursor_);
  }
  stream_->Send(hello);
  const auto frame = stream_->Next();
  if (!frame.has_value() || !frame->has_welcome()) {
    const absl::Status end = stream_->End();
    return end.ok() ? Error(v1::REASON_UNAVAILABLE, "the hub does not welcome") : end;
  }
  epoch_ = frame->welcome().epoch();
  cursor_ = frame->welcome().cursor();
  return frame->welcome();
}

bool WireMember::Pump(absl::Duration within) {
  const auto frame = stream_->Next(within);
  if (!frame.has_value()) return false;
  for (const auto* outcomes : {&frame->outcomes().outcomes(), &frame->deliver().outcomes()}) {
    outcomes_.insert(outcomes_.end(), outcomes->begin(), outcomes->end());
  }
  if (frame->has_goodbye()) goodbye_ = frame->goodbye();
  for (const v1::Delivery& delivery : frame->deliver().deliveries()) {
    deliveries_.push_back(delivery.message());
    cursor_ = delivery.sequence();
  }
  if (frame->has_deliver()) {
    v1::ConnectRequest ack;
    ack.mutable_ack()->set_through(cursor_);
    stream_->Send(ack);
  }
  return true;
}

absl::StatusOr<std::vector<v1::Outcome>> WireMember::Submit(
    const std::vector<v1::Submission>& items, absl::Duration within) {
  const absl::Time deadline = absl::Now() + within;
  v1::ConnectRequest frame;
  for (const v1::Submission& item : items) *frame.mutable_submit()->add_items() = item;
  outcomes_.clear();
  bool open = stream_->Send(frame);
  while (open && outcomes_.size() < items.size()) open = Pump(deadline - absl::Now());
  if (outcomes_.size() < items.size()) {
    return Error(v1::REASON_UNAVAILABLE, "the stream or the time ended before every outcome came");
  }
  return std::exchange(outcomes_, {});
}

absl::StatusOr<v1::Reason> WireMember::Submit(const v1::Message& message) {
  ASSIGN_OR_RETURN(const auto outcomes, Submit(std::vector<v1::Submission>{Item(message)}));
  return outcomes.front().reason();
}

absl::StatusOr<std::optional<Opened>> WireMember::NextMessage(absl::Duration within) {
  const absl::Time deadline = absl::Now() + within;
  while (deliveries_.empty()) {
    if (absl::Now() >= deadline || !Pump(deadline - absl::Now())) return std::optional<Opened>();
  }
  const v1::Message message = deliveries_.front();
  deliveries_.pop_front();
  const auto key_of = [&](const UnitId& unit) -> absl::StatusOr<VerifyingKey> {
    const auto found = identity_keys_.find(unit);
    if (found == identity_keys_.end()) return Error(v1::REASON_UNIT_UNKNOWN, "the sender's unit");
    return found->second;
  };
  ASSIGN_OR_RETURN(Opened opened, OpenMessage(message, network_.id, unit(), keys_, key_of));
  return std::optional<Opened>(std::move(opened));
}

std::optional<v1::Goodbye> WireMember::AwaitGoodbye() {
  while (!goodbye_.has_value() && Pump(absl::Seconds(20))) {
  }
  return goodbye_;
}

v1::Header WireMember::HeaderTo(const UnitId& recipient, v1::Kind kind, v1::Stage stage) {
  const int64_t now = MinuteOf(clock_.Now());
  v1::Header header;
  header.set_message_id(MessageId::Generate(SystemRandom()).bytes());
  header.set_referral_id(ReferralId::Generate(SystemRandom()).bytes());
  header.set_kind(kind);
  header.set_stage(stage);
  header.set_sender_unit(unit().bytes());
  header.set_recipient_unit(recipient.bytes());
  header.set_urgency(v1::URGENCY_U0);
  header.set_sent_minute(now);
  header.set_respond_by(now + kInquiryLifeMinutes);
  header.set_expires_at(now + kInquiryLifeMinutes);
  header.set_schema_version(kSchemaVersion);
  header.set_taxonomy_version(1);
  return header;
}

absl::StatusOr<v1::Message> WireMember::Seal(const v1::Header& header, const v1::Payload& payload) {
  const auto key = sealing_keys_.find(*UnitId::FromBytes(header.recipient_unit()));
  if (key == sealing_keys_.end()) return Error(v1::REASON_KEY_UNKNOWN, "the recipient's unit");
  return SealMessage(network_.id, key->second, header, payload, identity_key_, SystemRandom());
}

void WireMember::Sign(v1::Message& message) const {
  message.set_signature(
      identity_key_.Sign("waymark/v1/message", {message.header(), message.sealed()}));
}

absl::Status WireMember::FetchDirectory() {
  grpc::ClientContext context;
  const auto reader = v1::DirectoryService::NewStub(channel_)->WatchDirectory(&context, {});
  v1::WatchDirectoryResponse response;
  bool caught_up = false;
  while (!caught_up && reader->Read(&response)) {
    for (const v1::DirectoryEntry& entry : response.entries()) {
      if (!entry.has_statement()) continue;
      ASSIGN_OR_RETURN(const v1::Statement statement, ParseStatement(entry.statement()));
      for (const v1::Unit& unit : statement.member().units()) {
        const UnitId id = *UnitId::FromBytes(unit.unit_id());
        units_[unit.handle()] = id;
        ASSIGN_OR_RETURN(VerifyingKey key,
                         VerifyingKey::FromSpki(statement.member().identity_key()));
        identity_keys_.insert_or_assign(id, std::move(key));
      }
      if (statement.has_unit_keys()) {
        const v1::SealingKey& key = statement.unit_keys().keys(0);
        sealing_keys_[*UnitId::FromBytes(statement.unit_keys().unit_id())] = {
            .id = *KeyId::FromBytes(key.key_id()), .public_key = key.public_key()};
      }
    }
    caught_up = response.caught_up();
  }
  context.TryCancel();
  while (reader->Read(&response)) {
  }
  reader->Finish();
  return caught_up ? absl::OkStatus() : Error(v1::REASON_UNAVAILABLE, "the directory's watch");
}

absl::StatusOr<UnitId> WireMember::FindUnit(const std::string& handle) const {
  const auto found = units_.find(handle);
  if (found == units_.end()) return Error(v1::REASON_UNIT_UNKNOWN, "unit " + handle);
  return found->second;
}

v1::Submission Item(const v1::Message& message) {
  v1::Submission item;
  *item.mutable_message() = message;
  return item;
}

v1::Submission Item(const v1::TokenRegistration& registration) {
  v1::Submission item;
  *item.mutable_registration() = registration;
  return item;
}

}  // namespace waymark::testing
