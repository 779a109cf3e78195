#include "server/store/sqlite/store_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/file/folder.h"
#include "base/status/status.h"

namespace waymark::hub {
namespace {

constexpr mode_t kOwnerAlone = S_IRUSR | S_IWUSR;

// A path that cannot be used is the operator's to correct; anything else may pass.
v1::Reason ReasonOfErrno(int code) {
  switch (code) {
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
    case EACCES:
    case EPERM:
    case EROFS:
    case ENAMETOOLONG:
      return v1::REASON_FILE_UNUSABLE;
    case ENOSPC:
    case EDQUOT:
      return v1::REASON_QUOTA_EXCEEDED;
    default:
      return v1::REASON_UNAVAILABLE;
  }
}

absl::Status InUse(const std::string& path) {
  return Error(v1::REASON_UNAVAILABLE,
               "the store is in use by another hub process, which holds " + path);
}

// Whether `path` is the file of `fd`, which may have been renamed since it was opened.
bool IsFileOf(int fd, const std::string& path) {
  struct stat opened = {};
  struct stat named = {};
  return fstat(fd, &opened) == 0 && lstat(path.c_str(), &named) == 0 &&
         opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

// Renames without replacing; false with errno EEXIST if `to` is there.
bool RenameNew(const std::string& from, const std::string& to) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return true;
  // A file system that cannot: between the look and the renaming somebody might make one.
  if (errno != EINVAL && errno != ENOSYS) return false;
  struct stat there = {};
  if (lstat(to.c_str(), &there) == 0) {
    errno = EEXIST;
    return false;
  }
  return std::rename(from.c_str(), to.c_str()) == 0;
}

}  // namespace

absl::Status SystemError(std::string_view what, const std::string& path) {
  return Error(ReasonOfErrno(errno),
               "the store could not " + std::string(what) + " " + path + ": " + strerror(errno));
}

// FileLock ----------------------------------------------------------------------------------------

absl::StatusOr<std::unique_ptr<FileLock>> FileLock::Acquire(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kOwnerAlone);
  if (fd < 0) return SystemError("open", path);
  auto lock = std::unique_ptr<FileLock>(new FileLock(fd));
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno != EWOULDBLOCK) return SystemError("lock", path);
  return InUse(path);
}

bool FileLock::Held(const std::string& path) {
  const FileDescriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return fd.ok() && flock(fd.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

FileLock::~FileLock() { close(fd_); }

absl::Status EnsurePrivateFile(const std::string& path) {
  const FileDescriptor fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kOwnerAlone));
  if (!fd.ok()) return SystemError("open", path);
  // Of a file that was not there the name must last too.
  const bool ok = fchmod(fd.get(), kOwnerAlone) == 0 && fsync(fd.get()) == 0 && SyncFolderOf(path);
  return ok ? absl::OkStatus() : SystemError("protect", path);
}

// PartialFile -------------------------------------------------------------------------------------

absl::StatusOr<std::unique_ptr<PartialFile>> PartialFile::Begin(const std::string& name) {
  const std::string path = name + ".part";
  FileDescriptor fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kOwnerAlone));
  if (!fd.ok()) return SystemError("make", path);
  const bool held = flock(fd.get(), LOCK_EX | LOCK_NB) == 0;
  if (!held && errno != EWOULDBLOCK) return SystemError("lock", path);
  // Whoever held it before may have finished it in between: it is no longer ours to empty.
  if (!held || !IsFileOf(fd.get(), path)) {
    return Error(v1::REASON_UNAVAILABLE, "another process is making " + name);
  }
  auto file = std::unique_ptr<PartialFile>(new PartialFile(name, std::move(fd)));
  file->DeleteBeside();
  if (ftruncate(file->fd(), 0) != 0 || fchmod(file->fd(), kOwnerAlone) != 0) {
    return SystemError("empty", path);
  }
  return file;
}

void PartialFile::DeleteBeside() {
  for (const char* beside : {"-journal", "-wal", "-shm"}) unlink((path_ + beside).c_str());
}

PartialFile::~PartialFile() {
  if (placed_) return;
  DeleteBeside();
  unlink(path_.c_str());
}

absl::Status PartialFile::Place(Existing existing) {
  if (fsync(fd()) != 0) return SystemError("sync", path_);
  const bool named = existing == Existing::kReplaced
                         ? std::rename(path_.c_str(), name_.c_str()) == 0
                         : RenameNew(path_, name_);
  if (!named && errno == EEXIST) {
    return Error(v1::REASON_EXISTS, name_ + " is there already and is never overwritten");
  }
  if (!named) return SystemError("name", name_);
  placed_ = true;
  return SyncFolderOf(name_) ? absl::OkStatus() : SystemError("sync the folder of", name_);
}

}  // namespace waymark::hub
