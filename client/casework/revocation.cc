#include "client/casework/revocation.h"

#include <string>

#include "base/ids/ids.h"
#include "base/schema/value_format.h"
#include "base/status/status.h"

namespace waymark::node {

absl::Status CheckAcknowledgement(const v1::RevocationAck& ack) {
  for (const std::string& unit : ack.onward_units()) {
    if (!UnitId::FromBytes(unit)) {
      return Error(v1::REASON_FIELD_INVALID, "a unit that was told of the withdrawal: 16 bytes");
    }
  }
  if (!v1::RetentionGround_IsValid(ack.ground())) {
    return Error(v1::REASON_ENUM_UNKNOWN, "the ground for keeping something is not known");
  }
  const bool has_ground = ack.ground() != v1::RETENTION_GROUND_UNSPECIFIED;
  switch (ack.outcome()) {
    case v1::ERASURE_OUTCOME_ERASED:
      if (!has_ground && !ack.has_kept_until()) return absl::OkStatus();
      return Error(v1::REASON_FIELD_INVALID, "whoever erased everything keeps nothing");
    case v1::ERASURE_OUTCOME_ERASED_EXCEPT:
      if (has_ground && IsValid(ack.kept_until())) return absl::OkStatus();
      return Error(v1::REASON_FIELD_INVALID,
                   "whoever keeps something names the ground and the last day");
    default:
      return Error(v1::REASON_ENUM_UNKNOWN, "what was done about the withdrawal is not known");
  }
}

v1::RevocationAck AcknowledgementOf(const local::v1::Referral& referral) {
  v1::RevocationAck ack;
  if (referral.retention_ground() == v1::RETENTION_GROUND_UNSPECIFIED) {
    ack.set_outcome(v1::ERASURE_OUTCOME_ERASED);
    return ack;
  }
  ack.set_outcome(v1::ERASURE_OUTCOME_ERASED_EXCEPT);
  ack.set_ground(referral.retention_ground());
  *ack.mutable_kept_until() = referral.kept_until();
  return ack;
}

}  // namespace waymark::node
