#include "client/connectors/fhir/fhir_connector.h"

#include <utility>
#include <vector>

#include "base/status/status.h"
#include "client/connectors/fhir/fhir_updates.h"
#include "client/connectors/http/url.h"
#include "client/connectors/json_pointer.h"
#include "client/connectors/limits.h"
#include "client/connectors/result.h"

namespace waymark::node {
namespace {

constexpr char kFhirJson[] = "application/fhir+json";
// Pages that one read follows to find something new.
constexpr int kMaxPages = 64;

// The version of a resource that we read is not the one there any more, or another transaction is
// at the same resources: the next attempt reads it anew.
bool IsOvertaken(int code) { return code == 409 || code == 412; }

}  // namespace

FhirConnector::FhirConnector(FhirSettings settings, absl::Duration time_limit, Clock& steady)
    : settings_(std::move(settings)), time_limit_(time_limit), client_(settings_.access, steady) {}

HttpReply FhirConnector::Ask(const std::string& method, const std::string& path,
                             std::optional<std::string> body, absl::Time deadline) {
  HttpReply reply = client_.Send({.method = method,
                                  .path = path,
                                  .body = std::move(body),
                                  .type = kFhirJson,
                                  .headers = {"Prefer: return=minimal"},
                                  .repeatable = method == "GET"},
                                 deadline);
  if (!reply.verdict.status.ok()) {
    const std::string codes = OutcomeCodes(reply.answer.body);
    if (!codes.empty()) {
      reply.verdict.status = Annotate(reply.verdict.status, "OperationOutcome " + codes);
    }
  }
  return reply;
}

WriteResult FhirConnector::Transact(std::string transaction, absl::Time deadline) {
  HttpReply reply = Ask("POST", "", std::move(transaction), deadline);
  if (reply.verdict.status.ok()) {
    reply.verdict.status = CheckTransactionAnswer(reply.answer.body);
    reply.verdict.uncertain = !reply.verdict.status.ok();
  } else if (IsOvertaken(reply.answer.code)) {
    reply.verdict.status = SystemUnavailable(std::string(reply.verdict.status.message()));
  }
  return ResultOf(reply.verdict, keyed());
}

absl::StatusOr<FhirPage> FhirConnector::Search(const std::string& path, absl::Time deadline) {
  return PageOf(Ask("GET", path, std::nullopt, deadline), path);
}

absl::StatusOr<FhirPage> FhirConnector::PageOf(const HttpReply& reply,
                                               const std::string& path) const {
  RETURN_IF_ERROR(reply.verdict.status);
  ASSIGN_OR_RETURN(FhirPage page, ReadFhirPage(reply.answer.body));
  if (!page.next.empty()) {
    ASSIGN_OR_RETURN(page.next, client_.FollowLink(path, page.next));
  }
  return page;
}

absl::StatusOr<std::optional<std::string>> FhirConnector::FindOne(std::string_view type,
                                                                  const FhirKey& key,
                                                                  absl::Time deadline) {
  ASSIGN_OR_RETURN(FhirPage page, Search("/" + std::string(type) + "?" + key.Query(), deadline));
  if (page.matches.empty()) return std::optional<std::string>();
  if (!HasFhirKey(page.matches.front(), key)) {
    return SystemRefused(
        "the server does not search by identifier, so that records cannot be told");
  }
  if (page.matches.size() == 1 && page.next.empty()) {
    return std::optional<std::string>(std::move(page.matches.front()));
  }
  return SystemRefused("the server has more than one " + std::string(type) +
                       " with the key; keep the right one and delete the others");
}

WriteResult FhirConnector::Write(const LocalRecord& record) {
  if (!settings_.referrals) return ResultOf(NoReferrals());
  const absl::Status valid = CheckKey(record.key);
  if (!valid.ok()) return ResultOf(valid);
  const absl::Time deadline = SteadyClock().Now() + time_limit_;
  const FhirKey key = {settings_.key_system, record.key};
  // Before the server is asked, so that a wrong record is refused whether it is there or not.
  const auto sound = WriteTransaction(record, key, *settings_.flavour, std::nullopt);
  if (!sound.ok()) return ResultOf(sound.status());
  const auto found = FindOne("Task", key, deadline);
  if (!found.ok()) return ResultOf(found.status());
  std::optional<FhirTask> task;
  if (*found) task = ReadFhirTask(**found, key.system, *settings_.flavour);
  auto transaction = WriteTransaction(record, key, *settings_.flavour, task);
  if (!transaction.ok()) return ResultOf(transaction.status());
  return Transact(*std::move(transaction), deadline);
}

WriteResult FhirConnector::Erase(std::string_view key) {
  if (!settings_.referrals) return CannotErase();
  const absl::Status valid = CheckKey(key);
  if (!valid.ok()) return ResultOf(valid);
  const absl::Time deadline = SteadyClock().Now() + time_limit_;
  const FhirKey whole = {settings_.key_system, std::string(key)};
  if (settings_.keeps_shells) return LeaveShells(whole, deadline);
  return Transact(EraseTransaction(whole), deadline);
}

WriteResult FhirConnector::LeaveShells(const FhirKey& key, absl::Time deadline) {
  for (const std::string_view type : kFhirRecordTypes) {
    const auto found = FindOne(type, key, deadline);
    if (!found.ok()) return ResultOf(found.status());
    if (!*found) continue;
    auto shell = EnteredInError(type, **found, key);
    if (!shell.ok()) return ResultOf(shell.status());
    const auto id = JsonAt(**found, "/id");
    const HttpReply reply = Ask("PUT", "/" + std::string(type) + "/" + PercentEncode(id->text),
                                *std::move(shell), deadline);
    WriteResult result = ResultOf(reply.verdict, keyed());
    if (result.outcome != WriteOutcome::kDone) return result;
  }
  return {};
}

absl::StatusOr<FeedPage> FhirConnector::Read(Feed feed, std::string_view cursor) {
  const bool has = feed == Feed::kCapacity ? !settings_.capacity.empty() : settings_.updates;
  if (!has) return NoSuchFeed();
  RETURN_IF_ERROR(client_.MayRead());
  const absl::Time deadline = SteadyClock().Now() + time_limit_;
  return feed == Feed::kCapacity ? ReadCapacity(cursor, deadline) : ReadUpdates(cursor, deadline);
}

absl::StatusOr<FeedPage> FhirConnector::ReadCapacity(std::string_view cursor, absl::Time deadline) {
  const std::string path = cursor.empty() ? settings_.capacity : std::string(cursor);
  const HttpReply reply = Ask("GET", path, std::nullopt, deadline);
  // The server has forgotten its page: from the beginning.
  if (!cursor.empty() && (reply.answer.code == 404 || reply.answer.code == 410)) return FeedPage{};
  ASSIGN_OR_RETURN(const FhirPage found, PageOf(reply, path));
  FeedPage page = {
      .items = CapacityItems(found), .cursor = found.next, .more = !found.next.empty()};
  if (page.items.size() > kMaxFeedItems || page.cursor.size() > kMaxCursorBytes) {
    return SystemRefused(
        "a page of the search has more than 256 services, or a link of more than "
        "4 KiB; put _count into `search`");
  }
  return page;
}

absl::StatusOr<FeedPage> FhirConnector::ReadUpdates(std::string_view cursor, absl::Time deadline) {
  ASSIGN_OR_RETURN(FhirPosition position, FhirPosition::Parse(cursor));
  FeedPage page;
  size_t bytes = 0;
  std::string path = position.Path(settings_.key_system);
  for (int pages = 0; pages < kMaxPages && !path.empty() && !page.more; ++pages) {
    ASSIGN_OR_RETURN(const FhirPage found, Search(path, deadline));
    for (const std::string& match : found.matches) {
      const auto task = ReadFhirTask(match, settings_.key_system, *settings_.flavour);
      if (!task) continue;
      page.more = page.items.size() == kMaxFeedItems || bytes >= kMaxPageBytes;
      if (page.more) break;
      if (match.size() > kMaxItemBytes) return SystemRefused("a Task is larger than 4 MiB");
      ASSIGN_OR_RETURN(const bool fresh, position.MoveTo(*task));
      // A status that this node wrote is no news to it.
      if (!fresh || task->ours) continue;
      bytes += match.size();
      page.items.push_back(match);
    }
    path = found.next;
  }
  page.more = page.more || !path.empty();
  page.cursor = position.Cursor();
  return page;
}

}  // namespace waymark::node
