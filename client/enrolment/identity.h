// The organisation's identity key, kept in the vault.
//
// It signs messages, tokens and statements, and is what the registry operator compares by its
// fingerprint. All functions are thread-safe.
#pragma once

#include <optional>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/crypto/signature.h"
#include "client/vault/vault.h"
#include "waymark/v1/directory.pb.h"

namespace waymark::node {

// Returns the key, made and stored when the vault has none.
absl::StatusOr<SigningKey> MakeIdentityKey(Vault& vault);

// Returns the key. REASON_NOT_FOUND: the vault has none, because the node never joined.
absl::StatusOr<SigningKey> LoadIdentityKey(const Vault& vault);

// How the registry described the organisation when it was admitted; for what a node says of itself
// before it first sees the directory. nullopt before that. `invitation` is the hash of the
// invitation that admitted it.
absl::Status StoreAdmission(Vault& vault, const v1::Member& member, std::string_view invitation);
absl::StatusOr<std::optional<v1::Member>> LoadAdmission(const Vault& vault);

// Whether the organisation was last admitted by the invitation of this hash.
absl::StatusOr<bool> AdmittedBy(const Vault& vault, std::string_view invitation);

}  // namespace waymark::node
