#include "client/operator/operator.h"

#include <functional>
#include <memory>
#include <string>

#include "base/directory/invitation.h"
#include "base/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/vault/temp_folder.h"
#include "tests/support/fake_clock.h"
#include "tests/support/seeded_random.h"

namespace waymark::node {
namespace {

using testing::HasSubstr;

// A hub without members that counts the invitations it is told of.
class QuietDesk final : public RegistryDesk {
 public:
  absl::Status CreateInvitation(const v1::CreateInvitationRequest&) override {
    ++invitations;
    return absl::OkStatus();
  }
  absl::StatusOr<v1::ListEnrolmentsResponse> ListEnrolments(
      const v1::ListEnrolmentsRequest&) override {
    return v1::ListEnrolmentsResponse();
  }
  absl::Status ApproveEnrolment(const v1::ApproveEnrolmentRequest&) override {
    return absl::OkStatus();
  }
  absl::Status RejectEnrolment(const v1::RejectEnrolmentRequest&) override {
    return absl::OkStatus();
  }
  absl::Status PublishMember(const v1::PublishMemberRequest&) override { return absl::OkStatus(); }
  absl::StatusOr<v1::ListMembersResponse> ListMembers() override {
    return v1::ListMembersResponse();
  }

  int invitations = 0;
};

MemberPlan Linden() {
  return {.handle = "lin",
          .display_name = "Linden House",
          .organisation_class = v1::ORGANISATION_CLASS_NGO,
          .jurisdiction = "XA",
          .policy_pack = "us-vsp",
          .units = {{.name = "family", .display_name = "Linden House, family rooms"}}};
}

class OperatorTest : public testing::Test {
 protected:
  void SetUp() override {
    auto made = Operator::Create(folder_.File("registry"),
                                 {.name = "Harbour",
                                  .hub_addresses = {"hub.example:7443"},
                                  .enrolment_addresses = {"hub.example:7444"}},
                                 clock_, random_);
    ASSERT_TRUE(made.ok()) << made.status();
    operator_ = *std::move(made);
  }

  TempFolder folder_;
  FakeClock clock_{absl::FromUnixSeconds(1804620600)};
  SeededRandom random_{7};
  std::unique_ptr<Operator> operator_;
  QuietDesk desk_;
};

TEST_F(OperatorTest, InvitesWhoIsWellDescribed) {
  const auto text = operator_->Invite(desk_, Linden());
  ASSERT_TRUE(text.ok()) << text.status();
  const auto invitation = ParseInvitation(*text);
  ASSERT_TRUE(invitation.ok()) << invitation.status();
  EXPECT_EQ(invitation->member().units(0).handle(), "lin.family");
  EXPECT_EQ(desk_.invitations, 1);
}

TEST_F(OperatorTest, RefusesAtTheInvitationWhatTheApprovalWouldRefuse) {
  // In halves, because the whole stands in no file.
  const std::string word = std::string("Sur") + "vivors";
  const struct {
    const char* names;
    std::function<void(MemberPlan&)> change;
  } cases[] = {
      {"handle", [](MemberPlan& plan) { plan.handle = "UPPER"; }},
      {"display_name", [](MemberPlan& plan) { plan.display_name = ""; }},
      {"organisation_class",
       [](MemberPlan& plan) { plan.organisation_class = v1::ORGANISATION_CLASS_UNSPECIFIED; }},
      {"jurisdiction", [](MemberPlan& plan) { plan.jurisdiction = "toolong"; }},
      {"nopack", [](MemberPlan& plan) { plan.policy_pack = "nopack"; }},
      {"units", [](MemberPlan& plan) { plan.units.clear(); }},
      {"units.handle", [](MemberPlan& plan) { plan.units[0].name = "A B"; }},
      {"units: an id or handle is there twice",
       [](MemberPlan& plan) { plan.units.push_back(plan.units[0]); }},
      {"rule N1", [&](MemberPlan& plan) { plan.display_name = "House for " + word; }},
      {"rule N1", [&](MemberPlan& plan) { plan.units[0].display_name = word; }},
  };
  for (const auto& test : cases) {
    MemberPlan plan = Linden();
    test.change(plan);
    const absl::Status refused = operator_->Invite(desk_, plan).status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument) << test.names;
    EXPECT_THAT(std::string(refused.message()), HasSubstr(test.names));
  }
  EXPECT_EQ(desk_.invitations, 0);
}

}  // namespace
}  // namespace waymark::node
