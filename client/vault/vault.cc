#include "client/vault/vault.h"

#include <utility>

#include "base/status/status.h"
#include "client/vault/database.h"

namespace waymark::node {

absl::StatusOr<std::unique_ptr<Vault>> Vault::Open(const Options& options, const MasterKey& key,
                                                   Random& random) {
  ASSIGN_OR_RETURN(std::unique_ptr<VaultDatabase> database,
                   VaultDatabase::Open(options.path, key, options.passphrase_cost, random));
  return std::unique_ptr<Vault>(new Vault(std::move(database)));
}

Vault::Vault(std::unique_ptr<VaultDatabase> database) : database_(std::move(database)) {}
Vault::~Vault() = default;

absl::Status Vault::Write(absl::FunctionRef<absl::Status(Transaction&)> change) {
  MutexLock lock(mu_);
  Transaction transaction(*database_);
  return database_->InTransaction([&] { return change(transaction); });
}

absl::Status Vault::Read(absl::FunctionRef<absl::Status(const Reader&)> look) const {
  MutexLock lock(mu_);
  const Reader reader(*database_);
  return look(reader);
}

int64_t Vault::records_opened() const {
  MutexLock lock(mu_);
  return database_->opened();
}

}  // namespace waymark::node
