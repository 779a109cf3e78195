#include "server/directory/continuation.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/status/status.h"

namespace waymark::hub {
namespace {

absl::StatusOr<CheckedStatement> JudgeEntry(const v1::DirectoryEntry& entry, absl::Time now,
                                            const DirectoryState& state) {
  ASSIGN_OR_RETURN(const CheckedStatement read, DirectoryState::ReadStored(entry.statement()));
  const absl::Time issued = absl::UnixEpoch() + absl::Minutes(read.content.issued_minute());
  return state.Check(entry.statement(), std::min(issued, now));
}

}  // namespace

absl::Status RefuseEntry(uint64_t revision, std::string_view why) {
  return Error(v1::REASON_STATEMENT_INVALID,
               "entry " + std::to_string(revision) + " of the directory: " + std::string(why));
}

absl::StatusOr<std::vector<CheckedStatement>> TakeContinuation(
    const v1::ContinueDirectoryRequest& request, int first, uint64_t revision, absl::Time now,
    DirectoryState& state) {
  std::vector<CheckedStatement> taken;
  for (int i = first; i < request.entries_size(); ++i) {
    const v1::DirectoryEntry& entry = request.entries(i);
    if (entry.revision() != ++revision) return RefuseEntry(entry.revision(), "not the next one");
    if (!entry.has_statement()) return RefuseEntry(revision, "no statement");
    absl::StatusOr<CheckedStatement> checked = JudgeEntry(entry, now, state);
    if (!checked.ok()) {
      const std::string reason(ReasonName(ReasonOf(checked.status())));
      return RefuseEntry(revision, "its statement may not be published (" + reason + ")");
    }
    if (checked->digest != entry.digest()) return RefuseEntry(revision, "another digest");
    if (checked->content.has_capacity()) return RefuseEntry(revision, "capacity is not in the log");
    if (checked->repeated) return RefuseEntry(revision, "in force already");
    state.Apply(*checked);
    taken.push_back(*std::move(checked));
  }
  return taken;
}

}  // namespace waymark::hub
