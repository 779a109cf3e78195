// Referrals whose messages are sealed and signed before anything is measured, so that the cost of
// being many nodes does not compete with the hub's.
//
// Every message is the real thing: sealed to the recipient unit's key under a token that is signed,
// signed by its sender's identity key, with an id of its own. For a loop that lasts longer than
// what can be sealed and kept before it there are referrals made on the way, with another message's
// box and signature. Functions are pure but for randomness; thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
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

// The message's id, which is a header's first field; nullopt when there is none.
std::optional<MessageId> IdInHeader(std::string_view header);

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

// A sealed box of 2 KiB and a signature, of some message.
struct Box {
  v1::SizeBucket bucket = v1::SIZE_BUCKET_UNSPECIFIED;
  std::string sealed;
  std::string signature;
};

absl::StatusOr<Box> SealBox(const NetworkId& network, const std::vector<Party>& parties,
                            absl::Time now);

// Makes the referral `index` of a Mix::kReferral, as Prepare does, but with `box` in every message
// and a token that nobody signed: in microseconds. To the hub it is like any other: it can open no
// box and checks no signature of a message; ids, headers and the registration are its own. The
// header's errors.
absl::StatusOr<PreparedReferral> PrepareQuickly(const NetworkId& network,
                                                const std::vector<Party>& parties, size_t index,
                                                const Box& box, absl::Time now);

}  // namespace waymark::bench
