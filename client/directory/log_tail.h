// The newest entries of the directory's log with their statements, as the vault keeps them: also
// those that a later entry has replaced. A hub that was restored from an older copy has forgotten
// some of them (Replica::ContinuationAfter).
//
// An entry has a place by its revision, modulo how many are kept: the new one takes the place of
// the one that is too old, and no other is written. Thread-safe as the vault is.
#pragma once

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "client/vault/vault.h"
#include "waymark/v1/directory_service.pb.h"

namespace waymark::node {

// More than a day of a network with 3,000 organisations, which sign everything again every four
// days: as much as a copy that is made every night may lack.
inline constexpr uint64_t kLogTailEntries = 8192;

// Keeps the entries of the response, or the newest of them if they are more. One that came without
// its statement is not kept, and leaves what was kept of the same revision before. The vault's
// codes.
absl::Status WriteLogTail(Transaction& transaction, const v1::WatchDirectoryResponse& response);

// Calls visit(entry) for the entries after `revision`, in order, until one is not kept or `visit`
// returns false. Whether they are of the present history is for `visit` to check. The vault's
// codes.
absl::Status VisitLogTail(const Reader& reader, uint64_t revision,
                          absl::FunctionRef<bool(v1::DirectoryEntry)> visit);

}  // namespace waymark::node
