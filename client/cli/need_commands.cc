#include <algorithm>

#include "base/status/status.h"
#include "client/cli/commands.h"
#include "client/cli/exit_code.h"

namespace waymark::node {
namespace {

using Api = v1::NodeService::StubInterface;

struct NeedOptions {
  std::string id;
  std::string person;
  std::string need;
  uint32_t code = 0;
  uint32_t rank = 0;
  std::string urgency;
  bool unmet = false;
  std::vector<std::string> assignments;
  std::vector<std::string> services;
  std::vector<std::string> message_ids;
};

struct CaseNeed {
  std::string case_id;
  std::string need_id;
};

absl::StatusOr<CaseNeed> Find(Shell& shell, const NeedOptions& options) {
  ASSIGN_OR_RETURN(Lookup names, shell.Names());
  CaseNeed found;
  ASSIGN_OR_RETURN(found.case_id, names.Case(options.person));
  ASSIGN_OR_RETURN(found.need_id, names.Need(found.case_id, options.need));
  return found;
}

absl::Status AddNeed(Shell& shell, const NeedOptions& options) {
  if (options.rank == 0) return UsageError("--rank counts from 1, the first");
  ASSIGN_OR_RETURN(NodeClient * node, shell.Node());
  ASSIGN_OR_RETURN(Lookup names, shell.Names());
  v1::PutNeedRequest request;
  ASSIGN_OR_RETURN(*request.mutable_case_id(), names.Case(options.person));
  v1::Need& need = *request.mutable_need();
  ASSIGN_OR_RETURN(*need.mutable_need_id(), shell.NewId(options.id));
  need.set_service_code(options.code);
  need.set_person_rank(options.rank);
  ASSIGN_OR_RETURN(const int urgency,
                   ParseEnum("--urgency", *v1::Urgency_descriptor(), options.urgency));
  need.set_urgency(static_cast<v1::Urgency>(urgency));
  need.set_unmet(options.unmet);
  for (const std::string& assignment : options.assignments) {
    RETURN_IF_ERROR(AssignIn(shell.reader(), assignment, *need.mutable_section()));
  }
  RETURN_IF_ERROR(node->Call(&Api::PutNeed, request).status());
  shell.PrintCreated("need", need.need_id(), shell.view().Service(options.code));
  return absl::OkStatus();
}

absl::Status MatchServices(Shell& shell, const NeedOptions& options) {
  ASSIGN_OR_RETURN(NodeClient * node, shell.Node());
  ASSIGN_OR_RETURN(const CaseNeed found, Find(shell, options));
  v1::MatchServicesRequest request;
  request.set_case_id(found.case_id);
  request.set_need_id(found.need_id);
  ASSIGN_OR_RETURN(const auto response, node->Call(&Api::MatchServices, request));
  if (shell.PrintJson(response)) return absl::OkStatus();
  const View& view = shell.view();
  Table table({"SERVICE", "UNIT", "VERDICT", "LOOKED AT", "FINDING"});
  for (const v1::ServiceMatch& match : response.matches()) {
    std::string service = match.entry().service().handle();
    std::string unit = match.entry().unit_handle();
    std::string verdict = view.Label(*v1::MatchVerdict_descriptor(), match.verdict());
    for (const v1::MatchFinding& finding : match.findings()) {
      const std::string looked_at =
          finding.condition_id().empty() ? finding.criterion() : finding.condition_id();
      table.Add({service, unit, verdict, looked_at, finding.text()});
      // Said once for each service.
      service = unit = verdict = "";
    }
  }
  shell.out() << table.ToString();
  return absl::OkStatus();
}

// Asking tells nobody anything, and a person may want to know in spite of a conflict: it is only
// said.
absl::Status PrintConflicts(Shell& shell, NodeClient& node, const v1::QueryCapacityRequest& asked) {
  v1::MatchServicesRequest request;
  request.set_case_id(asked.case_id());
  request.set_need_id(asked.need_id());
  ASSIGN_OR_RETURN(const auto response, node.Call(&Api::MatchServices, request));
  for (const v1::ServiceMatch& match : response.matches()) {
    const v1::Service& service = match.entry().service();
    const auto& ids = asked.service_ids();
    if (std::find(ids.begin(), ids.end(), service.service_id()) == ids.end()) continue;
    for (const v1::MatchFinding& finding : match.findings()) {
      if (finding.verdict() != v1::MATCH_VERDICT_CONFLICTS) continue;
      shell.out() << "asked in spite of a conflict: " << service.handle() << ": " << finding.text()
                  << "\n";
    }
  }
  return absl::OkStatus();
}

absl::Status AskCapacity(Shell& shell, const NeedOptions& options) {
  ASSIGN_OR_RETURN(NodeClient * node, shell.Node());
  ASSIGN_OR_RETURN(Lookup names, shell.Names());
  ASSIGN_OR_RETURN(const CaseNeed found, Find(shell, options));
  v1::QueryCapacityRequest request;
  request.set_case_id(found.case_id);
  request.set_need_id(found.need_id);
  const std::vector<std::string> services = SplitLists(options.services);
  for (size_t i = 0; i < services.size(); ++i) {
    ASSIGN_OR_RETURN(*request.add_service_ids(), names.Service(services[i]));
    ASSIGN_OR_RETURN(*request.add_message_ids(),
                     shell.NewId(i < options.message_ids.size() ? options.message_ids[i] : ""));
  }
  RETURN_IF_ERROR(node->Call(&Api::QueryCapacity, request).status());
  if (shell.PrintJson(request)) return absl::OkStatus();
  shell.out() << Counted(static_cast<int>(services.size()), "service")
              << " asked; see 'waymark capacity answers'\n";
  return PrintConflicts(shell, *node, request);
}

absl::Status ShowAnswers(Shell& shell, const NeedOptions& options) {
  ASSIGN_OR_RETURN(NodeClient * node, shell.Node());
  v1::ListCapacityQueriesRequest request;
  if (!options.person.empty()) {
    ASSIGN_OR_RETURN(const CaseNeed found, Find(shell, options));
    request.set_need_id(found.need_id);
  }
  ASSIGN_OR_RETURN(const auto response, node->Call(&Api::ListCapacityQueries, request));
  if (shell.PrintJson(response)) return absl::OkStatus();
  const View& view = shell.view();
  Table table({"SERVICE", "UNIT", "ASKED", "ANSWER", "FREE", "UNTIL", "CONDITIONS"});
  for (const v1::CapacityQueryRecord& query : response.queries()) {
    const v1::CapacityReply& reply = query.reply();
    google::protobuf::Timestamp until;
    until.set_seconds(reply.valid_until_minute() * 60);
    table.Add({query.service_handle(), query.unit_handle(), view.Time(query.asked_at()),
               query.has_reply() ? view.Label(*v1::CapacityStatus_descriptor(), reply.status())
                                 : "not yet",
               reply.has_available() ? std::to_string(reply.available()) : "-",
               view.Time(until, reply.valid_until_minute() > 0),
               Join({reply.condition_ids().begin(), reply.condition_ids().end()})});
  }
  shell.out() << table.ToString();
  return absl::OkStatus();
}

}  // namespace

void AddNeedCommands(CLI::App& app, Shell& shell) {
  auto& options = shell.Keep<NeedOptions>();
  const auto add_case = [&options](CLI::App* command) {
    return command->add_option("CASE", options.person, "Label of the case, or digits of its id");
  };
  const auto add_need = [&options](CLI::App* command) {
    return command->add_option("NEED", options.need, "Code of the need, or digits of its id");
  };
  CLI::App* group = shell.AddGroup(app, "need", "Note what a person needs");
  CLI::App* add =
      shell.Add(*group, "add", "Adds a need to a case, or changes the one with --id.",
                "waymark need add QSO-c-7714 206 --rank 1 --urgency U0 unit=FAMILY_ROOM quantity=1 "
                "area_wanted=XA-M latest_start=2027-03-10T00:30",
                [&] { return AddNeed(shell, options); });
  add_case(add)->required();
  add->add_option("CODE", options.code, "Taxonomy code")->required();
  add->add_option("--rank", options.rank, "The rank that the person gave, from 1")->required();
  add->add_option("--urgency", options.urgency, "U0 (now) to U4 (planned)")->required();
  add->add_flag("--unmet", options.unmet, "No acceptable provider was found");
  add->add_option("--id", options.id, "The need to change, or the id of the new one");
  add->add_option("FIELD=VALUE", options.assignments, "What is asked for: fields of NEED");

  CLI::App* match = shell.Add(
      app, "match",
      "Matches a need against the directory, on this node alone, and says of every service why it\n"
      "fits or does not. Nobody learns of the search.",
      "waymark match QSO-c-7714 206", [&] { return MatchServices(shell, options); });
  add_case(match)->required();
  add_need(match)->required();

  CLI::App* capacity = app.get_subcommand("capacity");
  CLI::App* ask = shell.Add(
      *capacity, "ask",
      "Asks services whether there is room. Names no person and needs no consent.",
      "waymark capacity ask QSO-c-7714 206 lin-206", [&] { return AskCapacity(shell, options); });
  add_case(ask)->required();
  add_need(ask)->required();
  ask->add_option("SERVICE", options.services, "1 to 5 services")->required();
  AddEach(ask, "--message-id", options.message_ids, "One per service, for scripts that repeat");
  CLI::App* answers = shell.Add(*capacity, "answers", "Shows what was asked and answered.",
                                "waymark capacity answers QSO-c-7714 206",
                                [&] { return ShowAnswers(shell, options); });
  CLI::Option* person = add_case(answers);
  CLI::Option* need = add_need(answers);
  person->needs(need);
}

}  // namespace waymark::node
