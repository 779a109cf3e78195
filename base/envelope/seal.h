// Making and opening messages: one signed header, one sealed box.
//
// A Message has three parts, all exact bytes:
//
//   header    = the serialised Header
//   sealed    = HPKE seal (base/crypto/hpke.h) of Pad(serialised Payload), to the recipient unit's
//   key,
//                 info = "waymark/v1/seal" || network id (16) || recipient unit id (16)
//                        || sealing key id (16) || 00 20 00 01 00 02   (the suite's KEM, KDF, AEAD)
//                 aad  = header
//   signature = ECDSA-SHA256(sender's identity key, frame("waymark/v1/message", header, sealed))
//
// Because the box is bound to the header, a box moved to another referral, stage, recipient, token
// or network does not open; because the signature covers both, no other member can send them as its
// own. Replays are for whoever keeps message ids.
//
// All functions are pure but for randomness, and thread-safe.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "base/crypto/secret.h"
#include "base/crypto/signature.h"
#include "base/ids/ids.h"
#include "base/random/random.h"
#include "waymark/v1/header.pb.h"
#include "waymark/v1/message.pb.h"
#include "waymark/v1/token.pb.h"

namespace waymark {

// A unit's published key, which messages are sealed to.
struct SealingKeyRef {
  KeyId id;
  std::string public_key;  // 32 bytes, X25519
};

// One of a unit's own keys, which opens what was sealed to it.
struct OpeningKey {
  KeyId id;
  SecretBytes private_key;  // 32 bytes, X25519
};

// A message that was opened and whose every binding holds.
struct Opened {
  v1::Header header;
  v1::Payload payload;
  // Present when the header has a token hash, though a RECEIPT may name a token without it.
  // Verified, but not checked against any rule of consent: that is base/policy.
  std::optional<v1::ConsentToken> token;
};

// Finds the identity key of the organisation that a unit belongs to. Its error is passed on, for
// example REASON_UNIT_UNKNOWN.
using IdentityKeyOfUnit = absl::FunctionRef<absl::StatusOr<VerifyingKey>(const UnitId&)>;

// Returns the message from header.sender_unit to header.recipient_unit. Fills in the header's
// fields that follow from the payload: size_bucket, and with a token token_hash and
// token_valid_until. REASON_FIELD_INVALID: the payload exceeds the largest bucket (the message
// names both sizes), or the sealing key is unusable; and everything that CheckHeaderShape and
// ParseToken refuse.
absl::StatusOr<v1::Message> SealMessage(const NetworkId& network,
                                        const SealingKeyRef& recipient_key, v1::Header header,
                                        const v1::Payload& payload, const SigningKey& sender_key,
                                        Random& random);

// Returns what `message` says to the unit `recipient`, whose keys are all tried. In this order:
//   REASON_MALFORMED and what CheckHeaderShape refuses: the header;
//   REASON_WRONG_RECIPIENT: it is for another unit;
//   REASON_BUCKET_MISMATCH: the box does not have the size that the header names;
//   REASON_SIGNATURE_INVALID: header or box changed, or another member than the sender's signed;
//   REASON_KEY_UNKNOWN: the unit has no key;
//   REASON_SEAL_BROKEN: no key opens the box: sealed for another header, network, unit or key;
//   REASON_MALFORMED: padding or payload, and fields of the payload that this version does not
//   know; REASON_TOKEN_HASH_MISMATCH: the token is not the header's, or one is there without the
//   other; REASON_TOKEN_SIGNATURE: its issuer did not sign it; REASON_TOKEN_BINDING: it is of
//   another network, referral, end, or pair of units. Of a message on its way to the provider the
//   sender is the token's presenter and the recipient its recipient, on the way back the other way
//   round; a REVOKE may come from the issuer itself, past the presenter, and its REVOKE_ACK go back
//   there.
absl::StatusOr<Opened> OpenMessage(const v1::Message& message, const NetworkId& network,
                                   const UnitId& recipient, std::span<const OpeningKey> keys,
                                   IdentityKeyOfUnit identity_key_of);

}  // namespace waymark
