#include "client/connectors/files/incoming.h"

#include <algorithm>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_join.h"
#include "base/status/status.h"
#include "client/connectors/files/record_csv.h"
#include "client/connectors/json_members.h"
#include "client/connectors/limits.h"
#include "client/connectors/result.h"

namespace waymark::node {
namespace {

constexpr char kDone[] = "done";
constexpr char kFailed[] = "failed";
// How many times `settle` a file that does not parse may still be on its way.
constexpr int kPatience = 12;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

// The names that sync clients, browsers and editors give to what is not finished.
bool IsUnfinished(const std::string& lower) {
  constexpr const char* kEndings[] = {"~",         ".tmp",   ".temp",     ".part",
                                      ".partial",  ".swp",   ".download", ".crdownload",
                                      ".filepart", ".!sync", ".lock",     ".sync"};
  return absl::StartsWith(lower, ".") || absl::StartsWith(lower, "~") ||
         std::any_of(std::begin(kEndings), std::end(kEndings),
                     [&](const char* ending) { return absl::EndsWith(lower, ending); });
}

// "beds (2).json": what is made when the name is taken.
bool IsNumbered(const std::string& lower) {
  const size_t end = lower.rfind(").");
  const size_t start = lower.rfind(" (");
  if (end == std::string::npos || start == std::string::npos || start + 2 >= end) return false;
  return std::all_of(lower.begin() + static_cast<std::ptrdiff_t>(start) + 2,
                     lower.begin() + static_cast<std::ptrdiff_t>(end),
                     [](char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); });
}

bool IsConflictedCopy(const std::string& lower) {
  constexpr const char* kMarks[] = {"conflicted copy", "sync-conflict", "_conflict-",
                                    "[conflicted]", "(conflict"};
  return IsNumbered(lower) ||
         std::any_of(std::begin(kMarks), std::end(kMarks),
                     [&](const char* mark) { return absl::StrContains(lower, mark); });
}

// The objects or rows of a file; nullopt when it does not parse.
std::optional<std::vector<std::string>> RowsOf(const std::string& name, std::string_view content,
                                               char separator) {
  if (absl::EndsWithIgnoreCase(name, ".csv")) return CsvToJson(content, separator);
  if (content.substr(0, kByteOrderMark.size()) == kByteOrderMark) {
    content.remove_prefix(kByteOrderMark.size());
  }
  std::optional<std::vector<std::string>> items = SplitJson(content);
  if (!items) return std::nullopt;
  const bool objects = std::all_of(items->begin(), items->end(),
                                   [](const std::string& item) { return item.front() == '{'; });
  return objects ? items : std::nullopt;
}

std::optional<std::vector<std::string>> ItemsOf(const std::string& name, std::string_view content,
                                                const InFolder& settings) {
  std::optional<std::vector<std::string>> rows = RowsOf(name, content, settings.separator);
  if (!rows || !settings.whole) return rows;
  return std::vector<std::string>{"{\"rows\":[" + absl::StrJoin(*rows, ",") + "]}"};
}

absl::StatusOr<int64_t> PageOf(std::string_view cursor) {
  int64_t page = 0;
  if (cursor.empty()) return page;
  if (absl::SimpleAtoi(absl::string_view(cursor.data(), cursor.size()), &page) && page >= 0) {
    return page;
  }
  return SystemRefused("the cursor is none of a drop folder");
}

}  // namespace

void Incoming::Say(const std::string& about, const std::string& notice, FeedPage& page) {
  if (said_.insert(about).second) page.notices.push_back("the folder " + settings_.folder + notice);
}

bool Incoming::IsWanted(const std::string& name, FeedPage& page) {
  const std::string lower = absl::AsciiStrToLower(name);
  if (IsUnfinished(lower)) return false;
  if (IsConflictedCopy(lower)) {
    Say(name,
        " holds a conflicted copy, which is not read: compare it with the file that it is a copy "
        "of, then remove it or give it a name of its own",
        page);
    return false;
  }
  if (absl::EndsWith(lower, ".json") || absl::EndsWith(lower, ".csv")) return true;
  Say(name, " holds a file that is neither .json nor .csv, which is not read", page);
  return false;
}

absl::StatusOr<FeedPage> Incoming::Read(std::string_view cursor) {
  ASSIGN_OR_RETURN(const int64_t before, PageOf(cursor));
  ASSIGN_OR_RETURN(const Folder folder, Folder::Open(settings_.folder));
  ASSIGN_OR_RETURN(const std::vector<FileEntry> files, folder.List());
  const absl::Time now = steady_.Now();
  FeedPage page;
  size_t bytes = 0;
  std::map<std::string, Seen> seen;
  std::set<std::string> names;
  for (const FileEntry& file : files) {
    names.insert(file.name);
    if (!IsWanted(file.name, page)) continue;
    const auto known = seen_.find(file.name);
    if (known == seen_.end() || known->second.signature != file.signature) {
      seen[file.name] = {.signature = file.signature, .since = now};
      continue;
    }
    Seen& one = seen[file.name] = known->second;
    if (now - one.since < settings_.settle || page.more) continue;
    RETURN_IF_ERROR(TakeUp(folder, file, one, before + 1, page, bytes));
  }
  seen_ = std::move(seen);
  std::erase_if(said_, [&](const std::string& name) { return !names.contains(name); });
  page.cursor = page.items.empty() ? std::string(cursor) : std::to_string(before + 1);
  return page;
}

absl::Status Incoming::TakeUp(const Folder& folder, const FileEntry& file, Seen& seen,
                              int64_t number, FeedPage& page, size_t& bytes) {
  // Pages beyond the cursor were never stored by the caller.
  while (!seen.handed_out.empty() && seen.handed_out.back().first >= number) {
    seen.handed_out.pop_back();
    seen.whole = false;
  }
  if (seen.whole) return absl::OkStatus();
  if (static_cast<size_t>(file.signature.size) > kMaxItemBytes) {
    return SetAside(folder, file, ": a file larger than 4 MiB was moved to failed/", page);
  }
  ASSIGN_OR_RETURN(const std::optional<std::string> content, folder.Read(file, kMaxItemBytes));
  if (!content) return absl::OkStatus();
  const auto items = ItemsOf(file.name, *content, settings_);
  if (!items) {
    if (steady_.Now() - seen.since < kPatience * settings_.settle) return absl::OkStatus();
    return SetAside(folder, file,
                    ": a file that is not whole JSON or CSV was moved to failed/; look there, "
                    "correct it and put it back",
                    page);
  }
  size_t next = seen.handed_out.empty() ? 0 : seen.handed_out.back().second;
  while (next < items->size() && page.items.size() < kMaxFeedItems && bytes < kMaxPageBytes) {
    bytes += (*items)[next].size();
    page.items.push_back((*items)[next++]);
  }
  seen.handed_out.emplace_back(number, next);
  seen.whole = next == items->size();
  page.more = !seen.whole;
  return absl::OkStatus();
}

absl::Status Incoming::SetAside(const Folder& folder, const FileEntry& file,
                                const std::string& notice, FeedPage& page) {
  RETURN_IF_ERROR(folder.MoveInto(kFailed, file));
  page.notices.push_back("the folder " + settings_.folder + notice);
  return absl::OkStatus();
}

absl::Status Incoming::Taken(std::string_view cursor) {
  ASSIGN_OR_RETURN(const int64_t number, PageOf(cursor));
  ASSIGN_OR_RETURN(const Folder folder, Folder::Open(settings_.folder));
  for (auto it = seen_.begin(); it != seen_.end();) {
    const auto& [name, seen] = *it;
    if (!seen.whole || seen.handed_out.back().first > number) {
      ++it;
      continue;
    }
    RETURN_IF_ERROR(folder.MoveInto(kDone, {.name = name, .signature = seen.signature}));
    it = seen_.erase(it);
  }
  return absl::OkStatus();
}

}  // namespace waymark::node
