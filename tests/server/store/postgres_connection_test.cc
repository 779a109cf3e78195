// How the hub reaches PostgreSQL, and what it finds there.
#include <gmock/gmock.h>

#include <cstdlib>
#include <map>

#include "base/random/random.h"
#include "base/status/status.h"
#include "server/store/postgres/look.h"
#include "server/store/postgres/schema.h"
#include "tests/server/store/postgres_medium.h"
#include "tests/server/store_conformance/samples.h"

namespace waymark::hub {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;

constexpr char kVariable[] = "WAYMARK_TEST_DATABASE_PASSWORD";

absl::Status OpenStatus(const PgTarget& target) {
  return PostgresStore::Open({.target = target, .random = &SystemRandom()}).status();
}

std::map<std::string, std::string> Parameters(const std::string& url) {
  const auto parameters = PgParameters(url);
  return {parameters.begin(), parameters.end()};
}

// The role that has a password, over TLS.
PgTarget Keeper(const PostgresMedium& medium, const std::string& password) {
  setenv(kVariable, password.c_str(), 1);
  const auto& server = PostgresMedium::server();
  return {.url = "postgresql://keeper@localhost:" + std::to_string(server.port()) + "/" +
                 medium.database() +
                 "?hostaddr=127.0.0.1&sslmode=verify-full&sslrootcert=" + server.certificate(),
          .password = {SecretReference::Kind::kEnvironment, kVariable}};
}

// URLs --------------------------------------------------------------------------------------------

TEST(PgUrlTest, IsOneOfPostgresqlWithoutAPassword) {
  EXPECT_TRUE(CheckPgUrl("postgresql://waymark@10.0.0.1,10.0.0.2:5433/waymark").ok());
  for (const std::string url : {"", "hub.sqlite", "mysql://x/y", "postgresql://%zz/x"}) {
    EXPECT_EQ(ReasonOf(CheckPgUrl(url)), v1::REASON_CONFIG_INVALID) << url;
  }
  for (const std::string url :
       {"postgresql://waymark:hunter2@h/d", "postgresql://h/d?password=hunter2"}) {
    const absl::Status status = CheckPgUrl(url);
    EXPECT_EQ(ReasonOf(status), v1::REASON_CONFIG_INVALID);
    EXPECT_THAT(std::string(status.message()), HasSubstr("store_password"));
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("hunter2")));
  }
}

TEST(PgUrlTest, AnotherMachineIsVerifiedUnlessTheUrlSaysOtherwise) {
  EXPECT_THAT(Parameters("postgresql://u@db.example/d"), Contains(Pair("sslmode", "verify-full")));
  EXPECT_THAT(Parameters("postgresql://u@127.0.0.1,db.example/d"),
              Contains(Pair("sslmode", "verify-full")));
  EXPECT_THAT(Parameters("postgresql://u@127.0.0.1/d"), Contains(Pair("sslmode", "prefer")));
  EXPECT_THAT(Parameters("postgresql:///d?host=/run/postgresql"),
              Contains(Pair("sslmode", "prefer")));
  EXPECT_THAT(Parameters("postgresql://u@db.example/d?sslmode=require"),
              Contains(Pair("sslmode", "require")));
}

TEST(PgUrlTest, ADeadPrimaryIsNoticedAndAStandbyPassedOver) {
  const auto parameters =
      Parameters("postgresql://u@a,b/d?connect_timeout=2&options=-c%20geqo%3Doff");
  EXPECT_THAT(parameters, Contains(Pair("target_session_attrs", "read-write")));
  EXPECT_THAT(parameters, Contains(Pair("connect_timeout", "2")));
  EXPECT_THAT(parameters, Contains(Key("tcp_user_timeout")));
  EXPECT_THAT(parameters, Contains(Key("keepalives_idle")));
  EXPECT_THAT(parameters, Contains(Pair("options", HasSubstr("-c geqo=off -c search_path"))));
  EXPECT_THAT(parameters, Contains(Pair("options", HasSubstr("synchronous_commit=on"))));
}

// Logging in --------------------------------------------------------------------------------------

TEST(PgLoginTest, APasswordByReferenceOverVerifiedTls) {
  PostgresMedium medium;
  medium.Query("GRANT CREATE ON DATABASE " + medium.database() + " TO keeper");
  const absl::Status status = OpenStatus(Keeper(medium, "keeper's word"));
  EXPECT_TRUE(status.ok()) << status;
}

TEST(PgLoginTest, AWrongPasswordIsSaidAndNotShown) {
  PostgresMedium medium;
  const absl::Status status = OpenStatus(Keeper(medium, "hunter2"));
  EXPECT_EQ(ReasonOf(status), v1::REASON_CONFIG_INVALID);
  EXPECT_THAT(std::string(status.message()), HasSubstr("keeper"));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("hunter2")));
}

TEST(PgLoginTest, AServerThatNobodyVouchesForIsRefused) {
  PostgresMedium medium;
  PgTarget target = Keeper(medium, "keeper's word");
  target.url = target.url.substr(0, target.url.find("&sslmode")) +
               "&sslmode=verify-full&sslrootcert=/etc/hostname";
  EXPECT_EQ(ReasonOf(OpenStatus(target)), v1::REASON_CONFIG_INVALID);
}

TEST(PgLoginTest, ADatabaseThatIsNotThereIsTheOperatorsToMake) {
  PostgresMedium medium;
  std::string url = medium.url();
  url.replace(url.find(medium.database()), medium.database().size(), "nowhere");
  EXPECT_EQ(ReasonOf(OpenStatus({.url = url})), v1::REASON_CONFIG_INVALID);
}

TEST(PgLoginTest, AServerThatIsNotThereIsUnavailable) {
  EXPECT_EQ(ReasonOf(OpenStatus({.url = "postgresql://u@/d?host=/nowhere"})),
            v1::REASON_UNAVAILABLE);
}

// The schema --------------------------------------------------------------------------------------

class PgSchemaTest : public ::testing::Test {
 protected:
  PgSchemaTest() : connection_(*PgConnection::Connect({.url = medium_.url()})) {}

  PostgresMedium medium_;
  std::unique_ptr<PgConnection> connection_;
};

TEST_F(PgSchemaTest, IsMadeOnce) {
  EXPECT_EQ(ReadPgVersion(*connection_).value(), 0);
  for (int time = 0; time < 2; ++time) {
    ASSERT_TRUE(PreparePgSchema(*connection_).ok());
    EXPECT_EQ(ReadPgVersion(*connection_).value(), kPgSchemaVersion);
  }
}

TEST_F(PgSchemaTest, IsBroughtForwardStepByStep) {
  ASSERT_TRUE(PreparePgSchema(*connection_, {}).ok());
  const PgMigrationStep steps[] = {
      "ALTER TABLE waymark.seen ADD COLUMN tried integer",
      "UPDATE waymark.seen SET tried = 1; DROP INDEX waymark.seen_by_end"};
  ASSERT_TRUE(PreparePgSchema(*connection_, steps).ok());
  EXPECT_EQ(ReadPgVersion(*connection_).value(), 3);
  EXPECT_THAT(medium_.Query("SELECT tried FROM waymark.seen"), ::testing::IsEmpty());
}

TEST_F(PgSchemaTest, AStepThatFailsChangesNothing) {
  ASSERT_TRUE(PreparePgSchema(*connection_, {}).ok());
  const PgMigrationStep steps[] = {"ALTER TABLE waymark.seen ADD COLUMN tried integer",
                                   "SELECT nothing FROM nowhere"};
  EXPECT_FALSE(PreparePgSchema(*connection_, steps).ok());
  EXPECT_EQ(medium_.Query("SELECT version FROM waymark.meta"), std::vector<std::string>{"1"});
  EXPECT_THAT(medium_.Query("SELECT 1 FROM information_schema.columns WHERE column_name = 'tried'"),
              ::testing::IsEmpty());
}

TEST_F(PgSchemaTest, ANewerOneIsRefused) {
  ASSERT_TRUE(PreparePgSchema(*connection_).ok());
  medium_.Query("UPDATE waymark.meta SET version = 99");
  const absl::Status status = OpenStatus({.url = medium_.url()});
  EXPECT_EQ(ReasonOf(status), v1::REASON_VERSION_UNSUPPORTED);
  EXPECT_THAT(std::string(status.message()), HasSubstr("version 99"));
}

TEST_F(PgSchemaTest, AnotherProgramsIsLeftAlone) {
  medium_.Query("CREATE SCHEMA waymark");
  EXPECT_EQ(ReasonOf(OpenStatus({.url = medium_.url()})), v1::REASON_FILE_UNUSABLE);
}

TEST_F(PgSchemaTest, WeakSettingsAreSaid) {
  EXPECT_THAT(WeaknessOf(*connection_).value(), HasSubstr("fsync is off"));
}

TEST_F(PgSchemaTest, OperatorsSeeWhatLiesThere) {
  EXPECT_EQ(LookAtDatabase({.url = medium_.url()})->version, 0);
  EXPECT_EQ(ReasonOf(ReadPgRoutingLog({.url = medium_.url()}).status()), v1::REASON_FILE_UNUSABLE);
  const auto store = medium_.OpenAnother();
  std::vector<Effects> batch = {SampleInquiry(1, 1), SampleInquiry(2, 2)};
  ASSERT_TRUE(store->Commit(batch).ok());
  std::vector<StatementRow> rows = {SampleStatement("member/1", 1),
                                    SampleStatement("capacity/1", 1, true)};
  ASSERT_TRUE(store->AppendStatements(rows, 0).ok());
  const auto sight = LookAtDatabase({.url = medium_.url()});
  ASSERT_TRUE(sight.ok()) << sight.status();
  EXPECT_EQ(sight->version, kPgSchemaVersion);
  EXPECT_THAT(sight->statements, ::testing::SizeIs(1));
  const auto log = ReadPgRoutingLog({.url = medium_.url()});
  ASSERT_TRUE(log.ok()) << log.status();
  EXPECT_THAT(log->lines, ::testing::ElementsAre(SampleRouting(1), SampleRouting(2)));
  EXPECT_EQ(log->waiting, 2);
  EXPECT_EQ(log->waiting_bytes, static_cast<int64_t>(2 * SampleItem(1, 1).message.size()));
  EXPECT_THAT(log->statements, ::testing::SizeIs(1));
}

// A database that was put in the place of another while the hub runs is not written to.
TEST_F(PgSchemaTest, AnotherDatabaseUnderWayIsNotUsed) {
  const auto store = medium_.OpenAnother();
  medium_.Query("UPDATE waymark.meta SET epoch = 'another'");
  medium_.Query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = "
      "'waymark-hub' AND datname = current_database()");
  std::vector<Effects> batch = {SampleInquiry(1, 1)};
  store->Load({.messages = {SampleId<MessageId>(1)}}).IgnoreError();
  EXPECT_EQ(ReasonOf(store->Commit(batch)), v1::REASON_UNAVAILABLE);
}

}  // namespace
}  // namespace waymark::hub
