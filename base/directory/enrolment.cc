#include "base/directory/enrolment.h"

#include "base/crypto/hash.h"

namespace waymark {
namespace {

constexpr std::string_view kInvitationLabel = "waymark/v1/invitation";
constexpr std::string_view kRequestLabel = "waymark/v1/enrolment-request";
constexpr std::string_view kEnrolmentLabel = "waymark/v1/enrolment";
constexpr std::string_view kRenewalLabel = "waymark/v1/renewal";

}  // namespace

std::string InvitationHash(std::string_view secret) { return Sha256(kInvitationLabel, {secret}); }

std::string EnrolmentRequestId(std::string_view csr_der) {
  return Sha256(kRequestLabel, {csr_der});
}

std::string SignEnrolment(const SigningKey& identity_key, std::string_view invitation_hash,
                          std::string_view csr_der) {
  return identity_key.Sign(kEnrolmentLabel, {invitation_hash, csr_der});
}

std::string SignRenewal(const SigningKey& identity_key, std::string_view csr_der) {
  return identity_key.Sign(kRenewalLabel, {csr_der});
}

absl::Status VerifyEnrolment(const VerifyingKey& identity_key, std::string_view invitation_hash,
                             std::string_view csr_der, std::string_view proof) {
  return identity_key.Verify(kEnrolmentLabel, {invitation_hash, csr_der}, proof);
}

absl::Status VerifyRenewal(const VerifyingKey& identity_key, std::string_view csr_der,
                           std::string_view proof) {
  return identity_key.Verify(kRenewalLabel, {csr_der}, proof);
}

}  // namespace waymark
