#include "server/store/sqlite/migration.h"

#include <cstdio>
#include <filesystem>
#include <system_error>

#include "base/file/folder.h"
#include "base/status/status.h"
#include "server/store/sqlite/schema.h"

namespace waymark::hub {
namespace {

// As a literal of SQL.
std::string Quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) {
    quoted += c;
    if (c == '\'') quoted += c;
  }
  return quoted + "'";
}

// A copy as of now, whole or not at all.
absl::Status KeepCopy(Connection& connection, const std::string& copy) {
  const std::string partial = copy + ".part";
  std::error_code ignored;
  std::filesystem::remove(partial, ignored);
  // An empty file is what SQLite takes, and this one has the right mode.
  RETURN_IF_ERROR(EnsurePrivateFile(partial));
  const absl::Status copied = connection.Execute(("VACUUM INTO " + Quoted(partial)).c_str());
  // Synced before it counts.
  absl::Status kept = copied.ok() ? EnsurePrivateFile(partial) : copied;
  if (!kept.ok()) {
    std::filesystem::remove(partial, ignored);
    return kept;
  }
  if (std::rename(partial.c_str(), copy.c_str()) == 0 && SyncFolderOf(copy)) {
    return absl::OkStatus();
  }
  std::filesystem::remove(partial, ignored);
  return Error(v1::REASON_FILE_UNUSABLE,
               "the copy " + copy + ", kept before the store's schema changes, cannot be made");
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
  RETURN_IF_ERROR(KeepCopy(connection, CopyBefore(path, steps.back().version)));
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(connection));
  for (const MigrationStep& step : steps) {
    RETURN_IF_ERROR(step.apply(connection));
    const std::string mark = "PRAGMA user_version = " + std::to_string(step.version);
    RETURN_IF_ERROR(connection.Execute(mark.c_str()));
  }
  return transaction.Commit();
}

}  // namespace waymark::hub
