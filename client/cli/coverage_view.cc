#include "client/cli/coverage_view.h"

#include <map>
#include <utility>
#include <vector>

namespace waymark::node {
namespace {

std::string Number(uint64_t number) { return std::to_string(number); }

std::string Percent(bool is_set, uint32_t percent) { return is_set ? Number(percent) + " %" : "-"; }

// The columns that every count of services has, after those of `first`.
std::vector<std::string> CountHeader(std::vector<std::string> first) {
  for (const char* column :
       {"SERVICES", "ROOM", "WAITING LIST", "ASSESSMENT", "FULL", "NOT KNOWN", "TAKEN", "KNOWN"}) {
    first.emplace_back(column);
  }
  return first;
}

std::vector<std::string> CountRow(std::vector<std::string> first, const v1::SupplyCount& count) {
  for (const uint32_t number :
       {count.services(), count.has_capacity(), count.waitlist(), count.assessment_required(),
        count.no_capacity(), count.unknown()}) {
    first.push_back(Number(number));
  }
  first.push_back(Percent(count.has_utilisation_percent(), count.utilisation_percent()));
  first.push_back(Percent(count.has_fresh_percent(), count.fresh_percent()));
  return first;
}

template <typename... More>
std::vector<std::string> With(std::vector<std::string> row, More&&... more) {
  (row.emplace_back(std::forward<More>(more)), ...);
  return row;
}

std::string Status(const View& view, v1::CapacityStatus status) {
  return view.Label(*v1::CapacityStatus_descriptor(), status);
}

template <typename Conditions>
std::string ConditionsText(const View& view, const Conditions& conditions) {
  std::vector<std::string> parts;
  for (const v1::ConditionSupply& condition : conditions) {
    parts.push_back(view.Label(*v1::ConditionKind_descriptor(), condition.kind()) + " " +
                    Number(condition.percent()) + " %");
  }
  return Join(parts);
}

std::string AreaTable(const View& view, const v1::GetCoverageResponse& coverage) {
  Table table(With(CountHeader({"AREA"}), "REMOTE", "HIDDEN", "TONIGHT", "TONIGHT HIDDEN"));
  for (const v1::AreaSupply& area : coverage.areas()) {
    table.Add(With(CountRow({area.area()}, area.count()), Number(area.remote()),
                   Status(view, area.redacted()), Number(area.tonight()),
                   area.has_redacted_tonight() ? Number(area.redacted_tonight()) : "0-2"));
  }
  table.Add(With(CountRow({"all"}, coverage.total()), "-", "-", "-", "-"));
  return table.ToString();
}

std::string CategoryTable(const View& view, const v1::GetCoverageResponse& coverage) {
  Table table(With(CountHeader({"CATEGORY"}), "ALWAYS REQUIRED"));
  for (const v1::CategorySupply& category : coverage.categories()) {
    table.Add(With(CountRow({view.Service(category.category())}, category.count()),
                   ConditionsText(view, category.conditions())));
  }
  return table.ToString();
}

std::string LanguageTable(const v1::GetCoverageResponse& coverage) {
  Table table({"LANGUAGE", "BY STAFF", "BY INTERPRETERS"});
  for (const v1::LanguageSupply& language : coverage.languages()) {
    table.Add({language.tag(), Number(language.by_staff()), Number(language.by_interpreter())});
  }
  return table.ToString();
}

std::string TrainingTable(const View& view, const v1::GetCoverageResponse& coverage) {
  Table table({"TRAINING OF 75 % OF STAFF", "SERVICES", "SHARE", "RUN OUT"});
  for (const v1::TrainingSupply& training : coverage.training()) {
    table.Add({view.Label(*v1::TrainingTopic_descriptor(), training.topic()),
               Number(training.services()), Percent(training.has_percent(), training.percent()),
               Number(training.run_out())});
  }
  return table.ToString();
}

std::string LanguagesText(const v1::CoverageCell& cell) {
  std::vector<std::string> tags;
  for (const v1::LanguageSupply& language : cell.languages()) tags.push_back(language.tag());
  return Join(tags);
}

std::string MissingText(const View& view, const v1::CoverageCell& cell) {
  if (cell.nobody()) return "anybody";
  std::vector<std::string> missing(cell.missing_languages().begin(),
                                   cell.missing_languages().end());
  for (const int need : cell.missing_needs()) {
    missing.push_back(view.Label(*v1::ServiceNeed_descriptor(), need));
  }
  return Join(missing);
}

std::string CellTable(const View& view, const v1::GetCoverageResponse& coverage) {
  Table table(With(CountHeader({"WHAT", "AREA"}), "REMOTE", "HIDDEN", "LANGUAGES",
                   "ALWAYS REQUIRED", "MISSING"));
  for (const v1::CoverageCell& cell : coverage.cells()) {
    table.Add(With(CountRow({view.Service(cell.code()), cell.area()}, cell.count()),
                   Number(cell.remote()), Status(view, cell.redacted()), LanguagesText(cell),
                   ConditionsText(view, cell.conditions()), MissingText(view, cell)));
  }
  return table.ToString();
}

std::string GapTable(const View& view, const v1::GetCoverageResponse& coverage) {
  std::map<uint32_t, std::vector<std::string>> areas;
  for (const v1::CoverageCell& cell : coverage.cells()) areas[cell.code()].push_back(cell.area());
  Table table({"WHAT", "NOBODY IN"});
  for (const auto& [code, nobody_in] : areas) table.Add({view.Service(code), Join(nobody_in)});
  return table.ToString();
}

}  // namespace

std::string CoverageText(const View& view, const v1::GetCoverageRequest& request,
                         const v1::GetCoverageResponse& coverage) {
  const std::string nobody = "Nobody in " + Number(coverage.cells_nobody()) + " of " +
                             Number(coverage.cells_total()) + " cells of kind and area";
  if (request.gaps_only()) return nobody + ".\n\n" + GapTable(view, coverage);
  std::string text = "The directory of " + view.Time(coverage.as_of()) + ", revision " +
                     Number(coverage.directory_revision()) +
                     ". Services at a hidden place are in no count; HIDDEN is the best that they "
                     "say.\n\n" +
                     AreaTable(view, coverage) + "\n" + CategoryTable(view, coverage) + "\n" +
                     LanguageTable(coverage) + "\n" + TrainingTable(view, coverage) + "\n";
  const bool with_cells = !request.area().empty() || request.code() != 0;
  if (with_cells) text += CellTable(view, coverage) + "\n";
  return text + nobody + "; 'waymark coverage --gaps' lists them.\n";
}

}  // namespace waymark::node
