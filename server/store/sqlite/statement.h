// SQLite connections and prepared statements, owned and typed.
//
// A Connection prepares each statement once and lends it out; a Statement gives it back, reset,
// when it goes out of scope. Values are bound and read in order. Between them runs a checksum over
// everything bound or read: rows are written with BindSum as their last value and read with
// CheckSum as their last column, so that a row that changed on the disk is DATA_CORRUPT and never
// served.
//
// Threads: one thread at a time per connection and its statements. Lifetime: statements go before
// their connection.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/container/node_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/ids/ids.h"

namespace waymark::hub {

// Maps a SQLite result code to a status: full is QUOTA_EXCEEDED, a medium that refuses is
// UNAVAILABLE, a malformed file is DATA_CORRUPT, misuse is INTERNAL. `what` says what was being
// done.
absl::Status SqliteError(int code, std::string_view what);

// Times are stored as microseconds since the Unix epoch; InfiniteFuture keeps its meaning.
int64_t TimeToRow(absl::Time time);
absl::Time TimeFromRow(int64_t micros);

class Statement {
 public:
  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;
  Statement(const Statement&) = delete;

  // Binds the next parameter. Bytes are not copied: they outlive the Run or Step that follows.
  Statement& Bind(int64_t value);
  Statement& Bind(std::string_view bytes);
  Statement& Bind(absl::Time time) { return Bind(TimeToRow(time)); }
  template <typename Tag>
  Statement& Bind(const Id<Tag>& id) {
    return Bind(id.view());
  }
  // Binds the checksum of everything bound before.
  Statement& BindSum();

  // Runs a statement that returns no rows, and makes it ready to be bound again.
  absl::Status Run();
  // Moves to the next row; false after the last one.
  absl::StatusOr<bool> Step();

  // Reads the next column of the row.
  int64_t Int();
  std::string Bytes();
  absl::Time Time() { return TimeFromRow(Int()); }
  template <typename IdType>
  IdType Read() {
    return IdType::FromBytes(Bytes()).value_or(IdType());
  }
  // Compares the next column with the checksum of every column read before: DATA_CORRUPT if they
  // differ.
  absl::Status CheckSum();

  // For rows of a table that is not known: how many columns there are, what they are called, and
  // whether the next one holds a number.
  int columns() const;
  std::string_view name(int column) const;
  bool AtNumber() const;
  // Passes over the next column, which the checksum does not cover.
  void Skip() { ++next_; }

  // Makes the statement ready to be bound again.
  void Reset();

 private:
  friend class Connection;
  Statement(sqlite3_stmt* statement, std::string* summed)
      : statement_(statement), summed_(*summed) {}

  void Summarise(char type, std::string_view bytes);
  std::string TakeSum();

  // Owned by the connection.
  sqlite3_stmt* statement_;
  int next_ = 0;
  int error_ = SQLITE_OK;
  // What the checksum covers so far; the connection's, which keeps its memory for the next time.
  std::string& summed_;
  // Kept until the statement has run.
  std::string sum_;
};

class Connection {
 public:
  // Opens `path` and applies `settings` (PRAGMA statements). `flags` are SQLITE_OPEN_ flags, `vfs`
  // names a way to the disk, the default one if null.
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const std::string& path, int flags,
                                                          const char* settings,
                                                          const char* vfs = nullptr);

  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Runs statements without parameters or results.
  absl::Status Execute(const char* sql);

  // Lends the prepared statement of `sql`, a string literal, which nobody else holds.
  absl::StatusOr<Statement> Prepare(const char* sql);

  // Moves what the write-ahead log holds into the database; `mode` is SQLITE_CHECKPOINT_*.
  absl::Status Checkpoint(int mode);

  sqlite3* handle() const { return db_; }

 private:
  explicit Connection(sqlite3* db) : db_(db) {}

  struct Prepared {
    sqlite3_stmt* statement = nullptr;
    std::string summed;
  };

  sqlite3* const db_;
  absl::node_hash_map<const char*, Prepared> statements_;
};

// Rolls back when it goes out of scope without Commit.
class Transaction {
 public:
  static absl::StatusOr<Transaction> Begin(Connection& connection);

  ~Transaction();
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  Transaction(const Transaction&) = delete;

  absl::Status Commit();

 private:
  explicit Transaction(Connection& connection) : connection_(&connection) {}

  // Null once committed or moved from.
  Connection* connection_;
};

}  // namespace waymark::hub
