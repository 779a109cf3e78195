#include "base/schema/catalogue_check.h"

#include <set>
#include <string>

#include "base/schema/value_format.h"
#include "base/status/status.h"

namespace waymark {
namespace {

using Codes = google::protobuf::RepeatedField<uint32_t>;
using Names = google::protobuf::RepeatedPtrField<std::string>;
using Enums = google::protobuf::RepeatedField<int>;

absl::Status Wrong(const std::string& what) { return Error(v1::REASON_CONFIG_INVALID, what); }

absl::Status Expect(bool holds, const std::string& what) {
  return holds ? absl::OkStatus() : Wrong(what);
}

// Checks what the files say against the taxonomy and the schema.
class Checker {
 public:
  explicit Checker(const CatalogueFiles& files) : files_(files) {
    for (const auto& category : files.taxonomy.categories()) known_.insert(category.code());
    for (const auto& service : files.taxonomy.codes()) known_.insert(service.code());
  }

  absl::Status Taxonomy() const {
    const v1::Taxonomy& taxonomy = files_.taxonomy;
    RETURN_IF_ERROR(Expect(taxonomy.version() > 0, "version is missing"));
    for (const auto& category : taxonomy.categories()) {
      RETURN_IF_ERROR(Expect(category.code() > 0 && category.code() % 100 == 0 &&
                                 category.code() < 10000 && !category.key().empty(),
                             "a category needs a code that is a multiple of 100, and a key"));
    }
    RETURN_IF_ERROR(Expect(
        static_cast<int>(known_.size()) == taxonomy.categories_size() + taxonomy.codes_size(),
        "a code stands twice"));
    for (const auto& service : taxonomy.codes()) {
      const std::string name = "code " + std::to_string(service.code());
      RETURN_IF_ERROR(Expect(service.code() % 100 != 0 && known_.count(CategoryOf(service.code())),
                             name + " has no category"));
      RETURN_IF_ERROR(Expect(!service.key().empty() && service.phases_size() > 0 &&
                                 service.unit() != v1::CAPACITY_UNIT_UNSPECIFIED &&
                                 service.since() > 0,
                             name + " needs a key, phases, a unit and since"));
      RETURN_IF_ERROR(Expect(service.replaced_by() == 0 || known_.count(service.replaced_by()) > 0,
                             name + " is replaced by a code that is not there"));
    }
    return absl::OkStatus();
  }

  absl::Status Labels() const {
    const v1::Labels& labels = files_.labels;
    RETURN_IF_ERROR(Expect(labels.version() > 0, "version is missing"));
    RETURN_IF_ERROR(Expect(HasTextFormat(labels.language(), v1::VALUE_FORMAT_LANGUAGE_TAG),
                           "language is not a BCP-47 tag"));
    for (const auto& [code, label] : labels.services()) RETURN_IF_ERROR(Code(code));
    for (const auto& [name, label] : labels.sections()) {
      RETURN_IF_ERROR(Expect(SectionFromName(name) != v1::SECTION_UNSPECIFIED,
                             "there is no section \"" + name + "\""));
    }
    for (const auto& [name, label] : labels.fields()) RETURN_IF_ERROR(Field(name));
    for (const auto& [name, label] : labels.ceilings()) {
      RETURN_IF_ERROR(Expect(v1::Stage_descriptor()->FindValueByName(name) != nullptr,
                             "there is no stage \"" + name + "\""));
    }
    return absl::OkStatus();
  }

  absl::Status Profiles() const {
    const v1::DisclosureProfiles& profiles = files_.profiles;
    RETURN_IF_ERROR(Expect(profiles.version() > 0, "version is missing"));
    RETURN_IF_ERROR(SectionRules(profiles));
    for (const auto& rule : profiles.fields()) {
      RETURN_IF_ERROR(Expect(rule.fields_size() > 0, "exception " + rule.id() + " has no fields"));
      RETURN_IF_ERROR(Fields(rule.fields()));
      RETURN_IF_ERROR(CodeList(rule.codes()));
      RETURN_IF_ERROR(CodeList(rule.except_codes()));
    }
    RETURN_IF_ERROR(Return(profiles.return_profile()));
    RETURN_IF_ERROR(Budget(profiles.quasi_budget()));
    for (const auto& freshness : profiles.freshness()) {
      RETURN_IF_ERROR(Field(freshness.confirmed_by()));
      RETURN_IF_ERROR(
          Expect(freshness.section() != v1::SECTION_UNSPECIFIED && freshness.max_days() > 0,
                 "freshness needs a section and max_days"));
    }
    for (const auto& rule : profiles.classes()) {
      RETURN_IF_ERROR(Field(rule.field()));
      RETURN_IF_ERROR(CodeList(rule.codes()));
      RETURN_IF_ERROR(CodeList(rule.except_codes()));
      RETURN_IF_ERROR(Expect(rule.data_class() != v1::DATA_CLASS_UNSPECIFIED,
                             "a class for " + rule.field() + " is missing"));
    }
    for (const auto& required : profiles.required_fields()) {
      RETURN_IF_ERROR(Field(required.field()));
      RETURN_IF_ERROR(CodeList(required.codes()));
    }
    RETURN_IF_ERROR(CodeList(profiles.minor().codes()));
    RETURN_IF_ERROR(Fields(profiles.minor().blocked_fields()));
    RETURN_IF_ERROR(Expect(profiles.minor().max_days() > 0, "minor needs max_days"));
    return Fields(profiles.erase_at_start());
  }

  absl::Status Packs() const {
    const v1::PolicyPacks& packs = files_.packs;
    RETURN_IF_ERROR(Expect(packs.version() > 0, "version is missing"));
    RETURN_IF_ERROR(Expect(packs.packs_size() > 0, "there is no pack"));
    std::set<std::string> ids;
    for (const auto& pack : packs.packs()) {
      RETURN_IF_ERROR(
          Expect(HasTextFormat(pack.id(), v1::VALUE_FORMAT_PACK_ID) && ids.insert(pack.id()).second,
                 "pack id \"" + pack.id() + "\" is malformed or stands twice"));
      RETURN_IF_ERROR(Pack(pack));
    }
    const v1::SeparateRelease& release = packs.separate_release();
    return Expect(
        release.classes_size() > 0 && release.max_days() > 0 && release.capture_kinds_size() > 0,
        "separate_release needs classes, max_days and capture_kinds");
  }

  static bool IsUrgent(const v1::UrgencyClock& clock) {
    return clock.urgency() == v1::URGENCY_U0 || clock.urgency() == v1::URGENCY_U1;
  }

  static absl::Status OfflineNotice(const v1::UrgencyClock& clock, const std::string& name) {
    if (!clock.has_offline_notice_after()) return absl::OkStatus();
    RETURN_IF_ERROR(Expect(IsUrgent(clock), name + " has offline_notice_after, which is for "
                                                   "URGENCY_U0 and URGENCY_U1 alone"));
    const v1::Span& span = clock.offline_notice_after();
    return Expect(IsSpan(span) && span.minutes() > 0,
                  name + " has an offline_notice_after that is not in minutes");
  }

  absl::Status Traffic() const {
    constexpr uint32_t kFrameItems = 64;
    constexpr uint32_t kFrameBytes = 1 << 20;
    const v1::TrafficLimits& traffic = files_.traffic;
    RETURN_IF_ERROR(Expect(traffic.version() > 0, "version is missing"));
    RETURN_IF_ERROR(Expect(traffic.items_per_second() > 0 && traffic.bytes_per_second() > 0 &&
                               traffic.sessions_per_second() > 0 && traffic.burst_sessions() > 0,
                           "a rate or a burst is 0"));
    return Expect(traffic.burst_items() >= kFrameItems && traffic.burst_bytes() >= kFrameBytes,
                  "a burst is smaller than a frame of 64 items and 1 MiB");
  }

  absl::Status Clocks() const {
    const v1::UrgencyClocks& clocks = files_.clocks;
    RETURN_IF_ERROR(Expect(clocks.version() > 0, "version is missing"));
    std::set<int> seen;
    for (const auto& clock : clocks.clocks()) {
      const std::string name = v1::Urgency_Name(clock.urgency());
      RETURN_IF_ERROR(
          Expect(clock.urgency() != v1::URGENCY_UNSPECIFIED && seen.insert(clock.urgency()).second,
                 name + " is not an urgency or stands twice"));
      for (const v1::Span* span :
           {&clock.answer_due(), &clock.prompt_after(), &clock.expires_after(), &clock.hold(),
            &clock.revoke_ack_due()}) {
        RETURN_IF_ERROR(Expect(IsSpan(*span), name + " lacks a required span"));
      }
      RETURN_IF_ERROR(Expect(!clock.has_service_aim() || IsSpan(clock.service_aim()),
                             name + " has a span of neither minutes nor working days"));
      RETURN_IF_ERROR(OfflineNotice(clock, name));
      RETURN_IF_ERROR(Expect(clock.max_asked_at_once() > 0, name + " needs max_asked_at_once"));
    }
    RETURN_IF_ERROR(Expect(static_cast<int>(seen.size()) == v1::Urgency_ARRAYSIZE - 1,
                           "an urgency has no clocks"));
    std::set<uint32_t> notices;
    for (const auto& clock : clocks.clocks()) {
      if (IsUrgent(clock)) notices.insert(clock.offline_notice_after().minutes());
    }
    // The hub keeps what is urgent in one queue.
    RETURN_IF_ERROR(Expect(notices.size() == 1,
                           "URGENCY_U0 and URGENCY_U1 need the same offline_notice_after"));
    return Expect(clocks.max_asked_in_turn() > 0 && clocks.waitlist_review_days() > 0,
                  "max_asked_in_turn and waitlist_review_days are required");
  }

  absl::Status Ends() const {
    const v1::EndCodes& ends = files_.ends;
    RETURN_IF_ERROR(Expect(ends.version() > 0, "version is missing"));
    std::set<std::string> ids;
    std::set<int> declines;
    for (const auto& decline : ends.declines()) {
      RETURN_IF_ERROR(Expect(
          decline.code() != v1::DECLINE_CODE_UNSPECIFIED &&
              decline.barrier() != v1::BARRIER_UNSPECIFIED && !decline.id().empty() &&
              ids.insert(decline.id()).second && declines.insert(decline.code()).second,
          "decline code " + decline.id() + " is incomplete, or its code or id stands twice"));
      RETURN_IF_ERROR(CodeList(decline.codes()));
    }
    RETURN_IF_ERROR(Expect(static_cast<int>(declines.size()) == v1::DeclineCode_ARRAYSIZE - 1,
                           "a decline code is missing"));
    for (const auto& end : ends.ends()) {
      RETURN_IF_ERROR(Expect(end.reason() != v1::END_REASON_UNSPECIFIED &&
                                 end.side() != v1::END_SIDE_UNSPECIFIED && !end.id().empty() &&
                                 ids.insert(end.id()).second,
                             "end " + end.id() + " is incomplete, or its id stands twice"));
    }
    return absl::OkStatus();
  }

 private:
  absl::Status SectionRules(const v1::DisclosureProfiles& profiles) const {
    std::set<std::pair<uint32_t, int>> seen;
    for (const auto& rule : profiles.sections()) {
      const std::string name =
          std::to_string(rule.code()) + " " + std::string(SectionName(rule.section()));
      RETURN_IF_ERROR(Code(rule.code()));
      RETURN_IF_ERROR(Expect(rule.section() != v1::SECTION_UNSPECIFIED &&
                                 rule.section() != v1::SECTION_RTE &&
                                 rule.section() != v1::SECTION_CON,
                             "row " + name + " names no sealed section"));
      RETURN_IF_ERROR(Expect(seen.emplace(rule.code(), rule.section()).second,
                             "row " + name + " stands twice"));
      RETURN_IF_ERROR(Expect(rule.coarse_from() == v1::STAGE_UNSPECIFIED ||
                                 rule.full_from() == v1::STAGE_UNSPECIFIED ||
                                 rule.coarse_from() < rule.full_from(),
                             "row " + name + " opens all fields before the coarse ones"));
    }
    return absl::OkStatus();
  }

  absl::Status Return(const v1::ReturnProfile& profile) const {
    RETURN_IF_ERROR(Fields(profile.fields()));
    RETURN_IF_ERROR(Fields(profile.return_only()));
    return Expect(profile.coarse_from() != v1::STAGE_UNSPECIFIED &&
                      profile.fields_from() != v1::STAGE_UNSPECIFIED,
                  "return_profile needs coarse_from and fields_from");
  }

  absl::Status Budget(const v1::QuasiBudget& budget) const {
    for (const auto& exception : budget.exceptions()) RETURN_IF_ERROR(CodeList(exception.codes()));
    bool general = false;
    for (const auto& order : budget.leave_out()) {
      RETURN_IF_ERROR(CodeList(order.codes()));
      RETURN_IF_ERROR(Fields(order.fields()));
      general = general || order.codes().empty();
    }
    return Expect(
        general && budget.standard() > 0 && budget.rare_language_weight() > 0,
        "quasi_budget needs standard, rare_language_weight and a leave_out for all codes");
  }

  static absl::Status Pack(const v1::PolicyPack& pack) {
    RETURN_IF_ERROR(Expect(pack.capture_kinds_size() > 0 && pack.withdrawal_forms_size() > 0,
                           "pack " + pack.id() + " needs capture_kinds and withdrawal_forms"));
    RETURN_IF_ERROR(Expect(pack.default_days() > 0 && pack.default_days() <= pack.max_days(),
                           "pack " + pack.id() + " needs default_days up to max_days"));
    return Expect(pack.recipients_per_identifying_consent() > 0 &&
                      pack.recipients_per_inquiry_consent() > 0 && pack.breach_hours() > 0 &&
                      pack.vital_interest() != v1::VITAL_INTEREST_UNSPECIFIED &&
                      pack.minor_consent() != v1::MINOR_CONSENT_UNSPECIFIED,
                  "pack " + pack.id() + " lacks a required parameter");
  }

  static bool IsSpan(const v1::Span& span) {
    return (span.minutes() > 0) != (span.working_days() > 0);
  }

  absl::Status Code(uint32_t code) const {
    return Expect(known_.count(code) > 0,
                  "there is no code " + std::to_string(code) + " in the taxonomy");
  }

  absl::Status CodeList(const Codes& codes) const {
    for (const uint32_t code : codes) RETURN_IF_ERROR(Code(code));
    return absl::OkStatus();
  }

  static absl::Status Field(const std::string& name) {
    return Expect(FieldByName(name) != nullptr, "there is no field \"" + name + "\"");
  }

  static absl::Status Fields(const Names& names) {
    for (const std::string& name : names) RETURN_IF_ERROR(Field(name));
    return absl::OkStatus();
  }

  const CatalogueFiles& files_;
  std::set<uint32_t> known_;
};

}  // namespace

absl::Status CheckCatalogue(const CatalogueFiles& files) {
  const Checker checker(files);
  RETURN_IF_ERROR(Annotate(checker.Taxonomy(), "taxonomy.json"));
  RETURN_IF_ERROR(Annotate(checker.Labels(), "labels.en.json"));
  RETURN_IF_ERROR(Annotate(checker.Profiles(), "disclosure_profiles.json"));
  RETURN_IF_ERROR(Annotate(checker.Packs(), "policy_packs.json"));
  RETURN_IF_ERROR(Annotate(checker.Clocks(), "urgency.json"));
  RETURN_IF_ERROR(Annotate(checker.Ends(), "decline_codes.json"));
  return Annotate(checker.Traffic(), "traffic.json");
}

}  // namespace waymark
