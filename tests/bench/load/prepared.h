// Referrals whose messages are sealed and signed before anything is measured, so that the cost of
// being many nodes does not compete with the hub's.
//
// Every message is the real thing: sealed to the recipient unit's key under a token that is signed,
// signed by its sender's identity key, with an id of its own. Functions are pure but for
// randomness; thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/crypto/signature.h"
#include "base/envelope/seal.h"
#include "base/ids/ids.h"
#include "waymark/v1/common.pb.h"
#include "waymark/v1/exchange.pb.h"

namespace waymark::bench {

enum class Mix {
  // INQUIRY, RECEIPT, OFFER, ACCEPT, DISCLOSE, START, CLOSE; 2 KiB each, U1.
  kReferral,
  // Of ten referrals five like that, one with SCHEDULE and PROGRESS besides, three declined, one
  // not taken up; inquiries and disclosures also in 8 and 32 KiB; U0 to U3.
  kVaried,
  // INQUIRY alone.
  kInquiries,
};

// A unit that messages are exchanged with, and whose they are. What it points to outlives it.
struct Party {
  // The number of its member.
  size_t member = 0;
  UnitId unit;
  SealingKeyRef sealing_key;
  const SigningKey* identity_key = nullptr;
};

struct PreparedMessage {
  MessageId id;
  v1::Kind kind = v1::KIND_UNSPECIFIED;
  // The number of the member that sends it.
  size_t sender = 0;
  // As an entry of a frame (ItemBytes).
  std::string item;
};

struct PreparedReferral {
  size_t origin = 0;
  // What the hub is told of its token, as an entry of a frame; the origin's to send, first.
  std::string registration;
  std::string token_hash;
  // In the order in which they follow each other.
  std::vector<PreparedMessage> messages;
};

// One element of Submit.items as it stands in a serialised Submit: with its tag and its length.
std::string ItemBytes(const v1::Submission& item);

// The kinds that the referral `index` of a mix goes through.
std::vector<v1::Kind> KindsOf(Mix mix, size_t index);

// Makes as many referrals as have `messages` messages, or a few more, between units of different
// members in turn; `parties` holds at least two members'. They are sent at `now`. The envelope's
// errors.
absl::StatusOr<std::vector<PreparedReferral>> Prepare(const NetworkId& network,
                                                      const std::vector<Party>& parties,
                                                      size_t messages, Mix mix, absl::Time now);

// Makes `count` inquiries to the first party's unit, from the units of other members in turn,
// beginning with the one whose turn it is after `before`. As Prepare.
absl::StatusOr<std::vector<PreparedReferral>> PrepareInquiries(const NetworkId& network,
                                                               const std::vector<Party>& parties,
                                                               size_t before, size_t count,
                                                               absl::Time now);

}  // namespace waymark::bench
