#include <algorithm>

#include "base/schema/field_registry.h"
#include "base/status/status.h"
#include "client/cli/commands.h"
#include "client/cli/document.h"

namespace waymark::node {
namespace {

using Api = v1::NodeService::StubInterface;

struct CaseOptions {
  std::string id;
  std::string label;
  std::string unit;
  std::string person;
  std::string other;
  std::vector<std::string> assignments;
  std::vector<std::string> conditions;
  std::vector<std::string> dependants;
  std::vector<std::string> goals;
  std::string file;
};

absl::StatusOr<v1::Case> GetCase(Shell& shell, const std::string& wanted) {
  ASSIGN_OR_RETURN(NodeClient * node, shell.Node());
  ASSIGN_OR_RETURN(Lookup names, shell.Names());
  v1::GetCaseRequest request;
  ASSIGN_OR_RETURN(*request.mutable_case_id(), names.Case(wanted));
  ASSIGN_OR_RETURN(auto shown, node->Call(&Api::GetCase, request));
  return std::move(*shown.mutable_case_());
}

absl::Status OpenCase(Shell& shell, const CaseOptions& options) {
  ASSIGN_OR_RETURN(NodeClient * node, shell.Node());
  ASSIGN_OR_RETURN(Lookup names, shell.Names());
  v1::CreateCaseRequest request;
  ASSIGN_OR_RETURN(*request.mutable_case_id(), shell.NewId(options.id));
  ASSIGN_OR_RETURN(*request.mutable_unit_id(), names.Unit(options.unit));
  request.set_label(options.label);
  RETURN_IF_ERROR(node->Call(&Api::CreateCase, request).status());
  shell.PrintCreated("case", request.case_id(), options.label + " is open");
  return absl::OkStatus();
}

// Replaces the entries of a section of which there are several, if any were given.
template <typename Entries>
absl::Status ReplaceEntries(const ValueReader& reader, v1::Section section,
                            const std::vector<std::string>& texts, Entries* entries,
                            v1::Sections& sections) {
  if (texts.empty()) return absl::OkStatus();
  entries->Clear();
  for (const std::string& text : texts) {
    RETURN_IF_ERROR(AddEntry(reader, section, text, sections));
  }
  return absl::OkStatus();
}

// What the person said, with the changes.
absl::Status Change(const ValueReader& reader, const CaseOptions& options, v1::Sections& sections) {
  if (!options.file.empty()) {
    v1::Sections given;
    RETURN_IF_ERROR(FillFromFile(reader, options.file, given));
    const auto* reflection = v1::Sections::GetReflection();
    std::vector<const google::protobuf::FieldDescriptor*> places;
    reflection->ListFields(given, &places);
    for (const auto* place : places) reflection->ClearField(&sections, place);
    sections.MergeFrom(given);
  }
  for (const std::string& assignment : options.assignments) {
    RETURN_IF_ERROR(AssignSectionField(reader, assignment, sections));
  }
  for (const std::string& condition : options.conditions) {
    RETURN_IF_ERROR(SetCondition(reader, condition, sections));
  }
  RETURN_IF_ERROR(ReplaceEntries(reader, v1::SECTION_DEPN, options.dependants,
                                 sections.mutable_depn(), sections));
  return ReplaceEntries(reader, v1::SECTION_GOAL, options.goals, sections.mutable_goal(), sections);
}

absl::Status SetCase(Shell& shell, const CaseOptions& options) {
  ASSIGN_OR_RETURN(v1::Case person, GetCase(shell, options.person));
  ASSIGN_OR_RETURN(Lookup names, shell.Names());
  ValueReader reader = shell.reader();
  reader.resolve = names.Resolver();
  RETURN_IF_ERROR(Change(reader, options, *person.mutable_sections()));
  v1::UpdateCaseRequest request;
  request.set_case_id(person.case_id());
  *request.mutable_sections() = person.sections();
  ASSIGN_OR_RETURN(NodeClient * node, shell.Node());
  RETURN_IF_ERROR(node->Call(&Api::UpdateCase, request).status());
  shell.PrintDone("case " + options.person + " is noted");
  return absl::OkStatus();
}

absl::Status ShowCase(Shell& shell, const CaseOptions& options) {
  ASSIGN_OR_RETURN(const v1::Case person, GetCase(shell, options.person));
  if (shell.PrintJson(person)) return absl::OkStatus();
  ASSIGN_OR_RETURN(const View view, shell.ViewWithNames());
  shell.out() << "case " << ShortId(person.case_id()) << " " << person.label() << ", opened "
              << view.Time(person.created_at()) << "\n\n";
  Table needs({"RANK", "NEED", "WHAT", "URGENCY", "UNMET"});
  for (const v1::Need& need : person.needs()) {
    needs.Add({std::to_string(need.person_rank()), ShortId(need.need_id()),
               view.Service(need.service_code()),
               view.Label(*v1::Urgency_descriptor(), need.urgency()), need.unmet() ? "yes" : "no"});
  }
  shell.out() << needs.ToString() << "\n" << view.Sections(person.sections());
  if (person.excluded().empty()) return absl::OkStatus();
  std::vector<std::string> excluded;
  for (const std::string& id : person.excluded()) excluded.push_back(view.Id(id));
  shell.out() << "\nexcluded: " << Join(excluded) << "\n";
  return absl::OkStatus();
}

absl::Status ListCases(Shell& shell) {
  ASSIGN_OR_RETURN(NodeClient * node, shell.Node());
  ASSIGN_OR_RETURN(const auto listed, node->Call(&Api::ListCases, v1::ListCasesRequest()));
  if (shell.PrintJson(listed)) return absl::OkStatus();
  Table table({"CASE", "LABEL", "OPENED"});
  for (const v1::Case& person : listed.cases()) {
    table.Add({ShortId(person.case_id()), person.label(), shell.view().Time(person.created_at())});
  }
  shell.out() << table.ToString();
  return absl::OkStatus();
}

absl::Status Exclude(Shell& shell, const CaseOptions& options, bool exclude) {
  ASSIGN_OR_RETURN(NodeClient * node, shell.Node());
  ASSIGN_OR_RETURN(Lookup names, shell.Names());
  v1::UpdateCaseRequest request;
  ASSIGN_OR_RETURN(*request.mutable_case_id(), names.Case(options.person));
  ASSIGN_OR_RETURN(const std::string id, names.UnitOrOrganisation(options.other));
  exclude ? request.add_exclude(id) : request.add_include(id);
  RETURN_IF_ERROR(node->Call(&Api::UpdateCase, request).status());
  shell.PrintDone(options.other + (exclude ? " is excluded" : " is no longer excluded"));
  return absl::OkStatus();
}

}  // namespace

void AddCaseCommands(CLI::App& app, Shell& shell) {
  auto& options = shell.Keep<CaseOptions>();
  CLI::App& group = *shell.AddGroup(app, "case", "Keep cases, which never leave this node");
  const auto add_case = [&options](CLI::App* command) {
    command->add_option("CASE", options.person, "Label of the case, or digits of its id")
        ->required();
  };
  CLI::App* open = shell.Add(
      group, "open", "Opens a case under a label that never leaves the node.",
      "waymark case open QSO-c-7714 --unit qso.night", [&] { return OpenCase(shell, options); });
  open->add_option("LABEL", options.label, "A local name")->required();
  open->add_option("--unit", options.unit, "The own unit that leads")->required();
  open->add_option("--id", options.id, "Its id, for scripts that repeat the call");

  CLI::App* set = shell.Add(
      group, "set",
      "Notes what the person said. Nothing of it leaves the node without a consent. A field is\n"
      "SECTION.field; VALUE is a name such as FEMALE, a list separated by commas, a local time\n"
      "such as 2027-03-09T20:30; empty clears it, '@not-said' says that the person preferred not\n"
      "to say.",
      "waymark case set QSO-c-7714 LANG.preferred_language=ti PARTY.adults_band=ONE "
      "--condition lin206-age=YES --dependant relation=CHILD,age_years=4",
      [&] { return SetCase(shell, options); });
  add_case(set);
  set->add_option("FIELD=VALUE", options.assignments, "What to note");
  AddEach(set, "--condition", options.conditions,
          "CONDITION=ANSWER[,alternatives_seen=yes]: an answer to a published condition");
  AddEach(set, "--dependant", options.dependants,
          "FIELD=VALUE,...: once for each, replacing those before; lists with '+'");
  AddEach(set, "--goal", options.goals,
          "FIELD=VALUE,...: once for each, replacing those before; lists with '+'");
  set->add_option("--file", options.file, "Sections from a YAML or JSON file, replacing theirs");

  add_case(shell.Add(group, "show", "Shows a case: its needs and what the person said.",
                     "waymark case show QSO-c-7714", [&] { return ShowCase(shell, options); }));
  shell.Add(group, "list", "Lists the open cases of your units.", "waymark case list",
            [&] { return ListCases(shell); });
  const auto add_exclusion = [&](const std::string& name, const std::string& text, bool exclude) {
    CLI::App* command =
        shell.Add(group, name, text, "waymark case " + name + " QSO-c-7714 cpl.desk",
                  [&shell, &options, exclude] { return Exclude(shell, options, exclude); });
    add_case(command);
    command->add_option("UNIT", options.other, "Handle of a unit or organisation")->required();
  };
  add_exclusion("exclude", "Notes that a unit or organisation must never be asked.", true);
  add_exclusion("include", "Takes an exclusion away.", false);
}

}  // namespace waymark::node
