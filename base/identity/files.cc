#include "base/identity/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/file/descriptor.h"
#include "base/file/folder.h"
#include "base/status/status.h"

namespace waymark {
namespace {

constexpr off_t kMaxFileSize = 1 << 20;
constexpr mode_t kOwnerOnly = 0600;
constexpr mode_t kWorldReadable = 0644;
constexpr mode_t kGroupAndOthers = 0077;

absl::Status FileError(const std::string& path, const std::string& what) {
  return Error(v1::REASON_FILE_UNUSABLE, "file " + path + ": " + what);
}

absl::Status SystemError(const std::string& path, const char* action) {
  return FileError(path, std::string("cannot ") + action + ": " + std::strerror(errno));
}

absl::Status WriteAtomically(const std::string& path, std::string_view content, mode_t mode) {
  std::string temporary = path + ".XXXXXX";
  const FileDescriptor file(mkostemp(temporary.data(), O_CLOEXEC));
  if (!file.ok()) return SystemError(path, "create");
  if (!WriteAll(file.get(), content) || fchmod(file.get(), mode) != 0 || fsync(file.get()) != 0 ||
      rename(temporary.c_str(), path.c_str()) != 0) {
    absl::Status status = SystemError(path, "write");
    unlink(temporary.c_str());
    return status;
  }
  if (!SyncFolderOf(path)) return SystemError(path, "sync the folder of");
  return absl::OkStatus();
}

// Reads the whole file, refusing it if any bit of `forbidden` is set in its mode.
absl::StatusOr<SecretBytes> ReadWhole(const std::string& path, mode_t forbidden) {
  const FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info;
  if (!file.ok() || fstat(file.get(), &info) != 0) return SystemError(path, "open");
  if (!S_ISREG(info.st_mode)) return FileError(path, "is not a regular file");
  if ((info.st_mode & forbidden) != 0) {
    return FileError(path, "others than its owner may open it; run 'chmod 600' on it");
  }
  if (info.st_size > kMaxFileSize) return FileError(path, "is larger than 1 MiB");
  SecretBytes content(static_cast<size_t>(info.st_size));
  const auto filled = ReadAll(file.get(), content.data(), content.size());
  if (!filled) return SystemError(path, "read");
  content.Truncate(*filled);
  return content;
}

}  // namespace

absl::Status WriteSecretFile(const std::string& path, const SecretBytes& secret) {
  return WriteAtomically(path, secret.view(), kOwnerOnly);
}

absl::Status WritePublicFile(const std::string& path, std::string_view content) {
  return WriteAtomically(path, content, kWorldReadable);
}

absl::StatusOr<SecretBytes> ReadSecretFile(const std::string& path) {
  return ReadWhole(path, kGroupAndOthers);
}

absl::StatusOr<std::string> ReadPublicFile(const std::string& path) {
  ASSIGN_OR_RETURN(const SecretBytes content, ReadWhole(path, 0));
  return std::string(content.view());
}

}  // namespace waymark
