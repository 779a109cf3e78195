// HSDS as a package of tables: a folder of CSV files that are joined by ids, or the same tables as
// one JSON object ("services.csv": [...]).
//
// Tables are joined one level deep and no chain of parents is followed, so rows that refer to each
// other in a circle do no harm. The tables are held in memory, at most kMaxPackageBytes of them.
//
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/struct.pb.h"

namespace waymark::node {

inline constexpr uint64_t kMaxPackageBytes = uint64_t{256} << 20;

class HsdsPackage {
 public:
  // Reads the tables of a folder that a package has. FILE_UNUSABLE: there is no services.csv, or a
  // file cannot be read. MALFORMED: a table is not CSV or not UTF-8, or all are too large; the
  // error names the file.
  static absl::StatusOr<HsdsPackage> Open(const std::filesystem::path& folder);

  // Whether this JSON value is tables in an object, and takes them.
  static bool IsTables(const google::protobuf::Value& value);
  static HsdsPackage FromTables(const google::protobuf::Value& value);

  size_t size() const { return Table("services").rows.size(); }

  // Service number `index` with all that is joined to it, as HSDS's service_full has it.
  google::protobuf::Value Service(size_t index);

  // Tables that HSDS does not know, and those with rows that no service of those asked for had:
  // "units.csv[]".
  std::set<std::string> Unjoined() const;

 private:
  using Row = std::map<std::string, std::string>;
  struct Rows {
    std::vector<Row> rows;
    // Rows by the value of a column, for the columns that are joined on.
    std::map<std::string, std::multimap<std::string, size_t>> by;
    std::vector<bool> used;
  };

  void Index();
  const Rows& Table(const std::string& name) const;
  // The rows of the table whose column has this value, as objects without the columns of joins.
  std::vector<google::protobuf::Value> Find(const std::string& table, const std::string& column,
                                            const std::string& value);
  // Adds to `object` the rows as a list; nothing without rows.
  void Join(google::protobuf::Value& object, const std::string& name, const std::string& table,
            const std::string& column, const std::string& value);
  // Adds to `object` the one row with this id.
  void JoinOne(google::protobuf::Value& object, const std::string& name, const std::string& table,
               const std::string& id);
  void JoinPlaces(google::protobuf::Value& object, const std::string& service_id);

  std::map<std::string, Rows> tables_;
  std::set<std::string> unknown_;
};

}  // namespace waymark::node
