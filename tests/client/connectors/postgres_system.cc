#include "tests/client/connectors/postgres_system.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace waymark::node {
namespace {

constexpr char kSchema[] =
    "CREATE TABLE records (record_key text NOT NULL UNIQUE, note text);"
    "CREATE TABLE sayings (id bigserial PRIMARY KEY, said text NOT NULL);"
    "GRANT ALL ON ALL TABLES IN SCHEMA public TO keeper";
constexpr char kPasswordVariable[] = "WAYMARK_TEST_KEEPER_PASSWORD";

constexpr char kReferrals[] =
    "  table: records\n"
    "  key: record_key\n"
    "  write: INSERT INTO records (record_key, note) VALUES (:key, :note)\n"
    "    ON CONFLICT (record_key) DO UPDATE SET note = excluded.note\n"
    "  erase: DELETE FROM records WHERE record_key = :key\n";

std::string Quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? "''" : std::string(1, c);
  return quoted + "'";
}

}  // namespace

testing::PostgresServer& PostgresSystem::Server() {
  static const std::unique_ptr<testing::PostgresServer> kServer = [] {
    setenv(kPasswordVariable, testing::PostgresServer::kKeeperPassword, 1);
    auto started = testing::PostgresServer::Start();
    if (!started.ok()) {
      // No test can go on without it, and none may be skipped.
      ADD_FAILURE() << started.status();
      std::abort();
    }
    return *std::move(started);
  }();
  return *kServer;
}

PostgresSystem::PostgresSystem() {
  static int count = 0;
  database_ = "beds" + std::to_string(++count);
  const absl::Status created = Server().CreateDatabase(database_);
  EXPECT_TRUE(created.ok()) << created;
  Run(kSchema);
}

std::vector<std::string> PostgresSystem::Run(const std::string& sql) const {
  auto rows = Server().Query(database_, sql);
  EXPECT_TRUE(rows.ok()) << rows.status();
  return rows.ok() ? *rows : std::vector<std::string>();
}

std::string PostgresSystem::Settings() const { return SettingsWith(kReferrals); }

std::string PostgresSystem::SettingsWith(const std::string& referrals) const {
  return "kind: postgres\n"
         "time_limit: 5s\n"
         "host: " +
         Server().host() + "\nport: " + std::to_string(Server().port()) +
         "\ndatabase: " + database_ + "\nuser: " + testing::PostgresServer::kKeeper +
         "\npassword: {env: " + kPasswordVariable +
         "}\n"
         "referrals:\n"
         "  mapping: out.jq\n" +
         referrals +
         "updates:\n"
         "  mapping: in.jq\n"
         "  read: SELECT id, said FROM sayings WHERE id > :cursor ORDER BY id LIMIT :limit\n"
         "  cursor: id\n"
         "  start: 0\n";
}

std::map<std::string, std::string> PostgresSystem::Notes() {
  std::map<std::string, std::string> notes;
  // No key has an equals sign.
  for (const std::string& row : Run("SELECT record_key || '=' || note FROM records")) {
    const size_t equals = row.find('=');
    EXPECT_TRUE(notes.emplace(row.substr(0, equals), row.substr(equals + 1)).second);
  }
  return notes;
}

void PostgresSystem::Say(const std::vector<std::string>& texts) {
  std::string values;
  for (const std::string& text : texts) {
    values += (values.empty() ? "(" : ", (") + Quoted(text) + ")";
  }
  Run("INSERT INTO sayings (said) VALUES " + values);
}

void PostgresSystem::Break() { Server().Stop(); }

void PostgresSystem::Mend() {
  const absl::Status resumed = Server().Resume();
  EXPECT_TRUE(resumed.ok()) << resumed;
}

void PostgresSystem::Deny() { Run("REVOKE INSERT ON records FROM keeper"); }

std::unique_ptr<TriedSystem> MakePostgresSystem() { return std::make_unique<PostgresSystem>(); }

}  // namespace waymark::node
