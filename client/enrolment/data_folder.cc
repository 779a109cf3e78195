#include "client/enrolment/data_folder.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "base/status/status.h"

namespace waymark::node {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kOwnerOnly = 0700;
constexpr mode_t kGroupAndOthers = 0077;

}  // namespace

absl::Status DataFolder::Make() const {
  std::error_code error;
  const fs::path parent = fs::absolute(path_, error).parent_path();
  if (!error) fs::create_directories(parent, error);
  if (error || (mkdir(path_.c_str(), kOwnerOnly) != 0 && errno != EEXIST)) {
    return Error(v1::REASON_FILE_UNUSABLE, "the data folder " + path_ + " cannot be made");
  }
  struct stat info;
  if (stat(path_.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
    return Error(v1::REASON_FILE_UNUSABLE, "the data folder " + path_ + " is not a folder");
  }
  if ((info.st_mode & kGroupAndOthers) != 0) {
    return Error(v1::REASON_FILE_UNUSABLE,
                 "others have access to the data folder " + path_ + "; run chmod 700 on it");
  }
  return absl::OkStatus();
}

absl::Status DataFolder::CheckJoined() const {
  if (FileExists(tls_certificate())) return absl::OkStatus();
  return Error(v1::REASON_FILE_UNUSABLE,
               "there is no certificate in " + path_ +
                   "; run 'waymark-node join --help' to become a member first");
}

bool DataFolder::Contains(const std::string& path) const {
  std::error_code error;
  const fs::path folder = fs::weakly_canonical(path_, error);
  const fs::path inner = fs::weakly_canonical(path, error);
  return std::mismatch(folder.begin(), folder.end(), inner.begin(), inner.end()).first ==
         folder.end();
}

bool FileExists(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

void RemoveFile(const std::string& path) {
  std::error_code ignored;
  fs::remove(path, ignored);
}

}  // namespace waymark::node
