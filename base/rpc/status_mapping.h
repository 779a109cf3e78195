// The one translation between our statuses and gRPC's, each way.
//
// On the wire an error is its gRPC code and message, with a google.rpc.Status holding one
// google.rpc.ErrorInfo{reason: ReasonName(reason), domain: "waymark"} in `grpc-status-details-bin`.
// Both functions are thread-safe.
#pragma once

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

namespace waymark {

// Returns OK for OK; otherwise the same code and message, with the reason as details.
grpc::Status ToGrpc(const absl::Status& status);

// Returns OK for OK; otherwise the same code and message and the reason of the details. Without our
// details (gRPC itself or a proxy failed the call) the reason follows from the code: UNAVAILABLE is
// REASON_UNAVAILABLE, UNAUTHENTICATED is REASON_IDENTITY_MISSING, DEADLINE_EXCEEDED is
// REASON_PEER_STALLED, anything else, and a reason that this version does not know,
// REASON_INTERNAL.
absl::Status FromGrpc(const grpc::Status& status);

}  // namespace waymark
