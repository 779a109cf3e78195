#include <algorithm>
#include <map>

#include "absl/strings/str_join.h"
#include "base/program/terminal.h"
#include "base/schema/canonical_json.h"
#include "base/status/status.h"
#include "client/cli/commands.h"
#include "client/cli/confirmation.h"
#include "client/cli/document.h"
#include "client/cli/exit_code.h"
#include "client/cli/terminal.h"

namespace waymark::node {
namespace {

using Api = v1::NodeService::StubInterface;

// An option and the field of the consent record that it sets.
struct Flag {
  const char* option;
  const char* field;
  const char* help;
};

constexpr Flag kFlags[] = {
    {"--to", "recipient_units", "Unit that may receive"},
    {"--for", "purposes", "Taxonomy code of the service that it is for"},
    {"--fields", "scope_fields", "Fields that may be sent: LANG.preferred_language,..."},
    {"--special", "special_fields",
     "Fields of the special class that got a yes of their own; they count as --fields too"},
    {"--ceiling", "stage_ceiling", "Last stage at which fields go: INQUIRY, ACCEPTED, STARTED"},
    {"--return", "return_fields", "Fields that the provider may send back"},
    {"--from", "valid_from", "When it begins; now by default"},
    {"--until", "valid_until", "When it ends, a whole hour"},
    {"--basis", "legal_basis", "CONSENT (default), GUARDIAN_CONSENT or VITAL_INTEREST"},
    {"--notice-id", "notice_id", "The notice that was given"},
    {"--notice-version", "notice_version", "Its version"},
    {"--notice-language", "notice_language", "The language in which it was given"},
    {"--notice-form", "notice_form", "READ, READ_ALOUD, AUDIO or SIGNED"},
    {"--notice-understood", "notice_understood", "Whether the person understands it: yes or no"},
    {"--transport-named", "transport_named", "Whether the notice named the hub: yes or no"},
    {"--transport-operator", "transport_operator", "Who runs the hub"},
    {"--capture", "capture_kind", "WRITTEN, RECORDED_ORAL or ORAL_WITNESSED"},
    {"--captured-at", "captured_at", "When; now by default"},
    {"--role", "captured_by_role", "CASEWORKER (default), SUPERVISOR or OUTREACH_WORKER"},
    {"--private", "private_setting", "Whether nobody could listen: yes or no"},
    {"--companion", "companion_present", "Whether a companion was there: yes or no"},
    {"--interpreter", "interpreter_kind",
     "NONE, PROFESSIONAL_REMOTE, PROFESSIONAL_PRESENT, STAFF or OTHER"},
    {"--interpreter-independent", "interpreter_independent",
     "Whether the interpreter is independent: yes or no"},
    {"--condition-of-service", "condition_of_service",
     "Whether a service was made to depend on it: yes or no"},
    {"--alternatives", "alternatives_offered", "Ways without sharing: WAIT_AT_LEAD_SITE,..."},
    {"--risks", "risks_explained", "Risks that were explained: REPORTING_DUTY,..."},
    {"--copy", "copy_given", "YES, NO or DECLINED_FOR_SAFETY"},
    {"--withdrawal", "withdrawal_methods", "How to end it: TELL_LEAD,PHONE,..."},
    {"--withdrawal-contact", "withdrawal_contact", "Where to turn to end it"},
    {"--onward", "onward_mode", "NONE (as when absent) or NAMED"},
    {"--onward-to", "onward_recipients", "Unit that fields may be passed on to"},
    {"--onward-fields", "onward_fields", "Fields that may be passed on"},
    {"--separate-release", "separate_release", "A separate written release: yes or no"},
    {"--two-person", "two_person_confirmed", "Whether a second person confirmed: yes or no"},
    {"--origin-country", "jurisdiction_origin", "Country of the originating unit"},
    {"--recipient-country", "jurisdiction_recipient", "Country of the recipient"},
    {"--storage", "storage_location", "Where the recipient keeps it"},
    {"--retention-days", "retention_at_recipient_days", "How long the recipient may keep it"},
    {"--evidence", "evidence_ref", "Where the paper or the recording is kept"},
    {"--renews", "renews", "The consent that this one renews"},
};

struct ConsentOptions {
  std::string person;
  std::string id;
  std::string file;
  std::string confirmed;
  std::map<std::string, std::vector<std::string>> values;
};

absl::StatusOr<v1::Case> GetCase(NodeClient& node, Lookup& names, const std::string& wanted) {
  v1::GetCaseRequest request;
  ASSIGN_OR_RETURN(*request.mutable_case_id(), names.Case(wanted));
  ASSIGN_OR_RETURN(auto shown, node.Call(&Api::GetCase, request));
  return std::move(*shown.mutable_case_());
}

int64_t ThisMinute(Shell& shell) { return absl::ToUnixSeconds(FloorMinute(shell.clock().Now())); }

void AddSpecialToScope(v1::ConsentRecord& consent) {
  const auto& scope = consent.scope_fields();
  for (const uint32_t field : consent.special_fields()) {
    if (std::find(scope.begin(), scope.end(), field) == scope.end()) {
      consent.add_scope_fields(field);
    }
  }
}

// Whole minutes and hours: finer times would tell one consent from another.
absl::Status CheckEnds(const v1::ConsentRecord& consent) {
  constexpr int64_t kMinute = 60;
  constexpr int64_t kHour = 60 * kMinute;
  if (consent.valid_from().seconds() % kMinute != 0) {
    return UsageError("--from takes a whole minute, such as 2027-03-09T20:30");
  }
  if (consent.valid_until().seconds() % kHour != 0) {
    return UsageError("--until takes a whole hour in UTC, such as 2027-03-10T06:00Z");
  }
  return absl::OkStatus();
}

// The record as the options say it. Nothing that widens what is shared, and no fact of how the
// person was asked, has a default.
absl::StatusOr<v1::ConsentRecord> Draft(Shell& shell, const ConsentOptions& options) {
  ASSIGN_OR_RETURN(NodeClient * node, shell.Node());
  ASSIGN_OR_RETURN(Lookup names, shell.Names());
  ASSIGN_OR_RETURN(const v1::Case person, GetCase(*node, names, options.person));
  ValueReader reader = shell.reader();
  reader.resolve = names.Resolver();
  v1::ConsentRecord consent;
  if (!options.file.empty()) RETURN_IF_ERROR(FillFromFile(reader, options.file, consent));
  for (const Flag& flag : kFlags) {
    const auto given = options.values.find(flag.field);
    if (given == options.values.end() || given->second.empty()) continue;
    const absl::Status assigned =
        AssignField(reader, "consent", flag.field, absl::StrJoin(given->second, ","), consent);
    if (!assigned.ok()) return Annotate(assigned, flag.option);
  }
  RETURN_IF_ERROR(CheckEnds(consent));
  AddSpecialToScope(consent);
  consent.set_case_id(person.case_id());
  consent.set_controller_unit(person.unit_id());
  if (!options.id.empty()) {
    ASSIGN_OR_RETURN(*consent.mutable_consent_id(), ParseId(options.id));
  }
  if (consent.legal_basis() == v1::LEGAL_BASIS_UNSPECIFIED) {
    consent.set_legal_basis(v1::LEGAL_BASIS_CONSENT);
  }
  if (consent.captured_by_role() == v1::CAPTURE_ROLE_UNSPECIFIED) {
    consent.set_captured_by_role(v1::CAPTURE_ROLE_CASEWORKER);
  }
  if (!consent.has_captured_at()) consent.mutable_captured_at()->set_seconds(ThisMinute(shell));
  return consent;
}

absl::Status FillIdAndBeginning(Shell& shell, v1::ConsentRecord& consent) {
  if (consent.consent_id().empty()) {
    ASSIGN_OR_RETURN(*consent.mutable_consent_id(), shell.NewId(""));
  }
  if (!consent.has_valid_from()) consent.mutable_valid_from()->set_seconds(ThisMinute(shell));
  return absl::OkStatus();
}

absl::StatusOr<v1::ReadBackConsentResponse> Ask(Shell& shell, const v1::ConsentRecord& consent) {
  ASSIGN_OR_RETURN(NodeClient * node, shell.Node());
  v1::ReadBackConsentRequest request;
  *request.mutable_consent() = consent;
  return node->Call(&Api::ReadBackConsent, request);
}

void PrintReadBack(std::ostream& out, const v1::ReadBackConsentResponse& shown) {
  out << "Read this out, and wait for an answer to each line:\n\n";
  for (const std::string& line : shown.lines()) out << "  " << line << "\n";
  out << "\n";
  for (const v1::Finding& finding : shown.findings()) {
    out << "does not count yet: " << finding.text() << " [" << ReasonName(finding.reason())
        << "]\n";
  }
}

absl::StatusOr<v1::ConsentRecord> GivenDraft(Shell& shell, const ConsentOptions& options) {
  ASSIGN_OR_RETURN(v1::ConsentRecord consent, Draft(shell, options));
  consent.set_state(v1::CONSENT_STATE_GIVEN);
  // As it will be recorded: this is true once the person has confirmed what is read out.
  consent.set_readback_confirmed(true);
  return consent;
}

absl::Status ReadBack(Shell& shell, const ConsentOptions& options) {
  ASSIGN_OR_RETURN(v1::ConsentRecord consent, GivenDraft(shell, options));
  RETURN_IF_ERROR(FillIdAndBeginning(shell, consent));
  ASSIGN_OR_RETURN(const auto shown, Ask(shell, consent));
  const std::string word = FormatReadBack({.digest = shown.digest(),
                                           .consent_id = consent.consent_id(),
                                           .valid_from_seconds = consent.valid_from().seconds()});
  if (shell.json()) {
    ASSIGN_OR_RETURN(const std::string read_back, ToWholeJson(shown));
    ASSIGN_OR_RETURN(const std::string record, ToJson(consent));
    shell.out() << "{\"read_back\":" << read_back << ",\"consent\":" << record
                << ",\"confirmation\":\"" << word << "\"}\n";
  } else {
    PrintReadBack(shell.out(), shown);
    shell.out() << "confirm with: --confirmed " << word << "\n";
  }
  return FindingsToStatus(shown.findings());
}

// Returns the digest of a read-back that was confirmed, before or now.
absl::StatusOr<std::string> Confirm(Shell& shell, const ConsentOptions& options,
                                    v1::ConsentRecord& consent) {
  if (!options.confirmed.empty()) {
    ASSIGN_OR_RETURN(const ReadBackConfirmation confirmed, ParseReadBack(options.confirmed));
    consent.set_consent_id(confirmed.consent_id);
    consent.mutable_valid_from()->set_seconds(confirmed.valid_from_seconds);
    return confirmed.digest;
  }
  if (!IsInteractive()) {
    return Error(v1::REASON_PREVIEW_REQUIRED,
                 "there is nobody to ask here: read out 'waymark consent read-back' with the same "
                 "options first, then give --confirmed");
  }
  RETURN_IF_ERROR(FillIdAndBeginning(shell, consent));
  ASSIGN_OR_RETURN(const auto shown, Ask(shell, consent));
  PrintReadBack(std::cerr, shown);
  RETURN_IF_ERROR(FindingsToStatus(shown.findings()));
  RETURN_IF_ERROR(AskForYes("Did the person confirm every line?"));
  return shown.digest();
}

absl::Status Record(Shell& shell, const ConsentOptions& options) {
  v1::RecordConsentRequest request;
  ASSIGN_OR_RETURN(*request.mutable_consent(), GivenDraft(shell, options));
  ASSIGN_OR_RETURN(*request.mutable_readback_digest(),
                   Confirm(shell, options, *request.mutable_consent()));
  ASSIGN_OR_RETURN(NodeClient * node, shell.Node());
  RETURN_IF_ERROR(node->Call(&Api::RecordConsent, request).status());
  shell.PrintCreated("consent", request.consent().consent_id(),
                     "recorded, until " + shell.view().Time(request.consent().valid_until()));
  return absl::OkStatus();
}

absl::Status Refuse(Shell& shell, const ConsentOptions& options) {
  v1::RecordConsentRequest request;
  ASSIGN_OR_RETURN(*request.mutable_consent(), Draft(shell, options));
  request.mutable_consent()->set_state(v1::CONSENT_STATE_REFUSED);
  RETURN_IF_ERROR(FillIdAndBeginning(shell, *request.mutable_consent()));
  ASSIGN_OR_RETURN(NodeClient * node, shell.Node());
  RETURN_IF_ERROR(node->Call(&Api::RecordConsent, request).status());
  shell.PrintCreated("consent", request.consent().consent_id(),
                     "refusal recorded; nothing follows from it");
  return absl::OkStatus();
}

absl::Status ListConsents(Shell& shell, const ConsentOptions& options) {
  ASSIGN_OR_RETURN(NodeClient * node, shell.Node());
  ASSIGN_OR_RETURN(Lookup names, shell.Names());
  v1::ListConsentsRequest request;
  ASSIGN_OR_RETURN(*request.mutable_case_id(), names.Case(options.person));
  ASSIGN_OR_RETURN(const auto listed, node->Call(&Api::ListConsents, request));
  if (shell.PrintJson(listed)) return absl::OkStatus();
  const View& view = shell.view();
  Table table({"CONSENT", "STATE", "TO", "FOR", "UP TO", "FIELDS", "UNTIL"});
  for (const v1::ConsentRecord& consent : listed.consents()) {
    std::vector<std::string> recipients;
    for (const std::string& unit : consent.recipient_units()) {
      ASSIGN_OR_RETURN(std::string handle, names.UnitHandle(unit));
      recipients.push_back(std::move(handle));
    }
    std::vector<std::string> purposes;
    for (const uint32_t code : consent.purposes()) purposes.push_back(std::to_string(code));
    table.Add({ShortId(consent.consent_id()),
               view.Label(*v1::ConsentState_descriptor(), consent.state()), Join(recipients),
               Join(purposes), view.Label(*v1::Stage_descriptor(), consent.stage_ceiling()),
               std::to_string(consent.scope_fields_size()),
               view.Time(consent.valid_until(), consent.has_valid_until())});
  }
  shell.out() << table.ToString();
  return absl::OkStatus();
}

}  // namespace

void AddConsentCommands(CLI::App& app, Shell& shell) {
  auto& options = shell.Keep<ConsentOptions>();
  CLI::App* group = shell.AddGroup(app, "consent", "Read back, record and list consents");
  const auto add_terms = [&options](CLI::App* command) {
    command->add_option("CASE", options.person, "Label of the case, or digits of its id")
        ->required();
    for (const Flag& flag : kFlags) {
      AddEach(command, flag.option, options.values[flag.field], flag.help);
    }
    command->add_option("--file", options.file,
                        "The terms from a YAML or JSON file with the fields of a ConsentRecord; "
                        "options given here hold over it");
    command->add_option("--id", options.id, "The consent's id, for scripts that repeat the call");
  };
  const std::string terms =
      "QSO-c-7714 --to bwi.pool --for 601 --fields NEED.service_code,LANG.preferred_language "
      "--ceiling STARTED --until 2027-03-10T06:00 --notice-id N-601 ...";
  add_terms(shell.Add(
      *group, "read-back",
      "Shows in plain words what a consent would allow, to read out to the person, and what would\n"
      "keep it from counting. Records nothing.",
      "waymark consent read-back " + terms, [&] { return ReadBack(shell, options); }));
  CLI::App* record = shell.Add(
      *group, "record",
      "Records a consent with the same options as its read-back and the confirmation that the\n"
      "read-back printed; at a terminal it reads back and asks.",
      "waymark consent record " + terms + " --confirmed 1f...",
      [&] { return Record(shell, options); });
  add_terms(record);
  record->add_option("--confirmed", options.confirmed, "What the read-back printed");
  add_terms(shell.Add(*group, "refuse",
                      "Records that the person said no. Nothing else follows from it.",
                      "waymark consent refuse QSO-c-7714 --to bwi.pool --for 601",
                      [&] { return Refuse(shell, options); }));
  shell
      .Add(*group, "list", "Lists the consents of a case.", "waymark consent list QSO-c-7714",
           [&] { return ListConsents(shell, options); })
      ->add_option("CASE", options.person, "Label of the case, or digits of its id")
      ->required();
}

}  // namespace waymark::node
