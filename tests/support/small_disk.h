// A disk that can be filled up, for a test and the processes that it starts.
//
// A file system in memory, seen by nobody else: the test's process gets a table of mounts of its
// own, so that it goes with the test whatever becomes of it. Not thread-safe; made before the test
// has threads.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace waymark::testing {

class SmallDisk {
 public:
  // One of `mebibytes`. FILE_UNUSABLE: neither is the test root's, nor may it have a namespace of
  // its own (sysctl kernel.unprivileged_userns_clone).
  static absl::StatusOr<std::unique_ptr<SmallDisk>> Make(int mebibytes);
  // Lets go of it; it ends with the last process that uses it.
  ~SmallDisk();
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  const std::string& folder() const { return folder_; }

  // Takes every byte that is left; and gives them back.
  absl::Status Fill();
  void Free();

 private:
  explicit SmallDisk(std::string folder) : folder_(std::move(folder)) {}
  std::string filler() const { return folder_ + "/filler"; }

  const std::string folder_;
};

}  // namespace waymark::testing
