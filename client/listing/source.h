// A source of directory entries: a file or a folder, read record by record.
//
//   HSDS      a JSON file (see json_records.h), or a folder of CSV tables
//   mapping   any JSON file, or a CSV table whose rows become objects of texts; each record goes
//             through the mapping, whose outputs are SourceRecords
//
// Only the record at hand is in memory, but for a package of CSV tables (see hsds_package.h).
//
// Threads: one at a time. What the options point to outlives the source.
#pragma once

#include <cstdint>
#include <functional>
#include <istream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/schema/catalogue.h"
#include "client/listing/draft.h"
#include "client/listing/terms.h"
#include "client/mapping/mapper.h"
#include "client/mapping/mapping.h"
#include "google/protobuf/struct.pb.h"

namespace waymark::node {

class Source {
 public:
  struct Options {
    // A file, or the folder of a package.
    std::string path;
    const Catalogue* catalogue = nullptr;
    TermTables terms;
    // Optional: without it the source is HSDS.
    MappingRunner* runner = nullptr;
    MappingProgram mapping;
    MappingArgs arguments;
    // Records that are passed over unread.
    uint64_t skip = 0;
  };

  // Told after each record: bytes read so far, of all, and the records so far.
  using Progress = std::function<void(uint64_t bytes, uint64_t total, uint64_t records)>;
  // Takes a draft; an error ends the reading. A mapping may make several of one record, which then
  // share their ordinal.
  using Visit = std::function<absl::Status(ListingDraft)>;

  explicit Source(Options options, Progress progress = {})
      : options_(std::move(options)), progress_(std::move(progress)) {}

  // 32 bytes over the content and the mapping. FILE_UNUSABLE: it cannot be read.
  absl::StatusOr<std::string> Digest() const;

  // Visits every draft in the order of the source. FILE_UNUSABLE, MALFORMED: the file cannot be
  // read to its end, which withdraws nothing. The mapping's reasons where it is the mapping itself
  // that fails; what it says of one record is a finding of that record.
  absl::Status Read(const Visit& visit);

  // Records in the source, after Read: services of HSDS, records that a mapping was given. Paths
  // without a counterpart.
  uint64_t records() const { return records_; }
  const std::set<std::string>& left_behind() const { return left_behind_; }

 private:
  absl::Status ReadPackage(const Visit& visit);
  absl::Status ReadTable(std::istream& in, const Visit& visit);
  absl::Status ReadJson(std::istream& in, const Visit& visit);
  absl::Status TakeHsds(const google::protobuf::Value& record, const Visit& visit);
  absl::Status TakeRecord(const std::string& text, const Visit& visit);
  absl::StatusOr<std::vector<ListingDraft>> Map(const std::string& text) const;
  absl::Status Hand(ListingDraft draft, const Visit& visit);
  void Tell(uint64_t bytes) const;

  const Options options_;
  const Progress progress_;
  uint64_t total_ = 0;
  uint64_t records_ = 0;
  std::set<std::string> left_behind_;
};

}  // namespace waymark::node
