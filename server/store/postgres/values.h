// Values in PostgreSQL's binary format: parameters to send, and rows that were returned.
//
// Numbers go as bigint and everything else as bytea, alone or in arrays, so that a whole batch of
// rows is one statement with a few arrays, which it unnests. Not thread-safe.
#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "base/ids/ids.h"

namespace waymark::hub {

// Times are stored as microseconds since the Unix epoch; InfiniteFuture keeps its meaning.
int64_t PgMicros(absl::Time time);
absl::Time PgTime(int64_t micros);

// One array parameter, of numbers or of bytes: what is added first decides.
class PgArray {
 public:
  // One of bytes that may stay empty.
  static PgArray OfBytes();

  PgArray& Add(int64_t value);
  PgArray& Add(std::string_view bytes);
  PgArray& Add(absl::Time time) { return Add(PgMicros(time)); }
  template <typename Tag>
  PgArray& Add(const Id<Tag>& id) {
    return Add(id.view());
  }
  PgArray& AddNumberOrNull(int64_t value, bool null);

  int64_t size() const { return size_; }
  // The array as it is sent.
  std::string Take() &&;
  // Its only element as it is sent, nullopt for NULL.
  std::optional<std::string> TakeOnly() &&;

 private:
  void Begin(uint32_t type);
  void Element(std::string_view bytes);

  std::string bytes_;
  int64_t size_ = 0;
};

// The parameters of one statement, $1 first.
class PgParams {
 public:
  PgParams& Add(int64_t value);
  PgParams& Add(std::string_view bytes);
  PgParams& Add(absl::Time time) { return Add(PgMicros(time)); }
  template <typename Tag>
  PgParams& Add(const Id<Tag>& id) {
    return Add(id.view());
  }
  PgParams& Add(PgArray array);
  // The only element of `array`.
  PgParams& AddOnly(PgArray array);

  // nullopt for NULL.
  const std::vector<std::optional<std::string>>& values() const { return values_; }

 private:
  std::vector<std::optional<std::string>> values_;
};

// How rows are sent: as an array for each column, or, if there is one row, as a value for each.
enum class RowForm { kArrays, kValues };

// Arrays that stand side by side: one for each column of the rows that are added.
class PgColumns {
 public:
  // Adds the next column of the row that was begun.
  template <typename Value>
  PgColumns& Add(const Value& value) {
    Next().Add(value);
    return *this;
  }
  PgColumns& AddNumberOrNull(int64_t value, bool null) {
    Next().AddNumberOrNull(value, null);
    return *this;
  }
  void EndRow() {
    next_ = 0;
    ++rows_;
  }

  // One more column, with a value for each of the rows.
  PgColumns& AddColumn(PgArray column) {
    arrays_.push_back(std::move(column));
    return *this;
  }

  int64_t rows() const { return rows_; }
  // Adds the columns, in order, to `params`.
  void MoveTo(PgParams& params, RowForm form = RowForm::kArrays) &&;

 private:
  PgArray& Next() {
    if (next_ == arrays_.size()) arrays_.emplace_back();
    return arrays_[next_++];
  }

  std::vector<PgArray> arrays_;
  size_t next_ = 0;
  int64_t rows_ = 0;
};

using PgResult = std::unique_ptr<PGresult, decltype(&PQclear)>;

// One row of a result; its columns are read in order. The result outlives it.
class PgRow {
 public:
  PgRow(const PGresult* result, int row) : result_(result), row_(row) {}

  // A boolean, smallint, integer or bigint; 0 for NULL.
  int64_t Int();
  std::string_view View();
  std::string Bytes() { return std::string(View()); }
  absl::Time Time() { return PgTime(Int()); }
  template <typename IdType>
  IdType Read() {
    return IdType::FromBytes(View()).value_or(IdType());
  }
  // An array of bigint without NULL.
  std::vector<int64_t> Ints();

 private:
  const PGresult* result_;
  int row_;
  int column_ = 0;
};

// What one statement returned.
class PgRows {
 public:
  explicit PgRows(PgResult result) : result_(std::move(result)) {}

  int size() const { return PQntuples(result_.get()); }
  PgRow operator[](int row) const { return {result_.get(), row}; }
  // How many rows the statement changed.
  int64_t changed() const;

 private:
  PgResult result_;
};

}  // namespace waymark::hub
