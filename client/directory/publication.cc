#include "client/directory/publication.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/crypto/hpke.h"
#include "base/directory/room.h"
#include "base/directory/shape.h"
#include "base/directory/statement.h"
#include "base/status/status.h"
#include "client/directory/own_statements.h"
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
// The hub's epoch in which all that is in force was told.
constexpr char kToldEpochSetting[] = "publication.epoch";
// Bounds of one PublishStatements request; what is left goes with the next.
constexpr int kMaxStatements = 256;
constexpr size_t kMaxRequestBytes = 1024 * 1024 - 4096;

int64_t MinuteOf(absl::Time time) { return absl::ToUnixSeconds(FloorMinute(time)) / 60; }
absl::Time TimeOf(int64_t minute) { return absl::FromUnixSeconds(minute * 60); }

// Whether the hub may take the same statement later.
bool MayChange(v1::Reason reason) {
  return reason == v1::REASON_UNAVAILABLE || reason == v1::REASON_QUOTA_EXCEEDED ||
         reason == v1::REASON_MEMBER_SUSPENDED || reason == v1::REASON_MEMBER_UNKNOWN;
}

bool HasRunOut(const v1::Statement& said, absl::Time now) {
  return TimeOf(said.valid_until_minute()) <= now ||
         (said.has_capacity() && TimeOf(said.capacity().valid_until_minute()) <= now);
}

bool IsSameRoom(const v1::Capacity& a, const v1::Capacity& b) {
  return a.status() == b.status() && a.has_available() == b.has_available() &&
         a.available() == b.available() && a.has_maximum() == b.has_maximum() &&
         a.maximum() == b.maximum() && a.has_window() == b.has_window() &&
         a.window().from_minute() == b.window().from_minute() &&
         a.window().to_minute() == b.window().to_minute();
}

}  // namespace

absl::Duration CapacityLifetime(v1::CapacityUnit unit, absl::Time now, absl::TimeZone zone) {
  constexpr int kMorning = 8;
  constexpr int kEvening = 18;
  const int hour = zone.At(now).cs.hour();
  const RoomLifetime lifetime = LifetimeOf(unit);
  return hour >= kMorning && hour < kEvening ? lifetime.longest : lifetime.shortest;
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
  content.set_organisation_id(options_.organisation.bytes());
  *content.mutable_service() = service;
  const std::string subject = SubjectOf(content);
  return Say(subject, [&](Transaction& transaction) -> absl::Status {
    const absl::Time now = clock_.Now();
    RETURN_IF_ERROR(Store(transaction, std::move(content), now));
    // Numbers that are told of a place go as soon as it is redacted.
    if (service.location_kind() != v1::LOCATION_KIND_REDACTED) return absl::OkStatus();
    return TellRoomAgain(transaction, service, now);
  });
}

absl::StatusOr<absl::Time> Publication::PublishCapacity(v1::Capacity capacity) {
  const absl::Time now = clock_.Now();
  v1::Statement content;
  content.set_organisation_id(options_.organisation.bytes());
  content.mutable_capacity()->set_service_id(capacity.service_id());
  const std::string subject = SubjectOf(content);
  absl::Time until;
  RETURN_IF_ERROR(Say(subject, [&](Transaction& transaction) -> absl::Status {
    ASSIGN_OR_RETURN(const std::optional<v1::Service> service,
                     OwnService(transaction, capacity.service_id()));
    if (!service.has_value()) {
      return Error(v1::REASON_NOT_FOUND, "the service of the capacity is not one of ours");
    }
    if (capacity.updated_minute() == 0 || capacity.updated_minute() > MinuteOf(now)) {
      capacity.set_updated_minute(MinuteOf(now));
    }
    const absl::Time counted = TimeOf(capacity.updated_minute());
    const int64_t latest =
        MinuteOf(counted + CapacityLifetime(service->capacity_unit(), counted, options_.zone));
    const bool usual_end = capacity.valid_until_minute() == 0;
    if (usual_end || capacity.valid_until_minute() > latest) {
      capacity.set_valid_until_minute(latest);
    }
    until = TimeOf(capacity.valid_until_minute());
    *content.mutable_capacity() = capacity;
    if (!usual_end) return StoreRoom(transaction, std::move(content), *service, now);
    // A system that is read every minute says the same again and again: that is noted here, and
    // told when half of the time is over.
    RETURN_IF_ERROR(CheckStatementShape(Complete(content, now)));
    ASSIGN_OR_RETURN(local::v1::OwnStatement own, ReadOwn(transaction, subject));
    ASSIGN_OR_RETURN(const std::optional<v1::Statement> told, LastSaid(own));
    ASSIGN_OR_RETURN(const v1::Capacity room, RoomToTell(transaction, capacity, *service, now));
    if (!told.has_value() || !IsSameRoom(room, told->capacity()) ||
        now + (until - now) / 2 > TimeOf(told->capacity().valid_until_minute()) ||
        until < TimeOf(told->capacity().valid_until_minute())) {
      return StoreRoom(transaction, std::move(content), *service, now);
    }
    until = TimeOf(told->capacity().valid_until_minute());
    *own.mutable_room() = capacity;
    return WriteOwn(transaction, subject, own);
  }));
  return until;
}

absl::Status Publication::StoreRoom(Transaction& transaction, v1::Statement content,
                                    const v1::Service& service, absl::Time now) const {
  const v1::Capacity said = content.capacity();
  RETURN_IF_ERROR(CheckStatementShape(Complete(content, now)));
  ASSIGN_OR_RETURN(*content.mutable_capacity(), RoomToTell(transaction, said, service, now));
  const std::string subject = SubjectOf(content);
  RETURN_IF_ERROR(Store(transaction, std::move(content), now));
  ASSIGN_OR_RETURN(local::v1::OwnStatement own, ReadOwn(transaction, subject));
  *own.mutable_room() = said;
  return WriteOwn(transaction, subject, own);
}

absl::Status Publication::TellRoomAgain(Transaction& transaction, const v1::Service& service,
                                        absl::Time now) const {
  v1::Statement named;
  named.mutable_capacity()->set_service_id(service.service_id());
  ASSIGN_OR_RETURN(const local::v1::OwnStatement own, ReadOwn(transaction, SubjectOf(named)));
  ASSIGN_OR_RETURN(std::optional<v1::Statement> told, LastSaid(own));
  if (!told.has_value() || TimeOf(told->capacity().valid_until_minute()) <= now) {
    return absl::OkStatus();
  }
  const v1::Capacity said = own.has_room() ? own.room() : told->capacity();
  ASSIGN_OR_RETURN(const v1::Capacity room, RoomToTell(transaction, said, service, now));
  if (IsSameRoom(room, told->capacity())) return absl::OkStatus();
  *told->mutable_capacity() = said;
  return StoreRoom(transaction, *std::move(told), service, now);
}

absl::Status Publication::Say(v1::Statement content) {
  content.set_organisation_id(options_.organisation.bytes());
  const std::string subject = SubjectOf(content);
  return Say(subject, [&](Transaction& transaction) {
    return Store(transaction, std::move(content), clock_.Now());
  });
}

absl::Status Publication::Say(const std::string& subject,
                              const std::function<absl::Status(Transaction&)>& store) {
  RETURN_IF_ERROR(vault_.Write(store));
  const absl::StatusOr<std::map<std::string, v1::Reason>> answers = Push();
  if (!answers.ok()) return absl::OkStatus();
  const auto answer = answers->find(subject);
  if (answer == answers->end() || answer->second == v1::REASON_UNSPECIFIED ||
      MayChange(answer->second)) {
    return absl::OkStatus();
  }
  return Error(answer->second, "the hub did not take what was said about " + subject);
}

v1::Statement Publication::Complete(v1::Statement content, absl::Time now) const {
  content.set_network_id(options_.network.bytes());
  content.set_organisation_id(options_.organisation.bytes());
  content.set_issued_minute(MinuteOf(now));
  content.set_valid_until_minute(MinuteOf(now + kMaxStatementValidity));
  content.set_version(std::max<uint64_t>(content.version(), 1));
  return content;
}

absl::Status Publication::Store(Transaction& transaction, v1::Statement content,
                                absl::Time now) const {
  content = Complete(std::move(content), now);
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
    RETURN_IF_ERROR(RepeatInEpoch(transaction, directory->epoch(), now));
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

absl::Status Publication::RepeatInEpoch(Transaction& transaction, const std::string& epoch,
                                        absl::Time now) const {
  ASSIGN_OR_RETURN(const std::optional<SecretBytes> told,
                   transaction.GetSetting(kToldEpochSetting));
  if (epoch.empty() || (told.has_value() && told->view() == epoch)) return absl::OkStatus();
  ASSIGN_OR_RETURN(
      auto all, ParseAll<local::v1::OwnStatement>(transaction.List(DocumentKind::kOwnStatement)));
  for (auto& [id, own] : all) {
    if (own.has_pending() || !own.has_in_force()) continue;
    ASSIGN_OR_RETURN(const v1::Statement said, ParseStatement(own.in_force()));
    if (HasRunOut(said, now)) continue;
    *own.mutable_pending() = own.in_force();
    RETURN_IF_ERROR(WriteOwn(transaction, SubjectOf(said), own));
  }
  return transaction.PutSetting(kToldEpochSetting, epoch);
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
  std::vector<v1::Service> services;
  for (const auto& [id, own] : all) {
    ASSIGN_OR_RETURN(std::optional<v1::Statement> said, LastSaid(own));
    if (said.has_value() && said->has_service()) services.push_back(said->service());
    if (!said.has_value() || TimeOf(said->issued_minute()) + kSignAgainAfter > now) continue;
    // Capacity that has run out says nothing any more.
    if (said->has_capacity() && TimeOf(said->capacity().valid_until_minute()) <= now) continue;
    RETURN_IF_ERROR(Store(transaction, *std::move(said), now));
  }
  // Offers that were made, answered or ran out since the room was told.
  for (const v1::Service& service : services) {
    RETURN_IF_ERROR(TellRoomAgain(transaction, service, now));
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
