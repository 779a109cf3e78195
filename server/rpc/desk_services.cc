#include "server/rpc/desk_services.h"

#include <utility>

#include "base/status/status.h"
#include "server/rpc/caller.h"
#include "server/rpc/unary.h"

namespace waymark::hub {
namespace {

// The organisation that calls, if it is a member.
absl::StatusOr<OrganisationId> CallingMember(const grpc::CallbackServerContext& context,
                                             const DeskEnvironment& environment) {
  ASSIGN_OR_RETURN(const OrganisationId organisation,
                   CallingOrganisation(context, environment.network));
  if (environment.directory->membership()->Find(organisation) == nullptr) {
    return Error(v1::REASON_MEMBER_UNKNOWN, "organisation " + organisation.hex());
  }
  return organisation;
}

}  // namespace

grpc::ServerUnaryReactor* DirectoryService::PublishStatements(grpc::CallbackServerContext* context,
                                                              const grpc::ByteBuffer* request,
                                                              grpc::ByteBuffer* response) {
  const auto caller = CallingMember(*context, *environment_);
  if (!caller.ok()) return UnaryCall::Refuse(caller.status());
  return ServeUnary<v1::PublishStatementsRequest>(
      environment_->desk, environment_->recorder, request, response,
      [directory = environment_->directory, caller = *caller](const auto& parsed) {
        return directory->Publish(caller, parsed);
      });
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* DirectoryService::WatchDirectory(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
  const auto caller = CallingMember(*context, *environment_);
  if (!caller.ok()) return RefuseWatch(caller.status());
  v1::WatchDirectoryRequest parsed;
  const absl::Status status = ParseFrame(*request, environment_->recorder, parsed);
  if (!status.ok()) return RefuseWatch(status);
  MutexLock lock(mu_);
  if (draining_) return RefuseWatch(Error(v1::REASON_UNAVAILABLE, "the hub is stopping"));
  std::erase_if(watches_, [](const auto& watch) { return watch.expired(); });
  const auto reactor = WatchReactor::Start(environment_->pool, environment_->desk,
                                           environment_->directory, context, parsed);
  watches_.push_back(reactor);
  return reactor.get();
}

grpc::ServerUnaryReactor* DirectoryService::ContinueDirectory(grpc::CallbackServerContext* context,
                                                              const grpc::ByteBuffer* request,
                                                              grpc::ByteBuffer* response) {
  const auto caller = CallingMember(*context, *environment_);
  if (!caller.ok()) return UnaryCall::Refuse(caller.status());
  return ServeUnary<v1::ContinueDirectoryRequest>(
      environment_->desk, environment_->recorder, request, response,
      [directory = environment_->directory, caller = *caller](const auto& parsed) {
        return directory->Continue(caller, parsed);
      });
}

void DirectoryService::Drain() {
  std::vector<std::weak_ptr<WatchReactor>> watches;
  {
    MutexLock lock(mu_);
    draining_ = true;
    watches.swap(watches_);
  }
  for (const auto& weak : watches) {
    if (const auto watch = weak.lock()) {
      watch->End(Error(v1::REASON_UNAVAILABLE, "the hub is stopping"));
    }
  }
}

grpc::ServerUnaryReactor* InvitationService::RequestEnrolment(grpc::CallbackServerContext*,
                                                              const grpc::ByteBuffer* request,
                                                              grpc::ByteBuffer* response) {
  return ServeUnary<v1::RequestEnrolmentRequest>(
      environment_->desk, environment_->recorder, request, response,
      [registry = environment_->registry](const auto& parsed) {
        return Done<v1::RequestEnrolmentResponse>(registry->RequestEnrolment(parsed));
      });
}

grpc::ServerUnaryReactor* InvitationService::GetEnrolment(grpc::CallbackServerContext*,
                                                          const grpc::ByteBuffer* request,
                                                          grpc::ByteBuffer* response) {
  return ServeUnary<v1::GetEnrolmentRequest>(
      environment_->desk, environment_->recorder, request, response,
      [registry = environment_->registry](const auto& parsed) {
        return registry->GetEnrolment(parsed);
      });
}

grpc::ServerUnaryReactor* RenewalService::RequestRenewal(grpc::CallbackServerContext* context,
                                                         const grpc::ByteBuffer* request,
                                                         grpc::ByteBuffer* response) {
  const auto caller = CallingMember(*context, *environment_);
  if (!caller.ok()) return UnaryCall::Refuse(caller.status());
  return ServeUnary<v1::RequestRenewalRequest>(
      environment_->desk, environment_->recorder, request, response,
      [registry = environment_->registry, caller = *caller](const auto& parsed) {
        return Done<v1::RequestRenewalResponse>(registry->RequestRenewal(caller, parsed));
      });
}

grpc::ServerUnaryReactor* RenewalService::GetRenewal(grpc::CallbackServerContext* context,
                                                     const grpc::ByteBuffer* request,
                                                     grpc::ByteBuffer* response) {
  const auto caller = CallingMember(*context, *environment_);
  if (!caller.ok()) return UnaryCall::Refuse(caller.status());
  return ServeUnary<v1::GetRenewalRequest>(
      environment_->desk, environment_->recorder, request, response,
      [registry = environment_->registry, caller = *caller](const auto&) {
        return registry->GetRenewal(caller);
      });
}

template <typename Request, typename Handler>
grpc::ServerUnaryReactor* RegistryService::Serve(grpc::CallbackServerContext* context,
                                                 const grpc::ByteBuffer* request,
                                                 grpc::ByteBuffer* response, Handler handler) {
  const absl::Status caller = CheckRegistryCalls(*context, environment_->network);
  if (!caller.ok()) return UnaryCall::Refuse(caller);
  return ServeUnary<Request>(environment_->desk, environment_->recorder, request, response,
                             [registry = environment_->registry, handler = std::move(handler)](
                                 const Request& parsed) { return handler(*registry, parsed); });
}

grpc::ServerUnaryReactor* RegistryService::CreateInvitation(grpc::CallbackServerContext* context,
                                                            const grpc::ByteBuffer* request,
                                                            grpc::ByteBuffer* response) {
  return Serve<v1::CreateInvitationRequest>(
      context, request, response, [](Registry& registry, const auto& parsed) {
        return Done<v1::CreateInvitationResponse>(registry.CreateInvitation(parsed));
      });
}

grpc::ServerUnaryReactor* RegistryService::ListEnrolments(grpc::CallbackServerContext* context,
                                                          const grpc::ByteBuffer* request,
                                                          grpc::ByteBuffer* response) {
  return Serve<v1::ListEnrolmentsRequest>(
      context, request, response,
      [](Registry& registry, const auto& parsed) { return registry.ListEnrolments(parsed); });
}

grpc::ServerUnaryReactor* RegistryService::ApproveEnrolment(grpc::CallbackServerContext* context,
                                                            const grpc::ByteBuffer* request,
                                                            grpc::ByteBuffer* response) {
  return Serve<v1::ApproveEnrolmentRequest>(
      context, request, response, [](Registry& registry, const auto& parsed) {
        return Done<v1::ApproveEnrolmentResponse>(registry.ApproveEnrolment(parsed));
      });
}

grpc::ServerUnaryReactor* RegistryService::RejectEnrolment(grpc::CallbackServerContext* context,
                                                           const grpc::ByteBuffer* request,
                                                           grpc::ByteBuffer* response) {
  return Serve<v1::RejectEnrolmentRequest>(
      context, request, response, [](Registry& registry, const auto& parsed) {
        return Done<v1::RejectEnrolmentResponse>(registry.RejectEnrolment(parsed));
      });
}

grpc::ServerUnaryReactor* RegistryService::PublishMember(grpc::CallbackServerContext* context,
                                                         const grpc::ByteBuffer* request,
                                                         grpc::ByteBuffer* response) {
  return Serve<v1::PublishMemberRequest>(
      context, request, response, [](Registry& registry, const auto& parsed) {
        return Done<v1::PublishMemberResponse>(registry.PublishMember(parsed));
      });
}

grpc::ServerUnaryReactor* RegistryService::ListMembers(grpc::CallbackServerContext* context,
                                                       const grpc::ByteBuffer* request,
                                                       grpc::ByteBuffer* response) {
  return Serve<v1::ListMembersRequest>(
      context, request, response,
      [](Registry& registry, const auto& parsed) { return registry.ListMembers(parsed); });
}

}  // namespace waymark::hub
