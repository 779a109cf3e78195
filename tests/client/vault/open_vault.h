// A vault for tests, under a key file outside its folder.
#pragma once

#include <memory>
#include <string>

#include "base/random/random.h"
#include "client/vault/vault.h"
#include "gtest/gtest.h"
#include "tests/client/vault/temp_folder.h"

namespace waymark::node {

class VaultFolder {
 public:
  VaultFolder() { EXPECT_TRUE(MasterKey::CreateFile(key_path(), SystemRandom()).ok()); }

  std::string key_path() const { return keys_.File("master.key"); }
  std::string vault_path() const { return data_.File("vault.db"); }
  const std::string& data_path() const { return data_.path(); }

  absl::StatusOr<std::unique_ptr<Vault>> TryOpen() const {
    absl::StatusOr<MasterKey> key = MasterKey::FromFile(key_path());
    if (!key.ok()) return key.status();
    return Vault::Open({vault_path(), {}}, *key, SystemRandom());
  }

  std::unique_ptr<Vault> Open() const {
    absl::StatusOr<std::unique_ptr<Vault>> vault = TryOpen();
    EXPECT_TRUE(vault.ok()) << vault.status();
    return vault.ok() ? *std::move(vault) : nullptr;
  }

 private:
  TempFolder keys_;
  TempFolder data_;
};

}  // namespace waymark::node
