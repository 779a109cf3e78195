#include "absl/strings/str_join.h"
#include "base/schema/field_registry.h"
#include "base/status/status.h"
#include "client/cli/commands.h"

namespace waymark::node {
namespace {

using Api = v1::NodeService::StubInterface;

struct ReferralOptions {
  bool all = false;
  std::string referral;
};

std::string Prompts(const View& view, const v1::ReferralSummary& summary) {
  std::vector<std::string> prompts;
  for (const int prompt : summary.prompts()) {
    prompts.push_back(view.Label(*v1::Prompt_descriptor(), prompt));
  }
  return Join(prompts);
}

absl::Status List(Shell& shell, const ReferralOptions& options, v1::ReferralBox box) {
  ASSIGN_OR_RETURN(NodeClient * node, shell.Node());
  v1::ListReferralsRequest request;
  request.set_box(box);
  request.set_include_ended(options.all);
  ASSIGN_OR_RETURN(const auto listed, node->Call(&Api::ListReferrals, request));
  if (shell.PrintJson(listed)) return absl::OkStatus();
  const View& view = shell.view();
  Table table(
      {"REFERRAL", "STATE", "OWN UNIT", "OTHER UNIT", "WHAT", "URGENCY", "DUE", "NEXT", "CASE"});
  for (const v1::ReferralSummary& summary : listed.referrals()) {
    table.Add({ShortId(summary.referral_id()), summary.state(), summary.own_unit(),
               summary.other_unit(), view.Service(summary.service_code()),
               view.Label(*v1::Urgency_descriptor(), summary.urgency()),
               view.Time(summary.due_at(), summary.has_due_at()), Prompts(view, summary),
               summary.case_label().empty() ? "-" : summary.case_label()});
  }
  shell.out() << table.ToString();
  return absl::OkStatus();
}

std::vector<std::string> FieldNames(const google::protobuf::RepeatedField<uint32_t>& numbers) {
  std::vector<std::string> names;
  for (const uint32_t number : numbers) {
    const FieldInfo* field = FieldByNumber(number);
    names.push_back(field == nullptr ? std::to_string(number) : field->name);
  }
  return names;
}

// What a message says by its code; "-" for one that has none.
std::string Said(const View& view, const v1::ReferralEvent& event) {
  if (!event.cancellation_code().empty()) {
    return event.cancellation_code() + " " + view.catalogue.EndLabel(event.cancellation_code());
  }
  if (!event.has_clarification()) return "-";
  const v1::Clarification& said = event.clarification();
  std::string text = view.Label(*v1::ClarificationCode_descriptor(), said.code());
  if (!said.field_nos().empty()) text += ": " + Join(FieldNames(said.field_nos()));
  if (!said.condition_id().empty()) text += ": " + said.condition_id();
  return text;
}

std::string EventTable(const View& view, const v1::GetReferralResponse& shown) {
  Table table({"WHEN", "WAY", "MESSAGE", "SAYS", "DELIVERY", "FIELDS"});
  for (const v1::ReferralEvent& event : shown.events()) {
    std::string delivery = view.Label(*v1::DeliveryState_descriptor(), event.delivery());
    if (event.reason() != v1::REASON_UNSPECIFIED) {
      delivery += " (" + std::string(ReasonName(event.reason())) + ")";
    }
    table.Add({view.Time(event.at()), event.sent() ? "sent" : "received",
               view.Label(*v1::Kind_descriptor(), event.kind()), Said(view, event), delivery,
               Join(FieldNames(event.field_nos()))});
  }
  return table.ToString();
}

// What the recipient says about a withdrawal; empty while it has said nothing.
std::string Acknowledgement(const View& view, const v1::GetReferralResponse& shown) {
  if (!shown.has_revocation_ack()) return "";
  const v1::RevocationAck& ack = shown.revocation_ack();
  std::string text = "withdrawal: " + view.Label(*v1::ErasureOutcome_descriptor(), ack.outcome());
  if (ack.outcome() == v1::ERASURE_OUTCOME_ERASED_EXCEPT) {
    text += " " + view.Label(*v1::RetentionGround_descriptor(), ack.ground()) + ", until " +
            DateText(ack.kept_until());
  }
  return text + "\n";
}

bool IsWithdrawn(const v1::GetReferralResponse& shown) {
  return shown.summary().state() == "WITHDRAWN";
}

// What is still to come, as far as there is anything: "due: ...; next: ...; consent until: ...".
std::string Pending(const View& view, const v1::GetReferralResponse& shown) {
  const v1::ReferralSummary& summary = shown.summary();
  std::vector<std::string> parts;
  if (summary.has_due_at()) parts.push_back("due: " + view.Time(summary.due_at()));
  if (!summary.prompts().empty()) parts.push_back("next: " + Prompts(view, summary));
  if (shown.has_consent_until() && !IsWithdrawn(shown)) {
    parts.push_back("consent until: " + view.Time(shown.consent_until()));
  }
  if (IsWithdrawn(shown)) parts.emplace_back("the person withdrew; nothing is to be done");
  return parts.empty() ? "" : absl::StrJoin(parts, "; ") + "\n";
}

// The sections that may be opened, or why there are none.
std::string OpenSections(const View& view, const v1::GetReferralResponse& shown) {
  if (shown.sections().ByteSizeLong() > 0) return view.Sections(shown.sections());
  if (IsWithdrawn(shown)) return "What was shared is erased, because the consent was withdrawn.\n";
  return "There is no section that you may open.\n";
}

absl::Status Show(Shell& shell, const ReferralOptions& options) {
  ASSIGN_OR_RETURN(NodeClient * node, shell.Node());
  ASSIGN_OR_RETURN(Lookup names, shell.Names());
  v1::GetReferralRequest request;
  ASSIGN_OR_RETURN(*request.mutable_referral_id(), names.Referral(options.referral));
  ASSIGN_OR_RETURN(const auto shown, node->Call(&Api::GetReferral, request));
  if (shell.PrintJson(shown)) return absl::OkStatus();
  ASSIGN_OR_RETURN(const View view, shell.ViewWithNames());
  const v1::ReferralSummary& summary = shown.summary();
  shell.out() << "referral " << ShortId(summary.referral_id()) << " "
              << (summary.originated() ? "to " : "from ") << summary.other_unit() << ", "
              << view.Service(summary.service_code()) << ", " << summary.state() << "\n"
              << Pending(view, shown) << Acknowledgement(view, shown) << "\n"
              << OpenSections(view, shown) << "\n"
              << EventTable(view, shown);
  return absl::OkStatus();
}

}  // namespace

void AddReferralCommands(CLI::App& app, Shell& shell) {
  auto& options = shell.Keep<ReferralOptions>();
  const auto add_box = [&](const std::string& name, const std::string& text, v1::ReferralBox box) {
    shell
        .Add(app, name, text, "waymark " + name,
             [&shell, &options, box] { return List(shell, options, box); })
        ->add_flag("--all", options.all, "Ended ones too");
  };
  add_box("inbox", "Lists the referrals that your units received, most urgent first.",
          v1::REFERRAL_BOX_INBOX);
  add_box("sent", "Lists the referrals that your units sent, most urgent first.",
          v1::REFERRAL_BOX_SENT);
  add_box("overdue", "Lists the referrals that need somebody to act, and what to do next.",
          v1::REFERRAL_BOX_OVERDUE);
  shell
      .Add(app, "show", "Shows a referral, its history and what you may open of it.",
           "waymark show 9ab1c2", [&shell, &options] { return Show(shell, options); })
      ->add_option("REFERRAL", options.referral, "Digits of the referral's id")
      ->required();
}

}  // namespace waymark::node
