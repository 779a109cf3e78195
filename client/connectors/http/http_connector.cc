#include "client/connectors/http/http_connector.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_replace.h"
#include "base/status/status.h"
#include "client/connectors/json_pointer.h"
#include "client/connectors/limits.h"
#include "client/connectors/result.h"

namespace waymark::node {
namespace {

// How a cursor begins: a value for {cursor}, or the path of a next page.
constexpr char kValueMark = '=';
constexpr char kLinkMark = '>';

constexpr char kKeyName[] = "{key}";

bool IsGone(const HttpReply& reply) { return reply.answer.code == 404 || reply.answer.code == 410; }

std::string PathOf(const HttpFeed& feed, std::string_view cursor) {
  if (!cursor.empty() && cursor.front() == kLinkMark) return std::string(cursor.substr(1));
  const std::string_view value = cursor.empty() ? std::string_view(feed.start) : cursor.substr(1);
  return absl::StrReplaceAll(feed.read.path, {{"{cursor}", PercentEncode(value)},
                                              {"{limit}", std::to_string(kMaxFeedItems)}});
}

absl::Status CannotFind(const std::string& what, const std::string& pointer) {
  return SystemRefused("the server's answer has no " + what + " at '" + pointer + "'");
}

// The text of a cursor; nullopt when there is nothing there.
std::optional<std::string> CursorAt(std::string_view json, const std::string& pointer) {
  const auto value = JsonAt(json, pointer);
  if (!value || value->kind == JsonValue::Kind::kNull || value->kind == JsonValue::Kind::kNested ||
      value->text.empty()) {
    return std::nullopt;
  }
  return kValueMark + value->text;
}

// Puts items on the page, as many as fit. False: some were left.
absl::StatusOr<bool> TakeItems(std::vector<std::string> items, FeedPage& page) {
  size_t bytes = 0;
  for (std::string& item : items) {
    if (item.size() > kMaxItemBytes) return SystemRefused("an item is larger than 4 MiB");
    if (page.items.size() == kMaxFeedItems || bytes >= kMaxPageBytes) return false;
    bytes += item.size();
    page.items.push_back(std::move(item));
  }
  return true;
}

absl::Status GoOnAfterItems(const HttpFeed& feed, bool whole, FeedPage& page) {
  if (page.items.empty()) return absl::OkStatus();
  const auto cursor = CursorAt(page.items.back(), feed.item_cursor);
  if (!cursor) {
    return SystemRefused("an item of the server's has no text or number at '" + feed.item_cursor +
                         "'");
  }
  page.cursor = *cursor;
  page.more = !whole || page.items.size() == kMaxFeedItems;
  return absl::OkStatus();
}

}  // namespace

HttpConnector::HttpConnector(HttpSettings settings, absl::Duration time_limit, Clock& steady)
    : settings_(std::move(settings)), time_limit_(time_limit), client_(settings_.access, steady) {}

HttpReply HttpConnector::Change(const HttpTarget& target, std::string_view key,
                                std::optional<std::string> body) {
  HttpCall call = {.method = target.method,
                   .path = absl::StrReplaceAll(target.path, {{kKeyName, PercentEncode(key)}}),
                   .body = std::move(body)};
  call.headers.push_back("Idempotency-Key: " + std::string(key));
  return client_.Send(call, SteadyClock().Now() + time_limit_);
}

WriteResult HttpConnector::Write(const LocalRecord& record) {
  if (!settings_.write) return ResultOf(NoReferrals());
  const absl::Status valid = CheckKey(record.key);
  if (!valid.ok()) return ResultOf(valid);
  if (!ReadJsonObject(record.json)) {
    return ResultOf(SystemRefused("the mapping returned what is no JSON object"));
  }
  HttpReply reply = Change(*settings_.write, record.key, record.json);
  // An earlier attempt with this key is still at work.
  if (reply.answer.code == 409 && keyed() && settings_.write->method == "POST") {
    reply.verdict.status = SystemUnavailable("the server answered 409");
  }
  return ResultOf(reply.verdict, keyed());
}

WriteResult HttpConnector::Erase(std::string_view key) {
  if (!settings_.erase) return CannotErase();
  const absl::Status valid = CheckKey(key);
  if (!valid.ok()) return ResultOf(valid);
  std::optional<std::string> body;
  if (settings_.erase->method == "POST") {
    JsonObject object;
    object.Add("key", QuoteJson(key));
    body = std::move(object).Finish();
  }
  const HttpReply reply = Change(*settings_.erase, key, std::move(body));
  const bool named = settings_.erase->path.find(kKeyName) != std::string::npos;
  if (named && IsGone(reply)) return {};
  // An erasure may always be repeated, so that nothing about it is uncertain.
  return ResultOf(reply.verdict, true);
}

absl::StatusOr<FeedPage> HttpConnector::Read(Feed feed, std::string_view cursor) {
  const std::optional<HttpFeed>& settings = settings_.feed(feed);
  if (!settings) return NoSuchFeed();
  RETURN_IF_ERROR(client_.MayRead());
  FeedPage page;
  page.cursor = std::string(cursor);
  const std::string path = PathOf(*settings, cursor);
  const HttpReply reply = client_.Send({.method = "GET", .path = path, .repeatable = true},
                                       SteadyClock().Now() + time_limit_);
  const bool at_link = !cursor.empty() && cursor.front() == kLinkMark;
  if (at_link && IsGone(reply)) {
    // The server has forgotten its page: from the beginning.
    page.cursor.clear();
    return page;
  }
  RETURN_IF_ERROR(reply.verdict.status);
  const std::string& body = reply.answer.body;
  if (body.empty()) return page;
  const auto items = JsonAt(body, settings->items);
  if (!items || items->kind != JsonValue::Kind::kNested) {
    return CannotFind("list", settings->items);
  }
  ASSIGN_OR_RETURN(const bool whole, TakeItems(*SplitJson(items->text), page));
  if (!settings->item_cursor.empty()) {
    RETURN_IF_ERROR(GoOnAfterItems(*settings, whole, page));
  } else if (!whole) {
    return SystemRefused("the answer has more than 256 items or 8 MiB; ask for fewer with {limit}");
  } else if (const auto link = CursorAt(body, settings->next);
             !settings->next.empty() && link.has_value()) {
    ASSIGN_OR_RETURN(const std::string next, client_.FollowLink(path, link->substr(1)));
    page.more = true;
    page.cursor = kLinkMark + next;
  } else if (!settings->cursor.empty()) {
    const auto next = CursorAt(body, settings->cursor);
    if (next) page.cursor = *next;
    page.more = next && *next != cursor && !page.items.empty();
  } else {
    page.cursor.clear();
  }
  if (page.cursor.size() <= kMaxCursorBytes) return page;
  return SystemRefused("the place to read on from has more than 4 KiB");
}

}  // namespace waymark::node
