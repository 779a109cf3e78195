#include "client/connectors/fhir/record.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/crypto/hash.h"
#include "base/status/status.h"
#include "client/connectors/http/url.h"
#include "client/connectors/json_pointer.h"
#include "client/connectors/result.h"

namespace waymark::node {
namespace {

using Names = std::initializer_list<std::string_view>;

bool IsAmong(Names names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string Quoted(std::string_view text) { return QuoteJson(text); }

// {"name": "value", ...} of texts; those that are empty are left out.
std::string Texts(std::initializer_list<std::pair<std::string_view, std::string_view>> members) {
  JsonObject object;
  for (const auto& [name, value] : members) {
    if (!value.empty()) object.Add(name, Quoted(value));
  }
  return std::move(object).Finish();
}

std::string Concept(const FhirCode& code) {
  return "{\"coding\":[" +
         Texts({{"system", code.system}, {"code", code.code}, {"display", code.display}}) + "]}";
}

std::string Reference(std::string_view to) { return Texts({{"reference", to}}); }

// A name for a resource within the transaction, which the server replaces by its id.
std::string TemporaryName(const FhirKey& key, std::string_view type) {
  const std::string hash = Sha256("waymark fhir resource", {key.system, key.value, type});
  const std::string hex = absl::BytesToHexString(hash);
  return absl::StrCat("urn:uuid:", hex.substr(0, 8), "-", hex.substr(8, 4), "-8", hex.substr(13, 3),
                      "-a", hex.substr(17, 3), "-", hex.substr(20, 12));
}

// How a JSON value begins as it stands in JSON.
std::string AsJson(const JsonValue& value) {
  return value.kind == JsonValue::Kind::kText ? Quoted(value.text) : value.text;
}

std::string Identifier(const FhirKey& key) {
  return Texts({{"system", key.system}, {"value", key.value}});
}

// The elements of a list that may not be there.
std::vector<std::string> ListOf(const JsonValue* value) {
  if (value == nullptr || value->kind != JsonValue::Kind::kNested || value->text.front() != '[') {
    return {};
  }
  return SplitJson(value->text).value_or(std::vector<std::string>());
}

std::string List(const std::vector<std::string>& items) {
  return "[" + absl::StrJoin(items, ",") + "]";
}

std::string TextAt(std::string_view json, std::string_view pointer) {
  const auto value = JsonAt(json, pointer);
  return value && value->kind == JsonValue::Kind::kText ? value->text : "";
}

// The members that a mapping gave for one resource.
class Part {
 public:
  static absl::StatusOr<Part> Read(const std::vector<JsonMember>& record, std::string_view name,
                                   std::string_view type, Names own) {
    Part part;
    const JsonValue* value = FindMember(record, name);
    if (value == nullptr || value->kind == JsonValue::Kind::kNull) return part;
    auto members = ReadJsonObject(AsJson(*value));
    if (!members) return Wrong(name, "is no object");
    for (JsonMember& member : *members) {
      if (member.name == "resourceType" && member.value.text == type) continue;
      if (member.value.kind == JsonValue::Kind::kNull) continue;
      if (IsAmong(own, member.name)) {
        return Wrong(name, "says " + member.name + ", which the connector says itself");
      }
      part.members_.push_back(std::move(member));
    }
    part.given_ = true;
    return part;
  }

  bool given() const { return given_; }
  const JsonValue* Find(std::string_view name) const { return FindMember(members_, name); }

  // Adds the members but for those.
  void AddTo(JsonObject& object, Names but) const {
    for (const JsonMember& member : members_) {
      if (!IsAmong(but, member.name)) object.Add(member.name, AsJson(member.value));
    }
  }

  std::string IdentifiersWith(const FhirKey& key) const {
    std::vector<std::string> identifiers = {Identifier(key)};
    for (std::string& other : ListOf(Find("identifier"))) identifiers.push_back(std::move(other));
    return List(identifiers);
  }

  static absl::Status Wrong(std::string_view name, std::string_view what) {
    return SystemRefused(
        absl::StrCat("'", std::string(name), "' of the mapping's record ", std::string(what)));
  }

 private:
  std::vector<JsonMember> members_;
  bool given_ = false;
};

// Everything that one transaction is made of.
struct Referral {
  const FhirKey& key;
  const FhirFlavour& flavour;
  FhirState state;
  Part request;
  Part task;
  Part patient;

  std::string NameOf(std::string_view type) const { return TemporaryName(key, type); }

  // The person: the Patient of the record, whom the mapping names, or whoever the referral is
  // about.
  std::string Subject() const {
    if (patient.given()) return Reference(NameOf("Patient"));
    if (const JsonValue* given = request.Find("subject")) return AsJson(*given);
    return "{\"type\":\"Patient\",\"identifier\":" + Identifier(key) + "}";
  }
};

absl::StatusOr<Referral> ReadReferral(const LocalRecord& record, const FhirKey& key,
                                      const FhirFlavour& flavour) {
  const auto members = ReadJsonObject(record.json);
  if (!members) return SystemRefused("the mapping returned what is no JSON object");
  for (const JsonMember& member : *members) {
    if (IsAmong({"state", "request", "task", "patient"}, member.name)) continue;
    return SystemRefused(
        "the mapping's record has a member other than state, request, task and patient");
  }
  const JsonValue* name = FindMember(*members, "state");
  const auto state = name == nullptr ? std::nullopt : FindState(flavour, name->text);
  if (!state) return Part::Wrong("state", "is no state of a referral");
  ASSIGN_OR_RETURN(Part request, Part::Read(*members, "request", "ServiceRequest",
                                            {"resourceType", "id", "meta", "status"}));
  if (!request.given()) return Part::Wrong("request", "is missing");
  ASSIGN_OR_RETURN(Part task, Part::Read(*members, "task", "Task",
                                         {"resourceType", "id", "meta", "status", "statusReason",
                                          "businessStatus", "intent", "code", "focus", "for"}));
  ASSIGN_OR_RETURN(Part patient,
                   Part::Read(*members, "patient", "Patient", {"resourceType", "id", "meta"}));
  return Referral{key, flavour, *state, std::move(request), std::move(task), std::move(patient)};
}

std::string Meta(std::string_view profile, const std::string& tags) {
  JsonObject meta;
  if (!profile.empty()) meta.Add("profile", "[" + Quoted(profile) + "]");
  if (!tags.empty()) meta.Add("tag", tags);
  return std::move(meta).Finish();
}

// What the tag says of a Task whose status this node wrote.
std::string StatusMark(std::string_view status, std::string_view business) {
  std::string mark = "written-" + std::string(status);
  if (!business.empty()) mark += "-" + std::string(business);
  return mark;
}

std::string Request(const Referral& referral) {
  JsonObject resource;
  resource.Add("resourceType", Quoted("ServiceRequest"));
  if (!referral.flavour.request_profile.empty()) {
    resource.Add("meta", Meta(referral.flavour.request_profile, ""));
  }
  resource.Add("identifier", referral.request.IdentifiersWith(referral.key));
  resource.Add("status", Quoted(referral.state.request_status));
  if (referral.request.Find("intent") == nullptr) resource.Add("intent", Quoted("order"));
  resource.Add("subject", referral.Subject());
  referral.request.AddTo(resource, {"identifier", "subject"});
  return std::move(resource).Finish();
}

std::string Patient(const Referral& referral) {
  JsonObject resource;
  resource.Add("resourceType", Quoted("Patient"));
  resource.Add("identifier", referral.patient.IdentifiersWith(referral.key));
  referral.patient.AddTo(resource, {"identifier"});
  return std::move(resource).Finish();
}

void AddStatus(const Referral& referral, JsonObject& resource) {
  const FhirState& state = referral.state;
  const std::string tag = Texts(
      {{"system", referral.key.system}, {"code", StatusMark(state.task_status, state.business)}});
  resource.Add("meta", Meta(referral.flavour.task_profile, "[" + tag + "]"));
  resource.Add("status", Quoted(state.task_status));
  if (!state.status_reason.empty()) {
    resource.Add("statusReason", Texts({{"text", state.status_reason}}));
  }
  if (state.business.empty()) return;
  const std::string_view system = referral.flavour.business_system;
  resource.Add("businessStatus",
               system.empty() ? Texts({{"text", state.business}})
                              : Concept({system, state.business, BusinessDisplay(state.business)}));
}

// When the Task was made, which it says for good.
constexpr std::string_view kSaidOnce = "authoredOn";

// Whether the mapping says something of the Task that it does not say already.
bool SaysMore(const Part& part, const std::vector<JsonMember>& existing) {
  JsonObject wanted;
  part.AddTo(wanted, {"identifier", kSaidOnce});
  const auto members = ReadJsonObject(std::move(wanted).Finish());
  return members && std::any_of(members->begin(), members->end(), [&](const JsonMember& member) {
           const JsonValue* there = FindMember(existing, member.name);
           return there == nullptr || AsJson(*there) != AsJson(member.value);
         });
}

// nullopt: the Task stays as it is.
std::optional<std::string> Task(const Referral& referral, const std::optional<FhirTask>& task) {
  std::vector<JsonMember> existing;
  if (task) existing = ReadJsonObject(task->json).value_or(std::vector<JsonMember>());
  const FhirState& state = referral.state;
  // What this node wrote itself, it may take back.
  const bool moves =
      !task ||
      (task->ours &&
       StatusMark(state.task_status, state.business) != StatusMark(task->status, task->business)) ||
      ProgressOf(state.task_status, state.business) > ProgressOf(task->status, task->business);
  if (!moves && !SaysMore(referral.task, existing)) return std::nullopt;

  JsonObject resource;
  resource.Add("resourceType", Quoted("Task"));
  if (task) {
    resource.Add("id", Quoted(task->id));
    // Among them is the key, by which it was found.
    resource.Add("identifier", AsJson(*FindMember(existing, "identifier")));
  } else {
    resource.Add("identifier", referral.task.IdentifiersWith(referral.key));
  }
  if (moves) {
    AddStatus(referral, resource);
  } else {
    const JsonValue* meta = FindMember(existing, "meta");
    const auto tags = meta == nullptr ? std::nullopt : JsonAt(AsJson(*meta), "/tag");
    resource.Add("meta", Meta(referral.flavour.task_profile, tags ? AsJson(*tags) : ""));
  }
  resource.Add("intent", Quoted("order"));
  resource.Add("code", Concept(referral.flavour.task_code));
  resource.Add("focus", Reference(referral.NameOf("ServiceRequest")));
  resource.Add("for", referral.Subject());
  referral.task.AddTo(resource, {"identifier", task ? kSaidOnce : ""});
  for (const JsonMember& member : existing) {
    if (IsAmong(
            {"resourceType", "id", "meta", "identifier", "intent", "code", "focus", "for", "text"},
            member.name) ||
        (referral.task.Find(member.name) != nullptr && member.name != kSaidOnce)) {
      continue;
    }
    if (moves && IsAmong({"status", "statusReason", "businessStatus"}, member.name)) continue;
    resource.Add(member.name, AsJson(member.value));
  }
  return std::move(resource).Finish();
}

std::string Entry(const Referral& referral, std::string_view type, const std::string& resource,
                  const std::string& version) {
  JsonObject request;
  request.Add("method", Quoted("PUT"));
  request.Add("url", Quoted(std::string(type) + "?" + referral.key.Query()));
  if (!version.empty()) request.Add("ifMatch", Quoted("W/\"" + version + "\""));
  JsonObject entry;
  entry.Add("fullUrl", Quoted(referral.NameOf(type)));
  entry.Add("resource", resource);
  entry.Add("request", std::move(request).Finish());
  return std::move(entry).Finish();
}

std::string Transaction(const std::vector<std::string>& entries) {
  JsonObject bundle;
  bundle.Add("resourceType", Quoted("Bundle"));
  bundle.Add("type", Quoted("transaction"));
  bundle.Add("entry", List(entries));
  return std::move(bundle).Finish();
}

}  // namespace

std::string FhirKey::Query() const {
  return "identifier=" + PercentEncode(system) + "%7C" + PercentEncode(value);
}

bool HasFhirKey(std::string_view resource, const FhirKey& key) {
  const auto identifiers = JsonAt(resource, "/identifier");
  const auto list = ListOf(identifiers ? &*identifiers : nullptr);
  return std::any_of(list.begin(), list.end(), [&](const std::string& identifier) {
    return TextAt(identifier, "/system") == key.system && TextAt(identifier, "/value") == key.value;
  });
}

std::optional<FhirTask> ReadFhirTask(std::string_view json, std::string_view system,
                                     const FhirFlavour& flavour) {
  const auto members = ReadJsonObject(json);
  if (!members || TextAt(json, "/resourceType") != "Task") return std::nullopt;
  const auto identifiers = ListOf(FindMember(*members, "identifier"));
  if (std::none_of(identifiers.begin(), identifiers.end(), [&](const std::string& identifier) {
        return TextAt(identifier, "/system") == system;
      })) {
    return std::nullopt;
  }
  FhirTask task = {.json = std::string(json),
                   .version = TextAt(json, "/meta/versionId"),
                   .last_updated = TextAt(json, "/meta/lastUpdated"),
                   .id = TextAt(json, "/id"),
                   .status = TextAt(json, "/status"),
                   .business = {}};
  if (flavour.business_system.empty()) {
    task.business = absl::AsciiStrToLower(TextAt(json, "/businessStatus/text"));
  } else if (const auto codings = JsonAt(json, "/businessStatus/coding")) {
    for (const std::string& coding : ListOf(&*codings)) {
      if (TextAt(coding, "/system") == flavour.business_system) {
        task.business = TextAt(coding, "/code");
      }
    }
  }
  const std::string mark = StatusMark(task.status, task.business);
  if (const auto tags = JsonAt(json, "/meta/tag")) {
    const auto list = ListOf(&*tags);
    task.ours = std::any_of(list.begin(), list.end(), [&](const std::string& tag) {
      return TextAt(tag, "/system") == system && TextAt(tag, "/code") == mark;
    });
  }
  return task;
}

absl::StatusOr<std::string> WriteTransaction(const LocalRecord& record, const FhirKey& key,
                                             const FhirFlavour& flavour,
                                             const std::optional<FhirTask>& task) {
  ASSIGN_OR_RETURN(const Referral referral, ReadReferral(record, key, flavour));
  std::vector<std::string> entries;
  if (referral.patient.given()) {
    entries.push_back(Entry(referral, "Patient", Patient(referral), ""));
  }
  entries.push_back(Entry(referral, "ServiceRequest", Request(referral), ""));
  if (const auto written = Task(referral, task)) {
    entries.push_back(Entry(referral, "Task", *written, task ? task->version : ""));
  }
  return Transaction(entries);
}

std::string EraseTransaction(const FhirKey& key) {
  std::vector<std::string> entries;
  for (const std::string_view type : kFhirRecordTypes) {
    JsonObject entry;
    entry.Add("request",
              Texts({{"method", "DELETE"}, {"url", std::string(type) + "?" + key.Query()}}));
    entries.push_back(std::move(entry).Finish());
  }
  return Transaction(entries);
}

absl::StatusOr<std::string> EnteredInError(std::string_view type, std::string_view resource,
                                           const FhirKey& key) {
  const std::string id = TextAt(resource, "/id");
  if (id.empty()) return SystemRefused("the server's resource has no id");
  JsonObject emptied;
  emptied.Add("resourceType", Quoted(type));
  emptied.Add("id", Quoted(id));
  emptied.Add("identifier", "[" + Identifier(key) + "]");
  if (type == "Patient") {
    emptied.Add("active", "false");
    return std::move(emptied).Finish();
  }
  emptied.Add("status", Quoted("entered-in-error"));
  emptied.Add("intent", Quoted("order"));
  if (type == "ServiceRequest") {
    emptied.Add("subject", "{\"type\":\"Patient\",\"identifier\":" + Identifier(key) + "}");
  }
  return std::move(emptied).Finish();
}

}  // namespace waymark::node
