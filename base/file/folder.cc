#include "base/file/folder.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/file/descriptor.h"

namespace waymark {

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool SyncFolderOf(const std::string& path) {
  const FileDescriptor folder(open(FolderOf(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return folder.ok() && fsync(folder.get()) == 0;
}

}  // namespace waymark
