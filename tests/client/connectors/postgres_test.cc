// PostgreSQL: what the server finds wrong with the settings, types, and connections that are cut at
// every point.

#include <gmock/gmock.h>

#include <csignal>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/time/clock.h"
#include "base/status/status.h"
#include "tests/client/connectors/postgres_system.h"
#include "tests/support/fake_clock.h"
#include "tests/support/poll.h"

namespace waymark::node {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

const char kKill[] =
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND application_name = 'waymark-node'";

// Sleeps in the statement, or in its commit.
const char kSlowStatement[] =
    "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS "
    "'BEGIN PERFORM pg_sleep(60); RETURN NEW; END';"
    "CREATE TRIGGER slow BEFORE INSERT ON records FOR EACH ROW EXECUTE FUNCTION wait()";
const char kSlowCommit[] =
    "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS "
    "'BEGIN PERFORM pg_sleep(60); RETURN NEW; END';"
    "CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON records DEFERRABLE INITIALLY DEFERRED "
    "FOR EACH ROW EXECUTE FUNCTION wait()";

const char kUnkeyed[] =
    "  keyed: false\n"
    "  write: INSERT INTO records VALUES (:key, :note)\n"
    "  erase: DELETE FROM records WHERE record_key = :key\n";

const LocalRecord kRecord = {.key = "a", .json = "{\"note\":\"canary-7f3a\"}"};

class PostgresConnectorTest : public ::testing::Test {
 protected:
  std::unique_ptr<Connector> Open(const std::string& settings) {
    auto connector = OpenFrom(settings, clock_);
    EXPECT_TRUE(connector.ok()) << connector.status();
    return connector.ok() ? *std::move(connector) : nullptr;
  }

  std::string Problem(std::string settings, const std::string& what, const std::string& by) {
    const size_t at = settings.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    const auto connector = OpenFrom(settings.replace(at, what.size(), by), clock_);
    EXPECT_EQ(ReasonOf(connector.status()), v1::REASON_LOCAL_SYSTEM_REFUSED) << by;
    return std::string(connector.status().message());
  }

  // Waits until the connector's backend sleeps, then runs `sql`.
  std::thread WhileItSleeps(const std::string& sql) {
    return std::thread([this, sql] {
      const bool asleep = Eventually([&] {
        return system_
                   .Run(
                       "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() "
                       "AND wait_event = 'PgSleep'")
                   .size() == 1;
      });
      EXPECT_TRUE(asleep);
      system_.Run(sql);
    });
  }

  FakeClock clock_{absl::UnixEpoch()};
  PostgresSystem system_;
};

TEST_F(PostgresConnectorTest, TheServerJudgesTheSettingsAtTheStart) {
  const std::string settings = system_.Settings();
  EXPECT_THAT(Problem(settings, "INTO records", "INTO recrods"),
              AllOf(HasSubstr("write0"), HasSubstr("42P01"), HasSubstr("recrods")));
  EXPECT_THAT(Problem(settings, "erase: DELETE", "erase: DELTE"), HasSubstr("42601"));
  EXPECT_THAT(Problem(settings, "SELECT id, said", "SELECT said"), HasSubstr("no column id"));
  EXPECT_THAT(Problem(settings, "SELECT id, said", "SELECT id, said, said"),
              HasSubstr("two columns"));
  EXPECT_THAT(Problem(settings, "key: record_key", "key: note"),
              HasSubstr("no unique index covers"));
  EXPECT_THAT(Problem(settings, "table: records", "table: nowhere"),
              HasSubstr("no unique index covers"));
}

TEST_F(PostgresConnectorTest, ALoginThatIsRefusedSaysWhy) {
  const std::string settings = system_.Settings();
  EXPECT_THAT(Problem(settings, "database: beds", "database: other"), HasSubstr("3D000"));
  setenv("WAYMARK_TEST_WRONG", "canary-7f3a", 1);
  EXPECT_THAT(Problem(settings, "WAYMARK_TEST_KEEPER_PASSWORD", "WAYMARK_TEST_WRONG"),
              AllOf(HasSubstr("28P01"), Not(HasSubstr("canary"))));
  EXPECT_THAT(Problem(settings, "WAYMARK_TEST_KEEPER_PASSWORD", "WAYMARK_NOT_SET"),
              HasSubstr("WAYMARK_NOT_SET"));
}

TEST_F(PostgresConnectorTest, AServerIsKnownByItsCertificate) {
  const testing::PostgresServer& server = PostgresSystem::Server();
  const std::string host = "host: " + server.host();
  const auto at = [&](const std::string& by) {
    std::string settings = system_.Settings();
    return settings.replace(settings.find(host), host.size(), by);
  };
  const auto connector = Open(at("host: localhost\nca: " + server.certificate()));
  EXPECT_THAT(system_.Run("SELECT s.version FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) "
                          "WHERE a.datname = current_database() AND s.ssl"),
              ElementsAre("TLSv1.3"));
  EXPECT_EQ(connector->Write(kRecord).outcome, WriteOutcome::kDone);
  EXPECT_THAT(Problem(system_.Settings(), host, "host: 127.0.0.1\nca: " + server.certificate()),
              HasSubstr("vouch for"))
      << "another name than the certificate's";
  EXPECT_THAT(
      Problem(system_.Settings(), host, "host: localhost\nca: /etc/ssl/certs/ca-certificates.crt"),
      HasSubstr("vouch for"))
      << "another authority than the certificate's";
  EXPECT_THAT(Problem(system_.Settings(), host, "host: localhost\nca: /nowhere.pem"),
              HasSubstr("vouch for"));
}

TEST_F(PostgresConnectorTest, AConnectionCutBeforeIsMadeAnew) {
  const auto connector = Open(system_.Settings());
  EXPECT_THAT(system_.Run(kKill), ElementsAre("t"));
  EXPECT_EQ(connector->Write(kRecord).outcome, WriteOutcome::kDone);
  EXPECT_THAT(system_.Run(kKill), ElementsAre("t"));
  EXPECT_TRUE(connector->Read(Feed::kUpdates, "").ok());
}

TEST_F(PostgresConnectorTest, AStatementCutShortHasNotWritten) {
  system_.Run(kSlowStatement);
  for (const std::string& settings : {system_.Settings(), system_.SettingsWith(kUnkeyed)}) {
    const auto connector = Open(settings);
    std::thread killer = WhileItSleeps(kKill);
    const WriteResult result = connector->Write(kRecord);
    killer.join();
    EXPECT_EQ(result.outcome, WriteOutcome::kNotNow) << result.detail;
    EXPECT_THAT(result.detail, AllOf(HasSubstr("57P01"), Not(HasSubstr("canary"))));
  }
  EXPECT_THAT(system_.Notes(), IsEmpty());
  system_.Run("DROP TRIGGER slow ON records");
  const auto connector = Open(system_.Settings());
  EXPECT_EQ(connector->Write(kRecord).outcome, WriteOutcome::kDone);
}

TEST_F(PostgresConnectorTest, ACommitCutShortIsUncertainUnlessKeyed) {
  system_.Run(kSlowCommit);
  const auto unkeyed = Open(system_.SettingsWith(kUnkeyed));
  EXPECT_FALSE(unkeyed->keyed());
  std::thread killer = WhileItSleeps(kKill);
  const WriteResult lost = unkeyed->Write(kRecord);
  killer.join();
  EXPECT_EQ(lost.outcome, WriteOutcome::kUncertain);
  EXPECT_THAT(lost.detail, AllOf(HasSubstr("look in the local system"), Not(HasSubstr("canary"))));

  const auto keyed = Open(system_.Settings());
  killer = WhileItSleeps(kKill);
  const WriteResult again = keyed->Write(kRecord);
  killer.join();
  EXPECT_EQ(again.outcome, WriteOutcome::kNotNow) << again.detail;
  system_.Run("DROP TRIGGER slow ON records");
  EXPECT_EQ(keyed->Write(kRecord).outcome, WriteOutcome::kDone);
  EXPECT_THAT(system_.Notes(), ElementsAre(Pair("a", "canary-7f3a")));
}

TEST_F(PostgresConnectorTest, AServerThatStandsStillIsGivenUp) {
  std::string settings = system_.Settings();
  settings.replace(settings.find("time_limit: 5s"), 14, "time_limit: 1s");
  const auto connector = Open(settings);
  const auto pids = system_.Run(
      "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = "
      "'waymark-node'");
  int pid = 0;
  ASSERT_TRUE(pids.size() == 1 && absl::SimpleAtoi(pids[0], &pid));
  ASSERT_EQ(kill(pid, SIGSTOP), 0);
  const absl::Time start = absl::Now();
  const WriteResult result = connector->Write(kRecord);
  EXPECT_LT(absl::Now() - start, absl::Seconds(30));
  EXPECT_EQ(result.outcome, WriteOutcome::kNotNow);
  ASSERT_EQ(kill(pid, SIGCONT), 0);
  EXPECT_EQ(connector->Write(kRecord).outcome, WriteOutcome::kDone);
}

TEST_F(PostgresConnectorTest, AStatementThatTakesTooLongIsNotNow) {
  system_.Run(kSlowStatement);
  std::string settings = system_.Settings();
  settings.replace(settings.find("time_limit: 5s"), 14, "time_limit: 1s");
  const auto connector = Open(settings);
  EXPECT_EQ(connector->Write(kRecord).outcome, WriteOutcome::kNotNow);
  const auto ended = [&] {
    return system_
        .Run(
            "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND "
            "wait_event = 'PgSleep'")
        .empty();
  };
  EXPECT_TRUE(Eventually(ended)) << "nor does it go on at the server";
}

TEST_F(PostgresConnectorTest, ALockIsNotNowAndABrokenRuleRefused) {
  system_.Run("ALTER TABLE records ADD CONSTRAINT short CHECK (length(note) < 20)");
  const auto connector = Open(system_.Settings());
  const WriteResult refused =
      connector->Write({.key = "a", .json = "{\"note\":\"canary canary canary canary\"}"});
  EXPECT_EQ(refused.outcome, WriteOutcome::kRefused);
  EXPECT_THAT(refused.detail, AllOf(HasSubstr("23514"), HasSubstr("table records"),
                                    HasSubstr("constraint short"), Not(HasSubstr("canary"))));
  system_.Run(
      "CREATE FUNCTION busy() RETURNS trigger LANGUAGE plpgsql AS "
      "'BEGIN RAISE serialization_failure; END';"
      "CREATE TRIGGER busy BEFORE INSERT ON records EXECUTE FUNCTION busy()");
  const WriteResult busy = connector->Write(kRecord);
  EXPECT_EQ(busy.outcome, WriteOutcome::kNotNow);
  EXPECT_THAT(busy.detail, HasSubstr("40001"));
}

TEST_F(PostgresConnectorTest, ValuesAndRowsKeepTheirTypes) {
  system_.Run(
      "CREATE TABLE kinds (k text UNIQUE, i bigint, r float8, d numeric, b boolean, n text, o "
      "jsonb, "
      "t date); GRANT ALL ON kinds TO keeper");
  std::string settings = system_.SettingsWith(
      "  table: public.kinds\n  key: k\n"
      "  write: INSERT INTO kinds VALUES (:key, :i, :r, :d, :b, :n, :o, :t)\n"
      "  erase: DELETE FROM kinds WHERE k = :key\n");
  const std::string read = "SELECT id, said FROM sayings WHERE id > :cursor";
  settings.replace(settings.find(read), read.size(),
                   "SELECT 1 AS id, kinds.*, 'NaN'::float8 AS x FROM kinds WHERE 1 > :cursor::int");
  const auto connector = Open(settings);
  ASSERT_NE(connector, nullptr);
  const WriteResult result = connector->Write(
      {.key = "a",
       .json = R"({"i":9007199254740993,"r":1.5,"d":0.10,"b":true,"n":null,"o":{"x":[1]},)"
               R"("t":"2027-03-09"})"});
  EXPECT_EQ(result.outcome, WriteOutcome::kDone) << result.detail;
  const auto page = connector->Read(Feed::kUpdates, "");
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_THAT(page->items,
              ElementsAre(R"({"id":1,"k":"a","i":9007199254740993,"r":1.5,"d":0.10,"b":true,)"
                          R"("n":null,"o":{"x": [1]},"t":"2027-03-09","x":"NaN"})"));
  const WriteResult wrong = connector->Write(
      {.key = "b", .json = R"({"i":"canary-7f3a","r":1,"d":1,"b":true,"n":null,"o":{},"t":null})"});
  EXPECT_EQ(wrong.outcome, WriteOutcome::kRefused);
  EXPECT_THAT(wrong.detail, AllOf(HasSubstr("22P02"), Not(HasSubstr("canary"))));
}

TEST_F(PostgresConnectorTest, AReadChangesNothing) {
  std::string settings = system_.Settings();
  const std::string read =
      "SELECT id, said FROM sayings WHERE id > :cursor ORDER BY id LIMIT :limit";
  settings.replace(settings.find(read), read.size(),
                   "DELETE FROM sayings WHERE id > :cursor RETURNING id, said");
  const auto connector = Open(settings);
  system_.Say({"still there"});
  EXPECT_THAT(std::string(connector->Read(Feed::kUpdates, "").status().message()),
              HasSubstr("25006"));
  EXPECT_THAT(system_.Run("SELECT said FROM sayings"), ElementsAre("still there"));
}

TEST_F(PostgresConnectorTest, ManyRowsWithoutALimitAreCutOff) {
  std::string settings = system_.Settings();
  settings.replace(settings.find(" LIMIT :limit"), 13, "");
  const auto connector = Open(settings);
  system_.Run("INSERT INTO sayings (said) SELECT repeat('x', 1000) FROM generate_series(1, 50000)");
  const auto page = connector->Read(Feed::kUpdates, "");
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->items.size(), 256U);
  EXPECT_EQ(page->cursor, "256");
  EXPECT_TRUE(page->more);
  const auto next = connector->Read(Feed::kUpdates, page->cursor);
  ASSERT_TRUE(next.ok()) << next.status();
  EXPECT_EQ(next->cursor, "512");
}

}  // namespace
}  // namespace waymark::node
