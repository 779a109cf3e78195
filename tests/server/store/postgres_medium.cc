#include "tests/server/store/postgres_medium.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>

#include "base/random/random.h"
#include "tests/support/poll.h"

namespace waymark::hub {

using testing::PostgresServer;

namespace {

std::atomic<int> database_count = 0;

}  // namespace

PostgresServer& PostgresMedium::server() {
  static const std::unique_ptr<PostgresServer> kServer = [] {
    auto started = PostgresServer::Start();
    if (!started.ok()) {
      std::fprintf(stderr, "%s\n", std::string(started.status().message()).c_str());
      std::exit(1);
    }
    return *std::move(started);
  }();
  return *kServer;
}

PostgresMedium::PostgresMedium() : database_("hub" + std::to_string(++database_count)) {
  Administer("CREATE DATABASE " + database_);
}

PostgresMedium::~PostgresMedium() { Administer("DROP DATABASE " + database_ + " WITH (FORCE)"); }

void PostgresMedium::Administer(const std::string& sql) {
  const auto done = server().Query("postgres", sql);
  EXPECT_TRUE(done.ok()) << done.status();
}

std::vector<std::string> PostgresMedium::Query(const std::string& sql) const {
  const auto values = server().Query(database_, sql);
  EXPECT_TRUE(values.ok()) << values.status();
  return values.ok() ? *values : std::vector<std::string>();
}

std::string PostgresMedium::url() const { return server().Url(database_); }

absl::StatusOr<std::unique_ptr<Store>> PostgresMedium::Open() {
  const auto left = [this] {
    return Query(
               "SELECT 1 FROM pg_stat_activity WHERE application_name = 'waymark-hub' AND datname "
               "= current_database()")
        .empty();
  };
  EXPECT_TRUE(Eventually(left));
  return OpenAnother();
}

std::unique_ptr<PostgresStore> PostgresMedium::OpenAnother(absl::Duration poll_interval) {
  auto store = PostgresStore::Open({.target = {.url = url()},
                                    .random = &SystemRandom(),
                                    .first_pause = absl::Milliseconds(5),
                                    .longest_pause = absl::Milliseconds(50),
                                    .poll_interval = poll_interval,
                                    .ack_delay = absl::Milliseconds(5)});
  EXPECT_TRUE(store.ok()) << store.status();
  return store.ok() ? *std::move(store) : nullptr;
}

std::vector<std::string> PostgresMedium::CrashWriter() const {
  return {POSTGRES_CRASH_WRITER, url()};
}

void PostgresMedium::Restore() {
  Administer("CREATE DATABASE restored TEMPLATE " + database_);
  Administer("DROP DATABASE " + database_);
  Administer("ALTER DATABASE restored RENAME TO " + database_);
}

void PostgresMedium::Refuse(Refusal refusal) {
  if (refusal == Refusal::kNone) {
    Query("DROP FUNCTION IF EXISTS waymark.refuse() CASCADE");
    return;
  }
  const std::string state = refusal == Refusal::kFull ? "53100" : "58030";
  Query(
      "CREATE OR REPLACE FUNCTION waymark.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
      "RAISE EXCEPTION USING ERRCODE = '" +
      state + "', MESSAGE = 'refused'; END $$");
  Query(
      "DO $$ DECLARE name text; BEGIN FOR name IN SELECT tablename FROM pg_tables WHERE schemaname "
      "= "
      "'waymark' LOOP EXECUTE format('CREATE TRIGGER refuse BEFORE INSERT OR UPDATE OR DELETE ON "
      "waymark.%I EXECUTE FUNCTION waymark.refuse()', name); END LOOP; END $$");
}

}  // namespace waymark::hub
