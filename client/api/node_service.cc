#include "client/api/node_service.h"

#include <exception>
#include <utility>

#include "base/rpc/status_mapping.h"
#include "base/status/status.h"
#include "client/api/directory_view.h"
#include "client/casework/match.h"
#include "client/insight/coverage.h"

namespace waymark::node {
namespace {

constexpr std::string_view kBearer = "Bearer ";

// Moves a value into a response field, or passes the error on.
template <typename Value, typename Store>
absl::Status Into(absl::StatusOr<Value> result, Store store) {
  if (!result.ok()) return result.status();
  store(*std::move(result));
  return absl::OkStatus();
}

template <typename Value, typename Field>
absl::Status IntoList(absl::StatusOr<std::vector<Value>> result, Field* field) {
  if (!result.ok()) return result.status();
  for (Value& value : *result) *field->Add() = std::move(value);
  return absl::OkStatus();
}

// The session's token, as long as the context lives.
absl::StatusOr<std::string_view> TokenOf(const grpc::ServerContext& context) {
  const auto& metadata = context.client_metadata();
  const auto it = metadata.find("authorization");
  std::string_view value;
  if (it != metadata.end()) value = {it->second.data(), it->second.size()};
  if (value.substr(0, kBearer.size()) == kBearer) return value.substr(kBearer.size());
  return Error(v1::REASON_STAFF_NOT_ALLOWED, "there is no login");
}

}  // namespace

absl::StatusOr<Actor> NodeService::ActorOf(const grpc::ServerContext& context) {
  ASSIGN_OR_RETURN(const std::string_view token, TokenOf(context));
  return node_.staff.Authenticate(token);
}

grpc::Status NodeService::Run(grpc::ServerContext* context,
                              const std::function<absl::Status(const Actor&)>& use_case) {
  try {
    const absl::StatusOr<Actor> actor = ActorOf(*context);
    return ToGrpc(actor.ok() ? use_case(*actor) : actor.status());
  } catch (const std::exception&) {
    return ToGrpc(Error(v1::REASON_INTERNAL, "the node failed to carry this out"));
  }
}

grpc::Status NodeService::Login(grpc::ServerContext*, const v1::LoginRequest* request,
                                v1::LoginResponse* response) {
  return ToGrpc(Into(node_.staff.Login(request->name(), SecretBytes::CopyOf(request->passphrase())),
                     [&](v1::LoginResponse login) { *response = std::move(login); }));
}

grpc::Status NodeService::Logout(grpc::ServerContext* context, const v1::LogoutRequest*,
                                 v1::LogoutResponse*) {
  const absl::StatusOr<std::string_view> token = TokenOf(*context);
  return ToGrpc(token.ok() ? node_.staff.Logout(*token) : token.status());
}

grpc::Status NodeService::PutStaff(grpc::ServerContext* context, const v1::PutStaffRequest* request,
                                   v1::PutStaffResponse*) {
  return Run(context, [&](const Actor& actor) -> absl::Status {
    RETURN_IF_ERROR(actor.RequireAdministrator());
    const auto directory = node_.context.directory();
    for (const std::string& unit : request->unit_ids()) {
      const auto id = UnitId::FromBytes(unit);
      if (!id || !IsOwnUnit(node_.context, *directory, *id)) {
        return Error(v1::REASON_UNIT_NOT_OWN, "staff work for units of this organisation only");
      }
    }
    return node_.staff.Put(*request);
  });
}

grpc::Status NodeService::ListStaff(grpc::ServerContext* context, const v1::ListStaffRequest*,
                                    v1::ListStaffResponse* response) {
  return Run(context, [&](const Actor& actor) -> absl::Status {
    RETURN_IF_ERROR(actor.RequireAdministrator());
    return IntoList(node_.staff.List(), response->mutable_staff());
  });
}

grpc::Status NodeService::RemoveStaff(grpc::ServerContext* context,
                                      const v1::RemoveStaffRequest* request,
                                      v1::RemoveStaffResponse*) {
  return Run(context, [&](const Actor& actor) -> absl::Status {
    RETURN_IF_ERROR(actor.RequireAdministrator());
    return node_.staff.Remove(request->name());
  });
}

grpc::Status NodeService::GetLabels(grpc::ServerContext* context, const v1::GetLabelsRequest*,
                                    v1::GetLabelsResponse* response) {
  return Run(context, [&](const Actor&) {
    *response->mutable_labels() = node_.context.catalogue.labels();
    return absl::OkStatus();
  });
}

grpc::Status NodeService::GetStatus(grpc::ServerContext* context, const v1::GetStatusRequest*,
                                    v1::GetStatusResponse* response) {
  return Run(context, [&](const Actor&) { return node_.status(*response); });
}

absl::Status NodeService::CheckOwnService(const Actor& actor, const ServiceId& service) const {
  if (actor.RequireAdministrator().ok()) return absl::OkStatus();
  const ServiceEntry* entry = node_.context.directory()->FindService(service);
  if (entry == nullptr) {
    return Error(v1::REASON_NOT_FOUND,
                 "the directory has no such service; 'waymark service list' lists them");
  }
  return actor.RequireCaseworker(entry->unit);
}

grpc::Status NodeService::PublishService(grpc::ServerContext* context,
                                         const v1::PublishServiceRequest* request,
                                         v1::PublishServiceResponse*) {
  return Run(context, [&](const Actor& actor) -> absl::Status {
    RETURN_IF_ERROR(actor.RequireAdministrator());
    return node_.publication.PublishService(request->service());
  });
}

grpc::Status NodeService::PublishCapacity(grpc::ServerContext* context,
                                          const v1::PublishCapacityRequest* request,
                                          v1::PublishCapacityResponse* response) {
  return Run(context, [&](const Actor& actor) -> absl::Status {
    const auto service = ServiceId::FromBytes(request->capacity().service_id());
    if (!service) return InvalidField("service_id of the capacity is not 16 bytes");
    RETURN_IF_ERROR(CheckOwnService(actor, *service));
    return Into(node_.publication.PublishCapacity(request->capacity()), [&](absl::Time until) {
      response->mutable_valid_until()->set_seconds(absl::ToUnixSeconds(until));
    });
  });
}

grpc::Status NodeService::PublishProfile(grpc::ServerContext* context,
                                         const v1::PublishProfileRequest* request,
                                         v1::PublishProfileResponse*) {
  return Run(context, [&](const Actor& actor) -> absl::Status {
    RETURN_IF_ERROR(actor.RequireAdministrator());
    return node_.publication.PublishProfile(request->profile());
  });
}

grpc::Status NodeService::ListDirectory(grpc::ServerContext* context,
                                        const v1::ListDirectoryRequest* request,
                                        v1::ListDirectoryResponse* response) {
  return Run(context, [&](const Actor&) {
    *response = ViewDirectory(*node_.context.directory(), *request, node_.context.clock.Now());
    return absl::OkStatus();
  });
}

// For whoever may list the directory: it says nothing that the list does not.
grpc::Status NodeService::GetCoverage(grpc::ServerContext* context,
                                      const v1::GetCoverageRequest* request,
                                      v1::GetCoverageResponse* response) {
  return Run(context, [&](const Actor&) {
    return Into(CoverageOf(*node_.context.directory(), node_.context.catalogue, *request,
                           node_.context.clock.Now()),
                [&](v1::GetCoverageResponse counted) { *response = std::move(counted); });
  });
}

grpc::Status NodeService::ConfirmIdentityKey(grpc::ServerContext* context,
                                             const v1::ConfirmIdentityKeyRequest* request,
                                             v1::ConfirmIdentityKeyResponse*) {
  return Run(context, [&](const Actor& actor) -> absl::Status {
    if (actor.role == v1::STAFF_ROLE_LOGISTICS) return actor.RequireAdministrator();
    const auto organisation = OrganisationId::FromBytes(request->organisation_id());
    if (!organisation) return InvalidField("organisation_id is not 16 bytes");
    return node_.replica.Confirm(*organisation, request->fingerprint());
  });
}

grpc::Status NodeService::CreateCase(grpc::ServerContext* context,
                                     const v1::CreateCaseRequest* request,
                                     v1::CreateCaseResponse*) {
  return Run(context, [&](const Actor& actor) { return node_.cases.Create(actor, *request); });
}

grpc::Status NodeService::UpdateCase(grpc::ServerContext* context,
                                     const v1::UpdateCaseRequest* request,
                                     v1::UpdateCaseResponse*) {
  return Run(context, [&](const Actor& actor) { return node_.cases.Update(actor, *request); });
}

grpc::Status NodeService::GetCase(grpc::ServerContext* context, const v1::GetCaseRequest* request,
                                  v1::GetCaseResponse* response) {
  return Run(context, [&](const Actor& actor) -> absl::Status {
    const auto id = CaseId::FromBytes(request->case_id());
    if (!id) return InvalidField("case_id is not 16 bytes");
    return Into(node_.cases.Get(actor, *id),
                [&](v1::Case person) { *response->mutable_case_() = std::move(person); });
  });
}

grpc::Status NodeService::ListCases(grpc::ServerContext* context, const v1::ListCasesRequest*,
                                    v1::ListCasesResponse* response) {
  return Run(context, [&](const Actor& actor) {
    return IntoList(node_.cases.List(actor), response->mutable_cases());
  });
}

grpc::Status NodeService::PutNeed(grpc::ServerContext* context, const v1::PutNeedRequest* request,
                                  v1::PutNeedResponse*) {
  return Run(context, [&](const Actor& actor) { return node_.cases.PutNeed(actor, *request); });
}

grpc::Status NodeService::MatchServices(grpc::ServerContext* context,
                                        const v1::MatchServicesRequest* request,
                                        v1::MatchServicesResponse* response) {
  return Run(context, [&](const Actor& actor) -> absl::Status {
    const auto case_id = CaseId::FromBytes(request->case_id());
    if (!case_id) return InvalidField("case_id is not 16 bytes");
    ASSIGN_OR_RETURN(const v1::Case person, node_.cases.Get(actor, *case_id));
    for (const v1::Need& need : person.needs()) {
      if (need.need_id() != request->need_id()) continue;
      const auto directory = node_.context.directory();
      std::vector<v1::ServiceMatch> matches =
          Match(node_.context.catalogue, person, need,
                CandidatesIn(*directory, need.service_code(), node_.context.clock.Now()));
      for (v1::ServiceMatch& match : matches) *response->add_matches() = std::move(match);
      return absl::OkStatus();
    }
    return Error(v1::REASON_NOT_FOUND,
                 "the case has no need of this id; 'waymark case show CASE' lists them");
  });
}

grpc::Status NodeService::QueryCapacity(grpc::ServerContext* context,
                                        const v1::QueryCapacityRequest* request,
                                        v1::QueryCapacityResponse*) {
  return Run(context,
             [&](const Actor& actor) { return node_.origin.QueryCapacity(actor, *request); });
}

grpc::Status NodeService::ListCapacityQueries(grpc::ServerContext* context,
                                              const v1::ListCapacityQueriesRequest* request,
                                              v1::ListCapacityQueriesResponse* response) {
  return Run(context, [&](const Actor& actor) {
    return IntoList(node_.origin.ListCapacityQueries(actor, NeedId::FromBytes(request->need_id())),
                    response->mutable_queries());
  });
}

grpc::Status NodeService::ReadBackConsent(grpc::ServerContext* context,
                                          const v1::ReadBackConsentRequest* request,
                                          v1::ReadBackConsentResponse* response) {
  return Run(context, [&](const Actor& actor) {
    return Into(node_.consents.ReadBack(actor, request->consent()),
                [&](v1::ReadBackConsentResponse shown) { *response = std::move(shown); });
  });
}

grpc::Status NodeService::RecordConsent(grpc::ServerContext* context,
                                        const v1::RecordConsentRequest* request,
                                        v1::RecordConsentResponse*) {
  return Run(context, [&](const Actor& actor) { return node_.consents.Record(actor, *request); });
}

grpc::Status NodeService::ListConsents(grpc::ServerContext* context,
                                       const v1::ListConsentsRequest* request,
                                       v1::ListConsentsResponse* response) {
  return Run(context, [&](const Actor& actor) -> absl::Status {
    const auto id = CaseId::FromBytes(request->case_id());
    if (!id) return InvalidField("case_id is not 16 bytes");
    return IntoList(node_.consents.List(actor, *id), response->mutable_consents());
  });
}

grpc::Status NodeService::Withdraw(grpc::ServerContext* context, const v1::WithdrawRequest* request,
                                   v1::WithdrawResponse* response) {
  return Run(context, [&](const Actor& actor) {
    return Into(node_.origin.Withdraw(actor, *request),
                [&](v1::WithdrawResponse done) { *response = std::move(done); });
  });
}

grpc::Status NodeService::Preview(grpc::ServerContext* context, const v1::PreviewRequest* request,
                                  v1::PreviewResponse* response) {
  return Run(context, [&](const Actor& actor) {
    return Into(node_.origin.Preview(actor, *request),
                [&](v1::PreviewResponse shown) { *response = std::move(shown); });
  });
}

grpc::Status NodeService::Inquire(grpc::ServerContext* context, const v1::InquireRequest* request,
                                  v1::InquireResponse* response) {
  return Run(context, [&](const Actor& actor) {
    return Into(node_.origin.Inquire(actor, *request),
                [&](v1::InquireResponse done) { *response = std::move(done); });
  });
}

grpc::Status NodeService::Accept(grpc::ServerContext* context, const v1::AcceptRequest* request,
                                 v1::AcceptResponse*) {
  return Run(context, [&](const Actor& actor) { return node_.origin.Accept(actor, *request); });
}

grpc::Status NodeService::Answer(grpc::ServerContext* context, const v1::AnswerRequest* request,
                                 v1::AnswerResponse*) {
  return Run(context, [&](const Actor& actor) { return node_.origin.Answer(actor, *request); });
}

grpc::Status NodeService::Disclose(grpc::ServerContext* context, const v1::DiscloseRequest* request,
                                   v1::DiscloseResponse*) {
  return Run(context, [&](const Actor& actor) { return node_.origin.Disclose(actor, *request); });
}

grpc::Status NodeService::Offer(grpc::ServerContext* context, const v1::OfferRequest* request,
                                v1::OfferResponse* response) {
  return Run(context, [&](const Actor& actor) {
    return Into(node_.provider.Offer(actor, *request),
                [&](v1::OfferResponse done) { *response = std::move(done); });
  });
}

// The remaining steps of a referral differ in nothing but their name.
#define WAYMARK_PROVIDER_STEP(name)                                                                \
  grpc::Status NodeService::name(grpc::ServerContext* context, const v1::name##Request* request,   \
                                 v1::name##Response*) {                                            \
    return Run(context, [&](const Actor& actor) { return node_.provider.name(actor, *request); }); \
  }
WAYMARK_PROVIDER_STEP(Waitlist)
WAYMARK_PROVIDER_STEP(Decline)
WAYMARK_PROVIDER_STEP(Clarify)
WAYMARK_PROVIDER_STEP(Schedule)
WAYMARK_PROVIDER_STEP(Start)
WAYMARK_PROVIDER_STEP(ReportProgress)
WAYMARK_PROVIDER_STEP(Close)
WAYMARK_PROVIDER_STEP(Cancel)
WAYMARK_PROVIDER_STEP(RecordRetention)
#undef WAYMARK_PROVIDER_STEP

grpc::Status NodeService::ListReferrals(grpc::ServerContext* context,
                                        const v1::ListReferralsRequest* request,
                                        v1::ListReferralsResponse* response) {
  return Run(context, [&](const Actor& actor) {
    return IntoList(node_.overview.List(actor, *request), response->mutable_referrals());
  });
}

grpc::Status NodeService::GetReferral(grpc::ServerContext* context,
                                      const v1::GetReferralRequest* request,
                                      v1::GetReferralResponse* response) {
  return Run(context, [&](const Actor& actor) -> absl::Status {
    const auto id = ReferralId::FromBytes(request->referral_id());
    if (!id) return InvalidField("referral_id is not 16 bytes");
    return Into(node_.overview.Get(actor, *id),
                [&](v1::GetReferralResponse shown) { *response = std::move(shown); });
  });
}

grpc::Status NodeService::ListDisclosures(grpc::ServerContext* context,
                                          const v1::ListDisclosuresRequest* request,
                                          v1::ListDisclosuresResponse* response) {
  return Run(context, [&](const Actor& actor) -> absl::Status {
    const auto id = CaseId::FromBytes(request->case_id());
    if (!id) return InvalidField("case_id is not 16 bytes");
    return IntoList(node_.overview.ListDisclosures(actor, *id), response->mutable_disclosures());
  });
}

grpc::Status NodeService::ListDeliveries(grpc::ServerContext* context,
                                         const v1::ListDeliveriesRequest* request,
                                         v1::ListDeliveriesResponse* response) {
  return Run(context, [&](const Actor& actor) {
    return Into(node_.local.List(actor, *request),
                [&](v1::ListDeliveriesResponse listed) { *response = std::move(listed); });
  });
}

grpc::Status NodeService::ReplayDelivery(grpc::ServerContext* context,
                                         const v1::ReplayDeliveryRequest* request,
                                         v1::ReplayDeliveryResponse* response) {
  return Run(context, [&](const Actor& actor) {
    return Into(node_.local.Replay(actor, *request),
                [&](v1::ReplayDeliveryResponse done) { *response = std::move(done); });
  });
}

grpc::Status NodeService::ResolveDelivery(grpc::ServerContext* context,
                                          const v1::ResolveDeliveryRequest* request,
                                          v1::ResolveDeliveryResponse*) {
  return Run(context, [&](const Actor& actor) { return node_.local.Resolve(actor, *request); });
}

grpc::Status NodeService::ListRefusedItems(grpc::ServerContext* context,
                                           const v1::ListRefusedItemsRequest*,
                                           v1::ListRefusedItemsResponse* response) {
  return Run(context, [&](const Actor& actor) {
    return Into(node_.local.ListItems(actor),
                [&](v1::ListRefusedItemsResponse listed) { *response = std::move(listed); });
  });
}

grpc::Status NodeService::RetryRefusedItem(grpc::ServerContext* context,
                                           const v1::RetryRefusedItemRequest* request,
                                           v1::RetryRefusedItemResponse*) {
  return Run(context, [&](const Actor& actor) { return node_.local.RetryItem(actor, *request); });
}

grpc::Status NodeService::DropRefusedItem(grpc::ServerContext* context,
                                          const v1::DropRefusedItemRequest* request,
                                          v1::DropRefusedItemResponse*) {
  return Run(context, [&](const Actor& actor) { return node_.local.DropItem(actor, *request); });
}

}  // namespace waymark::node
