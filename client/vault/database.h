// The vault's tables and the encryption of their rows.
//
// A record is sealed under a new data key each time it is written; the data key is wrapped under
// the master key and lies in table `keys`. Both are bound to what names the record, so that neither
// a row nor a key serves for another record. Deleting the key deletes the record's content, in
// every copy of the row. Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/crypto/hash.h"
#include "base/crypto/secret.h"
#include "base/random/random.h"
#include "client/vault/master_key.h"
#include "client/vault/sqlite.h"

namespace waymark::node {

// What a table stores of an encrypted record.
struct SealedRecord {
  int64_t key = 0;
  std::string box;
};

class VaultDatabase {
 public:
  // See Vault::Open.
  static absl::StatusOr<std::unique_ptr<VaultDatabase>> Open(const std::string& path,
                                                             const MasterKey& key,
                                                             const ScryptCost& cost,
                                                             Random& random);

  // Runs `change` between BEGIN and COMMIT; rolls back when it or the commit fails.
  absl::Status InTransaction(absl::FunctionRef<absl::Status()> change);

  Statement Prepare(const char* sql) { return connection_->Prepare(sql); }
  int Changes() const { return connection_->Changes(); }

  // Seals a record under a new key, which is inserted. `table` and `name` say what it is.
  absl::StatusOr<SealedRecord> Seal(std::string_view table, Parts name, std::string_view content);
  // Opens what Seal returned under the same table and name.
  absl::StatusOr<SecretBytes> Unseal(std::string_view table, Parts name, int64_t key,
                                     std::string_view box);
  // The same with the key's row of `keys` at hand, for reading many at once.
  absl::StatusOr<SecretBytes> UnsealWith(std::string_view table, Parts name,
                                         std::string_view wrapped, std::string_view box);
  // How many records were opened so far.
  int64_t opened() const { return opened_; }
  // Deletes one key.
  absl::Status DeleteKey(int64_t key);

  // A 16-byte name that says nothing to whoever lacks the master key.
  std::string BlindName(std::string_view label, Parts parts) const;

  // After the commit, also removes deleted content from the write-ahead log.
  void ScrubAfterCommit() { scrub_ = true; }

 private:
  VaultDatabase(std::unique_ptr<SqliteConnection> connection, Random& random)
      : connection_(std::move(connection)), random_(random) {}

  absl::Status Create(const MasterKey& key, const ScryptCost& cost);
  absl::Status Unlock(const MasterKey& key);
  absl::Status DeriveKeys(const MasterKey& key, std::string_view salt, const ScryptCost& cost);

  const std::unique_ptr<SqliteConnection> connection_;
  Random& random_;
  SecretBytes wrapping_key_;
  SecretBytes naming_key_;
  bool scrub_ = false;
  int64_t opened_ = 0;
};

}  // namespace waymark::node
