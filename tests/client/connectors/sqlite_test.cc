// SQLite: what the database finds wrong with the settings, types, and another program's locks.

#include <gmock/gmock.h>
#include <sqlite3.h>

#include <filesystem>

#include "base/status/status.h"
#include "tests/client/connectors/sqlite_system.h"
#include "tests/support/fake_clock.h"

namespace waymark::node {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

constexpr char kUpsert[] =
    "INSERT INTO records (record_key, note) VALUES (:key, :note)\n"
    "    ON CONFLICT (record_key) DO UPDATE SET note = excluded.note";

class SqliteConnectorTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<Connector>> Open(const std::string& what = "",
                                                  const std::string& by = "") {
    std::string settings = system_.Settings();
    const size_t at = settings.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    return OpenFrom(settings.replace(at, what.size(), by), clock_);
  }

  std::string Problem(const std::string& what, const std::string& by) {
    const auto connector = Open(what, by);
    EXPECT_EQ(ReasonOf(connector.status()), v1::REASON_LOCAL_SYSTEM_REFUSED) << by;
    return std::string(connector.status().message());
  }

  SqliteSystem system_;
  FakeClock clock_{absl::UnixEpoch()};
};

TEST_F(SqliteConnectorTest, TheDatabaseJudgesTheSettingsAtTheStart) {
  EXPECT_THAT(Problem("INTO records", "INTO recrods"), HasSubstr("no such table: recrods"));
  EXPECT_THAT(Problem("erase: DELETE", "erase: DELTE"), HasSubstr("syntax error"));
  EXPECT_THAT(Problem("= :key\n", "= :key; DELETE FROM records\n"),
              HasSubstr("several stand in a list"));
  EXPECT_THAT(Problem("SELECT id, said", "SELECT said"), HasSubstr("no column id"));
  EXPECT_THAT(Problem("SELECT id, said", "SELECT id, said, said"), HasSubstr("two columns"));
  EXPECT_THAT(Problem("SELECT id, said FROM sayings WHERE id > :cursor ORDER BY id",
                      "DELETE FROM sayings WHERE id > :cursor RETURNING id, said"),
              HasSubstr("changes the database"));
}

TEST_F(SqliteConnectorTest, WhatWasRefusedIsReadyOnceItIsMended) {
  std::string settings = system_.Settings();
  const std::string key = "key: record_key";
  const auto connector =
      MakeFrom(settings.replace(settings.find(key), key.size(), "key: note"), clock_);
  ASSERT_TRUE(connector.ok()) << connector.status();
  EXPECT_TRUE((*connector)->keyed());
  for (int asked = 0; asked < 2; ++asked) {
    EXPECT_EQ(ReasonOf((*connector)->Ready()), v1::REASON_LOCAL_SYSTEM_REFUSED);
  }
  system_.Run("CREATE UNIQUE INDEX one ON records (note)");
  EXPECT_EQ((*connector)->Ready(), absl::OkStatus());
}

TEST_F(SqliteConnectorTest, AKeyHasAUniqueIndexOfItsOwn) {
  EXPECT_THAT(Problem("key: record_key", "key: note"), HasSubstr("no unique index covers"));
  system_.Run("CREATE UNIQUE INDEX both ON records (note, record_key)");
  EXPECT_THAT(Problem("key: record_key", "key: note"), HasSubstr("no unique index covers"));
  system_.Run("CREATE UNIQUE INDEX some ON records (note) WHERE note > 'a'");
  EXPECT_THAT(Problem("key: record_key", "key: note"), HasSubstr("no unique index covers"));
  system_.Run("CREATE UNIQUE INDEX one ON records (note)");
  EXPECT_TRUE(Open("key: record_key", "key: note").ok());
}

TEST_F(SqliteConnectorTest, AnotherProgramsLockIsWaitedForAndThenNotNow) {
  const auto connector = Open();
  ASSERT_TRUE(connector.ok()) << connector.status();
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(system_.path().c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  const LocalRecord record = {.key = "a", .json = "{\"note\":\"x\"}"};
  const WriteResult locked = (*connector)->Write(record);
  EXPECT_EQ(locked.outcome, WriteOutcome::kNotNow);
  EXPECT_THAT(locked.detail, HasSubstr("locked"));
  ASSERT_EQ(sqlite3_exec(other, "COMMIT", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(other);
  EXPECT_EQ((*connector)->Write(record).outcome, WriteOutcome::kDone);
}

TEST_F(SqliteConnectorTest, AReaderInTheWayOfAnUnkeyedCommitIsNotUncertain) {
  const auto connector = Open("  table: records\n  key: record_key\n", "  keyed: false\n");
  ASSERT_TRUE(connector.ok()) << connector.status();
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(system_.path().c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN; SELECT * FROM records", nullptr, nullptr, nullptr),
            SQLITE_OK);
  EXPECT_EQ((*connector)->Write({.key = "a", .json = "{\"note\":\"x\"}"}).outcome,
            WriteOutcome::kNotNow);
  sqlite3_close(other);
  EXPECT_THAT(system_.Notes(), IsEmpty());
}

TEST_F(SqliteConnectorTest, ADatabaseThatWasReplacedIsTheOneWrittenTo) {
  const auto connector = Open();
  ASSERT_TRUE(connector.ok()) << connector.status();
  std::filesystem::copy_file(system_.path(), system_.path() + ".new");
  std::filesystem::rename(system_.path() + ".new", system_.path());
  EXPECT_EQ((*connector)->Write({.key = "a", .json = "{\"note\":\"x\"}"}).outcome,
            WriteOutcome::kDone);
  EXPECT_THAT(system_.Notes(), ElementsAre(Pair("a", "x")));
}

TEST_F(SqliteConnectorTest, AllStatementsOfAWriteOrNone) {
  const auto connector = Open("write: " + std::string(kUpsert),
                              "write:\n    - INSERT INTO sayings (said) VALUES (:key)\n"
                              "    - INSERT INTO records VALUES (:key, :note)");
  ASSERT_TRUE(connector.ok()) << connector.status();
  const LocalRecord record = {.key = "a", .json = "{\"note\":\"canary\"}"};
  EXPECT_EQ((*connector)->Write(record).outcome, WriteOutcome::kDone);
  const WriteResult again = (*connector)->Write(record);
  EXPECT_EQ(again.outcome, WriteOutcome::kRefused) << "not an upsert";
  EXPECT_THAT(again.detail, HasSubstr("records.record_key"));
  EXPECT_THAT(again.detail, Not(HasSubstr("canary")));
  EXPECT_EQ(system_.Run("SELECT count(*) || '' FROM sayings")[0][0], "1");
}

TEST_F(SqliteConnectorTest, WhatWouldBeLostIsRefused) {
  const auto connector = Open();
  ASSERT_TRUE(connector.ok()) << connector.status();
  const auto refusal = [&](const std::string& json) {
    const WriteResult result = (*connector)->Write({.key = "a", .json = json});
    EXPECT_EQ(result.outcome, WriteOutcome::kRefused);
    return result.detail;
  };
  EXPECT_THAT(refusal("{\"note\":1,\"canary\":2}"), HasSubstr("no statement of `write` names"));
  EXPECT_THAT(refusal("{\"note\":1,\"canary\":2}"), Not(HasSubstr("canary")));
  EXPECT_THAT(refusal("{}"), HasSubstr("no member note"));
  const auto never = Open("write: " + std::string(kUpsert),
                          "write: UPDATE records SET note = :note WHERE record_key = :key");
  ASSERT_TRUE(never.ok()) << never.status();
  const WriteResult result = (*never)->Write({.key = "a", .json = "{\"note\":1}"});
  EXPECT_EQ(result.outcome, WriteOutcome::kRefused);
  EXPECT_THAT(result.detail, HasSubstr("changed no row"));
}

TEST_F(SqliteConnectorTest, ValuesKeepTheirTypes) {
  system_.Run("CREATE TABLE kinds (k TEXT UNIQUE, i, r, b, n, o, big)");
  const auto connector = Open(
      "table: records\n  key: record_key\n  write: " + std::string(kUpsert),
      "table: kinds\n  key: k\n  write: INSERT INTO kinds VALUES (:key, :i, :r, :b, :n, :o, :big)");
  ASSERT_TRUE(connector.ok()) << connector.status();
  const WriteResult result =
      (*connector)
          ->Write(
              {.key = "a",
               .json =
                   R"({"i":9007199254740993,"r":1.5,"b":true,"n":null,"o":{"x":[1]},"big":1e999})"});
  EXPECT_EQ(result.outcome, WriteOutcome::kDone) << result.detail;
  EXPECT_EQ(system_.Run("SELECT typeof(i)||typeof(r)||typeof(b)||typeof(n)||typeof(o)||typeof(big) "
                        "FROM kinds")[0][0],
            "integerrealintegernulltexttext");
  EXPECT_EQ(system_.Run("SELECT i||' '||o||' '||big FROM kinds")[0][0],
            "9007199254740993 {\"x\":[1]} 1e999");
}

TEST_F(SqliteConnectorTest, RowsKeepTheirTypes) {
  const auto connector = Open(
      "SELECT id, said FROM sayings",
      "SELECT id, 9007199254740993 AS i, 1.5 AS r, NULL AS n, x'00ff' AS b, said FROM sayings");
  ASSERT_TRUE(connector.ok()) << connector.status();
  system_.Say({"it's \"said\""});
  const auto page = (*connector)->Read(Feed::kUpdates, "");
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_THAT(page->items,
              ElementsAre(R"({"id":1,"i":9007199254740993,"r":1.5,"n":null,"b":"AP8=",)"
                          R"("said":"it's \"said\""})"));
  system_.Run("INSERT INTO sayings (said) VALUES (CAST(x'ff' AS TEXT))");
  const auto broken = (*connector)->Read(Feed::kUpdates, page->cursor);
  EXPECT_EQ(ReasonOf(broken.status()), v1::REASON_LOCAL_SYSTEM_REFUSED);
}

TEST_F(SqliteConnectorTest, AConnectorThatOnlyReadsWritesNothing) {
  const std::string settings = system_.Settings();
  const size_t start = settings.find("referrals:");
  const auto connector =
      OpenFrom(std::string(settings).erase(start, settings.find("updates:") - start), clock_);
  ASSERT_TRUE(connector.ok()) << connector.status();
  const WriteResult written = (*connector)->Write({.key = "a", .json = "{}"});
  EXPECT_EQ(written.outcome, WriteOutcome::kRefused);
  EXPECT_THAT(written.detail, HasSubstr("no `referrals`"));
  EXPECT_EQ((*connector)->Erase("a").outcome, WriteOutcome::kUnsupported);
  system_.Say({"x"});
  EXPECT_TRUE((*connector)->Read(Feed::kUpdates, "").ok());
}

TEST_F(SqliteConnectorTest, MoreThanAPageNeedsACursor) {
  const auto connector =
      Open("WHERE id > :cursor ORDER BY id\n  cursor: id\n  start: 0\n", "ORDER BY id\n");
  ASSERT_TRUE(connector.ok()) << connector.status();
  system_.Run(
      "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 256) "
      "INSERT INTO sayings (said) SELECT 'x' FROM n");
  const auto all = (*connector)->Read(Feed::kUpdates, "");
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_EQ(all->items.size(), 256U);
  system_.Say({"one too many"});
  EXPECT_THAT(std::string((*connector)->Read(Feed::kUpdates, "").status().message()),
              HasSubstr("needs a cursor"));
}

TEST_F(SqliteConnectorTest, AStatementWithoutEndIsStopped) {
  const auto connector =
      Open("read: SELECT id, said FROM sayings WHERE id > :cursor ORDER BY id",
           "read: WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n)\n"
           "    SELECT id FROM n WHERE id < 0 AND id > :cursor");
  ASSERT_TRUE(connector.ok()) << connector.status();
  const auto page = (*connector)->Read(Feed::kUpdates, "");
  EXPECT_EQ(ReasonOf(page.status()), v1::REASON_LOCAL_SYSTEM_UNAVAILABLE);
}

TEST_F(SqliteConnectorTest, AFileThatIsNoDatabaseIsRefusedAndLeftAlone) {
  PutFile(system_.path(), std::string(4096, 'x'));
  const auto connector = Open();
  EXPECT_EQ(ReasonOf(connector.status()), v1::REASON_LOCAL_SYSTEM_REFUSED);
  EXPECT_EQ(GetFile(system_.path()), std::string(4096, 'x'));
}

TEST_F(SqliteConnectorTest, OtherFilesAreOutOfReach) {
  const auto connector = Open("write: " + std::string(kUpsert),
                              "write: [\"ATTACH '/tmp/x' AS :key\", 'SELECT :note']");
  ASSERT_TRUE(connector.ok()) << connector.status();
  EXPECT_EQ((*connector)->Write({.key = "a", .json = "{\"note\":1}"}).outcome,
            WriteOutcome::kRefused);
}

}  // namespace
}  // namespace waymark::node
