// What an organisation proves when it asks for a certificate.
//
// An invitation is 16 random bytes; the hub knows its hash only:
//
//   invitation hash = SHA-256(frame("waymark/v1/invitation", secret))
//   proof           = ECDSA-SHA256(identity key, frame("waymark/v1/enrolment", invitation hash, CSR
//   DER)) renewal proof   = ECDSA-SHA256(identity key, frame("waymark/v1/renewal", CSR DER))
//   request id      = SHA-256(frame("waymark/v1/enrolment-request", CSR DER))
//
// The proof binds the TLS key to the identity key, so that nobody can put a TLS key of their own
// beside the identity key of another. All functions are pure and thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "base/crypto/signature.h"

namespace waymark {

inline constexpr size_t kInvitationSize = 16;

std::string InvitationHash(std::string_view secret);

std::string EnrolmentRequestId(std::string_view csr_der);

std::string SignEnrolment(const SigningKey& identity_key, std::string_view invitation_hash,
                          std::string_view csr_der);
std::string SignRenewal(const SigningKey& identity_key, std::string_view csr_der);

// REASON_SIGNATURE_INVALID: `proof` is not of this key, invitation and request.
absl::Status VerifyEnrolment(const VerifyingKey& identity_key, std::string_view invitation_hash,
                             std::string_view csr_der, std::string_view proof);
absl::Status VerifyRenewal(const VerifyingKey& identity_key, std::string_view csr_der,
                           std::string_view proof);

}  // namespace waymark
