// What a configuration may say of connectors, and what it is told when it says something else.

#include "client/connectors/settings.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cstdlib>
#include <variant>

#include "base/secret/secret.h"
#include "base/status/status.h"
#include "client/connectors/postgres/connection.h"
#include "tests/client/connectors/test_folder.h"

namespace waymark::node {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

absl::StatusOr<std::vector<ConnectorSettings>> Parse(const std::string& yaml) {
  ASSIGN_OR_RETURN(ConfigFile file, ConfigFile::Parse(yaml, "/etc/waymark/node.yaml"));
  ConfigSection root = file.root();
  ASSIGN_OR_RETURN(auto connectors, ReadConnectors(root));
  RETURN_IF_ERROR(file.Finish());
  return connectors;
}

std::string Problem(const std::string& yaml) {
  const auto connectors = Parse(yaml);
  EXPECT_EQ(ReasonOf(connectors.status()), v1::REASON_CONFIG_INVALID);
  return std::string(connectors.status().message());
}

constexpr char kSqlite[] = R"(connectors:
  - name: beds
    kind: sqlite
    time_limit: 3s
    poll: 2m
    database: beds.db
    referrals:
      mapping: beds-out.jq
      table: referrals
      key: referral_key
      write:
        - INSERT INTO people (k, name) VALUES (:key, :name)
        - INSERT INTO referrals VALUES (:key, :record)
      erase: DELETE FROM referrals WHERE referral_key = :key
    capacity: {mapping: beds-capacity.jq, read: SELECT free FROM rooms}
)";

std::string Replaced(std::string text, const std::string& what, const std::string& by) {
  const size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return at == std::string::npos ? text : text.replace(at, what.size(), by);
}

std::string Postgres(const std::string& lines) {
  return "connectors:\n  - name: beds\n    kind: postgres\n    database: beds\n    user: node\n   "
         " " +
         lines + "\n    capacity: {mapping: c.jq, read: SELECT 1 AS free}\n";
}

TEST(ConnectorSettings, ReadsAConnector) {
  const auto connectors = Parse(kSqlite);
  ASSERT_TRUE(connectors.ok()) << connectors.status();
  ASSERT_THAT(*connectors, SizeIs(1));
  const ConnectorSettings& beds = connectors->front();
  EXPECT_EQ(beds.name, "beds");
  EXPECT_EQ(beds.time_limit, absl::Seconds(3));
  EXPECT_EQ(beds.poll, absl::Minutes(2));
  EXPECT_EQ(beds.referrals, "/etc/waymark/beds-out.jq");
  EXPECT_EQ(beds.capacity, "/etc/waymark/beds-capacity.jq");
  EXPECT_EQ(beds.updates, std::nullopt);
  const auto& sqlite = std::get<SqliteSettings>(beds.kind);
  EXPECT_EQ(sqlite.database, "/etc/waymark/beds.db");
  ASSERT_THAT(sqlite.sql.write, SizeIs(2));
  EXPECT_THAT(sqlite.sql.write[0].parameters, ElementsAre("key", "name"));
  EXPECT_TRUE(sqlite.sql.keyed);
}

TEST(ConnectorSettings, NoneIsNoError) {
  const auto connectors = Parse("{}");
  ASSERT_TRUE(connectors.ok()) << connectors.status();
  EXPECT_THAT(*connectors, SizeIs(0));
}

TEST(ConnectorSettings, NamesTheKeyAndTheWayOut) {
  const struct {
    const char* what;
    const char* by;
    const char* said;
  } cases[] = {
      {"time_limit: 3s", "time_limt: 3s", "did you mean 'time_limit'"},
      {"time_limit: 3s", "time_limit: 3h", "time_limit: expected 1s to 10m"},
      {"poll: 2m", "poll: 99ms", "poll: expected 100ms to 24h"},
      {"name: beds", "name: Beds", "lower-case"},
      {"kind: sqlite", "kind: sqlit", "one of sqlite, postgres, http, fhir, files, command"},
      {"database: beds.db", "databse: beds.db", "database: is missing"},
      {"mapping: beds-out.jq", "maping: beds-out.jq", "referrals.mapping: is missing"},
      {"table: referrals", "tables: referrals", "needs table and key"},
      {"WHERE referral_key = :key", "WHERE referral_key = :ky", "no parameter :ky here"},
      {"WHERE referral_key = :key", "", "it would erase other records"},
      {"SELECT free FROM rooms", "SELECT free FROM rooms WHERE id > :cursor", "all three or none"},
      {"read: SELECT free FROM rooms", "read: 'SELECT :free'", "no parameter :free here"},
      {"read: SELECT free FROM rooms", "read: 'SELECT ?'", "parameters have names here"},
  };
  for (const auto& one : cases) {
    EXPECT_THAT(Problem(Replaced(kSqlite, one.what, one.by)),
                AllOf(HasSubstr("/etc/waymark/node.yaml:"), HasSubstr(one.said)));
  }
  const std::string twice = std::string(kSqlite) + (kSqlite + sizeof("connectors:"));
  EXPECT_THAT(Problem(twice), HasSubstr("another connector has this name"));
  EXPECT_THAT(Problem("connectors:\n  - {name: a, kind: sqlite, database: b}\n"),
              HasSubstr("the connector is for nothing"));
}

TEST(ConnectorSettings, TheGuidesExamplesAreWhole) {
  const std::string guide = GetFile(WAYMARK_CONNECTORS_GUIDE);
  const std::string begin = "```yaml\nconnectors:\n";
  int examples = 0;
  for (size_t at = guide.find(begin); at != std::string::npos; at = guide.find(begin, at + 1)) {
    const size_t start = at + sizeof("```yaml");
    const auto connectors = Parse(guide.substr(start, guide.find("```", start) - start));
    EXPECT_TRUE(connectors.ok()) << connectors.status();
    ++examples;
  }
  EXPECT_EQ(examples, 6);
}

TEST(ConnectorSettings, AServerElsewhereProvesItself) {
  EXPECT_THAT(Problem(Postgres("host: db.example")), HasSubstr("ca: is missing"));
  const auto connectors = Parse(Postgres("host: db.example\n    ca: ca.pem"));
  ASSERT_TRUE(connectors.ok()) << connectors.status();
  const auto& settings = std::get<PostgresSettings>(connectors->front().kind);
  std::map<std::string, std::string> parameters;
  for (const auto& [name, value] : ConnectionParameters(settings, absl::Seconds(3))) {
    parameters[name] = value;
  }
  EXPECT_EQ(parameters["sslmode"], "verify-full");
  EXPECT_EQ(parameters["sslrootcert"], "/etc/waymark/ca.pem");
  EXPECT_EQ(parameters["tcp_user_timeout"], "3000");
  EXPECT_THAT(parameters["options"], HasSubstr("statement_timeout=3000"));
  for (const char* host : {"localhost", "127.0.0.1", "'::1'", "/run/postgresql"}) {
    EXPECT_TRUE(Parse(Postgres(std::string("host: ") + host)).ok()) << host;
  }
  for (const char* host : {"localhost.example", "128.0.0.1", "127.example", "::2",
                           "127.0.0.1,example", "/run/postgresql,example"}) {
    EXPECT_FALSE(IsLocalHost(host)) << host;
  }
}

TEST(ConnectorSettings, ASecretIsNeverInTheFile) {
  for (const char* password : {"canary-7f3a", "{env: A, file: canary-7f3a}", "{}", "",
                               "[canary-7f3a]", "{credential: ../canary-7f3a}"}) {
    EXPECT_THAT(Problem(Postgres(std::string("host: localhost\n    password: ") + password)),
                AllOf(HasSubstr("connectors[0].password"), HasSubstr("{credential: NAME}"),
                      HasSubstr("{env: NAME}"), Not(HasSubstr("canary"))))
        << password;
  }
}

TEST(ConnectorSettings, FoldersAreTheirOwn) {
  const std::string yaml =
      "connectors:\n  - name: drop\n    kind: files\n    referrals: {mapping: a, folder: x, "
      "collected: true}\n    updates: {mapping: b, folder: y}\n";
  const auto connectors = Parse(yaml);
  ASSERT_TRUE(connectors.ok()) << connectors.status();
  EXPECT_FALSE(std::get<FilesSettings>(connectors->front().kind).referrals->keyed);
  EXPECT_THAT(Problem(Replaced(yaml, "folder: y", "folder: x")), HasSubstr("share a folder"));
  EXPECT_THAT(Problem(Replaced(yaml, ", collected: true", "")), HasSubstr("collected: is missing"));
  EXPECT_THAT(Problem(Replaced(yaml, "collected: true", "collected: true, format: csv")),
              HasSubstr("columns"));
  EXPECT_THAT(Problem(Replaced(yaml, "collected: true", "collected: false, keyed: false")),
              HasSubstr("told by their names"));
}

TEST(ConnectorSettings, ACommandIsNoShellLine) {
  const auto with = [](const std::string& lines) {
    return "connectors:\n  - name: own\n    kind: command\n    updates: {mapping: b, read: " +
           lines + "\n";
  };
  EXPECT_TRUE(Parse(with("[/usr/bin/say, a b]}")).ok());
  EXPECT_THAT(Problem(with("[say]}")), HasSubstr("absolute path"));
  EXPECT_THAT(Problem(with("/usr/bin/say a}")), HasSubstr("list"));
  EXPECT_TRUE(Parse(with("[/bin/say]}\n    environment: [{name: LANG, value: C}, {name: T, secret: "
                         "{env: X}}]"))
                  .ok());
  EXPECT_THAT(Problem(with("[/bin/say]}\n    environment: [{name: T, secret: canary-7f3a}]")),
              AllOf(HasSubstr("{env: NAME}"), Not(HasSubstr("canary"))));
  EXPECT_THAT(Problem(with("[/bin/say]}\n    environment: [{name: T}]")), HasSubstr("either"));
}

// --- Secrets

using Kind = SecretReference::Kind;

TEST(ConnectorSecret, IsReadWhereItIs) {
  const TestFolder folder;
  PutFile(folder / "secret", "from a file\n");
  chmod((folder / "secret").c_str(), 0600);
  PutFile(folder / "named", "a credential\n");
  setenv("CREDENTIALS_DIRECTORY", (folder / "").c_str(), 1);
  setenv("WAYMARK_TEST_SECRET", "in the environment", 1);
  EXPECT_EQ(ReadSecret({Kind::kFile, folder / "secret"})->view(), "from a file");
  EXPECT_EQ(ReadSecret({Kind::kCredential, "named"})->view(), "a credential");
  EXPECT_EQ(ReadSecret({Kind::kEnvironment, "WAYMARK_TEST_SECRET"})->view(), "in the environment");
  EXPECT_TRUE(ReadSecret({})->empty());
  unsetenv("CREDENTIALS_DIRECTORY");
}

TEST(ConnectorSecret, SaysWhyItIsNotThere) {
  const TestFolder folder;
  PutFile(folder / "open", "canary-7f3a");
  chmod((folder / "open").c_str(), 0644);
  EXPECT_THAT(std::string(ReadSecret({Kind::kFile, folder / "open"}).status().message()),
              AllOf(HasSubstr("chmod 600"), Not(HasSubstr("canary"))));
  EXPECT_THAT(std::string(ReadSecret({Kind::kCredential, "x"}).status().message()),
              HasSubstr("LoadCredential"));
  EXPECT_THAT(std::string(ReadSecret({Kind::kEnvironment, "WAYMARK_NOT_SET"}).status().message()),
              HasSubstr("WAYMARK_NOT_SET"));
}

}  // namespace
}  // namespace waymark::node
