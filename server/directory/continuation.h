// What a hub's log of the directory has forgotten and nodes have not, judged before it counts.
//
// A statement in the log was judged when it was published, at its own time. It is judged again in
// the same order, on the same state, at the time at which it was issued: it may have run out since.
// What passes is what its registry or member signed as the next version of its subject; that it was
// the next entry of the log, nobody can tell but who holds the log (see the ADR). Pure functions;
// thread-safe as their state is.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/directory/state.h"
#include "waymark/v1/directory_service.pb.h"

namespace waymark::hub {

// REASON_STATEMENT_INVALID, of the entry with this revision.
absl::Status RefuseEntry(uint64_t revision, std::string_view why);

// Returns what the request's entries from number `first` on say, which follow `revision`, and
// applies it to `state`.
// REASON_STATEMENT_INVALID, saying which entry: its revision is not the next one, it has no
// statement, or one of another digest, of capacity, that is in force already, or that
// DirectoryState::Check refuses at the time of its issue and at `now`; `state` is then of no use.
absl::StatusOr<std::vector<CheckedStatement>> TakeContinuation(
    const v1::ContinueDirectoryRequest& request, int first, uint64_t revision, absl::Time now,
    DirectoryState& state);

}  // namespace waymark::hub
