#include "server/store/sqlite/backup.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "base/file/folder.h"
#include "base/status/status.h"
#include "server/store/sqlite/copy.h"
#include "server/store/sqlite/schema.h"
#include "server/store/sqlite/store_file.h"

namespace waymark::hub {
namespace {

bool Exists(const std::string& path) {
  std::error_code none;
  return std::filesystem::exists(std::filesystem::symlink_status(path, none));
}

// Moves what the write-ahead log holds into the file and ends the log. False: the store is broken,
// and its log may hold what the file does not. UNAVAILABLE: another program has the store open.
absl::StatusOr<bool> SettleLog(const std::string& store) {
  const auto connection = OpenCopier(store);
  if (!connection.ok()) return false;
  if ((*connection)->Execute("PRAGMA journal_mode = DELETE").ok()) return true;
  const bool busy = (sqlite3_errcode((*connection)->handle()) & 0xff) == SQLITE_BUSY;
  if (!busy) return false;
  return Error(v1::REASON_UNAVAILABLE,
               store +
                   " is being read by another program, a backup or inspect; when that has "
                   "ended, restore again");
}

// The first name that is free.
std::string NameAside(const std::string& store) {
  for (int number = 1;; ++number) {
    std::string name = store + ".replaced-" + std::to_string(number);
    if (!Exists(name) && !Exists(name + "-wal")) return name;
  }
}

bool LinkIfThere(const std::string& from, const std::string& to) {
  return link(from.c_str(), to.c_str()) == 0 || errno == ENOENT;
}

// Gives the store at `store` a second name, which keeps it when another takes its place. A log that
// cannot be settled goes with it.
absl::StatusOr<std::string> KeepAside(const std::string& store) {
  std::string aside = NameAside(store);
  const std::string log = store + "-wal";
  const std::string log_aside = aside + "-wal";
  if (!LinkIfThere(log, log_aside)) return SystemError("keep aside", log);
  // SQLite deletes a log that it closes, even one that it could not read.
  const absl::StatusOr<bool> settled = SettleLog(store);
  if (!settled.ok() || *settled) unlink(log_aside.c_str());
  RETURN_IF_ERROR(settled.status());
  if (!LinkIfThere(store, aside)) return SystemError("keep aside", store);
  for (const char* beside : {"-wal", "-shm"}) unlink((store + beside).c_str());
  if (!SyncFolderOf(store)) return SystemError("sync the folder of", store);
  return aside;
}

// A store that another user puts there is one that the hub cannot open.
absl::Status CheckOwner(const std::string& folder) {
  struct stat owned = {};
  if (stat(folder.c_str(), &owned) != 0) return SystemError("look at", folder);
  if (owned.st_uid == geteuid()) return absl::OkStatus();
  return Error(v1::REASON_FILE_UNUSABLE,
               "the folder " + folder +
                   " belongs to another user: restore as the hub's own user, "
                   "sudo -u waymark-hub waymark-hub restore ...");
}

}  // namespace

absl::StatusOr<StoreSight> BackUp(const std::string& store, const std::string& to) {
  if (!Exists(store)) {
    return Error(v1::REASON_FILE_UNUSABLE,
                 "there is no store at " + store + "; a hub makes it when it first serves");
  }
  if (Exists(to)) {
    return Error(v1::REASON_EXISTS, to + " is there already and is never overwritten");
  }
  ASSIGN_OR_RETURN(const auto copy, PartialFile::Begin(to));
  {
    ASSIGN_OR_RETURN(const auto connection, OpenCopier(store));
    if (const absl::Status copied = CopyAsOfNow(*connection, *copy); !copied.ok()) {
      return Annotate(copied, "no copy of " + store + " could be made");
    }
  }
  // What is not as it was written in the copy is not so in the store.
  ASSIGN_OR_RETURN(StoreSight sight, VerifyFile(copy->path(), store));
  RETURN_IF_ERROR(copy->Place(PartialFile::Existing::kKept));
  return sight;
}

absl::StatusOr<Restored> Restore(const std::string& from, const std::string& store, bool replace) {
  RETURN_IF_ERROR(CheckOwner(FolderOf(store)));
  std::error_code none;
  if (std::filesystem::equivalent(from, store, none)) {
    return Error(v1::REASON_FIELD_INVALID, from + " is the store itself, and no copy of it");
  }
  const auto lock = FileLock::Acquire(store + ".lock");
  if (!lock.ok()) return Annotate(lock.status(), "stop the hub before you restore");
  const bool present = Exists(store) || Exists(store + "-wal");
  if (present && !replace) {
    return Error(v1::REASON_EXISTS, "there is a store at " + store +
                                        "; with --replace it is kept aside and the copy takes its "
                                        "place");
  }
  ASSIGN_OR_RETURN(const auto copy, PartialFile::Begin(store));
  if (const absl::Status copied =
          WhileUnchanged(from, [&from, &copy] { return CopyFile(from, *copy); });
      !copied.ok()) {
    return Annotate(copied, "no copy of " + from + " could be made");
  }
  Restored restored;
  ASSIGN_OR_RETURN(restored.sight, VerifyFile(copy->path(), from));
  RETURN_IF_ERROR(DropFileSum(*copy));
  if (present) {
    ASSIGN_OR_RETURN(restored.aside, KeepAside(store));
  }
  RETURN_IF_ERROR(copy->Place(PartialFile::Existing::kReplaced));
  return restored;
}

}  // namespace waymark::hub
