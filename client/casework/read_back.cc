#include "client/casework/read_back.h"

#include <algorithm>
#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "base/schema/field_registry.h"

namespace waymark::node {
namespace {

using FieldNumbers = google::protobuf::RepeatedField<uint32_t>;

// Most units bear the name of their organisation, which is then said once.
std::string NameOf(const ReadBackParty& party) {
  const std::string& unit = party.unit->display_name();
  const std::string& member = party.member->display_name();
  if (absl::StrContains(unit, member)) return unit;
  return absl::StrCat(unit, " at ", member);
}

std::string NamesOf(const std::vector<ReadBackParty>& parties) {
  std::vector<std::string> names;
  names.reserve(parties.size());
  for (const ReadBackParty& party : parties) names.push_back(NameOf(party));
  if (names.size() < 2) return absl::StrJoin(names, "");
  const std::string last = names.back();
  names.pop_back();
  return absl::StrCat(absl::StrJoin(names, ", "), " and ", last);
}

std::string DutiesOf(const Catalogue& catalogue, const ReadBackParty& party) {
  if (party.profile == nullptr || party.profile->reporting_duties().empty()) {
    return absl::StrCat(NameOf(party), " did not say what the law may make them report.");
  }
  std::vector<std::string> duties;
  for (const int duty : party.profile->reporting_duties()) {
    const auto* value = v1::ReportingDuty_descriptor()->FindValueByNumber(duty);
    duties.push_back(value == nullptr ? std::to_string(duty) : catalogue.ValueLabel(*value));
  }
  return absl::StrCat("What the law may make ", NameOf(party),
                      " report: ", absl::StrJoin(duties, "; "), ".");
}

// Nothing of NEED and REF is noted in a case: both come with the asking. Whether the place is in an
// area to avoid is worked out from those areas for each recipient (composer.h).
bool NothingIsNoted(const FieldInfo& field, const std::set<uint32_t>& noted) {
  if (field.section == v1::SECTION_NEED || field.section == v1::SECTION_REF) return false;
  const FieldInfo* source =
      field.name == "SAFE.place_conflict" ? FieldByName("SAFE.areas_to_avoid") : &field;
  return noted.count(source->field_no) == 0;
}

// One line per section: "<lead> (<section>): <field>; <field>."
void AddFields(const Catalogue& catalogue, const std::string& lead, const FieldNumbers& field_nos,
               const std::set<uint32_t>* noted, std::vector<std::string>& lines) {
  std::map<v1::Section, std::vector<std::string>> labels;
  for (const uint32_t number : field_nos) {
    const FieldInfo* field = FieldByNumber(number);
    if (field == nullptr) continue;
    std::string label = catalogue.FieldLabel(*field);
    if (noted != nullptr && NothingIsNoted(*field, *noted)) label += " (nothing is noted)";
    labels[field->section].push_back(std::move(label));
  }
  for (const auto& [section, entries] : labels) {
    lines.push_back(absl::StrCat(lead, " (", catalogue.SectionLabel(section),
                                 "): ", absl::StrJoin(entries, "; "), "."));
  }
}

void AddScope(const Catalogue& catalogue, const v1::ConsentRecord& consent,
              const std::set<uint32_t>& noted, std::vector<std::string>& lines) {
  FieldNumbers ordinary;
  for (const uint32_t number : consent.scope_fields()) {
    const auto& special = consent.special_fields();
    if (std::find(special.begin(), special.end(), number) == special.end()) ordinary.Add(number);
  }
  AddFields(catalogue, "They may be told", ordinary, &noted, lines);
  for (const uint32_t number : consent.special_fields()) {
    FieldNumbers one;
    one.Add(number);
    AddFields(catalogue, "Only with a yes to this alone, they may be told", one, &noted, lines);
  }
  lines.emplace_back("They also learn that it is we who ask, and how to reach us.");
  AddFields(catalogue, "They may tell us", consent.return_fields(), nullptr, lines);
}

std::string Date(const google::protobuf::Timestamp& time) {
  return absl::FormatTime("%Y-%m-%d %H:%M UTC", absl::FromUnixSeconds(time.seconds()),
                          absl::UTCTimeZone());
}

}  // namespace

std::vector<std::string> ReadBackLines(const Catalogue& catalogue, const v1::ConsentRecord& consent,
                                       const ReadBackContext& context) {
  std::vector<std::string> lines;
  lines.push_back(absl::StrCat("We would share this with ", NamesOf(context.recipients),
                               ". Nobody else, there or elsewhere, gets it from us."));
  if (consent.onward_mode() == v1::ONWARD_MODE_NAMED) {
    AddFields(catalogue, "They may pass on to " + NamesOf(context.onward), consent.onward_fields(),
              nullptr, lines);
  } else {
    lines.emplace_back("They may not pass it on.");
  }
  for (const ReadBackParty& party : context.recipients) {
    lines.push_back(DutiesOf(catalogue, party));
  }
  for (const uint32_t purpose : consent.purposes()) {
    lines.push_back("It is for: " + catalogue.ServiceLabel(purpose) + ".");
  }
  AddScope(catalogue, consent, context.noted, lines);
  lines.push_back(catalogue.CeilingLabel(consent.stage_ceiling()));
  lines.push_back("It ends at " + Date(consent.valid_until()) + ".");
  lines.emplace_back("It travels sealed through the network's hub, which cannot read it.");
  lines.emplace_back("You can say no, to all or to any part, and still get every service here.");
  lines.emplace_back("You can take it back at any time, by telling us; no reason is needed.");
  return lines;
}

}  // namespace waymark::node
