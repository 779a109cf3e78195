// A folder that others use at the same time: what is written in it appears whole, what is read from
// it is what was looked at.
//
// Works on the folder that was opened, whatever happens to its path meanwhile; follows no symbolic
// link and leaves the folder only for its own subfolders. Errors: LOCAL_SYSTEM_UNAVAILABLE when the
// folder or disk is not there or full, LOCAL_SYSTEM_REFUSED when it may not be used; a message
// names the folder and never a file. Not thread-safe.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/file/descriptor.h"

namespace waymark::node {

// What tells that a file has not been touched.
struct FileSignature {
  uint64_t inode = 0;
  int64_t size = 0;
  int64_t modified_nanoseconds = 0;

  bool operator==(const FileSignature&) const = default;
};

struct FileEntry {
  std::string name;
  FileSignature signature;
};

class Folder {
 public:
  static absl::StatusOr<Folder> Open(const std::string& path);

  // Makes or replaces a file, mode 0640, so that a reader sees the old or the new one and a power
  // cut leaves one of them. The name is ours: a key and an ending.
  absl::Status Write(const std::string& name, std::string_view content) const;
  // Removes a file for good. Returns whether there was one.
  absl::StatusOr<bool> Remove(const std::string& name) const;

  // The regular files, oldest first.
  absl::StatusOr<std::vector<FileEntry>> List() const;
  // The content of a file, which has at most `max_bytes`; nullopt when it is no longer what
  // `signature` says, before or after it was read.
  absl::StatusOr<std::optional<std::string>> Read(const FileEntry& file, size_t max_bytes) const;
  // Moves a file into a subfolder, which is made if need be, under its name or, where that is
  // taken, with a number. Nothing to do when it is no longer what `signature` says.
  absl::Status MoveInto(const std::string& subfolder, const FileEntry& file) const;

 private:
  Folder(std::string path, FileDescriptor fd) : path_(std::move(path)), fd_(std::move(fd)) {}

  absl::Status Failed(std::string_view action) const;
  std::optional<FileSignature> SignatureOf(const std::string& name) const;

  const std::string path_;
  FileDescriptor fd_;
};

}  // namespace waymark::node
