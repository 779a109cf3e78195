#include "tests/client/connectors/sqlite_system.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>

namespace waymark::node {
namespace {

constexpr char kSqliteSchema[] =
    "CREATE TABLE records (record_key TEXT NOT NULL UNIQUE, note TEXT);"
    "CREATE TABLE sayings (id INTEGER PRIMARY KEY, said TEXT NOT NULL);";

}  // namespace

SqliteSystem::SqliteSystem() { Run(kSqliteSchema); }

std::vector<std::vector<std::string>> SqliteSystem::Run(const std::string& sql,
                                                        const std::vector<std::string>& texts) {
  sqlite3* handle = nullptr;
  EXPECT_EQ(sqlite3_open(path().c_str(), &handle), SQLITE_OK);
  std::vector<std::vector<std::string>> rows;
  const char* rest = sql.c_str();
  while (*rest != '\0') {
    sqlite3_stmt* statement = nullptr;
    EXPECT_EQ(sqlite3_prepare_v2(handle, rest, -1, &statement, &rest), SQLITE_OK)
        << sqlite3_errmsg(handle);
    if (statement == nullptr) break;
    for (size_t i = 0; i < texts.size(); ++i) {
      sqlite3_bind_text(statement, static_cast<int>(i) + 1, texts[i].c_str(), -1, SQLITE_STATIC);
    }
    while (sqlite3_step(statement) == SQLITE_ROW) {
      rows.emplace_back();
      for (int i = 0; i < sqlite3_column_count(statement); ++i) {
        const auto* data = static_cast<const char*>(sqlite3_column_blob(statement, i));
        const int size = sqlite3_column_bytes(statement, i);
        rows.back().emplace_back(data == nullptr ? "" : data, static_cast<size_t>(size));
      }
    }
    EXPECT_EQ(sqlite3_finalize(statement), SQLITE_OK) << sqlite3_errmsg(handle);
  }
  sqlite3_close(handle);
  return rows;
}

std::string SqliteSystem::Settings() const {
  return "kind: sqlite\n"
         "time_limit: 1s\n"
         "database: " +
         path() +
         "\n"
         "referrals:\n"
         "  mapping: out.jq\n"
         "  table: records\n"
         "  key: record_key\n"
         "  write: INSERT INTO records (record_key, note) VALUES (:key, :note)\n"
         "    ON CONFLICT (record_key) DO UPDATE SET note = excluded.note\n"
         "  erase: DELETE FROM records WHERE record_key = :key\n"
         "updates:\n"
         "  mapping: in.jq\n"
         "  read: SELECT id, said FROM sayings WHERE id > :cursor ORDER BY id\n"
         "  cursor: id\n"
         "  start: 0\n";
}

std::map<std::string, std::string> SqliteSystem::Notes() {
  std::map<std::string, std::string> notes;
  for (const auto& row : Run("SELECT record_key, note FROM records")) {
    EXPECT_TRUE(notes.emplace(row[0], row[1]).second);
  }
  return notes;
}

void SqliteSystem::Say(const std::vector<std::string>& texts) {
  for (const std::string& text : texts) Run("INSERT INTO sayings (said) VALUES (?1)", {text});
}

void SqliteSystem::Break() { std::filesystem::rename(path(), path() + ".away"); }
void SqliteSystem::Mend() { std::filesystem::rename(path() + ".away", path()); }

void SqliteSystem::Deny() {
  Run("CREATE TRIGGER deny BEFORE INSERT ON records BEGIN SELECT RAISE(ABORT, 'no'); END;");
}

std::unique_ptr<TriedSystem> MakeSqliteSystem() { return std::make_unique<SqliteSystem>(); }

}  // namespace waymark::node
