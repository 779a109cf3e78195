#include "client/listing/planner.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/crypto/hash.h"
#include "base/directory/neutral.h"
#include "base/directory/room.h"
#include "base/directory/shape.h"
#include "base/schema/canonical_json.h"
#include "base/schema/date.h"
#include "base/status/status.h"
#include "google/protobuf/util/message_differencer.h"

namespace waymark::node {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::util::MessageDifferencer;
using local::v1::ImportEntry;
using local::v1::RECORD_FINDING_KIND_HELD_BACK;
using local::v1::RECORD_FINDING_KIND_INVALID;
using local::v1::RECORD_FINDING_KIND_LACKS;
using local::v1::RECORD_FINDING_KIND_NOTE;
using local::v1::RECORD_FINDING_KIND_REFUSED;
using local::v1::RECORD_FINDING_KIND_UNKNOWN_CODE;

constexpr size_t kMaxSourceName = 20;
constexpr size_t kMaxRecordId = 200;
constexpr size_t kHandleDigits = 12;
constexpr int kStaleDays = 365;

bool IsSourceName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxSourceName &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-';
         });
}

bool Has(const ListingDraft& draft, local::v1::RecordFindingKind kind) {
  return std::any_of(draft.findings.begin(), draft.findings.end(),
                     [kind](const auto& finding) { return finding.kind() == kind; });
}

bool IsSet(const google::protobuf::Message& message, const FieldDescriptor* field) {
  return field->is_repeated() ? message.GetReflection()->FieldSize(message, field) > 0
                              : message.GetReflection()->HasField(message, field);
}

std::string OneField(const v1::Service& service, const FieldDescriptor* wanted) {
  if (!IsSet(service, wanted)) return "";
  v1::Service only = service;
  std::vector<const FieldDescriptor*> fields;
  v1::Service::GetReflection()->ListFields(service, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field != wanted) v1::Service::GetReflection()->ClearField(&only, field);
  }
  // {"name":value} without the name.
  const std::string json = ToJson(only).value_or("{}");
  const size_t colon = json.find(':');
  return colon == std::string::npos ? "" : json.substr(colon + 1, json.size() - colon - 2);
}

// The texts of a service, none of which a release by a person may let through.
bool IsNeutralService(const v1::Service& service) {
  if (!IsNeutral(service.handle())) return false;
  for (const v1::Condition& condition : service.conditions()) {
    if (!IsNeutral(condition.condition_id()) || !IsNeutral(condition.value()) ||
        !IsNeutral(condition.decided_by())) {
      return false;
    }
  }
  for (const v1::ServiceLanguage& language : service.languages()) {
    if (!IsNeutral(language.tag())) return false;
  }
  return std::all_of(service.service_areas().begin(), service.service_areas().end(),
                     [](const std::string& area) { return IsNeutral(area); });
}

}  // namespace

ServiceId ImportedServiceId(const OrganisationId& organisation, std::string_view source,
                            std::string_view record_id) {
  const std::string hash =
      Sha256("waymark/listing/service", {organisation.view(), source, record_id});
  return *ServiceId::FromBytes(hash.substr(0, ServiceId::kSize));
}

std::string ImportedHandle(std::string_view source, const ServiceId& id) {
  return std::string(source) + "-" + id.hex().substr(0, kHandleDigits);
}

std::vector<local::v1::FieldChange> ChangesBetween(const v1::Service& before,
                                                   const v1::Service& after) {
  std::vector<local::v1::FieldChange> changes;
  for (int i = 0; i < v1::Service::descriptor()->field_count(); ++i) {
    const FieldDescriptor* field = v1::Service::descriptor()->field(i);
    std::string old_value = OneField(before, field);
    std::string new_value = OneField(after, field);
    if (old_value == new_value) continue;
    local::v1::FieldChange& change = changes.emplace_back();
    change.set_field(field->name());
    change.set_before(std::move(old_value));
    change.set_after(std::move(new_value));
  }
  return changes;
}

std::string OutcomeWord(local::v1::ImportOutcome outcome) {
  constexpr std::string_view kPrefix = "IMPORT_OUTCOME_";
  return local::v1::ImportOutcome_Name(outcome).substr(kPrefix.size());
}

absl::StatusOr<Planner> Planner::Create(const Catalogue& catalogue, ImportContext context) {
  if (!IsSourceName(context.source) || !IsNeutral(context.source)) {
    return Error(v1::REASON_FIELD_INVALID,
                 "the name of the source: expected [a-z0-9-]{1,20}, neutral as every name");
  }
  if (!context.unit.empty() && !context.units.contains(context.unit)) {
    return Error(v1::REASON_FIELD_INVALID, "the unit is none of the organisation's own");
  }
  if (context.unit.empty() && context.units.size() == 1) {
    context.unit = context.units.begin()->first;
  }
  return Planner(catalogue, std::move(context));
}

Planner::Planner(const Catalogue& catalogue, ImportContext context)
    : catalogue_(catalogue), context_(std::move(context)) {
  for (size_t i = 0; i < context_.published.size(); ++i) {
    published_.emplace(context_.published[i].service.service_id(), i);
  }
}

const PublishedService* Planner::FindPublished(const std::string& service_id) const {
  const auto found = published_.find(service_id);
  return found == published_.end() ? nullptr : &context_.published[found->second];
}

void Planner::AdoptUnit(ListingDraft& draft) const {
  v1::Service& service = *draft.record.mutable_service();
  const std::string& named = draft.record.unit();
  if (!named.empty()) {
    const auto unit = context_.units.find(named);
    if (unit == context_.units.end()) {
      draft.Add(RECORD_FINDING_KIND_UNKNOWN_CODE, "unit", "is none of the organisation's own");
      return;
    }
    service.set_unit_id(unit->second);
    return;
  }
  const bool own = std::any_of(context_.units.begin(), context_.units.end(),
                               [&](const auto& u) { return u.second == service.unit_id(); });
  if (own) return;
  service.clear_unit_id();
  if (!context_.unit.empty()) service.set_unit_id(context_.units.at(context_.unit));
}

void Planner::FillIn(v1::Service& service) const {
  for (int i = 0; i < v1::Service::descriptor()->field_count(); ++i) {
    const FieldDescriptor* field = v1::Service::descriptor()->field(i);
    if (!IsSet(context_.defaults, field) || IsSet(service, field)) continue;
    v1::Service only = context_.defaults;
    std::vector<const FieldDescriptor*> fields;
    v1::Service::GetReflection()->ListFields(context_.defaults, &fields);
    for (const FieldDescriptor* other : fields) {
      if (other != field) v1::Service::GetReflection()->ClearField(&only, other);
    }
    service.MergeFrom(only);
  }
  const v1::ServiceCode* code = catalogue_.FindService(service.code());
  if (code != nullptr) {
    if (service.phases().empty()) *service.mutable_phases() = code->phases();
    if (service.capacity_unit() == v1::CAPACITY_UNIT_UNSPECIFIED) {
      service.set_capacity_unit(code->unit());
    }
  }
  for (int i = 0; i < service.conditions_size(); ++i) {
    v1::Condition& condition = *service.mutable_conditions(i);
    if (condition.condition_id().empty()) {
      condition.set_condition_id(absl::StrCat(service.handle(), "-c", i + 1));
    }
  }
}

bool Planner::Adopt(ListingDraft& draft) const {
  v1::Service& service = *draft.record.mutable_service();
  const PublishedService* published = FindPublished(service.service_id());
  if (published == nullptr) {
    const ServiceId id =
        ImportedServiceId(context_.organisation, context_.source, draft.record.record_id());
    service.set_service_id(id.bytes());
    service.set_handle(ImportedHandle(context_.source, id));
    // Ids of conditions are unique in the network; another's are not ours to use.
    for (v1::Condition& condition : *service.mutable_conditions()) condition.clear_condition_id();
  } else if (service.handle().empty()) {
    service.set_handle(published->service.handle());
  }
  AdoptUnit(draft);
  const bool verified_by_source = service.has_last_verified();
  FillIn(service);
  return verified_by_source;
}

void Planner::CheckRequired(ListingDraft& draft) const {
  const v1::Service& service = draft.record.service();
  const auto lacks = [&draft](bool missing, std::string_view field, std::string_view text = "") {
    if (missing) draft.Add(RECORD_FINDING_KIND_LACKS, field, text);
  };
  lacks(draft.record.record_id().empty(), "record_id");
  lacks(service.unit_id().empty(), "unit_id", "say which unit with --unit");
  lacks(service.code() == 0, "code");
  lacks(service.provider_kind() == v1::PROVIDER_KIND_UNSPECIFIED, "provider_kind");
  lacks(service.phases().empty(), "phases");
  lacks(service.service_areas().empty() && !service.remote_delivery(), "service_areas");
  lacks(service.location_kind() == v1::LOCATION_KIND_UNSPECIFIED, "location_kind");
  lacks(service.capacity_unit() == v1::CAPACITY_UNIT_UNSPECIFIED, "capacity_unit");
  lacks(!service.has_last_verified(), "last_verified", "the source gives no day of verification");
  const auto known = [this](uint32_t code) { return catalogue_.FindService(code) != nullptr; };
  if ((service.code() != 0 && !known(service.code())) ||
      !std::all_of(service.secondary_codes().begin(), service.secondary_codes().end(), known)) {
    draft.Add(RECORD_FINDING_KIND_UNKNOWN_CODE, "code", "is not in the taxonomy");
  }
  if (draft.record.record_id().size() > kMaxRecordId) {
    draft.Add(RECORD_FINDING_KIND_INVALID, "record_id", "is longer than 200 bytes");
  }
  const v1::Populations& populations = service.populations();
  if (populations.has_minimum_age() && populations.has_maximum_age() &&
      populations.minimum_age() > populations.maximum_age()) {
    draft.Add(RECORD_FINDING_KIND_INVALID, "populations", "the youngest is older than the oldest");
  }
  if (Has(draft, RECORD_FINDING_KIND_LACKS)) return;
  v1::Statement statement;
  statement.set_network_id(context_.organisation.bytes());
  statement.set_organisation_id(context_.organisation.bytes());
  statement.set_version(1);
  statement.set_issued_minute(1);
  statement.set_valid_until_minute(2);
  *statement.mutable_service() = service;
  if (const absl::Status shape = CheckStatementShape(statement); !shape.ok()) {
    draft.Add(RECORD_FINDING_KIND_INVALID, "service", std::string(shape.message()));
  } else if (StartOf(service.last_verified()) > context_.now) {
    draft.Add(RECORD_FINDING_KIND_INVALID, "last_verified", "is still to come");
  }
}

void Planner::CheckConfidential(ListingDraft& draft, const PublishedService* published) const {
  const local::v1::SourceRecord& record = draft.record;
  const bool confidential = record.service().location_kind() == v1::LOCATION_KIND_REDACTED;
  const bool known_confidential =
      published != nullptr && published->service.location_kind() == v1::LOCATION_KIND_REDACTED;
  if (confidential && !record.has_has_address()) {
    draft.Add(RECORD_FINDING_KIND_LACKS, "has_address",
              "say whether the source gives the address of this confidential place");
  }
  if ((confidential || known_confidential) && record.has_address()) {
    draft.Add(RECORD_FINDING_KIND_REFUSED, "address",
              "the source gives the address of a confidential place");
  }
  if ((confidential || known_confidential) &&
      (record.capacity().has_available() || record.capacity().has_maximum())) {
    draft.Add(RECORD_FINDING_KIND_REFUSED, "capacity", "counts the room of a confidential place");
  }
  if (known_confidential && !confidential) {
    draft.Add(RECORD_FINDING_KIND_REFUSED, "location_kind",
              "the place is confidential here and would no longer be");
  }
}

std::optional<v1::Capacity> Planner::RoomOf(const ListingDraft& draft,
                                            const PublishedService* published) const {
  if (!draft.record.has_capacity()) return std::nullopt;
  v1::Capacity capacity = draft.record.capacity();
  capacity.set_service_id(draft.record.service().service_id());
  const int64_t now = absl::ToUnixSeconds(context_.now) / 60;
  // The shortest lifetime, so that the end is the same whenever the record is imported.
  const absl::Duration lifetime = LifetimeOf(draft.record.service().capacity_unit()).shortest;
  capacity.set_valid_until_minute(std::min(
      capacity.valid_until_minute(), capacity.updated_minute() + lifetime / absl::Minutes(1)));
  if (capacity.status() == v1::CAPACITY_STATUS_UNSPECIFIED || capacity.updated_minute() > now ||
      capacity.valid_until_minute() <= now) {
    return std::nullopt;
  }
  // What the directory shows of room: never the maximum nor the window.
  if (published != nullptr && published->capacity.status() == capacity.status() &&
      published->capacity.has_available() == capacity.has_available() &&
      published->capacity.available() == capacity.available() &&
      published->capacity.valid_until_minute() == capacity.valid_until_minute()) {
    return std::nullopt;
  }
  return capacity;
}

local::v1::ImportOutcome Planner::Decide(const ListingDraft& draft,
                                         const PublishedService* published,
                                         ImportEntry& entry) const {
  if (Has(draft, RECORD_FINDING_KIND_REFUSED)) return local::v1::IMPORT_OUTCOME_REFUSED;
  if (Has(draft, RECORD_FINDING_KIND_HELD_BACK)) return local::v1::IMPORT_OUTCOME_HELD_BACK;
  const v1::Service& service = draft.record.service();
  // Ending a service needs nothing but to know which.
  if (service.withdrawn() && !draft.record.record_id().empty()) {
    if (published == nullptr) return local::v1::IMPORT_OUTCOME_ENDED;
    *entry.mutable_service() = published->service;
    entry.mutable_service()->set_withdrawn(true);
    return local::v1::IMPORT_OUTCOME_WITHDRAWN;
  }
  if (Has(draft, RECORD_FINDING_KIND_LACKS) || Has(draft, RECORD_FINDING_KIND_INVALID) ||
      Has(draft, RECORD_FINDING_KIND_UNKNOWN_CODE)) {
    return local::v1::IMPORT_OUTCOME_INCOMPLETE;
  }
  *entry.mutable_service() = service;
  if (const auto room = RoomOf(draft, published)) *entry.mutable_capacity() = *room;
  if (published == nullptr) return local::v1::IMPORT_OUTCOME_ADDED;
  return MessageDifferencer::Equals(published->service, service) && !entry.has_capacity()
             ? local::v1::IMPORT_OUTCOME_UNCHANGED
             : local::v1::IMPORT_OUTCOME_CHANGED;
}

ImportEntry Planner::Judge(ListingDraft draft) {
  ImportEntry entry;
  entry.set_ordinal(draft.ordinal);
  if (IsNeutral(draft.record.record_id())) entry.set_record_id(draft.record.record_id());
  if (draft.left_out) {
    entry.set_outcome(local::v1::IMPORT_OUTCOME_LEFT_OUT);
    return entry;
  }
  if (!draft.record.record_id().empty() && !record_ids_.insert(draft.record.record_id()).second) {
    draft.Add(RECORD_FINDING_KIND_INVALID, "record_id", "is there twice");
  }
  const bool verified_by_source = Adopt(draft);
  const v1::Service& service = draft.record.service();
  entry.set_service_id(service.service_id());
  service_ids_.insert(service.service_id());
  const PublishedService* published = FindPublished(service.service_id());

  if (context_.reviewed.contains(draft.record.record_id())) {
    std::erase_if(draft.findings, [](const auto& finding) {
      return finding.kind() == RECORD_FINDING_KIND_HELD_BACK;
    });
  }
  if (!IsNeutralService(service)) {
    draft.Add(RECORD_FINDING_KIND_HELD_BACK, "service", "has a word that may stand in no name");
  }
  CheckRequired(draft);
  CheckConfidential(draft, published);
  if (service.has_last_verified() &&
      (!verified_by_source ||
       StartOf(service.last_verified()) + absl::Hours(24 * kStaleDays) < context_.now)) {
    entry.set_stale(true);
  }
  if (!verified_by_source && service.has_last_verified()) {
    draft.Add(RECORD_FINDING_KIND_NOTE, "last_verified", "given by the administrator");
  }
  entry.set_outcome(Decide(draft, published, entry));
  NoteIdentity(entry.outcome(), entry.record_id());
  if (published != nullptr && entry.has_service()) {
    for (auto& change : ChangesBetween(published->service, entry.service())) {
      *entry.add_changes() = std::move(change);
    }
  }
  for (auto& finding : draft.findings) *entry.add_findings() = std::move(finding);
  return entry;
}

void Planner::NoteIdentity(local::v1::ImportOutcome outcome, std::string_view record_id) {
  if (outcome == local::v1::IMPORT_OUTCOME_INCOMPLETE && record_id.empty()) unidentified_ = true;
}

void Planner::NoteSettled(const local::v1::ImportedRecord& settled) {
  NoteIdentity(settled.outcome(), settled.record_id());
  if (!settled.record_id().empty()) record_ids_.insert(settled.record_id());
  service_ids_.insert(settled.service_id());
}

std::vector<ImportEntry> Planner::Withdrawals() const {
  std::vector<ImportEntry> entries;
  for (const PublishedService& published : context_.published) {
    const v1::Service& service = published.service;
    const auto id = ServiceId::FromBytes(service.service_id());
    if (!id || service.withdrawn() || service_ids_.contains(service.service_id()) ||
        service.handle() != ImportedHandle(context_.source, *id)) {
      continue;
    }
    ImportEntry& entry = entries.emplace_back();
    entry.set_outcome(local::v1::IMPORT_OUTCOME_WITHDRAWN);
    entry.set_service_id(service.service_id());
    *entry.mutable_service() = service;
    entry.mutable_service()->set_withdrawn(true);
    for (auto& change : ChangesBetween(service, entry.service())) {
      *entry.add_changes() = std::move(change);
    }
  }
  return entries;
}

}  // namespace waymark::node
