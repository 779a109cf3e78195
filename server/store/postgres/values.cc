#include "server/store/postgres/values.h"

#include <cstdlib>
#include <limits>
#include <utility>

namespace waymark::hub {
namespace {

// Types by the numbers that PostgreSQL gives them for good (pg_type.dat).
constexpr uint32_t kBytea = 17;
constexpr uint32_t kBigint = 20;

constexpr int64_t kForEver = std::numeric_limits<int64_t>::max();
// Dimensions, a flag for NULL, the type, the length and the lower bound.
constexpr size_t kArrayHeader = 20;
constexpr size_t kLengthPlace = 12;
constexpr uint32_t kNullLength = 0xffffffff;

template <typename Number>
void PutNumber(Number value, char* to) {
  for (size_t i = sizeof(value); i-- > 0; value >>= 8) to[i] = static_cast<char>(value & 0xff);
}

template <typename Number>
void AppendNumber(Number value, std::string& to) {
  char bytes[sizeof(value)];
  PutNumber(value, bytes);
  to.append(bytes, sizeof(bytes));
}

// A number of as many bytes as there are, with its sign.
int64_t NumberIn(std::string_view bytes) {
  if (bytes.empty()) return 0;
  uint64_t value = (bytes.size() > 1 && (bytes[0] & 0x80) != 0) ? ~uint64_t{0} : 0;
  for (const char byte : bytes) value = (value << 8) | static_cast<uint8_t>(byte);
  return static_cast<int64_t>(value);
}

std::string NumberBytes(int64_t value) {
  std::string bytes;
  AppendNumber(static_cast<uint64_t>(value), bytes);
  return bytes;
}

}  // namespace

int64_t PgMicros(absl::Time time) {
  return time == absl::InfiniteFuture() ? kForEver : absl::ToUnixMicros(time);
}

absl::Time PgTime(int64_t micros) {
  return micros == kForEver ? absl::InfiniteFuture() : absl::FromUnixMicros(micros);
}

// PgArray -----------------------------------------------------------------------------------------

void PgArray::Begin(uint32_t type) {
  if (!bytes_.empty()) return;
  AppendNumber(uint32_t{1}, bytes_);
  AppendNumber(uint32_t{0}, bytes_);
  AppendNumber(type, bytes_);
  AppendNumber(uint32_t{0}, bytes_);
  AppendNumber(uint32_t{1}, bytes_);
}

void PgArray::Element(std::string_view bytes) {
  AppendNumber(static_cast<uint32_t>(bytes.size()), bytes_);
  bytes_ += bytes;
  ++size_;
}

PgArray& PgArray::Add(int64_t value) {
  Begin(kBigint);
  Element(NumberBytes(value));
  return *this;
}

PgArray& PgArray::Add(std::string_view bytes) {
  Begin(kBytea);
  Element(bytes);
  return *this;
}

PgArray& PgArray::AddNumberOrNull(int64_t value, bool null) {
  if (!null) return Add(value);
  Begin(kBigint);
  AppendNumber(kNullLength, bytes_);
  ++size_;
  return *this;
}

PgArray PgArray::OfBytes() {
  PgArray array;
  array.Begin(kBytea);
  return array;
}

std::string PgArray::Take() && {
  Begin(kBigint);
  if (size_ == 0) {
    PutNumber(uint32_t{0}, bytes_.data());
    bytes_.resize(kLengthPlace);
  } else {
    PutNumber(static_cast<uint32_t>(size_), bytes_.data() + kLengthPlace);
  }
  return std::move(bytes_);
}

std::optional<std::string> PgArray::TakeOnly() && {
  const std::string_view element = std::string_view(bytes_).substr(kArrayHeader);
  constexpr std::string_view kNull("\xff\xff\xff\xff", sizeof(kNullLength));
  if (element == kNull) return std::nullopt;
  return std::string(element.substr(sizeof(kNullLength)));
}

// PgParams and PgColumns --------------------------------------------------------------------------

PgParams& PgParams::Add(int64_t value) {
  values_.emplace_back(NumberBytes(value));
  return *this;
}

PgParams& PgParams::Add(std::string_view bytes) {
  values_.emplace_back(std::string(bytes));
  return *this;
}

PgParams& PgParams::Add(PgArray array) {
  values_.emplace_back(std::move(array).Take());
  return *this;
}

PgParams& PgParams::AddOnly(PgArray array) {
  values_.push_back(std::move(array).TakeOnly());
  return *this;
}

void PgColumns::MoveTo(PgParams& params, RowForm form) && {
  for (PgArray& array : arrays_) {
    if (form == RowForm::kValues) {
      params.AddOnly(std::move(array));
    } else {
      params.Add(std::move(array));
    }
  }
}

// PgRow and PgRows --------------------------------------------------------------------------------

std::string_view PgRow::View() {
  const int column = column_++;
  return {PQgetvalue(result_, row_, column),
          static_cast<size_t>(PQgetlength(result_, row_, column))};
}

int64_t PgRow::Int() { return NumberIn(View()); }

std::vector<int64_t> PgRow::Ints() {
  std::string_view bytes = View();
  std::vector<int64_t> numbers;
  if (bytes.size() < kArrayHeader) return numbers;
  bytes.remove_prefix(kArrayHeader);
  constexpr size_t kElement = sizeof(uint32_t) + sizeof(int64_t);
  for (; bytes.size() >= kElement; bytes.remove_prefix(kElement)) {
    numbers.push_back(NumberIn(bytes.substr(sizeof(uint32_t), sizeof(int64_t))));
  }
  return numbers;
}

int64_t PgRows::changed() const { return std::strtoll(PQcmdTuples(result_.get()), nullptr, 10); }

}  // namespace waymark::hub
