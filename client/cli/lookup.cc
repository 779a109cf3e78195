#include "client/cli/lookup.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "base/status/status.h"
#include "client/cli/exit_code.h"
#include "client/cli/output.h"

namespace waymark::node {
namespace {

using Api = v1::NodeService::StubInterface;

constexpr size_t kFewestDigits = 4;

bool IsDigits(const std::string& text) {
  return text.size() >= kFewestDigits && std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isxdigit(static_cast<unsigned char>(c));
         });
}

std::vector<Named> UnitsOf(const v1::ListDirectoryResponse& directory) {
  std::vector<Named> units;
  for (const v1::DirectoryMember& member : directory.members()) {
    for (const v1::Unit& unit : member.member().units()) {
      units.push_back({unit.unit_id(), unit.handle()});
    }
  }
  return units;
}

std::vector<Named> OrganisationsOf(const v1::ListDirectoryResponse& directory) {
  std::vector<Named> organisations;
  for (const v1::DirectoryMember& member : directory.members()) {
    organisations.push_back({member.organisation_id(), member.member().handle()});
  }
  return organisations;
}

}  // namespace

absl::StatusOr<std::string> Choose(const Sort& sort, const std::string& wanted,
                                   const std::vector<Named>& choices) {
  std::vector<const Named*> found;
  for (const Named& choice : choices) {
    if (choice.name == wanted) found.push_back(&choice);
  }
  if (found.empty() && IsDigits(wanted)) {
    const std::string digits = absl::AsciiStrToLower(wanted);
    for (const Named& choice : choices) {
      if (absl::BytesToHexString(choice.id).rfind(digits, 0) == 0) found.push_back(&choice);
    }
  }
  if (found.size() == 1) return found.front()->id;
  if (found.empty()) {
    return Error(v1::REASON_NOT_FOUND, "there is no " + sort.what + " '" + wanted + "'; '" +
                                           sort.lister + "' lists them");
  }
  std::vector<std::string> list;
  list.reserve(found.size());
  for (const Named* choice : found) list.push_back(ShortId(choice->id) + " " + choice->name);
  return UsageError("'" + wanted + "' may be any " + sort.what + " of: " + Join(list) +
                    "; give more of it");
}

absl::StatusOr<v1::ListDirectoryResponse*> Lookup::Directory() {
  if (!directory_.has_value()) {
    ASSIGN_OR_RETURN(directory_, node_.Call(&Api::ListDirectory, v1::ListDirectoryRequest()));
  }
  return &*directory_;
}

absl::StatusOr<std::string> Lookup::Unit(const std::string& wanted) {
  if (auto id = ParseId(wanted); id.ok()) return id;
  ASSIGN_OR_RETURN(const v1::ListDirectoryResponse* directory, Directory());
  return Choose({"unit", "waymark directory"}, wanted, UnitsOf(*directory));
}

absl::StatusOr<std::string> Lookup::UnitHandle(const std::string& unit_id) {
  ASSIGN_OR_RETURN(const v1::ListDirectoryResponse* directory, Directory());
  for (const Named& unit : UnitsOf(*directory)) {
    if (unit.id == unit_id) return unit.name;
  }
  return ShortId(unit_id);
}

absl::StatusOr<std::string> Lookup::Organisation(const std::string& wanted) {
  if (auto id = ParseId(wanted); id.ok()) return id;
  ASSIGN_OR_RETURN(const v1::ListDirectoryResponse* directory, Directory());
  return Choose({"organisation", "waymark directory"}, wanted, OrganisationsOf(*directory));
}

absl::StatusOr<std::string> Lookup::UnitOrOrganisation(const std::string& wanted) {
  if (auto id = ParseId(wanted); id.ok()) return id;
  ASSIGN_OR_RETURN(const v1::ListDirectoryResponse* directory, Directory());
  std::vector<Named> choices = UnitsOf(*directory);
  const std::vector<Named> organisations = OrganisationsOf(*directory);
  choices.insert(choices.end(), organisations.begin(), organisations.end());
  return Choose({"unit or organisation", "waymark directory"}, wanted, choices);
}

absl::StatusOr<std::string> Lookup::Service(const std::string& wanted) {
  if (auto id = ParseId(wanted); id.ok()) return id;
  ASSIGN_OR_RETURN(const v1::ListDirectoryResponse* directory, Directory());
  std::vector<Named> choices;
  for (const v1::DirectoryListing& listing : directory->services()) {
    choices.push_back({listing.service().service_id(), listing.service().handle()});
  }
  return Choose({"service", "waymark service list"}, wanted, choices);
}

absl::StatusOr<std::string> Lookup::ServiceWithHandle(const std::string& handle) {
  ASSIGN_OR_RETURN(const v1::ListDirectoryResponse* directory, Directory());
  for (const v1::DirectoryListing& listing : directory->services()) {
    if (listing.service().handle() == handle) return listing.service().service_id();
  }
  return std::string();
}

absl::StatusOr<std::string> Lookup::Case(const std::string& wanted) {
  if (auto id = ParseId(wanted); id.ok()) return id;
  ASSIGN_OR_RETURN(const auto listed, node_.Call(&Api::ListCases, v1::ListCasesRequest()));
  std::vector<Named> choices;
  for (const v1::Case& person : listed.cases()) {
    choices.push_back({person.case_id(), person.label()});
  }
  return Choose({"case", "waymark case list"}, wanted, choices);
}

absl::StatusOr<std::string> Lookup::Need(const std::string& case_id, const std::string& wanted) {
  if (auto id = ParseId(wanted); id.ok()) return id;
  v1::GetCaseRequest request;
  request.set_case_id(case_id);
  ASSIGN_OR_RETURN(const auto shown, node_.Call(&Api::GetCase, request));
  std::vector<Named> choices;
  for (const v1::Need& need : shown.case_().needs()) {
    choices.push_back({need.need_id(), std::to_string(need.service_code())});
  }
  return Choose({"need of the case", "waymark case show CASE"}, wanted, choices);
}

absl::StatusOr<std::string> Lookup::Consent(const std::string& wanted) {
  if (auto id = ParseId(wanted); id.ok()) return id;
  ASSIGN_OR_RETURN(const auto cases, node_.Call(&Api::ListCases, v1::ListCasesRequest()));
  std::vector<Named> choices;
  for (const v1::Case& person : cases.cases()) {
    v1::ListConsentsRequest request;
    request.set_case_id(person.case_id());
    ASSIGN_OR_RETURN(const auto listed, node_.Call(&Api::ListConsents, request));
    for (const v1::ConsentRecord& consent : listed.consents()) {
      choices.push_back({consent.consent_id(), ""});
    }
  }
  return Choose({"consent", "waymark consent list CASE"}, wanted, choices);
}

absl::StatusOr<std::string> Lookup::Referral(const std::string& wanted) {
  if (auto id = ParseId(wanted); id.ok()) return id;
  std::vector<Named> choices;
  for (const auto box : {v1::REFERRAL_BOX_INBOX, v1::REFERRAL_BOX_SENT}) {
    v1::ListReferralsRequest request;
    request.set_box(box);
    request.set_include_ended(true);
    ASSIGN_OR_RETURN(const auto listed, node_.Call(&Api::ListReferrals, request));
    for (const v1::ReferralSummary& referral : listed.referrals()) {
      choices.push_back({referral.referral_id(), referral.other_unit()});
    }
  }
  return Choose({"referral", "waymark inbox --all' or 'waymark sent --all"}, wanted, choices);
}

absl::StatusOr<std::function<std::string(const std::string& id)>> Lookup::Namer() {
  ASSIGN_OR_RETURN(const v1::ListDirectoryResponse* directory, Directory());
  std::map<std::string, std::string> names;
  for (const Named& unit : UnitsOf(*directory)) names[unit.id] = unit.name;
  for (const v1::DirectoryMember& member : directory->members()) {
    names[member.organisation_id()] = member.member().handle();
  }
  for (const v1::DirectoryListing& listing : directory->services()) {
    names[listing.service().service_id()] = listing.service().handle();
  }
  return [names = std::move(names)](const std::string& id) {
    const auto name = names.find(id);
    return name == names.end() ? std::string() : name->second;
  };
}

IdResolver Lookup::Resolver() {
  return [this](const google::protobuf::FieldDescriptor& field, const std::string& name) {
    const std::string& role = field.name();
    if (role == "service_id") return Service(name);
    if (role == "excluded") return UnitOrOrganisation(name);
    if (role == "renews") return Consent(name);
    return Unit(name);
  };
}

}  // namespace waymark::node
