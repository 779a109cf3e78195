#include "client/casework/content.h"

#include "base/lifecycle/lifecycle.h"
#include "base/schema/validate.h"
#include "base/status/status.h"
#include "client/casework/clarification.h"
#include "client/casework/revocation.h"

namespace waymark::node {
namespace {

absl::Status Forbidden(std::string_view what) { return Error(v1::REASON_CONTENT_FORBIDDEN, what); }

// The body that a kind may carry besides sections; every other one is refused.
v1::Payload::BodyCase BodyOf(v1::Kind kind) {
  switch (kind) {
    case v1::KIND_CAPACITY_QUERY:
      return v1::Payload::kCapacityQuery;
    case v1::KIND_CAPACITY_REPLY:
      return v1::Payload::kCapacityReply;
    case v1::KIND_CLARIFICATION:
      return v1::Payload::kClarification;
    case v1::KIND_REVOKE:
      return v1::Payload::kRevocation;
    case v1::KIND_REVOKE_ACK:
      return v1::Payload::kRevocationAck;
    case v1::KIND_CANCEL:
      return v1::Payload::kCancellation;
    case v1::KIND_RECEIPT:
      return v1::Payload::kReceipt;
    case v1::KIND_NOTICE:
      return v1::Payload::kNotice;
    default:
      return v1::Payload::BODY_NOT_SET;
  }
}

}  // namespace

absl::Status CheckContent(v1::Kind kind, const v1::Payload& payload) {
  if (payload.body_case() != BodyOf(kind)) return Forbidden("the body is not that of the kind");
  if (TokenDemandOf(kind) == TokenDemand::kNone && payload.has_sections()) {
    return Forbidden("a kind without a token carries no section");
  }
  if (kind == v1::KIND_REVOKE_ACK) RETURN_IF_ERROR(CheckAcknowledgement(payload.revocation_ack()));
  if (kind == v1::KIND_CLARIFICATION) RETURN_IF_ERROR(CheckClarification(payload.clarification()));
  return ValidateSections(payload.sections());
}

}  // namespace waymark::node
