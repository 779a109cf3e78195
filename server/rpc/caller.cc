#include "server/rpc/caller.h"

#include "base/rpc/credentials.h"
#include "base/status/status.h"

namespace waymark::hub {
namespace {

absl::StatusOr<SpiffeId> Caller(const grpc::CallbackServerContext& context,
                                const NetworkId& network) {
  const auto auth = context.auth_context();
  ASSIGN_OR_RETURN(const SpiffeId id, PeerIdentity(*auth));
  if (id.network != network) {
    return Error(v1::REASON_IDENTITY_MISSING, "the certificate is of another network");
  }
  return id;
}

}  // namespace

absl::StatusOr<OrganisationId> CallingOrganisation(const grpc::CallbackServerContext& context,
                                                   const NetworkId& network) {
  ASSIGN_OR_RETURN(const SpiffeId id, Caller(context, network));
  if (id.role != SpiffeId::Role::kOrganisation) {
    return Error(v1::REASON_IDENTITY_MISSING, "the certificate is not an organisation's");
  }
  return id.organisation;
}

absl::Status CheckRegistryCalls(const grpc::CallbackServerContext& context,
                                const NetworkId& network) {
  ASSIGN_OR_RETURN(const SpiffeId id, Caller(context, network));
  if (id.role != SpiffeId::Role::kRegistry) {
    return Error(v1::REASON_REGISTRY_ONLY, "the certificate is not the registry's");
  }
  return absl::OkStatus();
}

}  // namespace waymark::hub
