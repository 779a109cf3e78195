// The newest entries of the directory's log with their statements, as the vault keeps them: also
// those that a later entry has replaced. A hub that was restored from an older copy has forgotten
// some of them (Replica::ContinuationAfter).
//
// An entry has a place by its revision, modulo how many are kept: the new one takes the place of
// the one that is too old, and no other is written. Thread-safe as the vault is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/vault/vault.h"
#include "waymark/v1/directory_service.pb.h"

namespace waymark::node {

inline constexpr uint64_t kLogTailEntries = 1024;

// Keeps the entries of the response, or the newest of them if they are more. One that came without
// its statement is not kept, and leaves what was kept of the same revision before. The vault's
// codes.
absl::Status WriteLogTail(Transaction& transaction, const v1::WatchDirectoryResponse& response);

// Returns the entries after `revision`, in order, at most `most` and none after the first that is
// not kept. Whether they are of the present history is for the caller to check. The vault's codes.
absl::StatusOr<std::vector<v1::DirectoryEntry>> ReadLogTail(const Reader& reader, uint64_t revision,
                                                            size_t most);

}  // namespace waymark::node
