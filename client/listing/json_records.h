// The records of a JSON file, one after the other, without the whole file in memory.
//
// Understood are a list of records, an object that holds one as "contents" (a page of HSDS's API),
// "features" (GeoJSON) or "services"; one object after the other (JSON lines); and a single object,
// which then is the one record. A byte order mark is skipped. Only brackets and quotes are looked
// at: whether a record is JSON is for its reader to say, and a file that ends in the middle of one
// is an error here.
//
// Threads: one at a time. The stream outlives the object.
#pragma once

#include <cstdint>
#include <istream>
#include <optional>
#include <string>

#include "absl/status/statusor.h"

namespace waymark::node {

class JsonRecords {
 public:
  explicit JsonRecords(std::istream& in) : in_(in) {}

  // The text of the next record; nullopt at the end. MALFORMED: the file is cut, no JSON, or a
  // record is larger than kMaxRecordBytes; nothing more can be read then.
  absl::StatusOr<std::optional<std::string>> Next();

  // Bytes that were read.
  uint64_t position() const { return position_; }

 private:
  enum class Place { kStart, kInList, kAfterList, kBetweenObjects, kEnd };

  int Get();
  // The next byte that is no space, without taking it; -1 at the end.
  int PeekBeyondSpace();
  absl::StatusOr<std::optional<std::string>> NextInList();
  // Skips what follows the list in the object around it.
  absl::Status SkipRest();
  absl::StatusOr<std::optional<std::string>> NextObject();
  // Takes one value of any kind.
  absl::StatusOr<std::string> Value();
  // Takes a string, quotes included, to the end of `text`.
  absl::Status TakeString(std::string& text);

  std::istream& in_;
  uint64_t position_ = 0;
  Place place_ = Place::kStart;
  // Whether an object surrounds the list.
  bool enclosed_ = false;
  // Whether no entry of the list was taken yet.
  bool first_ = true;
};

}  // namespace waymark::node
