#include "client/directory/publication.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/crypto/hash.h"
#include "base/crypto/hpke.h"
#include "base/directory/shape.h"
#include "base/directory/statement.h"
#include "base/status/status.h"
#include "client/vault/typed.h"
#include "waymark/local/v1/directory.pb.h"

namespace waymark::node {
namespace {

// A unit gets a new key this often.
constexpr absl::Duration kKeyPeriod = absl::Hours(7 * 24);
// A node that has not heard of the new key for as long as a statement counts still reaches us.
constexpr absl::Duration kSealingPeriod = absl::Hours(15 * 24);
// The longest life of a message, at urgency U4, and a margin for clocks.
constexpr absl::Duration kLongestMessage = absl::Hours(30 * 24 + 1);
// Half of a statement's validity: several attempts remain.
constexpr absl::Duration kSignAgainAfter = absl::Hours(4 * 24);
constexpr int kMaxPublishedKeys = 4;
// Bounds of one PublishStatements request; what is left goes with the next.
constexpr int kMaxStatements = 256;
constexpr size_t kMaxRequestBytes = 1024 * 1024 - 4096;

int64_t MinuteOf(absl::Time time) { return absl::ToUnixSeconds(FloorMinute(time)) / 60; }
absl::Time TimeOf(int64_t minute) { return absl::FromUnixSeconds(minute * 60); }

DocumentId PlaceOf(const std::string& subject) {
  return DocumentId(*ServiceId::FromBytes(PlainSha256(subject).substr(0, 16)));
}

// Whether the hub may take the same statement later.
bool MayChange(v1::Reason reason) {
  return reason == v1::REASON_UNAVAILABLE || reason == v1::REASON_QUOTA_EXCEEDED ||
         reason == v1::REASON_MEMBER_SUSPENDED || reason == v1::REASON_MEMBER_UNKNOWN;
}

absl::StatusOr<local::v1::OwnStatement> ReadOwn(const Reader& reader, const std::string& subject) {
  absl::StatusOr<local::v1::OwnStatement> own =
      GetAs<local::v1::OwnStatement>(reader, DocumentKind::kOwnStatement, PlaceOf(subject));
  if (ReasonOf(own.status()) == v1::REASON_NOT_FOUND) return local::v1::OwnStatement();
  return own;
}

absl::Status WriteOwn(Transaction& transaction, const std::string& subject,
                      const local::v1::OwnStatement& own) {
  return PutMessage(transaction, DocumentKind::kOwnStatement, PlaceOf(subject), DocumentId(), own);
}

// What the organisation last said, answered or not; nullopt for nothing.
absl::StatusOr<std::optional<v1::Statement>> LastSaid(const local::v1::OwnStatement& own) {
  if (!own.has_pending() && !own.has_in_force()) return std::optional<v1::Statement>();
  ASSIGN_OR_RETURN(v1::Statement statement,
                   ParseStatement(own.has_pending() ? own.pending() : own.in_force()));
  return std::optional<v1::Statement>(std::move(statement));
}

}  // namespace

absl::Duration CapacityLifetime(v1::CapacityUnit unit, absl::Time now, absl::TimeZone zone) {
  constexpr int kMorning = 8;
  constexpr int kEvening = 18;
  const int hour = zone.At(now).cs.hour();
  switch (unit) {
    case v1::CAPACITY_UNIT_BED:
    case v1::CAPACITY_UNIT_FAMILY_ROOM:
      return hour >= kMorning && hour < kEvening ? absl::Hours(12) : absl::Hours(4);
    case v1::CAPACITY_UNIT_HOUR:
      return absl::Hours(24);
    case v1::CAPACITY_UNIT_SESSION:
      return absl::Hours(72);
    case v1::CAPACITY_UNIT_PLACE:
      return absl::Hours(30 * 24);
    default:
      return absl::Hours(7 * 24);
  }
}

Publication::Publication(const Options& options, const SigningKey& identity_key, Vault& vault,
                         Clock& clock, Random& random, Directory directory, Desk desk)
    : options_(options),
      identity_key_(identity_key),
      vault_(vault),
      clock_(clock),
      random_(random),
      directory_(std::move(directory)),
      desk_(std::move(desk)) {}

absl::Status Publication::PublishProfile(const v1::Profile& profile) {
  v1::Statement content;
  *content.mutable_profile() = profile;
  return Say(std::move(content));
}

absl::Status Publication::PublishService(const v1::Service& service) {
  const auto unit = UnitId::FromBytes(service.unit_id());
  const UnitEntry* entry = nullptr;
  const std::shared_ptr<const DirectorySnapshot> directory = directory_();
  if (unit.has_value()) entry = directory->FindUnit(*unit);
  if (entry == nullptr || entry->organisation != options_.organisation) {
    return Error(v1::REASON_UNIT_NOT_OWN, "the unit of service " + service.handle());
  }
  v1::Statement content;
  *content.mutable_service() = service;
  return Say(std::move(content));
}

absl::StatusOr<absl::Time> Publication::PublishCapacity(v1::Capacity capacity) {
  v1::Statement named;
  named.mutable_service()->set_service_id(capacity.service_id());
  std::optional<v1::Statement> service;
  RETURN_IF_ERROR(vault_.Read([&](const Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(const local::v1::OwnStatement own, ReadOwn(reader, SubjectOf(named)));
    ASSIGN_OR_RETURN(service, LastSaid(own));
    return absl::OkStatus();
  }));
  if (!service.has_value()) {
    return Error(v1::REASON_NOT_FOUND, "the service of the capacity is not one of ours");
  }
  const bool redacted = service->service().location_kind() == v1::LOCATION_KIND_REDACTED;
  if (redacted && (capacity.has_available() || capacity.has_maximum())) {
    return Error(v1::REASON_FIELD_INVALID,
                 "capacity of service " + service->service().handle() +
                     ": its location is redacted, so that only a status may be published");
  }

  const absl::Time now = clock_.Now();
  capacity.set_updated_minute(MinuteOf(now));
  if (capacity.valid_until_minute() == 0) {
    capacity.set_valid_until_minute(
        MinuteOf(now + CapacityLifetime(service->service().capacity_unit(), now, options_.zone)));
  }
  const absl::Time until = TimeOf(capacity.valid_until_minute());
  v1::Statement content;
  *content.mutable_capacity() = std::move(capacity);
  RETURN_IF_ERROR(Say(std::move(content)));
  return until;
}

absl::Status Publication::Say(v1::Statement content) {
  content.set_organisation_id(options_.organisation.bytes());
  const std::string subject = SubjectOf(content);
  RETURN_IF_ERROR(vault_.Write([&](Transaction& transaction) {
    return Store(transaction, std::move(content), clock_.Now());
  }));
  const absl::StatusOr<std::map<std::string, v1::Reason>> answers = Push();
  if (!answers.ok()) return absl::OkStatus();
  const auto answer = answers->find(subject);
  if (answer == answers->end() || answer->second == v1::REASON_UNSPECIFIED ||
      MayChange(answer->second)) {
    return absl::OkStatus();
  }
  return Error(answer->second, "the hub did not take what was said about " + subject);
}

absl::Status Publication::Store(Transaction& transaction, v1::Statement content,
                                absl::Time now) const {
  content.set_network_id(options_.network.bytes());
  content.set_organisation_id(options_.organisation.bytes());
  content.set_issued_minute(MinuteOf(now));
  content.set_valid_until_minute(MinuteOf(now + kMaxStatementValidity));
  const std::string subject = SubjectOf(content);
  ASSIGN_OR_RETURN(local::v1::OwnStatement own, ReadOwn(transaction, subject));
  // Not lower than the time, so that a vault restored from a backup does not repeat a version.
  const uint64_t version =
      std::max(own.last_version() + 1, static_cast<uint64_t>(content.issued_minute()));
  content.set_version(version);
  RETURN_IF_ERROR(CheckStatementShape(content));
  own.set_last_version(version);
  *own.mutable_pending() = SignStatement(content, identity_key_);
  return WriteOwn(transaction, subject, own);
}

absl::Status Publication::Maintain() {
  const std::shared_ptr<const DirectorySnapshot> directory = directory_();
  const MemberEntry* self = directory->FindMember(options_.organisation);
  if (self == nullptr) return absl::OkStatus();
  const absl::Time now = clock_.Now();
  RETURN_IF_ERROR(vault_.Write([&](Transaction& transaction) -> absl::Status {
    for (const v1::Unit& unit : self->member.units()) {
      const auto id = UnitId::FromBytes(unit.unit_id());
      if (id.has_value()) RETURN_IF_ERROR(RotateKeys(transaction, *id, now));
    }
    return SignAgain(transaction, now);
  }));
  ASSIGN_OR_RETURN(const auto answers, Push());
  for (const auto& [subject, reason] : answers) {
    if (reason != v1::REASON_UNSPECIFIED) {
      return Error(reason, "the hub did not take what was said about " + subject);
    }
  }
  return absl::OkStatus();
}

absl::Status Publication::RotateKeys(Transaction& transaction, const UnitId& unit,
                                     absl::Time now) const {
  ASSIGN_OR_RETURN(const auto stored, ParseAll<local::v1::OwnSealingKey>(
                                          transaction.List(DocumentKind::kSealingKey, unit)));
  std::vector<local::v1::OwnSealingKey> keys;
  for (const auto& [id, key] : stored) {
    if (TimeOf(key.destroy_minute()) <= now) {
      RETURN_IF_ERROR(transaction.Delete(DocumentKind::kSealingKey, id));
    } else {
      keys.push_back(key);
    }
  }

  const bool due = keys.empty() || TimeOf(keys.back().created_minute()) + kKeyPeriod <= now;
  if (due) {
    hpke::KeyPair pair = hpke::GenerateKeyPair(random_);
    const KeyId id = KeyId::Generate(random_);
    local::v1::OwnSealingKey key;
    key.mutable_key()->set_key_id(id.bytes());
    key.mutable_key()->set_public_key(pair.public_key);
    key.mutable_key()->set_seal_until_minute(MinuteOf(now + kSealingPeriod));
    key.set_private_key(std::string(pair.private_key.view()));
    key.set_created_minute(MinuteOf(now));
    key.set_destroy_minute(MinuteOf(now + kSealingPeriod + kLongestMessage));
    RETURN_IF_ERROR(PutMessage(transaction, DocumentKind::kSealingKey, id, unit, key));
    Wipe(*key.mutable_private_key());
    keys.push_back(std::move(key));
  }

  v1::Statement content;
  content.set_organisation_id(options_.organisation.bytes());
  content.mutable_unit_keys()->set_unit_id(unit.bytes());
  for (auto key = keys.rbegin(); key != keys.rend(); ++key) {
    if (content.unit_keys().keys_size() == kMaxPublishedKeys) break;
    if (now < TimeOf(key->key().seal_until_minute())) {
      *content.mutable_unit_keys()->add_keys() = key->key();
    }
  }
  ASSIGN_OR_RETURN(const local::v1::OwnStatement own, ReadOwn(transaction, SubjectOf(content)));
  ASSIGN_OR_RETURN(const std::optional<v1::Statement> said, LastSaid(own));
  const bool same = said.has_value() && said->unit_keys().SerializeAsString() ==
                                            content.unit_keys().SerializeAsString();
  return same ? absl::OkStatus() : Store(transaction, std::move(content), now);
}

absl::Status Publication::SignAgain(Transaction& transaction, absl::Time now) const {
  ASSIGN_OR_RETURN(const auto all, ParseAll<local::v1::OwnStatement>(
                                       transaction.List(DocumentKind::kOwnStatement)));
  for (const auto& [id, own] : all) {
    ASSIGN_OR_RETURN(std::optional<v1::Statement> said, LastSaid(own));
    if (!said.has_value() || TimeOf(said->issued_minute()) + kSignAgainAfter > now) continue;
    // Capacity that has run out says nothing any more.
    if (said->has_capacity() && TimeOf(said->capacity().valid_until_minute()) <= now) continue;
    RETURN_IF_ERROR(Store(transaction, *std::move(said), now));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::map<std::string, v1::Reason>> Publication::Push() {
  v1::PublishStatementsRequest request;
  RETURN_IF_ERROR(vault_.Read([&](const Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(const auto all,
                     ParseAll<local::v1::OwnStatement>(reader.List(DocumentKind::kOwnStatement)));
    for (const auto& [id, own] : all) {
      if (!own.has_pending()) continue;
      if (request.statements_size() == kMaxStatements) break;
      if (request.ByteSizeLong() + own.pending().ByteSizeLong() > kMaxRequestBytes) break;
      *request.add_statements() = own.pending();
    }
    return absl::OkStatus();
  }));
  std::map<std::string, v1::Reason> answers;
  if (request.statements().empty()) return answers;
  ASSIGN_OR_RETURN(const v1::PublishStatementsResponse response, desk_(request));
  if (response.results_size() != request.statements_size()) {
    return Error(v1::REASON_MALFORMED, "the hub's answer to a publication");
  }
  RETURN_IF_ERROR(NoteAnswers(request, response, answers));
  return answers;
}

absl::Status Publication::NoteAnswers(const v1::PublishStatementsRequest& request,
                                      const v1::PublishStatementsResponse& response,
                                      std::map<std::string, v1::Reason>& answers) {
  return vault_.Write([&](Transaction& transaction) -> absl::Status {
    for (int i = 0; i < request.statements_size(); ++i) {
      const v1::SignedStatement& sent = request.statements(i);
      const v1::Reason reason = response.results(i);
      ASSIGN_OR_RETURN(const v1::Statement content, ParseStatement(sent));
      const std::string subject = SubjectOf(content);
      answers.emplace(subject, reason);
      ASSIGN_OR_RETURN(local::v1::OwnStatement own, ReadOwn(transaction, subject));
      // Something newer may have been said in the meantime.
      if (own.pending().signature() != sent.signature() || MayChange(reason)) continue;
      own.clear_pending();
      if (reason == v1::REASON_UNSPECIFIED) *own.mutable_in_force() = sent;
      RETURN_IF_ERROR(WriteOwn(transaction, subject, own));
    }
    return absl::OkStatus();
  });
}

}  // namespace waymark::node
