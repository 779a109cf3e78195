#include "client/connectors/files/folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <tuple>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "base/file/descriptor.h"
#include "base/status/status.h"
#include "client/connectors/result.h"

namespace waymark::node {
namespace {

constexpr mode_t kFileMode = 0640;
constexpr mode_t kFolderMode = 0700;
constexpr int kMostTwins = 10000;

bool IsPassing(int error) {
  switch (error) {
    case ENOENT:
    case ENOSPC:
    case EDQUOT:
    case EIO:
    case EBUSY:
    case EAGAIN:
    case EINTR:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENODEV:
    case ENXIO:
    case ESTALE:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENETDOWN:
    case ENETUNREACH:
    case ENOTCONN:
    case ETIMEDOUT:
      return true;
    default:
      return false;
  }
}

absl::Status FolderError(const std::string& path, std::string_view action, int error) {
  const std::string detail =
      "the folder " + path + ": " + std::string(action) + ": " + std::strerror(error);
  return IsPassing(error) ? SystemUnavailable(detail) : SystemRefused(detail);
}

FileSignature SignatureFrom(const struct stat& info) {
  constexpr int64_t kNanoseconds = 1000000000;
  return {.inode = info.st_ino,
          .size = info.st_size,
          .modified_nanoseconds = info.st_mtim.tv_sec * kNanoseconds + info.st_mtim.tv_nsec};
}

}  // namespace

absl::StatusOr<Folder> Folder::Open(const std::string& path) {
  FileDescriptor fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.ok()) return FolderError(path, "cannot be opened", errno);
  return Folder(path, std::move(fd));
}

absl::Status Folder::Failed(std::string_view action) const {
  return FolderError(path_, action, errno);
}

absl::Status Folder::Write(const std::string& name, std::string_view content) const {
  // Hidden, so that neither the reader nor a sync client takes it for a file. One caller at a time:
  // whatever has this name is what a crash left.
  const std::string temporary = "." + name + ".tmp";
  unlinkat(fd_.get(), temporary.c_str(), 0);
  FileDescriptor file(openat(fd_.get(), temporary.c_str(),
                             O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kFileMode));
  if (!file.ok()) return Failed("cannot be written to");
  absl::Cleanup undo = [&] { unlinkat(fd_.get(), temporary.c_str(), 0); };
  if (!WriteAll(file.get(), content) || fsync(file.get()) != 0) {
    return Failed("cannot be written to");
  }
  file.Close();
  if (renameat(fd_.get(), temporary.c_str(), fd_.get(), name.c_str()) != 0)
    return Failed("cannot be changed");
  std::move(undo).Cancel();
  if (fsync(fd_.get()) != 0) return Failed("cannot be synced");
  return absl::OkStatus();
}

absl::StatusOr<bool> Folder::Remove(const std::string& name) const {
  if (unlinkat(fd_.get(), name.c_str(), 0) != 0) {
    if (errno == ENOENT) return false;
    return Failed("cannot be changed");
  }
  if (fsync(fd_.get()) != 0) return Failed("cannot be synced");
  return true;
}

std::optional<FileSignature> Folder::SignatureOf(const std::string& name) const {
  struct stat info;
  if (fstatat(fd_.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) return std::nullopt;
  if (!S_ISREG(info.st_mode)) return std::nullopt;
  return SignatureFrom(info);
}

absl::StatusOr<std::vector<FileEntry>> Folder::List() const {
  const int copy = openat(fd_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (copy < 0) return Failed("cannot be listed");
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(fdopendir(copy), &closedir);
  if (entries == nullptr) {
    close(copy);
    return Failed("cannot be listed");
  }
  std::vector<FileEntry> files;
  errno = 0;
  while (const dirent* entry = readdir(entries.get())) {
    if (const auto signature = SignatureOf(entry->d_name)) {
      files.push_back({.name = entry->d_name, .signature = *signature});
    }
    errno = 0;
  }
  if (errno != 0) return Failed("cannot be listed");
  std::sort(files.begin(), files.end(), [](const FileEntry& a, const FileEntry& b) {
    return std::tie(a.signature.modified_nanoseconds, a.name) <
           std::tie(b.signature.modified_nanoseconds, b.name);
  });
  return files;
}

absl::StatusOr<std::optional<std::string>> Folder::Read(const FileEntry& file,
                                                        size_t max_bytes) const {
  // Not blocking, should it have become a pipe since.
  const FileDescriptor fd(
      openat(fd_.get(), file.name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!fd.ok()) {
    if (errno == ENOENT || errno == ELOOP) return std::optional<std::string>();
    return Failed("holds a file that cannot be opened");
  }
  const auto unchanged = [&] {
    struct stat info;
    return fstat(fd.get(), &info) == 0 && S_ISREG(info.st_mode) &&
           SignatureFrom(info) == file.signature;
  };
  if (!unchanged()) return std::optional<std::string>();
  std::string content(std::min(static_cast<size_t>(file.signature.size), max_bytes), '\0');
  const auto size = ReadAll(fd.get(), content.data(), content.size());
  if (!size) return Failed("holds a file that cannot be read");
  content.resize(*size);
  if (!unchanged()) return std::optional<std::string>();
  return std::optional<std::string>(std::move(content));
}

absl::Status Folder::MoveInto(const std::string& subfolder, const FileEntry& file) const {
  if (SignatureOf(file.name) != file.signature) return absl::OkStatus();
  if (mkdirat(fd_.get(), subfolder.c_str(), kFolderMode) != 0 && errno != EEXIST) {
    return Failed("gets no folder " + subfolder);
  }
  const FileDescriptor target(
      openat(fd_.get(), subfolder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!target.ok()) return Failed("has no usable folder " + subfolder);
  for (int twin = 0; twin < kMostTwins; ++twin) {
    const std::string name = twin == 0 ? file.name : file.name + "." + std::to_string(twin);
    struct stat info;
    if (fstatat(target.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0) continue;
    if (renameat(fd_.get(), file.name.c_str(), target.get(), name.c_str()) == 0 ||
        errno == ENOENT) {
      return absl::OkStatus();
    }
    return Failed("cannot be changed");
  }
  return SystemRefused("the folder " + path_ + ": too many files of one name in " + subfolder +
                       "; clear it");
}

}  // namespace waymark::node
