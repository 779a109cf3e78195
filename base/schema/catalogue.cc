#include "base/schema/catalogue.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "absl/strings/ascii.h"
#include "absl/time/civil_time.h"
#include "base/schema/catalogue_check.h"
#include "base/schema/default_data.h"
#include "base/status/status.h"
#include "google/protobuf/util/json_util.h"

namespace waymark {
namespace {

using Codes = google::protobuf::RepeatedField<uint32_t>;
using Names = google::protobuf::RepeatedPtrField<std::string>;

// How closely a list of codes and categories names a code.
enum Closeness { kNot, kAll, kCategory, kCode };

Closeness ClosenessOf(const Codes& codes, uint32_t code) {
  if (codes.empty()) return kAll;
  Closeness closest = kNot;
  for (const uint32_t listed : codes) {
    if (listed == code) return kCode;
    if (listed == CategoryOf(code)) closest = kCategory;
  }
  return closest;
}

bool Lists(const Codes& codes, uint32_t code) {
  return !codes.empty() && ClosenessOf(codes, code) != kNot;
}

std::vector<const FieldInfo*> Resolve(const Names& names) {
  std::vector<const FieldInfo*> fields;
  for (const std::string& name : names) fields.push_back(FieldByName(name));
  return fields;
}

// Returns the entry of `entries` whose codes are closest to `code`; the first one among equals.
template <typename Entries>
auto Closest(const Entries& entries, uint32_t code) {
  Closeness best = kNot;
  auto found = entries.end();
  for (auto it = entries.begin(); it != entries.end(); ++it) {
    const Closeness closeness = ClosenessOf(it->codes(), code);
    if (closeness > best) {
      best = closeness;
      found = it;
    }
  }
  return found;
}

template <typename Entries, typename Matches>
auto FindIf(const Entries& entries, Matches matches) -> decltype(&*entries.begin()) {
  const auto it = std::find_if(entries.begin(), entries.end(), matches);
  return it == entries.end() ? nullptr : &*it;
}

template <typename Map, typename Key>
std::string LabelOr(const Map& labels, const Key& key, std::string fallback) {
  const auto it = labels.find(key);
  return it == labels.end() ? std::move(fallback) : it->second;
}

// Where the JSON parser stopped, as ":LINE"; empty if what it shows of the text does not tell. It
// shows a piece of the text and, in a last line, a caret under the place.
std::string LineOf(std::string_view shown, std::string_view json) {
  const size_t piece = shown.find('\n');
  const size_t caret = shown.rfind('\n');
  if (piece == std::string_view::npos || piece == caret) return "";
  const std::string_view text = shown.substr(piece + 1, caret - piece - 1);
  const size_t found = json.find(text);
  if (found == std::string_view::npos || json.find(text, found + 1) != std::string_view::npos) {
    return "";
  }
  const std::string_view before = json.substr(0, found + shown.size() - caret - 2);
  return ":" + std::to_string(1 + std::count(before.begin(), before.end(), '\n'));
}

absl::Status Parse(const std::string& path, std::string_view json,
                   google::protobuf::Message& message) {
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = false;
  const auto status =
      google::protobuf::util::JsonStringToMessage({json.data(), json.size()}, &message, options);
  if (status.ok()) return absl::OkStatus();
  const std::string shown(status.message());
  return Error(v1::REASON_CONFIG_INVALID,
               path + LineOf(shown, json) + ": " + shown.substr(0, shown.find('\n')));
}

// The names of the files that replace compiled-in ones. Hidden files are not looked at.
absl::StatusOr<std::set<std::string>> NamesIn(const std::filesystem::path& directory) {
  std::set<std::string> names;
  if (directory.empty()) return names;
  std::error_code error;
  for (std::filesystem::directory_iterator it(directory, error), end; !error && it != end;
       it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name.front() == '.') continue;
    if (DefaultData(name).empty()) {
      return Error(v1::REASON_CONFIG_INVALID, "catalogue: " + it->path().string() +
                                                  " replaces no file of the catalogue: there is "
                                                  "none of this name");
    }
    names.insert(name);
  }
  if (!error) return names;
  return Error(v1::REASON_CONFIG_INVALID,
               "catalogue: the folder " + directory.string() + " cannot be read");
}

// Parses the file of this name: from `directory` if it is among `names`, else the compiled-in one.
absl::Status Read(const std::filesystem::path& directory, const std::set<std::string>& names,
                  const std::string& name, google::protobuf::Message& message) {
  if (names.count(name) == 0) return Parse(name, DefaultData(name), message);
  const std::string path = (directory / name).string();
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return Error(v1::REASON_CONFIG_INVALID, "catalogue: " + path + " cannot be read");
  return Parse(path, text.str(), message);
}

absl::StatusOr<CatalogueFiles> ReadAll(const std::filesystem::path& directory) {
  CatalogueFiles files;
  ASSIGN_OR_RETURN(const std::set<std::string> names, NamesIn(directory));
  RETURN_IF_ERROR(Read(directory, names, "taxonomy.json", files.taxonomy));
  RETURN_IF_ERROR(Read(directory, names, "labels.en.json", files.labels));
  RETURN_IF_ERROR(Read(directory, names, "disclosure_profiles.json", files.profiles));
  RETURN_IF_ERROR(Read(directory, names, "policy_packs.json", files.packs));
  RETURN_IF_ERROR(Read(directory, names, "urgency.json", files.clocks));
  RETURN_IF_ERROR(Read(directory, names, "decline_codes.json", files.ends));
  RETURN_IF_ERROR(Read(directory, names, "traffic.json", files.traffic));
  return files;
}

bool Contains(const google::protobuf::RepeatedField<int>& values, int value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

// Keeps the values that both lists have, or, with `all`, those that either has.
void Combine(const google::protobuf::RepeatedField<int>& a,
             const google::protobuf::RepeatedField<int>& b, bool all,
             google::protobuf::RepeatedField<int>* result) {
  result->Clear();
  for (const int value : a) {
    if (all || Contains(b, value)) result->Add(value);
  }
  if (!all) return;
  for (const int value : b) {
    if (!Contains(a, value)) result->Add(value);
  }
}

}  // namespace

absl::Time After(absl::Time time, const v1::Span& span) {
  if (span.working_days() == 0) return time + absl::Minutes(span.minutes());
  const absl::TimeZone utc = absl::UTCTimeZone();
  const absl::CivilDay start = absl::ToCivilDay(time, utc);
  const absl::Duration time_of_day = time - absl::FromCivil(start, utc);
  absl::CivilDay day = start;
  for (uint32_t left = span.working_days(); left > 0;) {
    ++day;
    const absl::Weekday weekday = absl::GetWeekday(day);
    if (weekday != absl::Weekday::saturday && weekday != absl::Weekday::sunday) --left;
  }
  return absl::FromCivil(day, utc) + time_of_day;
}

v1::PolicyPack StricterOf(const v1::PolicyPack& a, const v1::PolicyPack& b) {
  v1::PolicyPack pack = a;
  if (a.id() != b.id()) pack.set_id(a.id() + "+" + b.id());
  Combine(a.capture_kinds(), b.capture_kinds(), /*all=*/false, pack.mutable_capture_kinds());
  pack.set_default_days(std::min(a.default_days(), b.default_days()));
  pack.set_max_days(std::min(a.max_days(), b.max_days()));
  pack.set_recipients_per_identifying_consent(
      std::min(a.recipients_per_identifying_consent(), b.recipients_per_identifying_consent()));
  pack.set_recipients_per_inquiry_consent(
      std::min(a.recipients_per_inquiry_consent(), b.recipients_per_inquiry_consent()));
  pack.set_vital_interest(std::min(a.vital_interest(), b.vital_interest()));
  Combine(a.withdrawal_forms(), b.withdrawal_forms(), /*all=*/true,
          pack.mutable_withdrawal_forms());
  Combine(a.compelled_disclosure(), b.compelled_disclosure(), /*all=*/true,
          pack.mutable_compelled_disclosure());
  pack.set_minor_consent(std::min(a.minor_consent(), b.minor_consent()));
  Combine(a.statutory_notices(), b.statutory_notices(), /*all=*/true,
          pack.mutable_statutory_notices());
  pack.set_transfer_basis_required(a.transfer_basis_required() || b.transfer_basis_required());
  pack.set_retention_days(std::min(a.retention_days(), b.retention_days()));
  pack.set_breach_hours(std::min(a.breach_hours(), b.breach_hours()));
  return pack;
}

const Catalogue& Catalogue::Default() {
  // A compiled-in file that does not load is a defect of the build, which a test of ours finds.
  static const Catalogue* const kCatalogue = Load({}).value().release();
  return *kCatalogue;
}

absl::StatusOr<std::unique_ptr<const Catalogue>> Catalogue::Load(
    const std::filesystem::path& directory) {
  ASSIGN_OR_RETURN(CatalogueFiles files, ReadAll(directory));
  auto catalogue = Create(std::move(files));
  if (catalogue.ok() || directory.empty()) return catalogue;
  return Annotate(catalogue.status(), "catalogue: in " + directory.string());
}

absl::StatusOr<std::unique_ptr<const Catalogue>> Catalogue::Create(CatalogueFiles files) {
  RETURN_IF_ERROR(CheckCatalogue(files));
  return std::unique_ptr<const Catalogue>(new Catalogue(std::move(files)));
}

std::unique_ptr<const Catalogue> Catalogue::WithLabels(const v1::Labels& labels) const {
  CatalogueFiles files = files_;
  files.labels = labels;
  return std::unique_ptr<const Catalogue>(new Catalogue(std::move(files)));
}

Catalogue::Catalogue(CatalogueFiles files) : files_(std::move(files)) {
  for (const auto& service : files_.taxonomy.codes()) services_[service.code()] = &service;
  for (const auto& rule : files_.profiles.sections()) {
    section_rules_[{rule.code(), rule.section()}] = &rule;
  }
  for (const auto& rule : files_.profiles.fields()) {
    for (const FieldInfo* field : Resolve(rule.fields())) {
      field_rules_[field->field_no].push_back(&rule);
    }
  }
  const v1::ReturnProfile& back = files_.profiles.return_profile();
  for (const FieldInfo* field : Resolve(back.fields())) return_fields_.insert(field->field_no);
  for (const FieldInfo* field : Resolve(back.return_only())) return_only_.insert(field->field_no);
  const v1::QuasiBudget& budget = files_.profiles.quasi_budget();
  rare_languages_.insert(budget.rare_languages().begin(), budget.rare_languages().end());
  for (const auto& order : budget.leave_out()) leave_out_.push_back(Resolve(order.fields()));
}

const v1::ServiceCode* Catalogue::FindService(uint32_t code) const {
  const auto it = services_.find(code);
  return it == services_.end() ? nullptr : it->second;
}

const v1::ServiceCode* Catalogue::FindService(std::string_view key) const {
  return FindIf(files_.taxonomy.codes(),
                [&](const v1::ServiceCode& service) { return service.key() == key; });
}

std::string Catalogue::ServiceLabel(uint32_t code) const {
  const auto& labels = files_.labels.services();
  const std::string number = std::to_string(code);
  if (labels.count(code) > 0) return labels.at(code);
  return LabelOr(labels, CategoryOf(code), "service") + " (" + number + ")";
}

std::string Catalogue::SectionLabel(v1::Section section) const {
  const std::string name(SectionName(section));
  return LabelOr(files_.labels.sections(), name, name);
}

std::string Catalogue::FieldLabel(const FieldInfo& field) const {
  return LabelOr(files_.labels.fields(), field.name, field.name);
}

std::string Catalogue::ValueLabel(const google::protobuf::EnumValueDescriptor& value) const {
  return LabelOr(files_.labels.values(), value.name(), value.name());
}

std::string Catalogue::EndLabel(std::string_view id) const {
  const std::string key(id);
  return LabelOr(files_.labels.ends(), key, key);
}

std::string Catalogue::CeilingLabel(v1::Stage stage) const {
  const std::string& name = v1::Stage_Name(stage);
  return LabelOr(files_.labels.ceilings(), name, name);
}

const v1::SectionRule& Catalogue::RuleOf(uint32_t code, v1::Section section) const {
  for (const uint32_t key : {code, CategoryOf(code)}) {
    const auto it = section_rules_.find({key, section});
    if (it != section_rules_.end()) return *it->second;
  }
  return v1::SectionRule::default_instance();
}

FieldAccess Catalogue::OutwardAccess(uint32_t code, const FieldInfo& field) const {
  if (field.section == v1::SECTION_PROG || return_only_.count(field.field_no) > 0) return {};
  const v1::SectionRule& section = RuleOf(code, field.section);
  FieldAccess access{.from = section.full_from(), .addable = section.addable()};
  if (field.coarse && section.coarse_from() != v1::STAGE_UNSPECIFIED) {
    access.from = section.coarse_from();
  }
  const auto rules = field_rules_.find(field.field_no);
  if (access.blocked() || rules == field_rules_.end()) return access;
  Closeness closest = kNot;
  for (const v1::FieldRule* rule : rules->second) {
    const Closeness closeness = ClosenessOf(rule->codes(), code);
    if (closeness == kNot || Lists(rule->except_codes(), code)) continue;
    if (rule->blocked()) return {};
    if (rule->from() != v1::STAGE_UNSPECIFIED && closeness > closest) {
      closest = closeness;
      access.from = rule->from();
    }
    access.addable |= rule->addable();
    access.needs_required_identity |= rule->needs_required_identity();
    access.needs_direct_contact |= rule->needs_direct_contact();
    access.needs_request |= rule->needs_request();
  }
  return access;
}

FieldAccess Catalogue::ReturnAccess(uint32_t code, const FieldInfo& field) const {
  const v1::ReturnProfile& profile = files_.profiles.return_profile();
  if (return_fields_.count(field.field_no) > 0) return {.from = profile.fields_from()};
  if (field.section != v1::SECTION_PROG) return {};
  if (field.coarse) return {.from = profile.coarse_from()};
  const v1::SectionRule& section = RuleOf(code, v1::SECTION_PROG);
  return {.from = section.full_from(), .addable = section.addable()};
}

v1::DataClass Catalogue::ClassOf(uint32_t code, const FieldInfo& field) const {
  for (const v1::ClassRule& rule : files_.profiles.classes()) {
    if (rule.field() == field.name && ClosenessOf(rule.codes(), code) != kNot &&
        !Lists(rule.except_codes(), code)) {
      return rule.data_class();
    }
  }
  return field.data_class;
}

bool Catalogue::IsSpecialCondition(v1::ConditionKind kind) const {
  return Contains(files_.profiles.special_conditions(), kind);
}

uint32_t Catalogue::QuasiBudget(uint32_t code) const {
  const v1::QuasiBudget& budget = files_.profiles.quasi_budget();
  const auto exception = Closest(budget.exceptions(), code);
  return exception == budget.exceptions().end() ? budget.standard() : exception->budget();
}

bool Catalogue::IsRareLanguage(std::string_view tag) const {
  std::string primary(tag.substr(0, tag.find('-')));
  absl::AsciiStrToLower(&primary);
  return rare_languages_.count(primary) > 0;
}

uint32_t Catalogue::LanguageWeight(std::string_view tag) const {
  return IsRareLanguage(tag) ? files_.profiles.quasi_budget().rare_language_weight() : 1;
}

const std::vector<const FieldInfo*>& Catalogue::LeaveOutOrder(uint32_t code) const {
  const auto& orders = files_.profiles.quasi_budget().leave_out();
  // CheckCatalogue made sure that there is one for all codes.
  return leave_out_[static_cast<size_t>(Closest(orders, code) - orders.begin())];
}

const v1::Freshness* Catalogue::FreshnessOf(v1::Section section) const {
  return FindIf(files_.profiles.freshness(),
                [&](const v1::Freshness& freshness) { return freshness.section() == section; });
}

std::vector<const FieldInfo*> Catalogue::RequiredFields(uint32_t code) const {
  std::vector<const FieldInfo*> fields;
  for (const auto& required : files_.profiles.required_fields()) {
    if (Lists(required.codes(), code)) fields.push_back(FieldByName(required.field()));
  }
  return fields;
}

bool Catalogue::AllowsMinor(uint32_t code) const {
  return Lists(files_.profiles.minor().codes(), code);
}

std::vector<const FieldInfo*> Catalogue::EraseAtStart() const {
  return Resolve(files_.profiles.erase_at_start());
}

const v1::PolicyPack* Catalogue::FindPack(std::string_view id) const {
  return FindIf(files_.packs.packs(), [&](const v1::PolicyPack& pack) { return pack.id() == id; });
}

bool Catalogue::NeedsSeparateRelease(v1::OrganisationClass organisation_class) const {
  return Contains(files_.packs.separate_release().classes(), organisation_class);
}

bool Catalogue::NeverReceives(v1::OrganisationClass organisation_class) const {
  return Contains(files_.packs.separate_release().never(), organisation_class);
}

const v1::UrgencyClock* Catalogue::ClockOf(v1::Urgency urgency) const {
  return FindIf(files_.clocks.clocks(),
                [&](const v1::UrgencyClock& clock) { return clock.urgency() == urgency; });
}

const v1::DeclineInfo* Catalogue::FindDecline(v1::DeclineCode code) const {
  return FindIf(files_.ends.declines(),
                [&](const v1::DeclineInfo& decline) { return decline.code() == code; });
}

const v1::DeclineInfo* Catalogue::FindDecline(std::string_view id) const {
  return FindIf(files_.ends.declines(),
                [&](const v1::DeclineInfo& decline) { return decline.id() == id; });
}

const v1::EndInfo* Catalogue::FindEnd(v1::EndReason reason) const {
  return FindIf(files_.ends.ends(), [&](const v1::EndInfo& end) { return end.reason() == reason; });
}

const v1::EndInfo* Catalogue::FindEnd(std::string_view id) const {
  return FindIf(files_.ends.ends(), [&](const v1::EndInfo& end) { return end.id() == id; });
}

bool Catalogue::AllowsDecline(v1::DeclineCode decline, uint32_t code, v1::Stage stage) const {
  const v1::DeclineInfo* info = FindDecline(decline);
  return info != nullptr && stage >= info->from() && ClosenessOf(info->codes(), code) != kNot;
}

}  // namespace waymark
