// The store's files as the file system has them: held by one process, private, and named only when
// they are whole.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/file/descriptor.h"

namespace waymark::hub {

// Holds `path` for this process; released with the object or the process. Thread-safe.
class FileLock {
 public:
  // UNAVAILABLE when another process holds it; FILE_UNUSABLE when the path cannot be used.
  static absl::StatusOr<std::unique_ptr<FileLock>> Acquire(const std::string& path);

  // Whether a process holds `path`; makes no file.
  static bool Held(const std::string& path);

  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  explicit FileLock(int fd) : fd_(fd) {}

  const int fd_;
};

// Makes sure that `path` exists, readable and writable by its owner alone, and goes on to exist
// when the power fails. FILE_UNUSABLE when the path cannot be used.
absl::Status EnsurePrivateFile(const std::string& path);

// The error of a system call that has just failed: "the store could not <what> <path>: ...".
// FILE_UNUSABLE: the path cannot be used; QUOTA_EXCEEDED: the disk is full; UNAVAILABLE: others.
absl::Status SystemError(std::string_view what, const std::string& path);

// A file that gets its name only when it is whole: until then it is NAME.part in the same folder,
// for its owner alone. What an interrupted process left there is begun anew. Not thread-safe.
class PartialFile {
 public:
  enum class Existing { kKept, kReplaced };

  // Begins an empty file. UNAVAILABLE: another process is making the same one; FILE_UNUSABLE: the
  // folder cannot be used.
  static absl::StatusOr<std::unique_ptr<PartialFile>> Begin(const std::string& name);

  // Deletes what was not placed.
  ~PartialFile();
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  const std::string& path() const { return path_; }
  int fd() const { return fd_.get(); }

  // Syncs the file and gives it its name, durably. EXISTS: there is one of that name that is to be
  // kept; otherwise SystemError's.
  absl::Status Place(Existing existing);

 private:
  PartialFile(const std::string& name, FileDescriptor fd)
      : name_(name), path_(name + ".part"), fd_(std::move(fd)) {}

  // Deletes what SQLite left beside it.
  void DeleteBeside();

  const std::string name_;
  const std::string path_;
  const FileDescriptor fd_;
  bool placed_ = false;
};

}  // namespace waymark::hub
