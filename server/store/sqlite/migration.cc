#include "server/store/sqlite/migration.h"

#include "base/status/status.h"
#include "server/store/sqlite/copy.h"
#include "server/store/sqlite/store_file.h"

namespace waymark::hub {
namespace {

// A copy as of now, whole or not at all.
absl::Status KeepCopy(Connection& connection, const std::string& copy) {
  ASSIGN_OR_RETURN(const auto file, PartialFile::Begin(copy));
  RETURN_IF_ERROR(CopyAsOfNow(connection, *file));
  return file->Place(PartialFile::Existing::kReplaced);
}

}  // namespace

std::string CopyBefore(const std::string& path, int version) {
  return path + ".before-" + std::to_string(version);
}

absl::Status Migrate(Connection& connection, const std::string& path, int from,
                     std::span<const MigrationStep> steps) {
  while (!steps.empty() && steps.front().version <= from) steps = steps.subspan(1);
  if (steps.empty()) return absl::OkStatus();
  if (steps.front().version != from + 1) {
    return Error(v1::REASON_INTERNAL, "no step leads from the store's schema to the next");
  }
  if (const absl::Status kept = KeepCopy(connection, CopyBefore(path, steps.back().version));
      !kept.ok()) {
    return Annotate(kept, "no copy could be kept before the store's schema changes");
  }
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(connection));
  for (const MigrationStep& step : steps) {
    RETURN_IF_ERROR(step.apply(connection));
    const std::string mark = "PRAGMA user_version = " + std::to_string(step.version);
    RETURN_IF_ERROR(connection.Execute(mark.c_str()));
  }
  return transaction.Commit();
}

}  // namespace waymark::hub
