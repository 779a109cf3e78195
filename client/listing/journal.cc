#include "client/listing/journal.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "base/schema/canonical_json.h"
#include "base/status/status.h"

namespace waymark::node {
namespace {

absl::Status Unusable(const std::string& path, std::string_view what) {
  return Error(v1::REASON_FILE_UNUSABLE, path + " " + std::string(what));
}

void Take(local::v1::JournalLine& line, LastRun& last) {
  switch (line.note_case()) {
    case local::v1::JournalLine::kBegan:
      last = LastRun();
      last.source = std::move(*line.mutable_began());
      break;
    case local::v1::JournalLine::kSettled:
      last.settled.push_back(std::move(*line.mutable_settled()));
      break;
    case local::v1::JournalLine::kFinished:
      last.finished = true;
      break;
    case local::v1::JournalLine::NOTE_NOT_SET:
      break;
  }
}

}  // namespace

absl::StatusOr<Journal> Journal::Open(const std::string& path) {
  Journal journal;
  journal.path_ = path;
  uint64_t whole = 0;
  {
    std::ifstream in(path, std::ios::binary);
    std::string text;
    while (std::getline(in, text)) {
      // A line without its break was cut.
      if (in.eof()) break;
      local::v1::JournalLine line;
      if (!FromJson(text, line).ok()) return Unusable(path, "is no journal of imports");
      Take(line, journal.last_);
      whole += text.size() + 1;
    }
  }
  std::error_code error;
  if (std::filesystem::exists(path, error)) std::filesystem::resize_file(path, whole, error);
  journal.out_.open(path, std::ios::binary | std::ios::app);
  if (error || !journal.out_) return Unusable(path, "cannot be written");
  return journal;
}

absl::Status Journal::Write(const local::v1::JournalLine& line) {
  ASSIGN_OR_RETURN(const std::string text, ToJson(line));
  out_ << text << '\n';
  out_.flush();
  return out_ ? absl::OkStatus() : Unusable(path_, "cannot be written");
}

absl::Status Journal::Begin(const local::v1::ImportSource& source) {
  local::v1::JournalLine line;
  *line.mutable_began() = source;
  return Write(line);
}

absl::Status Journal::Settle(const local::v1::ImportedRecord& record) {
  local::v1::JournalLine line;
  *line.mutable_settled() = record;
  return Write(line);
}

absl::Status Journal::Finish() {
  local::v1::JournalLine line;
  line.set_finished(true);
  return Write(line);
}

}  // namespace waymark::node
