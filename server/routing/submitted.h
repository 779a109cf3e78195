// A message as a member submitted it, read once at the edge and never parsed again.
//
// Reading checks everything that the bytes alone can show; what remains needs the hub's state and
// is Decide's. Pure; thread-safe.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "base/ids/ids.h"
#include "server/store/store.h"
#include "waymark/v1/exchange.pb.h"
#include "waymark/v1/header.pb.h"
#include "waymark/v1/message.pb.h"

namespace waymark::hub {

struct Submitted {
  // From the sender's certificate, not from the message.
  OrganisationId sender;
  v1::Header header;
  MessageId id;
  ReferralId referral;
  UnitId sender_unit;
  UnitId recipient_unit;
  // 32 bytes over header, sealed and signature: tells a repeat from a reused id.
  std::string digest;
  // The serialised v1::Message.
  std::string message;
};

// Reads a message that `sender` submitted. Fails with what ParseHeader refuses; with
// BUCKET_MISMATCH unless the sealed box has exactly the size that the header names; with
// FIELD_INVALID if the signature is missing or too long for one (whether it verifies is for the
// recipient).
absl::StatusOr<Submitted> ReadMessage(const OrganisationId& sender, const v1::Message& message);

// Returns what an outcome calls the item: its message id or token hash, empty if that cannot be
// read.
std::string ItemId(const v1::Submission& item);

// Adds to `keys` what Decide and DecideRegistration look up for the item, and what of it is new.
void AddKeys(const Submitted& submitted, StateKeys& keys);
void AddKeys(const v1::TokenRegistration& registration, StateKeys& keys);

}  // namespace waymark::hub
