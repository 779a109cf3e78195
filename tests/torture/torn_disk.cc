#include "tests/torture/torn_disk.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <utility>
#include <vector>

#include "base/file/descriptor.h"
#include "base/sync/sync.h"

namespace waymark::torture {
namespace {

namespace fs = std::filesystem;

// What a disk writes as a whole.
constexpr size_t kSector = 512;

// Something that has not been synced: bytes at a place, or a new end of the file.
struct Change {
  size_t offset = 0;
  std::string bytes;
  bool truncates = false;
};

struct TornFile {
  std::string durable;
  std::vector<Change> pending;
  bool named = false;
  // Deleted, in a folder that has not been synced since.
  bool deleted = false;
};

void Apply(const Change& change, std::string& content) {
  if (change.truncates) {
    content.resize(change.offset);
    return;
  }
  content.resize(std::max(content.size(), change.offset + change.bytes.size()));
  content.replace(change.offset, change.bytes.size(), change.bytes);
}

std::string ContentOf(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

// In place, because a store tells by its file's number whether it is a copy.
void SetContent(const std::string& path, const std::string& content) {
  const FileDescriptor file(
      open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (!file.ok() || !WriteAll(file.get(), content)) std::abort();
}

class Disk {
 public:
  void Begin(const std::string& folder, uint64_t cut_at) {
    MutexLock lock(mu_);
    folder_ = fs::canonical(folder).string();
    cut_at_ = cut_at;
    full_at_ = kNever;
    operations_ = 0;
    cut_ = false;
    files_.clear();
    AddUnknown();
    for (auto& [path, file] : files_) file.named = true;
  }

  void Cut() {
    MutexLock lock(mu_);
    cut_ = true;
  }
  bool cut() const {
    MutexLock lock(mu_);
    return cut_;
  }
  uint64_t operations() const {
    MutexLock lock(mu_);
    return operations_;
  }

  void Opened(const sqlite3_file* file, const std::string& path) {
    MutexLock lock(mu_);
    if (fs::path(path).parent_path() != folder_) return;
    open_[file] = path;
    TornFile& known = files_[path];
    if (known.deleted) known = {};
  }

  void Closed(const sqlite3_file* file) {
    MutexLock lock(mu_);
    open_.erase(file);
  }

  // Notes a change of the file. Returns SQLite's code for it: not OK without power, or room.
  int Note(const sqlite3_file* file, Change change) {
    MutexLock lock(mu_);
    const auto path = open_.find(file);
    if (path == open_.end()) return SQLITE_OK;
    if (cut_) return SQLITE_IOERR_WRITE;
    if (!change.truncates && operations_ + 1 >= full_at_) return SQLITE_FULL;
    files_[path->second].pending.push_back(std::move(change));
    return Count() ? SQLITE_OK : SQLITE_IOERR_WRITE;
  }

  void SetFullAt(uint64_t operation) {
    MutexLock lock(mu_);
    full_at_ = operation;
  }

  // Whether a sync begins while there is power, and whether it ends so.
  bool SyncBegins(const sqlite3_file* file) {
    MutexLock lock(mu_);
    if (open_.count(file) == 0) return true;
    return !cut_ && Count();
  }
  void Synced(const sqlite3_file* file) {
    MutexLock lock(mu_);
    const auto path = open_.find(file);
    if (path == open_.end() || cut_) return;
    TornFile& synced = files_[path->second];
    for (const Change& change : synced.pending) Apply(change, synced.durable);
    synced.pending.clear();
  }

  bool Delete(const std::string& path) {
    MutexLock lock(mu_);
    if (fs::path(path).parent_path() != folder_) return true;
    if (cut_ || !Count()) return false;
    files_[path].deleted = true;
    return true;
  }

  void FolderSynced(const std::string& folder) {
    MutexLock lock(mu_);
    if (cut_ || folder != folder_) return;
    for (auto file = files_.begin(); file != files_.end();) {
      const bool gone = file->second.deleted || !fs::exists(file->first);
      file = gone ? files_.erase(file) : std::next(file);
    }
    AddUnknown();
    for (auto& [path, file] : files_) file.named = true;
  }

  bool Holds(const std::string& path) const {
    MutexLock lock(mu_);
    return !folder_.empty() && path.compare(0, folder_.size(), folder_) == 0;
  }

  void Settle(Random& random) {
    MutexLock lock(mu_);
    cut_ = true;
    AddUnknown();
    for (auto& [path, file] : files_) {
      const bool gone = file.deleted || !file.named;
      // The index of a write-ahead log is made anew when there is nobody to share it with.
      const bool index = path.size() > 4 && path.compare(path.size() - 4, 4, "-shm") == 0;
      if (index || (gone && random.Uniform(2) == 0)) {
        fs::remove(path);
        continue;
      }
      SetContent(path, Kept(file, random));
    }
    files_.clear();
  }

 private:
  // Takes in what the folder holds and was never written through SQLite.
  void AddUnknown() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    for (const auto& entry : fs::directory_iterator(folder_)) {
      if (!entry.is_regular_file()) continue;
      const auto [file, is_new] = files_.try_emplace(entry.path().string());
      if (is_new) file->second.durable = ContentOf(entry.path());
    }
  }

  // Counts an operation; false when the power goes with it.
  bool Count() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    cut_ = ++operations_ == cut_at_;
    return !cut_;
  }

  // One of the contents that the file may have.
  static std::string Kept(const TornFile& file, Random& random) {
    std::string content = file.durable;
    // Nothing, everything, everything up to some change, or any sectors of any changes.
    const uint64_t manner = random.Uniform(4);
    const size_t whole = manner == 0   ? 0
                         : manner == 1 ? file.pending.size()
                                       : random.Uniform(file.pending.size() + 1);
    for (size_t i = 0; i < file.pending.size(); ++i) {
      const Change& change = file.pending[i];
      if (i < whole && manner < 3) {
        Apply(change, content);
      } else if (manner == 3 && change.truncates) {
        if (random.Uniform(2) == 0) Apply(change, content);
      } else if (manner == 3 || (manner == 2 && i == whole)) {
        ApplySectors(change, random, content);
      }
    }
    return content;
  }

  static void ApplySectors(const Change& change, Random& random, std::string& content) {
    if (change.truncates) return;
    size_t done = 0;
    while (done < change.bytes.size()) {
      const size_t offset = change.offset + done;
      const size_t size = std::min(kSector - offset % kSector, change.bytes.size() - done);
      if (random.Uniform(2) == 0) Apply({offset, change.bytes.substr(done, size)}, content);
      done += size;
    }
  }

  mutable Mutex mu_;
  std::string folder_ ABSL_GUARDED_BY(mu_);
  uint64_t cut_at_ ABSL_GUARDED_BY(mu_) = kNever;
  uint64_t full_at_ ABSL_GUARDED_BY(mu_) = kNever;
  uint64_t operations_ ABSL_GUARDED_BY(mu_) = 0;
  bool cut_ ABSL_GUARDED_BY(mu_) = false;
  std::map<std::string, TornFile> files_ ABSL_GUARDED_BY(mu_);
  std::map<const sqlite3_file*, std::string> open_ ABSL_GUARDED_BY(mu_);
};

Disk& TheDisk() {
  static Disk& disk = *new Disk;
  return disk;
}

// SQLite's own way to the disk. Its tables of methods differ by how a file is locked; what they
// read and write with is the same.
sqlite3_vfs* real_vfs = nullptr;
sqlite3_io_methods real_methods;

int TornWrite(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
  const auto* bytes = static_cast<const char*>(data);
  const int code = TheDisk().Note(
      file, {static_cast<size_t>(offset), std::string(bytes, static_cast<size_t>(size))});
  return code == SQLITE_OK ? real_methods.xWrite(file, data, size, offset) : code;
}

int TornTruncate(sqlite3_file* file, sqlite3_int64 size) {
  const int code = TheDisk().Note(file, {.offset = static_cast<size_t>(size), .truncates = true});
  return code == SQLITE_OK ? real_methods.xTruncate(file, size) : SQLITE_IOERR_TRUNCATE;
}

int TornSync(sqlite3_file* file, int flags) {
  if (!TheDisk().SyncBegins(file)) return SQLITE_IOERR_FSYNC;
  const int code = real_methods.xSync(file, flags);
  if (code == SQLITE_OK) TheDisk().Synced(file);
  return code;
}

int TornClose(sqlite3_file* file) {
  TheDisk().Closed(file);
  return real_methods.xClose(file);
}

const sqlite3_io_methods* Torn(const sqlite3_io_methods* methods) {
  static Mutex& mu = *new Mutex;
  static auto& tables = *new std::map<const sqlite3_io_methods*, sqlite3_io_methods>;
  MutexLock lock(mu);
  const auto [table, is_new] = tables.try_emplace(methods, *methods);
  if (is_new) {
    real_methods = *methods;
    table->second.xWrite = TornWrite;
    table->second.xTruncate = TornTruncate;
    table->second.xSync = TornSync;
    table->second.xClose = TornClose;
  }
  return &table->second;
}

int TornOpen(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  const int code = real_vfs->xOpen(real_vfs, name, file, flags, out_flags);
  if (file->pMethods != nullptr) file->pMethods = Torn(file->pMethods);
  if (code == SQLITE_OK && name != nullptr) TheDisk().Opened(file, name);
  return code;
}

int TornDelete(sqlite3_vfs*, const char* name, int sync_folder) {
  if (!TheDisk().Delete(name)) return SQLITE_IOERR_DELETE;
  return real_vfs->xDelete(real_vfs, name, sync_folder);
}

void Install() {
  static sqlite3_vfs vfs = [] {
    real_vfs = sqlite3_vfs_find(nullptr);
    sqlite3_vfs torn = *real_vfs;
    torn.zName = "torn";
    torn.xOpen = TornOpen;
    torn.xDelete = TornDelete;
    return torn;
  }();
  sqlite3_vfs_register(&vfs, /*makeDflt=*/1);
}

// What fsync and fdatasync do in this program.
int NoteSync(int fd) {
  std::error_code failed;
  const std::string path = fs::read_symlink("/proc/self/fd/" + std::to_string(fd), failed).string();
  if (failed || !TheDisk().Holds(path)) return static_cast<int>(syscall(SYS_fsync, fd));
  struct stat status = {};
  if (fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)) TheDisk().FolderSynced(path);
  return 0;
}

}  // namespace

void PowerOn(const std::string& folder, uint64_t cut_at) {
  static const bool kInstalled = [] {
    Install();
    return true;
  }();
  static_cast<void>(kInstalled);
  TheDisk().Begin(folder, cut_at);
}

void PowerOff() { TheDisk().Cut(); }
bool PowerIsCut() { return TheDisk().cut(); }
void FillUpAt(uint64_t operation) { TheDisk().SetFullAt(operation); }
uint64_t Operations() { return TheDisk().operations(); }
void Settle(Random& random) { TheDisk().Settle(random); }

}  // namespace waymark::torture

extern "C" int fsync(int fd) { return waymark::torture::NoteSync(fd); }
extern "C" int fdatasync(int fd) { return waymark::torture::NoteSync(fd); }
