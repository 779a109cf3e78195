// Strong ids: 128 random bits each, of distinct types that cannot be confused.
//
// On the wire an id is 16 bytes; for people and in logs it is 32 lower-case hexadecimal digits. An
// id carries no time and is never derived from anything. Values are immutable and thread-safe.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/random/random.h"

namespace waymark {

template <typename Tag>
class Id {
 public:
  static constexpr size_t kSize = 16;

  // The all-zero id, which no one generates; empty() is true for it alone.
  constexpr Id() = default;

  // A new id from `random`.
  static Id Generate(Random& random) {
    Id id;
    random.Fill(id.bytes_.data(), kSize);
    return id;
  }

  // Reads an id from exactly 16 bytes that are not all zero; nullopt otherwise.
  static std::optional<Id> FromBytes(std::string_view bytes) {
    if (bytes.size() != kSize) return std::nullopt;
    Id id;
    std::memcpy(id.bytes_.data(), bytes.data(), kSize);
    if (id.empty()) return std::nullopt;
    return id;
  }

  // Reads an id from 32 hexadecimal digits; nullopt otherwise.
  static std::optional<Id> FromHex(std::string_view hex) {
    if (hex.size() != 2 * kSize) return std::nullopt;
    std::string bytes(kSize, '\0');
    for (size_t i = 0; i < kSize; ++i) {
      const int high = HexDigit(hex[2 * i]);
      const int low = HexDigit(hex[2 * i + 1]);
      if (high < 0 || low < 0) return std::nullopt;
      bytes[i] = static_cast<char>(high * 16 + low);
    }
    return FromBytes(bytes);
  }

  // The 16 bytes, as they go on the wire.
  std::string bytes() const { return {reinterpret_cast<const char*>(bytes_.data()), kSize}; }
  std::string_view view() const { return {reinterpret_cast<const char*>(bytes_.data()), kSize}; }

  std::string hex() const {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string hex;
    hex.reserve(2 * kSize);
    for (uint8_t byte : bytes_) {
      hex += kDigits[byte >> 4];
      hex += kDigits[byte & 15];
    }
    return hex;
  }

  bool empty() const { return *this == Id(); }

  friend constexpr auto operator<=>(const Id&, const Id&) = default;

  // For absl hash containers.
  template <typename H>
  friend H AbslHashValue(H state, const Id& id) {
    return H::combine_contiguous(std::move(state), id.bytes_.data(), kSize);
  }

 private:
  static constexpr int HexDigit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  }

  std::array<uint8_t, kSize> bytes_{};
};

// One trust domain.
using NetworkId = Id<struct NetworkTag>;
// A member and its node.
using OrganisationId = Id<struct OrganisationTag>;
// What a message is sent to.
using UnitId = Id<struct UnitTag>;
// A directory entry of a unit.
using ServiceId = Id<struct ServiceTag>;
// One message; a repeat has the same id.
using MessageId = Id<struct MessageTag>;
// One request to one unit, and everything that follows.
using ReferralId = Id<struct ReferralTag>;
// One sealing key of a unit.
using KeyId = Id<struct KeyTag>;
// A case, known to the originating node only.
using CaseId = Id<struct CaseTag>;
// A need of a case, known to the originating node only.
using NeedId = Id<struct NeedTag>;
// A consent record, known to the originating node only.
using ConsentId = Id<struct ConsentTag>;

}  // namespace waymark

template <typename Tag>
struct std::hash<waymark::Id<Tag>> {
  size_t operator()(const waymark::Id<Tag>& id) const {
    size_t value;
    std::memcpy(&value, id.view().data(), sizeof(value));
    return value;
  }
};
