// Reads a folder into which others put files, by hand, by export or by a sync client.
//
// A file is taken when its size and time of change have been the same in two reads that lie at
// least `settle` apart, and it then parses. What does not parse is given twelve times as long
// before it is moved to failed/: a transfer may have been interrupted. What was taken is moved to
// done/ once the caller has it. Half-written files of sync clients and conflicted copies are left
// where they are.
//
// The cursor counts pages: it says which of the files handed out the caller means. After a restart
// all files that are still there come again. Errors as Folder. Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/time/clock.h"
#include "client/connectors/connector.h"
#include "client/connectors/files/files_settings.h"
#include "client/connectors/files/folder.h"

namespace waymark::node {

class Incoming {
 public:
  // `steady` outlives this.
  Incoming(InFolder settings, Clock& steady) : settings_(std::move(settings)), steady_(steady) {}

  // As Connector::Read and Connector::Taken.
  absl::StatusOr<FeedPage> Read(std::string_view cursor);
  absl::Status Taken(std::string_view cursor);

 private:
  // What is known of a file that was seen.
  struct Seen {
    FileSignature signature;
    absl::Time since;
    // The pages on which its items were handed out, and how many had been by their ends.
    std::vector<std::pair<int64_t, size_t>> handed_out;
    bool whole = false;
  };

  // Whether the file is to be taken up; otherwise there may be something to say.
  bool IsWanted(const std::string& name, FeedPage& page);
  void Say(const std::string& about, const std::string& notice, FeedPage& page);
  // Puts the items of a settled file on the page that has this number.
  absl::Status TakeUp(const Folder& folder, const FileEntry& file, Seen& seen, int64_t number,
                      FeedPage& page, size_t& bytes);
  absl::Status SetAside(const Folder& folder, const FileEntry& file, const std::string& notice,
                        FeedPage& page);

  const InFolder settings_;
  Clock& steady_;
  std::map<std::string, Seen> seen_;
  // What was said of which file, so that it is not said again.
  std::set<std::string> said_;
};

}  // namespace waymark::node
