// A SQLite store in a folder of its own, on a disk that can be told to refuse writes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/store/sqlite/sqlite_store.h"
#include "tests/server/store_conformance/store_conformance.h"

namespace waymark::hub {

class SqliteMedium final : public StoreMedium {
 public:
  SqliteMedium();
  ~SqliteMedium() override;
  SqliteMedium(const SqliteMedium&) = delete;
  SqliteMedium& operator=(const SqliteMedium&) = delete;

  absl::StatusOr<std::unique_ptr<Store>> Open() override;
  std::vector<std::string> CrashWriter() const override;
  void Restore() override;
  void Refuse(Refusal refusal) override;

  const std::string& folder() const { return folder_; }
  std::string path() const { return folder_ + "/hub.db"; }

 private:
  std::string folder_;
};

}  // namespace waymark::hub
