// A PostgreSQL store in a database of its own, on a server that the test program shares.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/store/postgres/postgres_store.h"
#include "tests/server/store_conformance/store_conformance.h"
#include "tests/support/postgres_server.h"

namespace waymark::hub {

class PostgresMedium final : public StoreMedium {
 public:
  PostgresMedium();
  ~PostgresMedium() override;
  PostgresMedium(const PostgresMedium&) = delete;
  PostgresMedium& operator=(const PostgresMedium&) = delete;

  // The server of this program; without one the program ends as failed.
  static testing::PostgresServer& server();

  // Waits until the processes that were here before have left.
  absl::StatusOr<std::unique_ptr<Store>> Open() override;
  std::vector<std::string> CrashWriter() const override;
  void Restore() override;
  void Refuse(Refusal refusal) override;

  // Opens one of several, with pauses short enough for a test.
  std::unique_ptr<PostgresStore> OpenAnother(absl::Duration poll_interval = absl::Hours(1));

  const std::string& database() const { return database_; }
  std::string url() const;
  // Runs SQL as the administrator, and returns the first column of what it returns.
  std::vector<std::string> Query(const std::string& sql) const;

 private:
  // From another database.
  static void Administer(const std::string& sql);

  std::string database_;
};

}  // namespace waymark::hub
