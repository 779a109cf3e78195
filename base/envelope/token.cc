#include "base/envelope/token.h"

#include "base/crypto/hash.h"
#include "base/envelope/strict_parse.h"
#include "base/schema/validate.h"
#include "base/status/status.h"

namespace waymark {
namespace {

constexpr std::string_view kTokenLabel = "waymark/v1/token";
constexpr std::string_view kTokenHashLabel = "waymark/v1/token-hash";
constexpr std::string_view kRevocationKeyLabel = "waymark/v1/revocation-key";
constexpr std::string_view kRevocationLockLabel = "waymark/v1/revocation-lock";
constexpr size_t kRevocationKeySize = 32;

// What the schema's own limits cannot say.
absl::Status CheckToken(const v1::ConsentToken& token) {
  RETURN_IF_ERROR(ValidateSection(token));
  if (token.stage_ceiling() < v1::STAGE_INQUIRY) {
    return Error(v1::REASON_FIELD_INVALID, "CON.stage_ceiling is below INQUIRY");
  }
  if (token.valid_until().seconds() <= token.valid_from().seconds()) {
    return Error(v1::REASON_FIELD_INVALID, "CON.valid_until is not after CON.valid_from");
  }
  if (token.purposes().empty()) return Error(v1::REASON_FIELD_INVALID, "CON.purposes is empty");
  if (token.scope_fields().empty()) {
    return Error(v1::REASON_FIELD_INVALID, "CON.scope_fields is empty");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SignedToken> MakeToken(const v1::ConsentToken& token, const SigningKey& issuer_key) {
  RETURN_IF_ERROR(CheckToken(token));
  SignedToken made;
  made.bytes = token.SerializeAsString();
  made.signature = issuer_key.Sign(kTokenLabel, {made.bytes});
  return made;
}

std::string TokenHash(std::string_view token_bytes) {
  return Sha256(kTokenHashLabel, {token_bytes});
}

absl::StatusOr<v1::ConsentToken> ParseToken(std::string_view token_bytes) {
  v1::ConsentToken token;
  RETURN_IF_ERROR(StrictParse(token_bytes, "the token", token));
  RETURN_IF_ERROR(CheckToken(token));
  return token;
}

absl::StatusOr<v1::ConsentToken> VerifyToken(std::string_view token_bytes,
                                             std::string_view signature,
                                             const VerifyingKey& issuer_key) {
  if (!issuer_key.Verify(kTokenLabel, {token_bytes}, signature).ok()) {
    return Error(v1::REASON_TOKEN_SIGNATURE, "the token was not signed by its issuer");
  }
  return ParseToken(token_bytes);
}

int64_t ValidUntilHour(const v1::ConsentToken& token) {
  return token.valid_until().seconds() / 3600;
}

SecretBytes NewWithdrawalSecret(Random& random) {
  SecretBytes secret(kWithdrawalSecretSize);
  random.Fill(secret.data(), secret.size());
  return secret;
}

SecretBytes RevocationKey(const SecretBytes& withdrawal_secret, uint32_t index) {
  std::string info(kRevocationKeyLabel);
  for (int shift = 24; shift >= 0; shift -= 8) info += static_cast<char>(index >> shift);
  return HkdfSha256(withdrawal_secret.view(), "", info, kRevocationKeySize);
}

std::string RevocationLock(std::string_view revocation_key) {
  return Sha256(kRevocationLockLabel, {revocation_key});
}

}  // namespace waymark
