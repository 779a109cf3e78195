// What people read: aligned tables, local times with their zone, codes with their labels.
//
// Pure; thread-safe.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "base/schema/catalogue.h"
#include "google/protobuf/message.h"
#include "google/protobuf/timestamp.pb.h"
#include "waymark/v1/message.pb.h"

namespace waymark::node {

// Rows under a header. Columns are as wide as their widest cell, two spaces apart; no cell is cut
// or wrapped, and no line ends in spaces.
class Table {
 public:
  explicit Table(std::vector<std::string> header) : header_(std::move(header)) {}

  // A row has as many cells as the header.
  void Add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }

  // The header and the rows, each ending in a line break; "none\n" without rows.
  std::string ToString() const;

 private:
  const std::vector<std::string> header_;
  std::vector<std::vector<std::string>> rows_;
};

// How times, codes and ids are shown.
struct View {
  const Catalogue& catalogue;
  absl::TimeZone zone;
  // The name that an id has; empty for one without. Optional: without it ids show as digits.
  std::function<std::string(const std::string& id)> name_of = {};

  // "2027-03-09 20:30 CET"; "-" for a time that is not set.
  std::string Time(const google::protobuf::Timestamp& time, bool is_set = true) const;

  // "206 Family shelter".
  std::string Service(uint32_t code) const;

  // The label of a value, its word where the catalogue has none; "-" for zero.
  std::string Label(const google::protobuf::EnumDescriptor& type, int number) const;

  // The name of an id, its first digits if it has none.
  std::string Id(const std::string& id) const;

  // One line per field that is set: its name and its value in words.
  std::string Sections(const v1::Sections& sections) const;
};

// "2027-03-09".
std::string DateText(const v1::Date& date);

// The first eight digits of an id: enough to type, unless two begin alike.
std::string ShortId(std::string_view id);

// "1 service", "2 services".
std::string Counted(int count, const std::string& noun);

// Entries separated by ", "; "-" for none.
std::string Join(const std::vector<std::string>& entries);

}  // namespace waymark::node
