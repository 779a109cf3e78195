#include "base/directory/neutral.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "base/crypto/hash.h"

namespace waymark {
namespace {

constexpr size_t kDigits = 32;

// A stem by its length and its hash: the words themselves stand in no program of ours. A test holds
// the table equal to the list.
struct Stem {
  size_t length;
  std::string_view hash;
};

constexpr Stem kStems[] = {
    {6, "1bdd5b5b92e2d9f30a3b223bb359551d"}, {8, "7a01ac37408614bcf58069bb6b6a543f"},
    {8, "4da05a1fa1efd217a76ef842645ff34f"}, {7, "04da09655d48e4920ce526c4776b1209"},
    {7, "f5778592072e93a9a1602ae74b6d6d2d"}, {6, "824ef7874151e9c8c4f7c3c821d0e5da"},
};

bool IsStem(const std::string& piece) {
  const std::string hash = absl::BytesToHexString(PlainSha256(piece)).substr(0, kDigits);
  return std::any_of(std::begin(kStems), std::end(kStems), [&](const Stem& stem) {
    return stem.length == piece.size() && stem.hash == hash;
  });
}

}  // namespace

bool IsNeutral(std::string_view name) {
  std::string lower(name);
  absl::AsciiStrToLower(&lower);
  for (const Stem& stem : kStems) {
    for (size_t at = 0; at + stem.length <= lower.size(); ++at) {
      if (IsStem(lower.substr(at, stem.length))) return false;
    }
  }
  return true;
}

}  // namespace waymark
