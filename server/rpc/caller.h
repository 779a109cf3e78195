// Who calls: the role that a certificate gives, checked once per call. Thread-safe.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/identity/spiffe.h"
#include "base/ids/ids.h"
#include "grpcpp/server_context.h"

namespace waymark::hub {

// Returns the organisation that calls. REASON_IDENTITY_MISSING: no certificate of this network, or
// one of another role.
absl::StatusOr<OrganisationId> CallingOrganisation(const grpc::CallbackServerContext& context,
                                                   const NetworkId& network);

// OK if the registry operator calls. REASON_IDENTITY_MISSING: no certificate of this network;
// REASON_REGISTRY_ONLY: another role.
absl::Status CheckRegistryCalls(const grpc::CallbackServerContext& context,
                                const NetworkId& network);

}  // namespace waymark::hub
