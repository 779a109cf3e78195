// The local API: NodeService on the node's Unix socket.
//
// An adapter: it authenticates the staff member, hands the request to the use case and translates
// the answer. Calls are synchronous, each on a thread of gRPC's pool, because the use cases block
// on the vault. Thread-safe; the use cases outlive it.
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "client/casework/cases.h"
#include "client/casework/consents.h"
#include "client/casework/context.h"
#include "client/casework/origin.h"
#include "client/casework/overview.h"
#include "client/casework/provider.h"
#include "client/casework/staff.h"
#include "client/delivery/desk.h"
#include "client/directory/publication.h"
#include "client/directory/replica.h"
#include "waymark/v1/node.grpc.pb.h"

namespace waymark::node {

// What the API works with. Everything outlives the service.
struct NodeUseCases {
  const CaseworkContext& context;
  StaffRegister& staff;
  Cases& cases;
  Consents& consents;
  Origin& origin;
  Provider& provider;
  Overview& overview;
  Replica& replica;
  Publication& publication;
  LocalDesk& local;
  // Fills in what the node knows of itself.
  std::function<absl::Status(v1::GetStatusResponse&)> status;
};

class NodeService final : public v1::NodeService::Service {
 public:
  explicit NodeService(NodeUseCases use_cases) : node_(std::move(use_cases)) {}

#define WAYMARK_NODE_METHOD(name)                                                   \
  grpc::Status name(grpc::ServerContext* context, const v1::name##Request* request, \
                    v1::name##Response* response) override;
  WAYMARK_NODE_METHOD(Login)
  WAYMARK_NODE_METHOD(Logout)
  WAYMARK_NODE_METHOD(PutStaff)
  WAYMARK_NODE_METHOD(ListStaff)
  WAYMARK_NODE_METHOD(RemoveStaff)
  WAYMARK_NODE_METHOD(GetLabels)
  WAYMARK_NODE_METHOD(GetStatus)
  WAYMARK_NODE_METHOD(PublishService)
  WAYMARK_NODE_METHOD(PublishCapacity)
  WAYMARK_NODE_METHOD(PublishProfile)
  WAYMARK_NODE_METHOD(ListDirectory)
  WAYMARK_NODE_METHOD(GetCoverage)
  WAYMARK_NODE_METHOD(ConfirmIdentityKey)
  WAYMARK_NODE_METHOD(CreateCase)
  WAYMARK_NODE_METHOD(UpdateCase)
  WAYMARK_NODE_METHOD(GetCase)
  WAYMARK_NODE_METHOD(ListCases)
  WAYMARK_NODE_METHOD(PutNeed)
  WAYMARK_NODE_METHOD(MatchServices)
  WAYMARK_NODE_METHOD(QueryCapacity)
  WAYMARK_NODE_METHOD(ListCapacityQueries)
  WAYMARK_NODE_METHOD(ReadBackConsent)
  WAYMARK_NODE_METHOD(RecordConsent)
  WAYMARK_NODE_METHOD(ListConsents)
  WAYMARK_NODE_METHOD(Withdraw)
  WAYMARK_NODE_METHOD(Preview)
  WAYMARK_NODE_METHOD(Inquire)
  WAYMARK_NODE_METHOD(Accept)
  WAYMARK_NODE_METHOD(Disclose)
  WAYMARK_NODE_METHOD(Answer)
  WAYMARK_NODE_METHOD(Offer)
  WAYMARK_NODE_METHOD(Waitlist)
  WAYMARK_NODE_METHOD(Decline)
  WAYMARK_NODE_METHOD(Clarify)
  WAYMARK_NODE_METHOD(Schedule)
  WAYMARK_NODE_METHOD(Start)
  WAYMARK_NODE_METHOD(ReportProgress)
  WAYMARK_NODE_METHOD(Close)
  WAYMARK_NODE_METHOD(Cancel)
  WAYMARK_NODE_METHOD(RecordRetention)
  WAYMARK_NODE_METHOD(ListReferrals)
  WAYMARK_NODE_METHOD(GetReferral)
  WAYMARK_NODE_METHOD(ListDisclosures)
  WAYMARK_NODE_METHOD(ListDeliveries)
  WAYMARK_NODE_METHOD(ReplayDelivery)
  WAYMARK_NODE_METHOD(ResolveDelivery)
  WAYMARK_NODE_METHOD(ListRefusedItems)
  WAYMARK_NODE_METHOD(RetryRefusedItem)
  WAYMARK_NODE_METHOD(DropRefusedItem)
#undef WAYMARK_NODE_METHOD

 private:
  // Runs `use_case` for the staff member behind the call; catches what a library may throw.
  grpc::Status Run(grpc::ServerContext* context,
                   const std::function<absl::Status(const Actor&)>& use_case);
  absl::StatusOr<Actor> ActorOf(const grpc::ServerContext& context);
  absl::Status CheckOwnService(const Actor& actor, const ServiceId& service) const;

  NodeUseCases node_;
};

}  // namespace waymark::node
