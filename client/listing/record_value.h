// A record of a source as JSON, read field by field, and what of it nobody read.
//
// A RecordField is a cursor into a record: asking it for a value notes the value's path, so that
// what has no counterpart in the directory can be listed afterwards. Paths name fields and mark
// lists with "[]": "service_areas[].name". Wrong types read as absent, never as an error.
//
// Threads: one record, one thread. Fields point into the value and the set, which outlive them.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "google/protobuf/struct.pb.h"

namespace waymark::node {

// Largest record of a source, and how deep it may be nested.
inline constexpr size_t kMaxRecordBytes = size_t{4} << 20;
inline constexpr int kMaxRecordDepth = 64;

// MALFORMED: the text is not one JSON value, larger or deeper than a record may be.
absl::StatusOr<google::protobuf::Value> ParseRecord(std::string_view text);

// A number as people write it: whole ones without a point.
std::string NumberText(double number);

class RecordField {
 public:
  // The whole record; notes in `read` what is read of it.
  RecordField(const google::protobuf::Value& value, std::set<std::string>& read)
      : RecordField(&value, "", &read) {}

  // The field of this name; absent if there is none, it is null or an empty text, or this is no
  // object.
  RecordField operator[](const std::string& name) const;

  // The entries of a list; none if this is no list.
  std::vector<RecordField> items() const;

  bool present() const;

  // Strings as they are without spaces around them, numbers and truth values in words; empty for
  // anything else.
  std::string text() const;

  // A whole number of 0 to 4294967295, also one in a string.
  std::optional<uint32_t> whole() const;

 private:
  RecordField(const google::protobuf::Value* value, std::string path, std::set<std::string>* read)
      : value_(value), path_(std::move(path)), read_(read) {}

  // Null when absent.
  const google::protobuf::Value* value_;
  std::string path_;
  std::set<std::string>* read_;
};

// The paths of all values that are not empty.
std::set<std::string> LeafPaths(const google::protobuf::Value& value);

// The paths of the texts, names of fields included, that have a word which rule N1 keeps out.
std::set<std::string> UnneutralPaths(const google::protobuf::Value& value);

}  // namespace waymark::node
