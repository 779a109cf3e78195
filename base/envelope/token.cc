#include "base/envelope/token.h"

#include "base/crypto/hash.h"
#include "base/envelope/header.h"
#include "base/envelope/strict_parse.h"
#include "base/ids/ids.h"
#include "base/status/status.h"

namespace waymark {
namespace {

constexpr std::string_view kTokenLabel = "waymark/v1/token";
constexpr std::string_view kTokenHashLabel = "waymark/v1/token-hash";
constexpr std::string_view kRevocationKeyLabel = "waymark/v1/revocation-key";
constexpr std::string_view kRevocationLockLabel = "waymark/v1/revocation-lock";
constexpr size_t kRevocationKeySize = 32;

absl::Status Invalid(v1::Reason reason, std::string_view field) {
  return Error(reason, "token." + std::string(field));
}

absl::Status CheckIds(const v1::ConsentToken& token) {
  const auto is_id = [](const std::string& bytes) { return UnitId::FromBytes(bytes).has_value(); };
  if (!is_id(token.consent_ref())) return Invalid(v1::REASON_FIELD_INVALID, "consent_ref");
  if (!is_id(token.network_id())) return Invalid(v1::REASON_FIELD_INVALID, "network_id");
  if (!is_id(token.token_nonce())) return Invalid(v1::REASON_FIELD_INVALID, "token_nonce");
  if (!is_id(token.issuer_unit())) return Invalid(v1::REASON_FIELD_INVALID, "issuer_unit");
  if (!is_id(token.presenter_unit())) return Invalid(v1::REASON_FIELD_INVALID, "presenter_unit");
  if (!is_id(token.recipient_unit())) return Invalid(v1::REASON_FIELD_INVALID, "recipient_unit");
  if (!is_id(token.referral_id())) return Invalid(v1::REASON_FIELD_INVALID, "referral_id");
  for (const std::string& unit : token.onward_recipients()) {
    if (!is_id(unit)) return Invalid(v1::REASON_FIELD_INVALID, "onward_recipients");
  }
  if (token.revocation_lock().size() != kSha256Size) {
    return Invalid(v1::REASON_FIELD_INVALID, "revocation_lock");
  }
  return absl::OkStatus();
}

absl::Status CheckEnums(const v1::ConsentToken& token) {
  if (token.stage_ceiling() < v1::STAGE_INQUIRY || !v1::Stage_IsValid(token.stage_ceiling())) {
    return Invalid(v1::REASON_ENUM_UNKNOWN, "stage_ceiling");
  }
  if (token.onward_mode() == 0 || !v1::OnwardMode_IsValid(token.onward_mode())) {
    return Invalid(v1::REASON_ENUM_UNKNOWN, "onward_mode");
  }
  if (token.legal_basis() == 0 || !v1::LegalBasis_IsValid(token.legal_basis())) {
    return Invalid(v1::REASON_ENUM_UNKNOWN, "legal_basis");
  }
  if (token.capture_kind() == 0 || !v1::CaptureKind_IsValid(token.capture_kind())) {
    return Invalid(v1::REASON_ENUM_UNKNOWN, "capture_kind");
  }
  return absl::OkStatus();
}

// Whole minutes and hours within the range of headers, so that nothing overflows or rounds later.
absl::Status CheckTimes(const v1::ConsentToken& token) {
  const auto within = [](const google::protobuf::Timestamp& time, int64_t unit_seconds) {
    return time.seconds() > 0 && time.seconds() < kEndOfMinutes * 60 && time.nanos() == 0 &&
           time.seconds() % unit_seconds == 0;
  };
  if (!within(token.valid_from(), 60)) return Invalid(v1::REASON_TIME_INVALID, "valid_from");
  if (!within(token.valid_until(), 3600) ||
      token.valid_until().seconds() <= token.valid_from().seconds()) {
    return Invalid(v1::REASON_TIME_INVALID, "valid_until");
  }
  return absl::OkStatus();
}

absl::Status CheckTokenShape(const v1::ConsentToken& token) {
  RETURN_IF_ERROR(CheckIds(token));
  RETURN_IF_ERROR(CheckEnums(token));
  RETURN_IF_ERROR(CheckTimes(token));
  if (token.purposes().empty()) return Invalid(v1::REASON_FIELD_INVALID, "purposes");
  if (token.scope_fields().empty()) return Invalid(v1::REASON_FIELD_INVALID, "scope_fields");
  if (token.policy_pack().empty()) return Invalid(v1::REASON_FIELD_INVALID, "policy_pack");
  if (token.version() == 0) return Invalid(v1::REASON_FIELD_INVALID, "version");
  if (token.profile_version() == 0) return Invalid(v1::REASON_FIELD_INVALID, "profile_version");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SignedToken> MakeToken(const v1::ConsentToken& token, const SigningKey& issuer_key) {
  RETURN_IF_ERROR(CheckTokenShape(token));
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
  RETURN_IF_ERROR(CheckTokenShape(token));
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
