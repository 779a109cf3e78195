// What the organisation says about itself, as the vault keeps it: one record per subject.
//
// Thread-safe as the vault is.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/vault/vault.h"
#include "waymark/local/v1/directory.pb.h"
#include "waymark/v1/directory.pb.h"

namespace waymark::node {

// The record about this subject (base/directory/statement.h); an empty one when nothing was said.
// The vault's codes.
absl::StatusOr<local::v1::OwnStatement> ReadOwn(const Reader& reader, const std::string& subject);
absl::Status WriteOwn(Transaction& transaction, const std::string& subject,
                      const local::v1::OwnStatement& own);

// What was last said, whether the hub has answered or not; nullopt for nothing. DATA_CORRUPT.
absl::StatusOr<std::optional<v1::Statement>> LastSaid(const local::v1::OwnStatement& own);

// An own service as it was last said; nullopt when it is none of ours.
absl::StatusOr<std::optional<v1::Service>> OwnService(const Reader& reader,
                                                      const std::string& service_id);

}  // namespace waymark::node
