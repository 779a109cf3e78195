// File descriptors: closed with their owner, written and read whole.
//
// The functions work on any descriptor that blocks, begin again when a signal interrupts them, and
// leave errno as the failed call set it. Thread-safe, as far as the descriptor is used by one
// thread at a time.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

namespace waymark {

// Owns a descriptor, or none: -1, as a failed call returns.
class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() { Close(); }

  bool ok() const { return fd_ >= 0; }
  int get() const { return fd_; }
  void Close();

 private:
  int fd_;
};

// Writes all of `content`. False: a write failed; part of it may be written.
bool WriteAll(int fd, std::string_view content);

// Fills `buffer` with up to `size` bytes, fewer only at the end of the file. Returns how many;
// nullopt when a read failed.
std::optional<size_t> ReadAll(int fd, void* buffer, size_t size);

}  // namespace waymark
