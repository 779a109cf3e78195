// The data files behind the rules: taxonomy, labels, disclosure profiles, policy packs, clocks, end
// codes, limits of traffic.
//
// A catalogue answers questions about data; it decides nothing. Whether a field may go is decided
// by the policy evaluator, which asks here. The files of proto/data are compiled in (Default); an
// operator replaces them one by one (Load). A taxonomy code that is not known here counts as its
// category. Immutable once made, hence thread-safe; what it returns lives as long as the catalogue.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/schema/field_registry.h"
#include "waymark/v1/catalogue.pb.h"

namespace waymark {

// What the profiles say about one field, one kind of service and one direction.
struct FieldAccess {
  // The earliest stage at which the field may go; STAGE_UNSPECIFIED if it never may.
  v1::Stage from = v1::STAGE_UNSPECIFIED;
  // Not part of the default: the lead must add it, with the person's consent to this field.
  bool addable = false;
  // The directory entry must state a legal reason for this field (E1).
  bool needs_required_identity = false;
  // Only when CONT.via_lead_only is set to false (E4).
  bool needs_direct_contact = false;
  // Only when the person asks the provider to act on it (E6).
  bool needs_request = false;

  bool blocked() const { return from == v1::STAGE_UNSPECIFIED; }
};

// The data files as messages, one member per file.
struct CatalogueFiles {
  v1::Taxonomy taxonomy;
  v1::Labels labels;
  v1::DisclosureProfiles profiles;
  v1::PolicyPacks packs;
  v1::UrgencyClocks clocks;
  v1::EndCodes ends;
  v1::TrafficLimits traffic;
};

// Returns the category of a taxonomy code: 1204 belongs to 1200.
constexpr uint32_t CategoryOf(uint32_t code) { return code / 100 * 100; }

// Returns `time` moved by the span. Working days are counted in UTC, without Saturdays and Sundays.
absl::Time After(absl::Time time, const v1::Span& span);

// Returns the pack in which each parameter is the stricter of the two; its id is "<a>+<b>", or the
// id of both if they are the same pack. Capture kinds that only one allows are not allowed.
v1::PolicyPack StricterOf(const v1::PolicyPack& a, const v1::PolicyPack& b);

class Catalogue {
 public:
  // The compiled-in data files.
  static const Catalogue& Default();

  // Reads the data files of `directory`; a file that is not there is taken from the compiled-in
  // ones. CONFIG_INVALID names the file and what is wrong with it.
  static absl::StatusOr<std::unique_ptr<const Catalogue>> Load(
      const std::filesystem::path& directory);

  // Makes a catalogue of these files. CONFIG_INVALID as for Load.
  static absl::StatusOr<std::unique_ptr<const Catalogue>> Create(CatalogueFiles files);

  // The same catalogue with other words for people; they decide nothing and are not checked again.
  std::unique_ptr<const Catalogue> WithLabels(const v1::Labels& labels) const;

  const v1::Labels& labels() const { return files_.labels; }
  const v1::Taxonomy& taxonomy() const { return files_.taxonomy; }
  const v1::DisclosureProfiles& profiles() const { return files_.profiles; }
  const v1::PolicyPacks& packs() const { return files_.packs; }
  const v1::UrgencyClocks& clocks() const { return files_.clocks; }
  const v1::EndCodes& ends() const { return files_.ends; }
  const v1::TrafficLimits& traffic() const { return files_.traffic; }

  // The service with exactly this code or key; nullptr if there is none.
  const v1::ServiceCode* FindService(uint32_t code) const;
  const v1::ServiceCode* FindService(std::string_view key) const;

  // Words for people; the key itself where a label is missing. A code that is not known shows its
  // category and its number.
  std::string ServiceLabel(uint32_t code) const;
  std::string SectionLabel(v1::Section section) const;
  std::string FieldLabel(const FieldInfo& field) const;
  std::string ValueLabel(const google::protobuf::EnumValueDescriptor& value) const;
  std::string EndLabel(std::string_view id) const;
  // A sentence for the person: up to where a consent with this ceiling goes.
  std::string CeilingLabel(v1::Stage stage) const;

  // The row of the profile matrix for a service and a section; a row without stages if it is
  // blocked. REF accompanies everything that speaks of a person.
  const v1::SectionRule& RuleOf(uint32_t code, v1::Section section) const;

  // When the field may go from the origin to a provider of this service, exceptions E1 to E9
  // included. PROG, and fields that only a provider writes, are blocked.
  FieldAccess OutwardAccess(uint32_t code, const FieldInfo& field) const;

  // When the field may come back from the provider: the return profile.
  FieldAccess ReturnAccess(uint32_t code, const FieldInfo& field) const;

  // The field's class for this service: that of the schema unless the profiles say otherwise.
  v1::DataClass ClassOf(uint32_t code, const FieldInfo& field) const;

  // Whether an answer to a condition of this kind is special category.
  bool IsSpecialCondition(v1::ConditionKind kind) const;

  // How many quasi-identifying values a referral for this service may carry at INQUIRY (E11).
  uint32_t QuasiBudget(uint32_t code) const;

  // Whether the network treats the BCP-47 tag as rare, and what it counts in the budget.
  bool IsRareLanguage(std::string_view tag) const;
  uint32_t LanguageWeight(std::string_view tag) const;

  // What to propose to leave out of an inquiry, cheapest for matching first.
  const std::vector<const FieldInfo*>& LeaveOutOrder(uint32_t code) const;

  // How old a section's values may be (C12); nullptr if any age will do.
  const v1::Freshness* FreshnessOf(v1::Section section) const;

  // Fields without which nothing beyond the inquiry may leave for this service (C14b).
  std::vector<const FieldInfo*> RequiredFields(uint32_t code) const;

  // Whether the profile for minors allows this service (C15).
  bool AllowsMinor(uint32_t code) const;

  // Fields that both sides erase at START.
  std::vector<const FieldInfo*> EraseAtStart() const;

  // The pack of this id; nullptr if there is none.
  const v1::PolicyPack* FindPack(std::string_view id) const;

  // C8: whether the class needs a separate release; whether it never receives data about a person.
  bool NeedsSeparateRelease(v1::OrganisationClass organisation_class) const;
  bool NeverReceives(v1::OrganisationClass organisation_class) const;

  // The clocks of an urgency; nullptr for URGENCY_UNSPECIFIED.
  const v1::UrgencyClock* ClockOf(v1::Urgency urgency) const;

  // A decline code by its value or by its id ("D07"), another end by its value or its id ("PE1");
  // nullptr if there is none.
  const v1::DeclineInfo* FindDecline(v1::DeclineCode code) const;
  const v1::DeclineInfo* FindDecline(std::string_view id) const;
  const v1::EndInfo* FindEnd(v1::EndReason reason) const;
  const v1::EndInfo* FindEnd(std::string_view id) const;

  // Whether a provider of this service may decline with this code at this stage.
  bool AllowsDecline(v1::DeclineCode decline, uint32_t code, v1::Stage stage) const;

 private:
  explicit Catalogue(CatalogueFiles files);

  // Constant after construction; the indexes point into it.
  const CatalogueFiles files_;
  std::unordered_map<uint32_t, const v1::ServiceCode*> services_;
  std::map<std::pair<uint32_t, v1::Section>, const v1::SectionRule*> section_rules_;
  std::unordered_map<uint32_t, std::vector<const v1::FieldRule*>> field_rules_;
  std::unordered_set<uint32_t> return_fields_;
  std::unordered_set<uint32_t> return_only_;
  std::unordered_set<std::string> rare_languages_;
  std::vector<std::vector<const FieldInfo*>> leave_out_;
};

}  // namespace waymark
