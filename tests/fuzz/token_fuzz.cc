// The consent token: read, verified, made again.
#include <cstdint>
#include <string>

#include "base/crypto/signature.h"
#include "base/envelope/token.h"
#include "base/schema/redact.h"
#include "tests/fuzz/invariant.h"

namespace waymark {
namespace {

const SigningKey& IssuerKey() {
  static const SigningKey kKey = SigningKey::Generate();
  return kKey;
}

void CheckVerification(std::string_view bytes, const absl::StatusOr<v1::ConsentToken>& parsed) {
  std::string signature = IssuerKey().Sign("waymark/v1/token", {bytes});
  const auto verified = VerifyToken(bytes, signature, IssuerKey().verifying_key());
  HOLDS(verified.ok() == parsed.ok());
  HOLDS(ReasonOf(verified.status()) == ReasonOf(parsed.status()));

  const std::string longer = std::string(bytes) + '\0';
  HOLDS(fuzz::FailedWith(VerifyToken(longer, signature, IssuerKey().verifying_key()).status(),
                         {v1::REASON_TOKEN_SIGNATURE}));
}

void CheckRead(const v1::ConsentToken& token) {
  const auto made = MakeToken(token, IssuerKey());
  HOLDS(made.ok());
  const auto again = ParseToken(made->bytes);
  HOLDS(again.ok());
  HOLDS(fuzz::SameBytes(*again, token));
  HOLDS(TokenHash(made->bytes).size() == kSha256Size);
  HOLDS(ValidUntilHour(token) * 3600 == token.valid_until().seconds());
  HOLDS(!Redacted(token).empty());
}

void Check(std::string_view bytes) {
  const auto token = ParseToken(bytes);
  CheckVerification(bytes, token);
  if (token.ok()) {
    CheckRead(*token);
  } else {
    HOLDS(fuzz::FailedWith(
        token.status(), {v1::REASON_MALFORMED, v1::REASON_FIELD_INVALID, v1::REASON_ENUM_UNKNOWN}));
  }
}

}  // namespace
}  // namespace waymark

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  waymark::Check(waymark::fuzz::View(data, size));
  return 0;
}
