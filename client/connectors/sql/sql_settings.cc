#include "client/connectors/sql/sql_settings.h"

#include <algorithm>
#include <initializer_list>
#include <set>

#include "base/status/status.h"
#include "client/connectors/limits.h"
#include "client/connectors/result.h"

namespace waymark::node {
namespace {

constexpr std::string_view kKey = "key";
constexpr std::string_view kRecord = "record";
constexpr std::string_view kCursor = "cursor";
constexpr std::string_view kLimit = "limit";

absl::StatusOr<SqlStatement> ReadStatement(const ConfigSection& section, std::string_view key,
                                           std::string_view sql, SqlDialect dialect) {
  ParsedStatement parsed = ParseStatement(sql, dialect);
  if (!parsed.problem.empty()) return section.Invalid(key, parsed.problem);
  return std::move(parsed.statement);
}

// One statement, or a list of them.
absl::StatusOr<std::vector<SqlStatement>> ReadStatements(ConfigSection& section,
                                                         std::string_view key, SqlDialect dialect) {
  absl::StatusOr<std::vector<std::string>> texts = section.Strings(key);
  if (!texts.ok()) {
    ASSIGN_OR_RETURN(std::string text, section.String(key));
    texts = std::vector<std::string>{std::move(text)};
  }
  std::vector<SqlStatement> statements;
  for (const std::string& text : *texts) {
    ASSIGN_OR_RETURN(SqlStatement statement, ReadStatement(section, key, text, dialect));
    statements.push_back(std::move(statement));
  }
  return statements;
}

bool AnyNames(const std::vector<SqlStatement>& statements, std::string_view parameter) {
  return std::any_of(statements.begin(), statements.end(),
                     [&](const SqlStatement& statement) { return statement.Names(parameter); });
}

absl::Status CheckParameters(const ConfigSection& section, std::string_view key,
                             const SqlStatement& statement,
                             std::initializer_list<std::string_view> known) {
  for (const std::string& name : statement.parameters) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    std::string detail = "there is no parameter :" + name + " here; known are";
    for (const std::string_view one : known) detail.append(" :").append(one);
    return section.Invalid(key, detail);
  }
  return absl::OkStatus();
}

absl::Status ReadReferrals(ConfigSection section, SqlDialect dialect, SqlSettings& settings) {
  ASSIGN_OR_RETURN(settings.write, ReadStatements(section, "write", dialect));
  if (!AnyNames(settings.write, kKey)) {
    return section.Invalid("write",
                           "must write the key of the record, :key, by which erasures and later "
                           "versions find it again");
  }
  ASSIGN_OR_RETURN(settings.erase, ReadStatements(section, "erase", dialect));
  for (const SqlStatement& statement : settings.erase) {
    RETURN_IF_ERROR(CheckParameters(section, "erase", statement, {kKey}));
    if (statement.Names(kKey)) continue;
    return section.Invalid("erase", "must name :key; without it, it would erase other records");
  }
  ASSIGN_OR_RETURN(settings.keyed, section.Bool("keyed", true));
  ASSIGN_OR_RETURN(settings.table, section.String("table", ""));
  ASSIGN_OR_RETURN(settings.key, section.String("key", ""));
  if (settings.keyed && (settings.table.empty() || settings.key.empty())) {
    return section.Invalid("keyed",
                           "needs table and key: the column that holds :key and has a unique "
                           "index; or say keyed: false, and a person looks after each lost answer");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<SqlFeed>> ReadFeed(ConfigSection& connector, std::string_view name,
                                                SqlDialect dialect) {
  if (!connector.Has(name)) return std::optional<SqlFeed>();
  ASSIGN_OR_RETURN(ConfigSection section, connector.Section(name));
  SqlFeed feed;
  ASSIGN_OR_RETURN(const std::string sql, section.String("read"));
  ASSIGN_OR_RETURN(feed.read, ReadStatement(section, "read", sql, dialect));
  RETURN_IF_ERROR(CheckParameters(section, "read", feed.read, {kCursor, kLimit}));
  ASSIGN_OR_RETURN(feed.cursor, section.String("cursor", ""));
  ASSIGN_OR_RETURN(feed.start, section.String("start", ""));
  if (feed.cursor.empty() != feed.start.empty() ||
      feed.cursor.empty() == feed.read.Names(kCursor)) {
    return section.Invalid("cursor",
                           "expected all three or none of: the column that only grows, its value "
                           "before the first row in start, and :cursor in read");
  }
  return std::optional<SqlFeed>(std::move(feed));
}

JsonValue TextValue(std::string_view text) {
  return {.kind = JsonValue::Kind::kText, .text = std::string(text)};
}

// The value of one parameter; nullptr when the record does not have it.
const JsonValue* Find(const std::vector<JsonMember>& members, std::string_view name) {
  const auto found = std::find_if(members.begin(), members.end(),
                                  [&](const JsonMember& member) { return member.name == name; });
  return found == members.end() ? nullptr : &found->value;
}

}  // namespace

absl::StatusOr<SqlSettings> ReadSqlSettings(ConfigSection& connector, SqlDialect dialect) {
  SqlSettings settings;
  if (connector.Has("referrals")) {
    ASSIGN_OR_RETURN(const ConfigSection referrals, connector.Section("referrals"));
    RETURN_IF_ERROR(ReadReferrals(referrals, dialect, settings));
  }
  ASSIGN_OR_RETURN(settings.capacity, ReadFeed(connector, "capacity", dialect));
  ASSIGN_OR_RETURN(settings.updates, ReadFeed(connector, "updates", dialect));
  return settings;
}

absl::StatusOr<std::vector<std::vector<JsonValue>>> BindRecord(
    const LocalRecord& record, const std::vector<SqlStatement>& statements) {
  if (statements.empty()) return NoReferrals();
  RETURN_IF_ERROR(CheckKey(record.key));
  const auto members = ReadJsonObject(record.json);
  if (!members) return SystemRefused("the mapping returned what is no JSON object");
  std::vector<std::vector<JsonValue>> values;
  for (const SqlStatement& statement : statements) {
    values.emplace_back();
    for (const std::string& name : statement.parameters) {
      if (name == kKey) {
        values.back().push_back(TextValue(record.key));
      } else if (name == kRecord) {
        values.back().push_back({.kind = JsonValue::Kind::kNested, .text = record.json});
      } else if (const JsonValue* value = Find(*members, name)) {
        values.back().push_back(*value);
      } else {
        return SystemRefused("the mapping's record has no member " + name +
                             ", which the statement names; where there is nothing to say, it "
                             "must say null");
      }
    }
  }
  if (AnyNames(statements, kRecord)) return values;
  for (const JsonMember& member : *members) {
    if (member.name != kKey && AnyNames(statements, member.name)) continue;
    return SystemRefused(
        "the mapping's record has a member that no statement of `write` names and that would be "
        "lost; name it there, or take it out of the mapping");
  }
  return values;
}

std::vector<JsonValue> BindRead(const SqlFeed& feed, std::string_view cursor) {
  std::vector<JsonValue> values;
  for (const std::string& name : feed.read.parameters) {
    if (name == kLimit) {
      values.push_back(TextValue(std::to_string(kMaxFeedItems + 1)));
    } else {
      values.push_back(TextValue(cursor.empty() ? std::string_view(feed.start) : cursor));
    }
  }
  return values;
}

SqlPage::SqlPage(const SqlFeed& feed, std::string_view cursor) : feed_(feed) {
  page_.cursor = std::string(cursor);
}

bool SqlPage::full() const {
  return page_.items.size() >= kMaxFeedItems || bytes_ >= kMaxPageBytes;
}

absl::Status SqlPage::Add(std::string row, const std::optional<std::string>& cursor) {
  if (row.size() > kMaxItemBytes) return SystemRefused("a row is larger than 4 MiB");
  if (!feed_.cursor.empty()) {
    if (!cursor || cursor->empty() || cursor->size() > kMaxCursorBytes) {
      return SystemRefused("a row has nothing in the cursor's column, or more than 4 KiB");
    }
    page_.cursor = *cursor;
  }
  bytes_ += row.size();
  page_.items.push_back(std::move(row));
  return absl::OkStatus();
}

absl::StatusOr<FeedPage> SqlPage::Finish(bool more) && {
  if (more && feed_.cursor.empty()) {
    return SystemRefused("there are more than 256 rows or 8 MiB, which needs a cursor");
  }
  page_.more = more;
  return std::move(page_);
}

absl::Status CheckColumns(const SqlFeed& feed, const std::vector<std::string>& columns) {
  std::set<std::string_view> seen;
  for (const std::string& column : columns) {
    if (!seen.insert(column).second) {
      return SystemRefused("the statement of `read` returns two columns named " + column +
                           "; rename one with AS");
    }
  }
  if (feed.cursor.empty() || seen.contains(feed.cursor)) return absl::OkStatus();
  return SystemRefused("the statement of `read` returns no column " + feed.cursor +
                       ", which is to be its cursor");
}

absl::Status NothingWritten() {
  return SystemRefused(
      "the statements of `write` changed no row, so the record is not there; they must insert it "
      "or replace the earlier version");
}

absl::Status NoUniqueIndex(const SqlSettings& settings) {
  return SystemRefused("no unique index covers the column " + settings.key + " of the table " +
                       settings.table +
                       " alone, so that a repeated write could make a second record; make one, or "
                       "say keyed: false");
}

}  // namespace waymark::node
