#include "client/connectors/fhir/bundle.h"

#include <algorithm>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "base/status/status.h"
#include "client/connectors/json_pointer.h"
#include "client/connectors/result.h"

namespace waymark::node {
namespace {

constexpr size_t kMaxCodes = 5;
constexpr size_t kMaxCodeSize = 32;

std::string StringAt(std::string_view json, std::string_view pointer) {
  const auto value = JsonAt(json, pointer);
  return value && value->kind == JsonValue::Kind::kText ? value->text : "";
}

std::vector<std::string> ElementsAt(std::string_view json, std::string_view pointer) {
  const auto value = JsonAt(json, pointer);
  if (!value || value->kind != JsonValue::Kind::kNested || value->text.front() != '[') return {};
  return SplitJson(value->text).value_or(std::vector<std::string>());
}

// A code as FHIR has them, and nothing that a server might put there instead.
bool IsOutcomeCode(std::string_view code) {
  return !code.empty() && code.size() <= kMaxCodeSize &&
         std::all_of(code.begin(), code.end(), [](char c) {
           return absl::ascii_islower(static_cast<unsigned char>(c)) || c == '-';
         });
}

// What is included under this relative reference; nullopt when nothing is.
std::optional<std::string> IncludedAs(const FhirPage& page, const std::string& reference) {
  for (const std::string& resource : page.included) {
    if (StringAt(resource, "/resourceType") + "/" + StringAt(resource, "/id") == reference) {
      return resource;
    }
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<FhirPage> ReadFhirPage(std::string_view json) {
  if (StringAt(json, "/resourceType") != "Bundle" || StringAt(json, "/type") != "searchset") {
    return SystemRefused("the server's answer to a search is no Bundle of that type");
  }
  FhirPage page;
  for (const std::string& entry : ElementsAt(json, "/entry")) {
    const auto resource = JsonAt(entry, "/resource");
    if (!resource || resource->kind != JsonValue::Kind::kNested) continue;
    const std::string mode = StringAt(entry, "/search/mode");
    if (mode == "include") page.included.push_back(resource->text);
    if (mode == "match" || mode.empty()) page.matches.push_back(resource->text);
  }
  for (const std::string& link : ElementsAt(json, "/link")) {
    if (StringAt(link, "/relation") == "next") page.next = StringAt(link, "/url");
  }
  return page;
}

absl::Status CheckTransactionAnswer(std::string_view json) {
  if (StringAt(json, "/resourceType") != "Bundle" ||
      StringAt(json, "/type") != "transaction-response") {
    return SystemRefused("the server's answer to a transaction is no Bundle of that type");
  }
  for (const std::string& entry : ElementsAt(json, "/entry")) {
    if (absl::StartsWith(StringAt(entry, "/response/status"), "2")) continue;
    return SystemRefused("the server did a part of a transaction only");
  }
  return absl::OkStatus();
}

std::string OutcomeCodes(std::string_view json) {
  if (StringAt(json, "/resourceType") != "OperationOutcome") return "";
  std::vector<std::string> codes;
  for (const std::string& issue : ElementsAt(json, "/issue")) {
    std::string code = StringAt(issue, "/code");
    if (!IsOutcomeCode(code) || codes.size() == kMaxCodes) continue;
    if (std::find(codes.begin(), codes.end(), code) == codes.end()) {
      codes.push_back(std::move(code));
    }
  }
  return absl::StrJoin(codes, ", ");
}

std::vector<std::string> CapacityItems(const FhirPage& page) {
  std::vector<std::string> items;
  for (const std::string& service : page.matches) {
    JsonObject item;
    item.Add("service", service);
    if (const auto by = IncludedAs(page, StringAt(service, "/providedBy/reference"))) {
      item.Add("organization", *by);
    }
    std::vector<std::string> locations;
    for (const std::string& location : ElementsAt(service, "/location")) {
      if (auto at = IncludedAs(page, StringAt(location, "/reference"))) {
        locations.push_back(*std::move(at));
      }
    }
    item.Add("locations", "[" + absl::StrJoin(locations, ",") + "]");
    items.push_back(std::move(item).Finish());
  }
  return items;
}

}  // namespace waymark::node
