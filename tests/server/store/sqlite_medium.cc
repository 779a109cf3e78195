#include "tests/server/store/sqlite_medium.h"

#include <sqlite3.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "base/random/random.h"
#include "base/sync/sync.h"

namespace waymark::hub {
namespace {

std::atomic<Refusal> refusal_now = Refusal::kNone;

// SQLite's own way to the disk, with a gate before each write.
sqlite3_vfs* real_vfs = nullptr;
int (*real_write)(sqlite3_file*, const void*, int, sqlite3_int64) = nullptr;

int GatedWrite(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
  switch (refusal_now.load()) {
    case Refusal::kFull:
      return SQLITE_FULL;
    case Refusal::kUnavailable:
      return SQLITE_IOERR_WRITE;
    case Refusal::kNone:
      break;
  }
  return real_write(file, data, size, offset);
}

// Returns `methods` with the gate in it. There are a few tables, by how a file is locked; all of
// them write with one function.
const sqlite3_io_methods* Gated(const sqlite3_io_methods* methods) {
  static Mutex& mu = *new Mutex;
  static auto& tables = *new std::map<const sqlite3_io_methods*, sqlite3_io_methods>;
  MutexLock lock(mu);
  const auto [table, is_new] = tables.try_emplace(methods, *methods);
  if (is_new) {
    real_write = methods->xWrite;
    table->second.xWrite = GatedWrite;
  }
  return &table->second;
}

int GatedOpen(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  const int code = real_vfs->xOpen(real_vfs, name, file, flags, out_flags);
  if (file->pMethods != nullptr) file->pMethods = Gated(file->pMethods);
  return code;
}

void InstallGate() {
  static sqlite3_vfs& gate = *new sqlite3_vfs([] {
    real_vfs = sqlite3_vfs_find(nullptr);
    sqlite3_vfs vfs = *real_vfs;
    vfs.zName = "gate";
    vfs.xOpen = GatedOpen;
    return vfs;
  }());
  sqlite3_vfs_register(&gate, /*makeDflt=*/1);
}

}  // namespace

SqliteMedium::SqliteMedium() {
  InstallGate();
  std::string pattern = std::filesystem::temp_directory_path() / "waymark-store-XXXXXX";
  folder_ = mkdtemp(pattern.data());
}

SqliteMedium::~SqliteMedium() { std::filesystem::remove_all(folder_); }

absl::StatusOr<std::unique_ptr<Store>> SqliteMedium::Open() {
  return SqliteStore::Open({.path = path(), .random = &SystemRandom()});
}

std::vector<std::string> SqliteMedium::CrashWriter() const { return {SQLITE_CRASH_WRITER, path()}; }

void SqliteMedium::Restore() {
  const std::string backup = folder_ + "/backup.db";
  std::filesystem::copy_file(path(), backup);
  std::filesystem::rename(backup, path());
}

void SqliteMedium::Refuse(Refusal refusal) { refusal_now = refusal; }

}  // namespace waymark::hub
