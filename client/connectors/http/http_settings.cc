#include "client/connectors/http/http_settings.h"

#include <algorithm>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "base/status/status.h"
#include "client/connectors/json_pointer.h"

namespace waymark::node {
namespace {

constexpr std::string_view kKeyInPath = "{key}";
constexpr std::string_view kCursorInPath = "{cursor}";
constexpr std::string_view kLimitInPath = "{limit}";

bool InPath(const HttpTarget& target, std::string_view name) {
  return target.path.find(name) != std::string::npos;
}

// Whether the text is a path and perhaps a query, with no other names in braces than these.
bool IsPathTemplate(std::string_view path, std::initializer_list<std::string_view> names) {
  if (path.empty() || path.front() != '/' || path.substr(0, 2) == "//") return false;
  while (!path.empty()) {
    const char c = path.front();
    size_t length = 1;
    if (c == '{') {
      const auto* name = std::find_if(names.begin(), names.end(), [&](std::string_view one) {
        return path.substr(0, one.size()) == one;
      });
      if (name == names.end()) return false;
      length = name->size();
    } else if (c == '}' || c == '#' || c == '\\' ||
               !absl::ascii_isgraph(static_cast<unsigned char>(c))) {
      return false;
    }
    path.remove_prefix(length);
  }
  return true;
}

absl::StatusOr<HttpTarget> ReadTarget(ConfigSection& section, std::string_view key,
                                      std::initializer_list<std::string_view> methods,
                                      std::initializer_list<std::string_view> names) {
  ASSIGN_OR_RETURN(const std::string text, section.String(key));
  const size_t space = std::min(text.find(' '), text.size());
  HttpTarget target = {.method = text.substr(0, space),
                       .path = text.substr(std::min(space + 1, text.size()))};
  if (std::find(methods.begin(), methods.end(), target.method) != methods.end() &&
      IsPathTemplate(target.path, names)) {
    return target;
  }
  std::string expected = "expected a method (";
  for (const std::string_view one : methods) expected.append(one).append(" ");
  expected.back() = ')';
  expected += " and a path below the address that begins with '/'; names in it:";
  for (const std::string_view one : names) expected.append(" ").append(one);
  return section.Invalid(key, expected);
}

absl::Status ReadHttpReferrals(ConfigSection section, HttpSettings& settings) {
  ASSIGN_OR_RETURN(settings.write, ReadTarget(section, "write", {"PUT", "POST"}, {kKeyInPath}));
  const bool put = settings.write->method == "PUT";
  if (put && !InPath(*settings.write, kKeyInPath)) {
    return section.Invalid("write",
                           "PUT needs {key} in the path; without it, every record would "
                           "replace the one before");
  }
  ASSIGN_OR_RETURN(settings.keyed, section.Bool("keyed", put));
  if (put && !settings.keyed) {
    return section.Invalid("keyed", "a record that is put to an address with its key is keyed");
  }
  if (!section.Has("erase")) return absl::OkStatus();
  ASSIGN_OR_RETURN(settings.erase, ReadTarget(section, "erase", {"DELETE", "POST"}, {kKeyInPath}));
  if (settings.erase->method == "POST" || InPath(*settings.erase, kKeyInPath)) {
    return absl::OkStatus();
  }
  return section.Invalid("erase",
                         "DELETE needs {key} in the path; without it, it would erase "
                         "other records");
}

absl::StatusOr<std::string> ReadPointer(ConfigSection& section, std::string_view key) {
  ASSIGN_OR_RETURN(std::string pointer, section.String(key, ""));
  if (IsJsonPointer(pointer)) return pointer;
  return section.Invalid(key, "expected a JSON pointer, for example /matters or /page/next");
}

absl::StatusOr<std::optional<HttpFeed>> ReadHttpFeed(ConfigSection& connector,
                                                     std::string_view use) {
  if (!connector.Has(use)) return std::optional<HttpFeed>();
  ASSIGN_OR_RETURN(ConfigSection section, connector.Section(use));
  HttpFeed feed;
  ASSIGN_OR_RETURN(feed.read, ReadTarget(section, "read", {"GET"}, {kCursorInPath, kLimitInPath}));
  ASSIGN_OR_RETURN(feed.items, ReadPointer(section, "items"));
  ASSIGN_OR_RETURN(feed.cursor, ReadPointer(section, "cursor"));
  ASSIGN_OR_RETURN(feed.item_cursor, ReadPointer(section, "item_cursor"));
  ASSIGN_OR_RETURN(feed.next, ReadPointer(section, "next"));
  ASSIGN_OR_RETURN(feed.start, section.String("start", ""));
  const bool goes_on = !feed.cursor.empty() || !feed.item_cursor.empty();
  if (goes_on != InPath(feed.read, kCursorInPath)) {
    return section.Invalid("cursor",
                           "expected both or neither: {cursor} in read, and where its value stands "
                           "in cursor (in the answer) or item_cursor (in each item)");
  }
  if (!feed.item_cursor.empty() && (!feed.cursor.empty() || !feed.next.empty())) {
    return section.Invalid("item_cursor", "goes with neither cursor nor next");
  }
  if (!goes_on && !feed.start.empty()) {
    return section.Invalid("start", "is what {cursor} is first, which is not there");
  }
  return std::optional<HttpFeed>(std::move(feed));
}

}  // namespace

absl::StatusOr<HttpSettings> ReadHttpSettings(ConfigSection& connector) {
  ASSIGN_OR_RETURN(HttpAccess access, ReadHttpAccess(connector));
  HttpSettings settings = {.access = std::move(access)};
  if (connector.Has("referrals")) {
    ASSIGN_OR_RETURN(const ConfigSection referrals, connector.Section("referrals"));
    RETURN_IF_ERROR(ReadHttpReferrals(referrals, settings));
  }
  ASSIGN_OR_RETURN(settings.capacity, ReadHttpFeed(connector, "capacity"));
  ASSIGN_OR_RETURN(settings.updates, ReadHttpFeed(connector, "updates"));
  return settings;
}

}  // namespace waymark::node
