#include "base/file/descriptor.h"

#include <unistd.h>

#include <cerrno>

namespace waymark {

void FileDescriptor::Close() {
  if (fd_ >= 0) close(std::exchange(fd_, -1));
}

bool WriteAll(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    content.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

std::optional<size_t> ReadAll(int fd, void* buffer, size_t size) {
  auto* bytes = static_cast<char*>(buffer);
  size_t filled = 0;
  while (filled < size) {
    const ssize_t got = read(fd, bytes + filled, size - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) break;
    filled += static_cast<size_t>(got);
  }
  return filled;
}

}  // namespace waymark
