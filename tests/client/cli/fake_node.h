// The node's local API as the tests of the command line need it.
#pragma once

#include <atomic>
#include <string>

#include "base/rpc/status_mapping.h"
#include "base/status/status.h"
#include "base/sync/sync.h"
#include "waymark/v1/node.grpc.pb.h"

namespace waymark::node {

constexpr char kToken[] = "a-token-of-the-test";

// A node that answers what a test tells it to.
class FakeNode final : public v1::NodeService::Service {
 public:
  grpc::Status Login(grpc::ServerContext*, const v1::LoginRequest* request,
                     v1::LoginResponse* response) override {
    if (request->passphrase() != "correct horse battery") {
      return ToGrpc(Error(v1::REASON_STAFF_NOT_ALLOWED, "the name or the passphrase is wrong"));
    }
    response->set_token(kToken);
    response->set_role(v1::STAFF_ROLE_CASEWORKER);
    return grpc::Status::OK;
  }

  grpc::Status Logout(grpc::ServerContext* context, const v1::LogoutRequest*,
                      v1::LogoutResponse*) override {
    if (!HasToken(*context)) return ToGrpc(Error(v1::REASON_STAFF_NOT_ALLOWED, "no login"));
    logged_out = true;
    return grpc::Status::OK;
  }

  grpc::Status GetStatus(grpc::ServerContext*, const v1::GetStatusRequest*,
                         v1::GetStatusResponse* response) override {
    const MutexLock lock(mu_);
    *response = status;
    return grpc::Status::OK;
  }

  grpc::Status ListDirectory(grpc::ServerContext*, const v1::ListDirectoryRequest*,
                             v1::ListDirectoryResponse* response) override {
    v1::DirectoryMember* member = response->add_members();
    member->set_organisation_id(std::string(16, 'o'));
    member->set_identity_key_fingerprint("AB12 CD34");
    member->set_identity_key_changed(true);
    member->mutable_member()->set_handle("lin");
    v1::Unit* unit = member->mutable_member()->add_units();
    unit->set_unit_id(std::string(16, 'u'));
    unit->set_handle("lin.family");
    AddTraining(v1::TRAINING_TOPIC_CHILD, v1::TRAINED_GROUP_STAFF, 2099, *member);
    AddTraining(v1::TRAINING_TOPIC_CULTURAL, v1::TRAINED_GROUP_INTERPRETERS, 2020, *member);
    v1::DirectoryListing* listing = response->add_services();
    listing->mutable_service()->set_handle("lin-206");
    listing->set_unit_handle("lin.family");
    listing->set_status(v1::CAPACITY_STATUS_UNKNOWN);
    return grpc::Status::OK;
  }

  grpc::Status ConfirmIdentityKey(grpc::ServerContext*,
                                  const v1::ConfirmIdentityKeyRequest* request,
                                  v1::ConfirmIdentityKeyResponse*) override {
    const MutexLock lock(mu_);
    confirmed = *request;
    return grpc::Status::OK;
  }

  grpc::Status ListCases(grpc::ServerContext* context, const v1::ListCasesRequest*,
                         v1::ListCasesResponse* response) override {
    if (!HasToken(*context)) {
      return ToGrpc(Error(v1::REASON_STAFF_NOT_ALLOWED, "there is no login"));
    }
    for (const char* label : {"QSO-c-7714", "QSO-c-7715"}) {
      v1::Case* person = response->add_cases();
      person->set_case_id(std::string("\xab\xcd", 2) + std::string(10, label[9]) + "last");
      person->set_label(label);
    }
    return grpc::Status::OK;
  }

  grpc::Status GetCase(grpc::ServerContext*, const v1::GetCaseRequest* request,
                       v1::GetCaseResponse* response) override {
    response->mutable_case_()->set_case_id(request->case_id());
    return grpc::Status::OK;
  }

  grpc::Status ListReferrals(grpc::ServerContext*, const v1::ListReferralsRequest*,
                             v1::ListReferralsResponse*) override {
    return grpc::Status::OK;
  }

  grpc::Status GetReferral(grpc::ServerContext*, const v1::GetReferralRequest* request,
                           v1::GetReferralResponse* response) override {
    const MutexLock lock(mu_);
    *response = referral;
    response->mutable_summary()->set_referral_id(request->referral_id());
    return grpc::Status::OK;
  }

  grpc::Status QueryCapacity(grpc::ServerContext*, const v1::QueryCapacityRequest*,
                             v1::QueryCapacityResponse*) override {
    return grpc::Status::OK;
  }

  grpc::Status MatchServices(grpc::ServerContext*, const v1::MatchServicesRequest*,
                             v1::MatchServicesResponse* response) override {
    for (const char id : {'s', 't'}) {
      v1::ServiceMatch* match = response->add_matches();
      match->mutable_entry()->mutable_service()->set_service_id(std::string(16, id));
      match->mutable_entry()->mutable_service()->set_handle(std::string(1, id) + "-206");
      v1::MatchFinding* finding = match->add_findings();
      finding->set_verdict(v1::MATCH_VERDICT_CONFLICTS);
      finding->set_text("Is full.");
    }
    return grpc::Status::OK;
  }

  // Nothing but a gap, and only for exactly what the test asks.
  grpc::Status GetCoverage(grpc::ServerContext*, const v1::GetCoverageRequest* request,
                           v1::GetCoverageResponse* response) override {
    if (request->area() != "XA-M" || request->code() != 206 || request->language() != "ti" ||
        request->need() != v1::SERVICE_NEED_WITH_CHILDREN || !request->gaps_only()) {
      return ToGrpc(Error(v1::REASON_FIELD_INVALID, "another request than expected"));
    }
    response->set_cells_total(1);
    response->set_cells_nobody(1);
    v1::CoverageCell* cell = response->add_cells();
    cell->set_code(206);
    cell->set_area("XA-M");
    cell->set_nobody(true);
    return grpc::Status::OK;
  }

  grpc::Status Preview(grpc::ServerContext*, const v1::PreviewRequest*,
                       v1::PreviewResponse* response) override {
    response->set_recipient("lin.family");
    response->set_stage(v1::STAGE_ACCEPTED);
    response->mutable_sections()->mutable_need()->set_quantity(1);
    response->set_digest(std::string(32, 'd'));
    if (holds_back) {
      v1::Finding& finding = *response->add_findings();
      finding.set_reason(v1::REASON_CONSENT_FIELD);
      finding.set_field("NEED.quantity");
      finding.set_text("the consent does not list it");
    }
    return grpc::Status::OK;
  }

  grpc::Status GetLabels(grpc::ServerContext*, const v1::GetLabelsRequest*,
                         v1::GetLabelsResponse* response) override {
    if (!has_labels) return {grpc::StatusCode::UNIMPLEMENTED, "an older node"};
    (*response->mutable_labels()->mutable_values())["STAGE_ACCEPTED"] = "the person said yes";
    return grpc::Status::OK;
  }

  // Two deliveries that need a person, and with `all` one that is done.
  grpc::Status ListDeliveries(grpc::ServerContext*, const v1::ListDeliveriesRequest* request,
                              v1::ListDeliveriesResponse* response) override {
    const auto add = [&](char id, v1::LocalDeliveryState state) -> v1::LocalDelivery& {
      v1::LocalDelivery& delivery = *response->add_deliveries();
      delivery.set_delivery_id(std::string(16, id));
      delivery.set_referral_id(std::string(16, 'r'));
      delivery.set_connector("beds");
      delivery.set_key("7272");
      delivery.set_task(v1::LOCAL_DELIVERY_TASK_WRITE);
      delivery.set_state(state);
      return delivery;
    };
    add('a', v1::LOCAL_DELIVERY_STATE_UNCERTAIN).set_cure("Look for the record.");
    v1::LocalDelivery& dead = add('b', v1::LOCAL_DELIVERY_STATE_DEAD);
    dead.set_reason(v1::REASON_LOCAL_SYSTEM_REFUSED);
    dead.set_detail("the table is full");
    dead.set_attempts(12);
    if (request->all()) add('c', v1::LOCAL_DELIVERY_STATE_DONE);
    return grpc::Status::OK;
  }

  grpc::Status ReplayDelivery(grpc::ServerContext*, const v1::ReplayDeliveryRequest* request,
                              v1::ReplayDeliveryResponse* response) override {
    const MutexLock lock(mu_);
    replayed = *request;
    response->set_replayed(request->delivery_id().empty() ? 2 : 1);
    return grpc::Status::OK;
  }

  grpc::Status ResolveDelivery(grpc::ServerContext*, const v1::ResolveDeliveryRequest* request,
                               v1::ResolveDeliveryResponse*) override {
    const MutexLock lock(mu_);
    resolved = *request;
    return grpc::Status::OK;
  }

  grpc::Status ListRefusedItems(grpc::ServerContext*, const v1::ListRefusedItemsRequest*,
                                v1::ListRefusedItemsResponse* response) override {
    v1::LocalItem& item = *response->add_items();
    item.set_item_id(std::string(16, 'i'));
    item.set_connector("beds");
    item.set_text("{\"said\":\"something\"}");
    v1::LocalItemFinding& finding = *item.add_findings();
    finding.set_reason(v1::REASON_FIELD_INVALID);
    finding.set_field("kind");
    finding.set_text("is no step");
    return grpc::Status::OK;
  }

  grpc::Status RetryRefusedItem(grpc::ServerContext*, const v1::RetryRefusedItemRequest* request,
                                v1::RetryRefusedItemResponse*) override {
    if (request->item_id() != std::string(16, 'i')) {
      return ToGrpc(Error(v1::REASON_NOT_FOUND, "another item than expected"));
    }
    return ToGrpc(Error(v1::REASON_FIELD_INVALID, "kind is no step"));
  }

  grpc::Status DropRefusedItem(grpc::ServerContext*, const v1::DropRefusedItemRequest* request,
                               v1::DropRefusedItemResponse*) override {
    const MutexLock lock(mu_);
    dropped = request->item_id();
    return grpc::Status::OK;
  }

  // The test and the calls take turns: what the one has set, the other sees from the next turn on.
  void EndTurn() { const MutexLock lock(mu_); }

  // What it answers; set while no call runs.
  v1::GetStatusResponse status;
  v1::GetReferralResponse referral;
  // Whether it has labels of its own.
  std::atomic<bool> has_labels = false;
  // Whether a preview finds something to hold back.
  std::atomic<bool> holds_back = false;

  // What it was told.
  v1::ConfirmIdentityKeyRequest confirmed;
  v1::ReplayDeliveryRequest replayed;
  v1::ResolveDeliveryRequest resolved;
  std::string dropped;
  // Whether a call ended the session of kToken.
  std::atomic<bool> logged_out = false;

 private:
  Mutex mu_;

  static void AddTraining(v1::TrainingTopic topic, v1::TrainedGroup group, int year,
                          v1::DirectoryMember& member) {
    v1::Training& training = *member.mutable_profile()->add_training();
    training.set_topic(topic);
    training.set_group(group);
    training.mutable_valid_until()->set_year(year);
    training.mutable_valid_until()->set_month(12);
    training.mutable_valid_until()->set_day(31);
  }
  static bool HasToken(const grpc::ServerContext& context) {
    const auto header = context.client_metadata().find("authorization");
    return header != context.client_metadata().end() &&
           header->second == std::string("Bearer ") + kToken;
  }
};

}  // namespace waymark::node
