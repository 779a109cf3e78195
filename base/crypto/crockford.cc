#include "base/crypto/crockford.h"

#include <cstdint>

#include "base/status/status.h"

namespace waymark {
namespace {

constexpr std::string_view kSymbols = "0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U";
constexpr unsigned kBits = 5;
constexpr unsigned kPlainSymbols = 1 << kBits;
constexpr unsigned kCheckModulus = 37;

// The value of the symbol that a person may have meant by `c`, kCheckModulus if none.
unsigned ValueOf(char c) {
  if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  if (c == 'O') c = '0';
  if (c == 'I' || c == 'L') c = '1';
  const size_t value = kSymbols.find(c);
  return value == std::string_view::npos ? kCheckModulus : static_cast<unsigned>(value);
}

absl::Status BadCode(const char* what) {
  return Error(v1::REASON_FIELD_INVALID, std::string("the code ") + what);
}

}  // namespace

std::string CrockfordEncode(std::string_view bytes, size_t symbols) {
  std::string text;
  text.reserve(symbols);
  unsigned buffer = 0;
  unsigned bits = 0;
  for (const char byte : bytes) {
    buffer = (buffer << 8 | static_cast<uint8_t>(byte)) & 0xfff;
    for (bits += 8; bits >= kBits && text.size() < symbols;) {
      bits -= kBits;
      text += kSymbols[buffer >> bits & (kPlainSymbols - 1)];
    }
    if (text.size() == symbols) break;
  }
  return text;
}

std::string CrockfordEncodeChecked(std::string_view bytes) {
  unsigned remainder = 0;
  for (const char byte : bytes) {
    remainder = (remainder << 8 | static_cast<uint8_t>(byte)) % kCheckModulus;
  }
  return CrockfordEncode(bytes, bytes.size() * 8 / kBits) + kSymbols[remainder];
}

absl::StatusOr<SecretBytes> CrockfordDecodeChecked(std::string_view text, size_t size) {
  const size_t symbols = size * 8 / kBits;
  SecretBytes bytes(size);
  size_t read = 0;
  size_t filled = 0;
  unsigned buffer = 0;
  unsigned bits = 0;
  unsigned remainder = 0;
  for (const char c : text) {
    if (c == '-' || c == ' ') continue;
    const unsigned value = ValueOf(c);
    if (value >= (read < symbols ? kPlainSymbols : kCheckModulus)) {
      return BadCode("has a character that codes do not use");
    }
    if (read > symbols) return BadCode("is too long");
    if (read++ == symbols) {
      if (value != remainder) return BadCode("was mistyped: its last character does not match");
      continue;
    }
    remainder = (remainder << kBits | value) % kCheckModulus;
    buffer = (buffer << kBits | value) & 0xfff;
    bits += kBits;
    if (bits >= 8) {
      bits -= 8;
      bytes.data()[filled++] = static_cast<uint8_t>(buffer >> bits);
    }
  }
  if (read <= symbols) return BadCode("is too short");
  return bytes;
}

std::string InGroups(std::string_view symbols, size_t group) {
  std::string text;
  for (size_t i = 0; i < symbols.size(); ++i) {
    if (i > 0 && i % group == 0) text += '-';
    text += symbols[i];
  }
  return text;
}

}  // namespace waymark
