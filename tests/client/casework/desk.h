// The staff of the office at work: every use case of its node, and a partner who answers.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/status/status.h"
#include "client/casework/cases.h"
#include "client/casework/consents.h"
#include "client/casework/origin.h"
#include "client/casework/overview.h"
#include "client/casework/provider.h"
#include "client/casework/receiver.h"
#include "tests/client/casework/office.h"

namespace waymark::node {

class DeskTest : public ::testing::Test {
 protected:
  DeskTest() {
    office_.PublishPartner();
    office_.Append(SignStatement(office_.network.Service(office_.qso), office_.qso.identity));
    office_.Watch();
    lead_ = LogIn(v1::STAFF_ROLE_CASEWORKER);
  }

  // Somebody with this role, logged in.
  Actor LogIn(v1::StaffRole role) {
    constexpr char kPassphrase[] = "an invented passphrase";
    v1::PutStaffRequest request;
    request.set_name("staff-" + std::to_string(role));
    request.set_role(role);
    request.set_passphrase(kPassphrase);
    if (role != v1::STAFF_ROLE_ADMINISTRATOR) request.add_unit_ids(office_.lin.unit.bytes());
    EXPECT_TRUE(staff_.Put(request).ok());
    const auto login = staff_.Login(request.name(), SecretBytes::CopyOf(kPassphrase));
    EXPECT_TRUE(login.ok()) << login.status();
    return staff_.Authenticate(login->token()).value();
  }

  static std::string NewId() { return SystemRandom().Bytes(16); }

  static v1::PutNeedRequest NeedOf(const std::string& case_id, uint32_t code, uint32_t rank) {
    v1::PutNeedRequest request;
    request.set_case_id(case_id);
    request.mutable_need()->set_need_id(NewId());
    request.mutable_need()->set_service_code(code);
    request.mutable_need()->set_person_rank(rank);
    request.mutable_need()->set_urgency(v1::URGENCY_U0);
    return request;
  }

  // Takes in what the partner sent; returns the reasons of what was refused.
  std::vector<v1::Reason> Receive() {
    std::vector<v1::Reason> refused;
    const auto taken = receiver_.ProcessInbox(
        [&](const absl::Status& verdict) { refused.push_back(ReasonOf(verdict)); });
    EXPECT_TRUE(taken.ok()) << taken.status();
    return refused;
  }

  // A message of the partner in the referral, under its latest token, taken in.
  std::vector<v1::Reason> Answer(const std::string& referral_id, v1::Kind kind, v1::Stage stage,
                                 v1::Payload payload, int64_t respond_by = 0) {
    const auto id = *ReferralId::FromBytes(referral_id);
    const auto referral = office_.Read([&](const Reader& r) { return LoadReferral(r, id); });
    const local::v1::TokenEntry& token = *referral.tokens().rbegin();
    payload.set_token(token.token());
    payload.set_token_signature(token.signature());
    v1::Header header = office_.Header(kind, id);
    header.set_stage(stage);
    if (respond_by != 0) header.set_respond_by(respond_by);
    office_.Arrive(header, payload);
    return Receive();
  }

  // The partner's receipt for a message of the own unit.
  void Receipt(const std::string& referral_id, const std::string& message_id, v1::Reason reason) {
    v1::Payload payload;
    v1::Receipt& receipt = *payload.mutable_receipt();
    receipt.set_message_id(message_id);
    receipt.set_reason(reason);
    receipt.set_outcome(reason == v1::REASON_UNSPECIFIED ? v1::RECEIPT_OUTCOME_STORED
                                                         : v1::RECEIPT_OUTCOME_REFUSED);
    Answer(referral_id, v1::KIND_RECEIPT, v1::STAGE_NONE, payload);
  }

  local::v1::Referral Load(const std::string& referral_id) {
    return office_.Read(
        [&](const Reader& r) { return LoadReferral(r, *ReferralId::FromBytes(referral_id)); });
  }
  std::string StateOfReferral(const std::string& referral_id) { return Load(referral_id).state(); }

  Office office_;
  StaffRegister staff_{*office_.vault, office_.clock, SystemRandom(), {.n = 16, .r = 1, .p = 1}};
  Cases cases_{*office_.vault, office_.context.catalogue, office_.clock};
  Consents consents_{office_.context};
  Origin origin_{office_.context};
  Provider provider_{office_.context};
  Overview overview_{office_.context};
  Receiver receiver_{office_.context};
  Upkeep upkeep_{office_.context};
  Actor lead_;
};

}  // namespace waymark::node
