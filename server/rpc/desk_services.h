// The unary services of the hub's desk: directory, enrolment, registry.
//
// Each method checks the caller, then runs on the desk thread. EnrolmentService is served twice:
// without client certificates for whoever holds an invitation, with them for members. Threads: from
// gRPC, any. Lifetime: they outlive the gRPC servers; the environment outlives them.
#pragma once

#include <memory>
#include <vector>

#include "base/ids/ids.h"
#include "base/sync/sync.h"
#include "grpcpp/server_context.h"
#include "server/directory/directory.h"
#include "server/registry/registry.h"
#include "server/rpc/frames.h"
#include "server/rpc/watch_reactor.h"
#include "server/rpc/worker_pool.h"
#include "waymark/v1/directory_service.grpc.pb.h"
#include "waymark/v1/enrolment.grpc.pb.h"
#include "waymark/v1/registry.grpc.pb.h"

namespace waymark::hub {

// What the services share.
struct DeskEnvironment {
  WorkerPool* pool = nullptr;
  WorkerPool* desk = nullptr;
  Directory* directory = nullptr;
  Registry* registry = nullptr;
  NetworkId network;
  FrameRecorder recorder;
};

class DirectoryService final
    : public v1::DirectoryService::WithRawCallbackMethod_PublishStatements<
          v1::DirectoryService::WithRawCallbackMethod_WatchDirectory<
              v1::DirectoryService::WithRawCallbackMethod_ContinueDirectory<
                  v1::DirectoryService::Service>>> {
 public:
  explicit DirectoryService(const DeskEnvironment* environment) : environment_(environment) {}

  grpc::ServerUnaryReactor* PublishStatements(grpc::CallbackServerContext* context,
                                              const grpc::ByteBuffer* request,
                                              grpc::ByteBuffer* response) override;
  grpc::ServerWriteReactor<grpc::ByteBuffer>* WatchDirectory(
      grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) override;
  grpc::ServerUnaryReactor* ContinueDirectory(grpc::CallbackServerContext* context,
                                              const grpc::ByteBuffer* request,
                                              grpc::ByteBuffer* response) override;

  // Ends every watch with UNAVAILABLE and refuses new ones.
  void Drain();

 private:
  const DeskEnvironment* const environment_;
  Mutex mu_;
  bool draining_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::weak_ptr<WatchReactor>> watches_ ABSL_GUARDED_BY(mu_);
};

// RequestEnrolment and GetEnrolment, for the listener without client certificates.
class InvitationService final
    : public v1::EnrolmentService::WithRawCallbackMethod_RequestEnrolment<
          v1::EnrolmentService::WithRawCallbackMethod_GetEnrolment<v1::EnrolmentService::Service>> {
 public:
  explicit InvitationService(const DeskEnvironment* environment) : environment_(environment) {}

  grpc::ServerUnaryReactor* RequestEnrolment(grpc::CallbackServerContext* context,
                                             const grpc::ByteBuffer* request,
                                             grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* GetEnrolment(grpc::CallbackServerContext* context,
                                         const grpc::ByteBuffer* request,
                                         grpc::ByteBuffer* response) override;

 private:
  const DeskEnvironment* const environment_;
};

// RequestRenewal and GetRenewal, for the main listener.
class RenewalService final
    : public v1::EnrolmentService::WithRawCallbackMethod_RequestRenewal<
          v1::EnrolmentService::WithRawCallbackMethod_GetRenewal<v1::EnrolmentService::Service>> {
 public:
  explicit RenewalService(const DeskEnvironment* environment) : environment_(environment) {}

  grpc::ServerUnaryReactor* RequestRenewal(grpc::CallbackServerContext* context,
                                           const grpc::ByteBuffer* request,
                                           grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* GetRenewal(grpc::CallbackServerContext* context,
                                       const grpc::ByteBuffer* request,
                                       grpc::ByteBuffer* response) override;

 private:
  const DeskEnvironment* const environment_;
};

class RegistryService final
    : public v1::RegistryService::WithRawCallbackMethod_CreateInvitation<
          v1::RegistryService::WithRawCallbackMethod_ListEnrolments<
              v1::RegistryService::WithRawCallbackMethod_ApproveEnrolment<
                  v1::RegistryService::WithRawCallbackMethod_RejectEnrolment<
                      v1::RegistryService::WithRawCallbackMethod_PublishMember<
                          v1::RegistryService::WithRawCallbackMethod_ListMembers<
                              v1::RegistryService::Service>>>>>> {
 public:
  explicit RegistryService(const DeskEnvironment* environment) : environment_(environment) {}

  grpc::ServerUnaryReactor* CreateInvitation(grpc::CallbackServerContext* context,
                                             const grpc::ByteBuffer* request,
                                             grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* ListEnrolments(grpc::CallbackServerContext* context,
                                           const grpc::ByteBuffer* request,
                                           grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* ApproveEnrolment(grpc::CallbackServerContext* context,
                                             const grpc::ByteBuffer* request,
                                             grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* RejectEnrolment(grpc::CallbackServerContext* context,
                                            const grpc::ByteBuffer* request,
                                            grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* PublishMember(grpc::CallbackServerContext* context,
                                          const grpc::ByteBuffer* request,
                                          grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* ListMembers(grpc::CallbackServerContext* context,
                                        const grpc::ByteBuffer* request,
                                        grpc::ByteBuffer* response) override;

 private:
  // Serves one method to the operator and nobody else.
  template <typename Request, typename Handler>
  grpc::ServerUnaryReactor* Serve(grpc::CallbackServerContext* context,
                                  const grpc::ByteBuffer* request, grpc::ByteBuffer* response,
                                  Handler handler);

  const DeskEnvironment* const environment_;
};

}  // namespace waymark::hub
