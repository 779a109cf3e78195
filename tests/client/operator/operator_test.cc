#include "client/operator/operator.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/directory/invitation.h"
#include "base/directory/statement.h"
#include "base/identity/files.h"
#include "base/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/base/directory/fixtures.h"
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
    return enrolments;
  }
  absl::Status ApproveEnrolment(const v1::ApproveEnrolmentRequest&) override {
    return absl::OkStatus();
  }
  absl::Status RejectEnrolment(const v1::RejectEnrolmentRequest&) override {
    return absl::OkStatus();
  }
  absl::Status PublishMember(const v1::PublishMemberRequest&) override { return absl::OkStatus(); }
  absl::StatusOr<v1::ListMembersResponse> ListMembers(
      const v1::ListMembersRequest& request) override {
    asked.push_back(request.page_token());
    return asked.size() <= pages.size() ? pages[asked.size() - 1] : v1::ListMembersResponse();
  }

  int invitations = 0;
  // What it answers to every listing of enrolments.
  v1::ListEnrolmentsResponse enrolments;
  // What it answers to one listing after another, and the page tokens that it was asked with.
  std::vector<v1::ListMembersResponse> pages;
  std::vector<std::string> asked;
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

TEST_F(OperatorTest, AllPagesOfTheMembersAreReadAndEachIsVerified) {
  const auto key = SigningKey::FromPem(*ReadSecretFile(folder_.File("registry") + "/registry.key"));
  ASSERT_TRUE(key.ok()) << key.status();
  const TestDirectory network;
  const auto page = [&](const std::string& handle, const SigningKey& signer,
                        const std::string& next) {
    const v1::Statement statement = network.Member(TestOrganisation(handle));
    v1::ListMembersResponse response;
    *response.add_members() = SignStatement(statement, signer);
    response.set_next_page_token(next);
    return response;
  };
  desk_.pages = {page("one", *key, "1"), page("two", *key, "2"), page("three", *key, "")};
  for (int round = 0; round < 2; ++round) {
    desk_.asked.clear();
    const auto members = operator_->Members(desk_);
    ASSERT_TRUE(members.ok()) << members.status();
    std::vector<std::string> handles;
    for (const MemberView& view : *members) handles.push_back(view.member.handle());
    EXPECT_THAT(handles, testing::ElementsAre("one", "two", "three")) << "in round " << round;
    EXPECT_THAT(desk_.asked, testing::ElementsAre("", "1", "2"));
  }
  // What a hub changes is not taken for what was verified before.
  desk_.pages[1] = page("two", SigningKey::Generate(), "2");
  desk_.asked.clear();
  EXPECT_EQ(ReasonOf(operator_->Members(desk_).status()), v1::REASON_STATEMENT_INVALID);
  // Nor does it list somebody twice, or nobody and more.
  desk_.pages = {page("one", *key, "1")};
  desk_.pages.push_back(desk_.pages.front());
  desk_.asked.clear();
  EXPECT_EQ(ReasonOf(operator_->Members(desk_).status()), v1::REASON_MALFORMED);
  EXPECT_THAT(desk_.asked, testing::ElementsAre("", "1"));
  desk_.pages[1].clear_members();
  desk_.asked.clear();
  EXPECT_EQ(ReasonOf(operator_->Members(desk_).status()), v1::REASON_MALFORMED);
  EXPECT_THAT(desk_.asked, testing::ElementsAre("", "1"));
}

TEST_F(OperatorTest, AListOfRequestsThatDoesNotEndIsRefused) {
  desk_.enrolments.set_next_page_token("more");
  EXPECT_EQ(ReasonOf(operator_->Requests(desk_).status()), v1::REASON_MALFORMED);
  for (int i = 0; i < 1000; ++i) desk_.enrolments.add_enrolments();
  EXPECT_EQ(ReasonOf(operator_->Requests(desk_).status()), v1::REASON_MALFORMED);
}

}  // namespace
}  // namespace waymark::node
