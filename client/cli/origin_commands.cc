#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/program/terminal.h"
#include "base/schema/field_registry.h"
#include "base/status/status.h"
#include "client/cli/commands.h"
#include "client/cli/confirmation.h"
#include "client/cli/exit_code.h"
#include "client/cli/terminal.h"

namespace waymark::node {
namespace {

using Api = v1::NodeService::StubInterface;

struct OriginOptions {
  std::string person;
  std::string need;
  std::string service;
  std::string referral;
  std::string consent;
  std::vector<std::string> fields;
  std::vector<std::string> without;
  std::string confirmed;
  std::string id;
  std::string message_id;
  std::string withdraw_case;
  std::string withdraw_consent;
  std::string withdraw_referral;
};

absl::Status AddNumbers(const std::vector<std::string>& names,
                        google::protobuf::RepeatedField<uint32_t>& numbers) {
  ASSIGN_OR_RETURN(const auto fields, ParseFieldList(absl::StrJoin(names, ",")));
  for (const FieldInfo* field : fields) numbers.Add(field->field_no);
  return absl::OkStatus();
}

absl::StatusOr<v1::PreviewRequest> ContentOf(Shell& shell, const OriginOptions& options,
                                             v1::Kind kind) {
  ASSIGN_OR_RETURN(Lookup names, shell.Names());
  v1::PreviewRequest content;
  content.set_kind(kind);
  if (kind == v1::KIND_INQUIRY) {
    ASSIGN_OR_RETURN(*content.mutable_case_id(), names.Case(options.person));
    ASSIGN_OR_RETURN(*content.mutable_need_id(), names.Need(content.case_id(), options.need));
    ASSIGN_OR_RETURN(*content.mutable_service_id(), names.Service(options.service));
  } else {
    ASSIGN_OR_RETURN(*content.mutable_referral_id(), names.Referral(options.referral));
  }
  if (!options.consent.empty()) {
    ASSIGN_OR_RETURN(*content.mutable_consent_id(), names.Consent(options.consent));
  }
  RETURN_IF_ERROR(AddNumbers(options.fields, *content.mutable_field_nos()));
  RETURN_IF_ERROR(AddNumbers(options.without, *content.mutable_without()));
  return content;
}

void PrintPreview(std::ostream& out, const View& view, const v1::PreviewResponse& preview) {
  const std::string where =
      preview.recipient() + ", stage " + view.Label(*v1::Stage_descriptor(), preview.stage());
  if (preview.findings().empty()) {
    out << "to " << where << ", exactly this:\n\n";
  } else {
    out << "nothing goes, because something is held back (below)\n"
        << "what was to go to " << where << ":\n\n";
  }
  out << view.Sections(preview.sections()) << "\n";
  if (preview.budget() != 0) {
    out << "values that may point to the person: " << preview.budget_spent() << " of "
        << preview.budget() << "\n";
  }
  for (const v1::Finding& finding : preview.findings()) {
    out << "held back: " << (finding.field().empty() ? "" : finding.field() + ": ")
        << finding.text() << " [" << ReasonName(finding.reason()) << "]\n";
  }
  for (const uint32_t number : preview.proposed_without()) {
    const FieldInfo* field = FieldByNumber(number);
    out << "leave out: --without " << (field != nullptr ? field->name : std::to_string(number))
        << "\n";
  }
}

absl::Status Preview(Shell& shell, const OriginOptions& options, v1::Kind kind) {
  ASSIGN_OR_RETURN(NodeClient * node, shell.Node());
  ASSIGN_OR_RETURN(const v1::PreviewRequest content, ContentOf(shell, options, kind));
  ASSIGN_OR_RETURN(const auto preview, node->Call(&Api::Preview, content));
  if (!shell.PrintJson(preview)) {
    ASSIGN_OR_RETURN(const View view, shell.ViewWithNames());
    PrintPreview(shell.out(), view, preview);
    if (preview.findings().empty()) {
      shell.out() << "confirm with: --confirmed " << FormatDigest(preview.digest()) << "\n";
    }
  }
  return FindingsToStatus(preview.findings());
}

// What is sent under a consent names it; a preview without one says which rule that breaks.
absl::Status RequireConsent(const OriginOptions& options) {
  if (!options.consent.empty()) return absl::OkStatus();
  return UsageError(
      "give --consent with digits of the consent to use; 'waymark consent list CASE' lists them");
}

// Returns the digest of a preview that was confirmed, before or now.
absl::StatusOr<std::string> Confirm(Shell& shell, const OriginOptions& options,
                                    const v1::PreviewRequest& content) {
  if (!options.confirmed.empty()) return ParseDigest(options.confirmed);
  if (!IsInteractive()) {
    return Error(v1::REASON_PREVIEW_REQUIRED,
                 "there is nobody to ask here: run 'waymark preview' with the same options first, "
                 "then give --confirmed");
  }
  ASSIGN_OR_RETURN(NodeClient * node, shell.Node());
  ASSIGN_OR_RETURN(const auto preview, node->Call(&Api::Preview, content));
  ASSIGN_OR_RETURN(const View view, shell.ViewWithNames());
  PrintPreview(std::cerr, view, preview);
  RETURN_IF_ERROR(FindingsToStatus(preview.findings()));
  RETURN_IF_ERROR(AskForYes("Send exactly this?"));
  return preview.digest();
}

absl::Status Inquire(Shell& shell, const OriginOptions& options) {
  RETURN_IF_ERROR(RequireConsent(options));
  v1::InquireRequest request;
  ASSIGN_OR_RETURN(*request.mutable_content(), ContentOf(shell, options, v1::KIND_INQUIRY));
  ASSIGN_OR_RETURN(*request.mutable_referral_id(), shell.NewId(options.id));
  ASSIGN_OR_RETURN(*request.mutable_message_id(), shell.NewId(options.message_id));
  ASSIGN_OR_RETURN(NodeClient * node, shell.Node());
  ASSIGN_OR_RETURN(*request.mutable_preview_digest(), Confirm(shell, options, request.content()));
  ASSIGN_OR_RETURN(const auto response, node->Call(&Api::Inquire, request));
  shell.PrintCreated("referral", request.referral_id(),
                     options.service + " is asked; an answer is due by " +
                         shell.view().Time(response.respond_by()));
  return absl::OkStatus();
}

absl::Status Accept(Shell& shell, const OriginOptions& options) {
  RETURN_IF_ERROR(RequireConsent(options));
  ASSIGN_OR_RETURN(const v1::PreviewRequest content, ContentOf(shell, options, v1::KIND_ACCEPT));
  v1::AcceptRequest request;
  request.set_referral_id(content.referral_id());
  request.set_consent_id(content.consent_id());
  ASSIGN_OR_RETURN(*request.mutable_message_id(), shell.NewId(options.message_id));
  ASSIGN_OR_RETURN(NodeClient * node, shell.Node());
  RETURN_IF_ERROR(node->Call(&Api::Accept, request).status());
  shell.PrintDone("the offer is accepted");
  return absl::OkStatus();
}

absl::Status Disclose(Shell& shell, const OriginOptions& options) {
  RETURN_IF_ERROR(RequireConsent(options));
  v1::DiscloseRequest request;
  ASSIGN_OR_RETURN(*request.mutable_content(), ContentOf(shell, options, v1::KIND_DISCLOSE));
  ASSIGN_OR_RETURN(*request.mutable_message_id(), shell.NewId(options.message_id));
  ASSIGN_OR_RETURN(NodeClient * node, shell.Node());
  ASSIGN_OR_RETURN(*request.mutable_preview_digest(), Confirm(shell, options, request.content()));
  RETURN_IF_ERROR(node->Call(&Api::Disclose, request).status());
  shell.PrintDone("what was shown is on its way");
  return absl::OkStatus();
}

absl::Status Answer(Shell& shell, const OriginOptions& options) {
  v1::AnswerRequest request;
  ASSIGN_OR_RETURN(*request.mutable_content(), ContentOf(shell, options, v1::KIND_CLARIFICATION));
  ASSIGN_OR_RETURN(*request.mutable_message_id(), shell.NewId(options.message_id));
  ASSIGN_OR_RETURN(NodeClient * node, shell.Node());
  ASSIGN_OR_RETURN(*request.mutable_preview_digest(), Confirm(shell, options, request.content()));
  RETURN_IF_ERROR(node->Call(&Api::Answer, request).status());
  shell.PrintDone("the answer that was shown is on its way");
  return absl::OkStatus();
}

absl::Status Withdraw(Shell& shell, const OriginOptions& options) {
  ASSIGN_OR_RETURN(NodeClient * node, shell.Node());
  ASSIGN_OR_RETURN(Lookup names, shell.Names());
  v1::WithdrawRequest request;
  if (!options.withdraw_case.empty()) {
    ASSIGN_OR_RETURN(*request.mutable_case_id(), names.Case(options.withdraw_case));
  } else if (!options.withdraw_consent.empty()) {
    ASSIGN_OR_RETURN(*request.mutable_consent_id(), names.Consent(options.withdraw_consent));
  } else {
    ASSIGN_OR_RETURN(*request.mutable_referral_id(), names.Referral(options.withdraw_referral));
  }
  ASSIGN_OR_RETURN(const auto response, node->Call(&Api::Withdraw, request));
  if (shell.PrintJson(response)) return absl::OkStatus();
  shell.out() << "withdrawn; " << Counted(response.referral_ids_size(), "recipient")
              << (response.referral_ids_size() == 1 ? " is" : " are") << " told to erase\n";
  for (const std::string& id : response.referral_ids()) {
    shell.out() << "  referral " << ShortId(id) << "\n";
  }
  return absl::OkStatus();
}

// "LANG: preferred_language, reading_support", one line a section.
std::vector<std::string> BySection(const v1::Disclosure& disclosure) {
  std::vector<std::string> lines;
  std::string last;
  for (const std::string& field : disclosure.fields()) {
    const size_t dot = field.find('.');
    const std::string section = field.substr(0, dot);
    const std::string name = field.substr(dot + 1);
    if (section == last) {
      lines.back() += ", " + name;
    } else {
      lines.push_back(absl::StrCat(section, ": ", name));
    }
    last = section;
  }
  return lines;
}

absl::Status ListDisclosures(Shell& shell, const OriginOptions& options) {
  ASSIGN_OR_RETURN(NodeClient * node, shell.Node());
  ASSIGN_OR_RETURN(Lookup names, shell.Names());
  v1::ListDisclosuresRequest request;
  ASSIGN_OR_RETURN(*request.mutable_case_id(), names.Case(options.person));
  ASSIGN_OR_RETURN(const auto listed, node->Call(&Api::ListDisclosures, request));
  if (shell.PrintJson(listed)) return absl::OkStatus();
  const View& view = shell.view();
  Table table(
      {"WHEN", "TO", "DELIVERY", "REFERRAL", "CONSENT", "STAGE", "UNTIL", "ERASED", "WHAT"});
  for (const v1::Disclosure& disclosure : listed.disclosures()) {
    std::vector<std::string> row = {
        view.Time(disclosure.at()),
        disclosure.recipient(),
        view.Label(*v1::DeliveryState_descriptor(), disclosure.delivery()),
        ShortId(disclosure.referral_id()),
        ShortId(disclosure.consent_id()),
        view.Label(*v1::Stage_descriptor(), disclosure.stage()),
        view.Time(disclosure.until(), disclosure.has_until()),
        disclosure.erased() ? "yes" : "no"};
    for (const std::string& section : BySection(disclosure)) {
      row.push_back(section);
      table.Add(row);
      // What goes on below belongs to the same message.
      row.assign(row.size() - 1, "");
    }
  }
  shell.out() << table.ToString();
  return absl::OkStatus();
}

void AddCase(CLI::App* command, OriginOptions& options) {
  command->add_option("CASE", options.person, "Label of the case, or digits of its id")->required();
}

void AddReferral(CLI::App* command, OriginOptions& options) {
  command->add_option("REFERRAL", options.referral, "Digits of the referral's id")->required();
}

void AddConsent(CLI::App* command, OriginOptions& options) {
  command->add_option("--consent", options.consent, "The consent to use: digits of its id");
}

// What is sent about the person, whether shown or sent.
void AddContent(CLI::App* command, OriginOptions& options) {
  AddConsent(command, options);
  AddEach(command, "--fields", options.fields,
          "Only these fields: LANG.preferred_language,...; by default all that consent and profile "
          "allow and that were not sent before");
  AddEach(command, "--without", options.without, "Leave these fields out");
}

void AddInquiry(CLI::App* command, OriginOptions& options) {
  AddCase(command, options);
  command->add_option("NEED", options.need, "Code of the need, or digits of its id")->required();
  command->add_option("SERVICE", options.service, "Handle of the service")->required();
  AddContent(command, options);
}

void AddSending(CLI::App* command, OriginOptions& options) {
  command->add_option("--confirmed", options.confirmed,
                      "The digest that the preview printed; at a terminal you are asked instead");
  command->add_option("--message-id", options.message_id, "For scripts that repeat the call");
}

void AddPreviewCommands(CLI::App& app, Shell& shell, OriginOptions& options) {
  CLI::App* preview =
      shell.AddGroup(app, "preview", "See exactly what would be sent, before it is");
  AddInquiry(
      shell.Add(*preview, "inquiry", "Shows what an inquiry would say, and what is held back.",
                "waymark preview inquiry QSO-c-7714 206 lin-206 --consent 9ab1",
                [&shell, &options] { return Preview(shell, options, v1::KIND_INQUIRY); }),
      options);
  const auto add_follow_up = [&](const std::string& name, const std::string& text, v1::Kind kind) {
    CLI::App* command =
        shell.Add(*preview, name, text, "waymark preview " + name + " 9ab1c2 --consent 77de",
                  [&shell, &options, kind] { return Preview(shell, options, kind); });
    AddReferral(command, options);
    AddContent(command, options);
  };
  add_follow_up("accept", "Shows what an acceptance would say.", v1::KIND_ACCEPT);
  add_follow_up("answer", "Shows what an answer to the other unit's question would say.",
                v1::KIND_CLARIFICATION);
  add_follow_up("disclose", "Shows what a disclosure at the stage reached would say.",
                v1::KIND_DISCLOSE);
}

void AddWithdraw(CLI::App& app, Shell& shell, OriginOptions& options) {
  CLI::App* withdraw =
      shell.Add(app, "withdraw",
                "Withdraws consents at once, in one step: the hub refuses them from now on and "
                "drops what is\n"
                "undelivered, and every recipient is told to erase. No reason is needed.",
                "waymark withdraw --case QSO-c-7714",
                [&shell, &options] { return Withdraw(shell, options); });
  CLI::Option_group* scope = withdraw->add_option_group("What is withdrawn");
  scope->add_option("--case", options.withdraw_case, "Every consent of the case");
  scope->add_option("--consent", options.withdraw_consent, "One consent");
  scope->add_option("--referral", options.withdraw_referral, "Every consent of one referral");
  scope->require_option(1);
}

}  // namespace

void AddOriginCommands(CLI::App& app, Shell& shell) {
  auto& options = shell.Keep<OriginOptions>();
  AddPreviewCommands(app, shell, options);
  CLI::App* inquire =
      shell.Add(app, "inquire", "Asks a service, with what the preview showed.",
                "waymark inquire QSO-c-7714 206 lin-206 --consent 9ab1 --confirmed 77de...",
                [&shell, &options] { return Inquire(shell, options); });
  AddInquiry(inquire, options);
  AddSending(inquire, options);
  inquire->add_option("--id", options.id, "The referral's id, for scripts that repeat the call");

  CLI::App* accept =
      shell.Add(app, "accept", "Tells the provider that the person said yes to the offer.",
                "waymark accept 9ab1c2 --consent 77de",
                [&shell, &options] { return Accept(shell, options); });
  AddReferral(accept, options);
  AddConsent(accept, options);
  accept->add_option("--message-id", options.message_id, "For scripts that repeat the call");

  CLI::App* disclose =
      shell.Add(app, "disclose", "Sends the sections that unlock at the stage reached.",
                "waymark disclose 9ab1c2 --consent 77de --confirmed 1f...",
                [&shell, &options] { return Disclose(shell, options); });
  AddReferral(disclose, options);
  AddContent(disclose, options);
  AddSending(disclose, options);

  CLI::App* answer = shell.Add(
      app, "answer",
      "Answers a question of the other unit with what the person said. Without --fields it\n"
      "says what the question is about.",
      "waymark answer 9ab1c2 --consent 77de --confirmed 1f...",
      [&shell, &options] { return Answer(shell, options); });
  AddReferral(answer, options);
  AddContent(answer, options);
  AddSending(answer, options);

  AddWithdraw(app, shell, options);
  AddCase(
      shell.Add(app, "disclosures",
                "Lists who received which field of a case, when, under which consent and until\n"
                "when.",
                "waymark disclosures QSO-c-7714",
                [&shell, &options] { return ListDisclosures(shell, options); }),
      options);
}

}  // namespace waymark::node
