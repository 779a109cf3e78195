// The journal of imports: which runs there were, from where and under which licence, and what
// became of each record. It is where the provenance of imported services is kept, and what an
// import that was stopped goes on from.
//
// A text file of JSON lines (waymark.local.v1.JournalLine), only ever appended to. A line is
// written once its record is settled, so after a stop the last line may be cut and is then taken
// off; what it was about is settled again, which changes nothing.
//
// Threads: one at a time.
#pragma once

#include <fstream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "waymark/local/v1/listing.pb.h"

namespace waymark::node {

// The last run in a journal.
struct LastRun {
  local::v1::ImportSource source;
  std::vector<local::v1::ImportedRecord> settled;
  bool finished = false;
};

class Journal {
 public:
  // Opens the journal at `path`, making it if there is none. FILE_UNUSABLE: it cannot be read or
  // written, or is no journal.
  static absl::StatusOr<Journal> Open(const std::string& path);

  // The last run, if there was one; empty source name otherwise.
  const LastRun& last() const { return last_; }

  // Each writes a line and hands it to the system. FILE_UNUSABLE: it cannot be written.
  absl::Status Begin(const local::v1::ImportSource& source);
  absl::Status Settle(const local::v1::ImportedRecord& record);
  absl::Status Finish();

 private:
  absl::Status Write(const local::v1::JournalLine& line);

  std::string path_;
  std::ofstream out_;
  LastRun last_;
};

}  // namespace waymark::node
