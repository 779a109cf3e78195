#include "client/cli/confirmation.h"

#include <charconv>

#include "absl/strings/escaping.h"
#include "base/crypto/hash.h"
#include "base/status/status.h"

namespace waymark::node {
namespace {

constexpr size_t kIdSize = 16;

}  // namespace

std::string FormatReadBack(const ReadBackConfirmation& confirmation) {
  return absl::BytesToHexString(confirmation.digest + confirmation.consent_id) +
         std::to_string(confirmation.valid_from_seconds);
}

absl::StatusOr<ReadBackConfirmation> ParseReadBack(const std::string& text) {
  constexpr size_t kDigits = 2 * (kSha256Size + kIdSize);
  const absl::Status invalid =
      Error(v1::REASON_FIELD_INVALID,
            "--confirmed takes what 'waymark consent read-back' printed under 'confirm with'");
  if (text.size() <= kDigits || text.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return invalid;
  }
  const std::string bytes = absl::HexStringToBytes(text.substr(0, kDigits));
  ReadBackConfirmation confirmation{.digest = bytes.substr(0, kSha256Size),
                                    .consent_id = bytes.substr(kSha256Size)};
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data() + kDigits, end, confirmation.valid_from_seconds);
  if (read.ec != std::errc() || read.ptr != end) return invalid;
  return confirmation;
}

std::string FormatDigest(const std::string& digest) { return absl::BytesToHexString(digest); }

absl::StatusOr<std::string> ParseDigest(const std::string& text) {
  if (text.size() == 2 * kSha256Size &&
      text.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos) {
    return absl::HexStringToBytes(text);
  }
  std::string bytes;
  if (absl::Base64Unescape(text, &bytes) && bytes.size() == kSha256Size) return bytes;
  return Error(v1::REASON_FIELD_INVALID,
               "--confirmed takes the digest that 'waymark preview' printed");
}

absl::Status FindingsToStatus(const google::protobuf::RepeatedPtrField<v1::Finding>& findings) {
  if (findings.empty()) return absl::OkStatus();
  std::string all;
  for (const v1::Finding& finding : findings) {
    all += (all.empty() ? "" : "; ") + (finding.field().empty() ? "" : finding.field() + ": ") +
           finding.text();
  }
  return Error(findings.Get(0).reason(), all);
}

}  // namespace waymark::node
