// What the configuration says of a database, whichever it is.
//
//   referrals:
//     table: referrals            # with keyed: where a unique index must cover
//     key: referral_key           # this column
//     write: INSERT INTO referrals (referral_key, note) VALUES (:key, :note)
//            ON CONFLICT (referral_key) DO UPDATE SET note = excluded.note
//     erase: DELETE FROM referrals WHERE referral_key = :key
//   updates:
//     read: SELECT id, key, said FROM answers WHERE id > :cursor ORDER BY id
//     cursor: id
//     start: 0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "base/config/config.h"
#include "client/connectors/connector.h"
#include "client/connectors/json_members.h"
#include "client/connectors/sql/statement.h"

namespace waymark::node {

struct SqlFeed {
  SqlStatement read;
  // The column that says where to go on, and its value before the first row; no column: every read
  // is of everything.
  std::string cursor;
  std::string start;
};

struct SqlSettings {
  // Each list runs in one transaction. No statements: not for referrals; no erasure.
  std::vector<SqlStatement> write;
  std::vector<SqlStatement> erase;
  bool keyed = true;
  // With keyed: a unique index covers this column of this table.
  std::string table;
  std::string key;
  std::optional<SqlFeed> capacity;
  std::optional<SqlFeed> updates;

  const std::optional<SqlFeed>& feed(Feed feed) const {
    return feed == Feed::kCapacity ? capacity : updates;
  }
};

// Reads the sections referrals, capacity and updates of a connector, as far as they are there.
absl::StatusOr<SqlSettings> ReadSqlSettings(ConfigSection& connector, SqlDialect dialect);

// Returns the value of each parameter of each statement: `:key`, `:record` for the whole object,
// and the members of the object by their names. LOCAL_SYSTEM_REFUSED: the record has no such
// member, or one that no statement names, which would be lost.
absl::StatusOr<std::vector<std::vector<JsonValue>>> BindRecord(
    const LocalRecord& record, const std::vector<SqlStatement>& statements);

// Returns the values of the parameters of a read, all texts.
std::vector<JsonValue> BindRead(const SqlFeed& feed, std::string_view cursor);

// Collects the rows of a read.
class SqlPage {
 public:
  SqlPage(const SqlFeed& feed, std::string_view cursor);

  // Whether no further row fits: there are more, then.
  bool full() const;

  // Takes a row; `cursor` is the value of the cursor's column, nullopt when that is NULL.
  // LOCAL_SYSTEM_REFUSED: the row or its cursor is too large.
  absl::Status Add(std::string row, const std::optional<std::string>& cursor);

  // The page; `more` rows were left. LOCAL_SYSTEM_REFUSED: they can never be read, for want of a
  // cursor.
  absl::StatusOr<FeedPage> Finish(bool more) &&;

 private:
  const SqlFeed& feed_;
  FeedPage page_;
  size_t bytes_ = 0;
};

// Refuses columns that are there twice, and a cursor that is not among them.
absl::Status CheckColumns(const SqlFeed& feed, const std::vector<std::string>& columns);

// What is said when the statements of a write changed nothing.
absl::Status NothingWritten();
// What is said when no unique index covers the key's column alone.
absl::Status NoUniqueIndex(const SqlSettings& settings);

}  // namespace waymark::node
