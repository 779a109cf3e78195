#include "server/store/postgres/tally.h"

#include <cstring>
#include <utility>

#include "base/crypto/hash.h"

namespace waymark::hub {

void Tally::Add(const std::string& kind, PgColumns row) {
  PgParams params;
  std::move(row).MoveTo(params);
  std::string bytes;
  for (const auto& column : params.values()) {
    const uint64_t size = column->size();
    bytes.append(reinterpret_cast<const char*>(&size), sizeof(size));
    bytes += *column;
  }
  const std::string hash = PlainSha256(bytes);
  std::array<uint64_t, 4> words = {};
  static_assert(sizeof(words) == kSha256Size);
  std::memcpy(words.data(), hash.data(), sizeof(words));
  Kind& counted = kinds_[kind];
  ++counted.rows;
  for (size_t i = 0; i < words.size(); ++i) counted.sum[i] += words[i];
}

std::string Tally::DifferenceTo(const Tally& other) const {
  for (const auto& [kind, counted] : kinds_) {
    const auto there = other.kinds_.find(kind);
    if (there == other.kinds_.end() || there->second != counted) return kind;
  }
  for (const auto& [kind, counted] : other.kinds_) {
    if (!kinds_.contains(kind)) return kind;
  }
  return "";
}

}  // namespace waymark::hub
