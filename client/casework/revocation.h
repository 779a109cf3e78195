// What a recipient says about a withdrawal (C13): that it erased, or what the law makes it keep.
//
// The node erases what it holds in any case. What is kept is a record of the organisation's own,
// such as an invoice; its staff name the ground and the end (Provider::RecordRetention). Pure;
// thread-safe.
#pragma once

#include "absl/status/status.h"
#include "waymark/local/v1/records.pb.h"
#include "waymark/v1/message.pb.h"

namespace waymark::node {

// OK for ERASED alone, and for ERASED_EXCEPT with a ground and a day until which something is kept.
// ENUM_UNKNOWN: another outcome or ground. FIELD_INVALID: ground or day are missing, or stand
// beside ERASED; a unit that was told is not 16 bytes.
absl::Status CheckAcknowledgement(const v1::RevocationAck& ack);

// What the node that was asked says about the referral's withdrawal.
v1::RevocationAck AcknowledgementOf(const local::v1::Referral& referral);

}  // namespace waymark::node
