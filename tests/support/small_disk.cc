#include "tests/support/small_disk.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>
#include <vector>

#include "base/file/descriptor.h"
#include "base/status/status.h"

namespace waymark::testing {
namespace {

// What the system has just refused.
absl::Status Refused(const std::string& what) {
  return Error(v1::REASON_FILE_UNUSABLE, "cannot " + what + ": " + std::strerror(errno));
}

absl::Status OwnMounts() {
  const std::string id = std::to_string(getuid());
  if (unshare(CLONE_NEWNS) != 0) {
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
      return Refused("have mounts of its own, as root or with kernel.unprivileged_userns_clone");
    }
    std::ofstream("/proc/self/uid_map") << id << " " << id << " 1";
  }
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return Refused("keep its mounts to itself");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<SmallDisk>> SmallDisk::Make(int mebibytes) {
  RETURN_IF_ERROR(OwnMounts());
  std::string folder = (std::filesystem::temp_directory_path() / "waymark-disk-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return Refused("make " + folder);
  std::unique_ptr<SmallDisk> disk(new SmallDisk(folder));
  const std::string size = "mode=0700,size=" + std::to_string(mebibytes) + "m";
  if (mount("tmpfs", folder.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, size.c_str()) != 0) {
    return Refused("mount a file system on " + folder);
  }
  return disk;
}

SmallDisk::~SmallDisk() {
  umount2(folder_.c_str(), MNT_DETACH);
  rmdir(folder_.c_str());
}

absl::Status SmallDisk::Fill() {
  const FileDescriptor file(
      open(filler().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (!file.ok()) return Refused("make " + filler());
  const std::vector<char> piece(size_t{1} << 16);
  for (size_t size = piece.size(); size > 0;) {
    const ssize_t written = write(file.get(), piece.data(), size);
    if (written < 0 && errno != ENOSPC) return Refused("fill " + filler());
    // What is left is less than that.
    if (written < static_cast<ssize_t>(size)) size /= 2;
  }
  return absl::OkStatus();
}

void SmallDisk::Free() { std::filesystem::remove(filler()); }

}  // namespace waymark::testing
