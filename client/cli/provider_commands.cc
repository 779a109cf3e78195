#include <utility>

#include "base/schema/field_registry.h"
#include "base/status/status.h"
#include "client/cli/commands.h"

namespace waymark::node {
namespace {

using Api = v1::NodeService::StubInterface;

struct ProviderOptions {
  std::string referral;
  std::string message_id;
  std::string code;
  std::string start;
  std::string quantity = "1";
  std::string hold;
  std::vector<std::string> conditions;
  std::string position;
  std::string wait;
  std::string review;
  std::string until;
  std::vector<std::string> fields;
  std::string condition;
  std::string point_kind;
  std::string point;
  std::string from;
  std::string to;
  std::string appointment;
  std::string join_ref;
  std::string status;
  std::string attendance;
  std::vector<std::string> next;
  std::vector<std::string> feedback;
  bool call_lead = false;
};

std::string Listed(const std::vector<std::string>& values) {
  std::string list;
  for (const std::string& entry : SplitLists(values)) list += (list.empty() ? "" : ",") + entry;
  return list;
}

// One field to set from an option; empty means that it was not given.
struct Given {
  const char* option;
  const char* field;
  std::string text;
};

absl::Status SetFields(Shell& shell, const std::vector<Given>& given,
                       google::protobuf::Message& message) {
  for (const Given& one : given) {
    if (one.text.empty()) continue;
    const absl::Status set = AssignField(shell.reader(), "", one.field, one.text, message);
    if (!set.ok()) return Annotate(set, one.option);
  }
  return absl::OkStatus();
}

// Sends one step of a referral.
template <typename Request, typename Response>
absl::StatusOr<Response> Send(Shell& shell, const ProviderOptions& options,
                              grpc::Status (Api::*method)(grpc::ClientContext*, const Request&,
                                                          Response*),
                              Request request) {
  ASSIGN_OR_RETURN(NodeClient * node, shell.Node());
  ASSIGN_OR_RETURN(Lookup names, shell.Names());
  ASSIGN_OR_RETURN(*request.mutable_referral_id(), names.Referral(options.referral));
  ASSIGN_OR_RETURN(*request.mutable_message_id(), shell.NewId(options.message_id));
  return node->Call(method, request);
}

absl::Status Offer(Shell& shell, const ProviderOptions& options) {
  RETURN_IF_ERROR(shell.CheckFuture("--hold", options.hold));
  v1::OfferRequest request;
  RETURN_IF_ERROR(SetFields(shell,
                            {{"--start", "start", options.start},
                             {"--quantity", "quantity", options.quantity},
                             {"--hold", "hold_until", options.hold},
                             {"--condition", "conditions", Listed(options.conditions)}},
                            *request.mutable_prog()->mutable_offer()));
  ASSIGN_OR_RETURN(const auto response, Send(shell, options, &Api::Offer, std::move(request)));
  if (shell.PrintJson(response)) return absl::OkStatus();
  shell.out() << "offered; held until " << shell.view().Time(response.hold_until()) << "\n";
  return absl::OkStatus();
}

absl::Status Waitlist(Shell& shell, const ProviderOptions& options) {
  v1::WaitlistRequest request;
  RETURN_IF_ERROR(SetFields(shell,
                            {{"--position", "position", options.position},
                             {"--wait", "wait", options.wait},
                             {"--review", "review_date", options.review}},
                            *request.mutable_prog()->mutable_waitlist()));
  RETURN_IF_ERROR(Send(shell, options, &Api::Waitlist, std::move(request)).status());
  shell.PrintDone("on the waiting list");
  return absl::OkStatus();
}

absl::Status Decline(Shell& shell, const ProviderOptions& options) {
  v1::DeclineRequest request;
  request.set_code(options.code);
  RETURN_IF_ERROR(Send(shell, options, &Api::Decline, std::move(request)).status());
  shell.PrintDone("declined: " + options.code + " " +
                  shell.view().catalogue.EndLabel(options.code));
  return absl::OkStatus();
}

absl::Status Clarify(Shell& shell, const ProviderOptions& options) {
  v1::ClarifyRequest request;
  RETURN_IF_ERROR(SetFields(shell,
                            {{"CODE", "code", options.code},
                             {"--fields", "field_nos", Listed(options.fields)},
                             {"--condition", "condition_id", options.condition}},
                            *request.mutable_clarification()));
  RETURN_IF_ERROR(Send(shell, options, &Api::Clarify, std::move(request)).status());
  shell.PrintDone("sent");
  return absl::OkStatus();
}

absl::Status Schedule(Shell& shell, const ProviderOptions& options) {
  v1::ScheduleRequest request;
  std::string window;
  if (!options.from.empty()) window = options.from + "/" + options.to;
  RETURN_IF_ERROR(SetFields(shell,
                            {{"--meeting-point-kind", "meeting_point_kind", options.point_kind},
                             {"--meeting-point", "meeting_point", options.point},
                             {"--from and --to", "arrival_window", window},
                             {"--appointment", "appointment_at", options.appointment},
                             {"--join-ref", "remote_join_ref", options.join_ref}},
                            *request.mutable_logi()));
  RETURN_IF_ERROR(Send(shell, options, &Api::Schedule, std::move(request)).status());
  shell.PrintDone("scheduled");
  return absl::OkStatus();
}

absl::Status Start(Shell& shell, const ProviderOptions& options) {
  RETURN_IF_ERROR(Send(shell, options, &Api::Start, v1::StartRequest()).status());
  shell.PrintDone("started");
  return absl::OkStatus();
}

absl::Status ReportProgress(Shell& shell, const ProviderOptions& options) {
  v1::ReportProgressRequest request;
  RETURN_IF_ERROR(SetFields(shell,
                            {{"--status", "status", options.status},
                             {"--attendance", "attendance", options.attendance},
                             {"--review", "review_date", options.review},
                             {"--next", "next_need_codes", Listed(options.next)},
                             {"--feedback", "referral_feedback", Listed(options.feedback)},
                             {"--call-lead", "call_lead", options.call_lead ? "yes" : ""}},
                            *request.mutable_prog()));
  RETURN_IF_ERROR(Send(shell, options, &Api::ReportProgress, std::move(request)).status());
  shell.PrintDone("reported");
  return absl::OkStatus();
}

absl::Status Close(Shell& shell, const ProviderOptions& options) {
  v1::CloseRequest request;
  RETURN_IF_ERROR(SetFields(
      shell,
      {{"OUTCOME", "outcome", options.code}, {"--next", "next_need_codes", Listed(options.next)}},
      request));
  RETURN_IF_ERROR(Send(shell, options, &Api::Close, std::move(request)).status());
  shell.PrintDone("closed");
  return absl::OkStatus();
}

absl::Status Cancel(Shell& shell, const ProviderOptions& options) {
  v1::CancelRequest request;
  request.set_code(options.code);
  RETURN_IF_ERROR(Send(shell, options, &Api::Cancel, std::move(request)).status());
  shell.PrintDone("cancelled");
  return absl::OkStatus();
}

absl::Status Retain(Shell& shell, const ProviderOptions& options) {
  v1::RecordRetentionRequest request;
  RETURN_IF_ERROR(SetFields(
      shell, {{"GROUND", "ground", options.code}, {"--until", "kept_until", options.until}},
      request));
  RETURN_IF_ERROR(Send(shell, options, &Api::RecordRetention, std::move(request)).status());
  shell.PrintDone("noted; the other side is told with the withdrawal");
  return absl::OkStatus();
}

// The commands of this file: each names a referral.
class ProviderGroup {
 public:
  ProviderGroup(CLI::App& app, Shell& shell)
      : app_(app), shell_(shell), options_(shell.Keep<ProviderOptions>()) {}

  void AddAnswers();
  void AddService();

 private:
  using Command = absl::Status (*)(Shell&, const ProviderOptions&);

  CLI::App* Add(const std::string& name, const std::string& text, const std::string& example,
                Command command) {
    CLI::App* added = shell_.Add(
        app_, name, text, "waymark " + name + " 9ab1c2" + example,
        [&shell = shell_, &options = options_, command] { return command(shell, options); });
    added->add_option("REFERRAL", options_.referral, "Digits of the referral's id")->required();
    added->add_option("--message-id", options_.message_id, "For scripts that repeat the call");
    return added;
  }

  CLI::App& app_;
  Shell& shell_;
  ProviderOptions& options_;
};

void ProviderGroup::AddAnswers() {
  CLI::App* offer = Add("offer", "Holds a place for the person.",
                        " --start 2027-03-09T21:30 --hold 2027-03-09T21:09", &Offer);
  offer->add_option("--start", options_.start, "When the service can begin")->required();
  offer->add_option("--quantity", options_.quantity, "How many of what was asked; 1 by default");
  offer->add_option("--hold", options_.hold, "Until when it is held; the usual time by default");
  AddEach(offer, "--condition", options_.conditions, "Published condition that applies");

  CLI::App* waitlist = Add("waitlist", "Puts the request on the waiting list.",
                           " --position NEXT --wait UP_TO_7_DAYS --review 2027-03-16", &Waitlist);
  waitlist
      ->add_option("--position", options_.position, "NEXT, 1_TO_5, 6_TO_20, OVER_20 or NOT_RANKED")
      ->required();
  waitlist
      ->add_option("--wait", options_.wait,
                   "UP_TO_7_DAYS, UP_TO_28_DAYS, UP_TO_90_DAYS, OVER_90_DAYS or NOT_KNOWN")
      ->required();
  waitlist->add_option("--review", options_.review, "Day of the review")->required();

  CLI::App* decline = Add("decline", "Says no, with a code.", " D07", &Decline);
  decline->add_option("CODE", options_.code, "D01 to D22")->required();

  CLI::App* clarify = Add("clarify", "Asks a coded question, or answers one by a code alone.",
                          " FIELDS_NEEDED --fields LANG.preferred_language", &Clarify);
  clarify
      ->add_option("CODE", options_.code,
                   "FIELDS_NEEDED, CONDITION_ANSWER, OTHER_DATES, SMALLER_QUANTITY, CALL_UNIT, "
                   "ANSWERED or PREFER_NOT_TO_SAY")
      ->required();
  AddEach(clarify, "--fields", options_.fields, "Fields that are meant");
  clarify->add_option("--condition", options_.condition, "Condition that is meant");
}

void ProviderGroup::AddService() {
  CLI::App* schedule = Add("schedule", "Says when and where it begins.",
                           " --meeting-point-kind PUBLIC_NEUTRAL --meeting-point 'Fountain' "
                           "--from 2027-03-09T21:15 --to 2027-03-09T21:30",
                           &Schedule);
  schedule->add_option("--meeting-point-kind", options_.point_kind,
                       "PROVIDER_SITE, PUBLIC_NEUTRAL, LEAD_SITE or REMOTE");
  schedule->add_option("--meeting-point", options_.point, "Where to meet; erased at the start");
  CLI::Option* from = schedule->add_option("--from", options_.from, "Arrive from");
  CLI::Option* to = schedule->add_option("--to", options_.to, "Arrive until");
  from->needs(to);
  to->needs(from);
  schedule->add_option("--appointment", options_.appointment, "Time of the appointment");
  schedule->add_option("--join-ref", options_.join_ref, "What to present to join remotely");

  Add("start", "Says that the service has begun.", "", &Start);

  CLI::App* progress = Add("progress", "Says how it goes, as far as the consent lets it.",
                           " --status ONGOING --review 2027-03-16 --next 102,402", &ReportProgress);
  progress->add_option("--status", options_.status, "ONGOING, PAUSED, ...");
  progress->add_option("--attendance", options_.attendance,
                       "ATTENDED, NOT_ATTENDED or RESCHEDULED");
  progress->add_option("--review", options_.review, "Day of the next review");
  AddEach(progress, "--next", options_.next, "Codes of the needs that will follow");
  AddEach(progress, "--feedback", options_.feedback, "How the referral went: REQUEST_CLEAR,...");
  progress->add_flag("--call-lead", options_.call_lead, "Please call");

  CLI::App* close = Add("close", "Ends a referral.", " COMPLETED --next 102", &Close);
  close->add_option("OUTCOME", options_.code, "COMPLETED, ENDED_EARLY or NOT_STARTED")->required();
  AddEach(close, "--next", options_.next, "Codes of the next needs");

  CLI::App* cancel = Add(
      "cancel", "Takes back a request, or a place that was agreed and not begun.", " PE1", &Cancel);
  cancel->add_option("CODE", options_.code, "PE1 to PE4; PE3 (no reason) by default");

  CLI::App* retain = Add("retain",
                         "Says what the law makes your organisation keep if the person withdraws, "
                         "or has withdrawn.\nThe node erases what it holds in any case.",
                         " FINANCIAL_RECORD --until 2034-12-31", &Retain);
  retain
      ->add_option("GROUND", options_.code,
                   "STATUTORY_RECORD, CLINICAL_RECORD, COURT_ORDER or FINANCIAL_RECORD")
      ->required();
  retain->add_option("--until", options_.until, "The last day on which you keep it")->required();
}

}  // namespace

void AddProviderCommands(CLI::App& app, Shell& shell) {
  ProviderGroup group(app, shell);
  group.AddAnswers();
  group.AddService();
}

}  // namespace waymark::node
