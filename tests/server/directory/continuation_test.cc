// What is judged of the entries that nodes bring back, one by one.
#include "server/directory/continuation.h"

#include <functional>

#include "base/status/status.h"
#include "gtest/gtest.h"
#include "tests/base/directory/fixtures.h"
#include "tests/client/directory/hub_log.h"

namespace waymark::hub {
namespace {

class ContinuationTest : public ::testing::Test {
 protected:
  ContinuationTest() {
    log_.Append(network_.ByRegistry(network_.Member(lin_)));
    log_.Append(network_.ByRegistry(network_.Member(stb_)));
    state_.Apply(*state_.Check(log_.After(0).entries(0).statement(), TestNow()));
    state_.Apply(*state_.Check(log_.After(0).entries(1).statement(), TestNow()));
  }

  v1::SignedStatement Own(const v1::Statement& statement) const {
    return SignStatement(statement, lin_.identity);
  }

  // The entries that follow the two members.
  v1::ContinueDirectoryRequest Request() const {
    v1::ContinueDirectoryRequest request;
    const v1::WatchDirectoryResponse after = log_.After(2);
    *request.mutable_entries() = after.entries();
    return request;
  }

  absl::StatusOr<std::vector<CheckedStatement>> Take(const v1::ContinueDirectoryRequest& request,
                                                     absl::Time now = TestNow()) {
    return TakeContinuation(request, 0, 2, now, state_);
  }

  // Takes a service, then `statement`.
  v1::Reason Judge(const v1::SignedStatement& statement) {
    log_.Append(Own(network_.Service(lin_)));
    log_.Append(statement);
    return ReasonOf(Take(Request()).status());
  }

  TestDirectory network_;
  TestOrganisation lin_{"lin"};
  TestOrganisation stb_{"stb"};
  node::HubLog log_;
  DirectoryState state_{network_.id, network_.registry.verifying_key()};
};

TEST_F(ContinuationTest, TakesWhatWasRightlyPublished) {
  log_.Append(Own(network_.Service(lin_)));
  log_.Append(network_.ByRegistry(network_.Member(stb_, 2)));
  log_.Append(Own(network_.Service(lin_, 2)));
  const auto taken = Take(Request());
  ASSERT_TRUE(taken.ok()) << taken.status();
  ASSERT_EQ(taken->size(), 3u);
  EXPECT_EQ(taken->back().content.version(), 2u);
  EXPECT_EQ(state_.services().size(), 1u) << "it is applied";
}

TEST_F(ContinuationTest, TakesFromTheFirstThatTheLogLacks) {
  log_.Append(Own(network_.Service(lin_)));
  v1::ContinueDirectoryRequest request;
  *request.mutable_entries() = log_.After(0).entries();
  const auto taken = TakeContinuation(request, 2, 2, TestNow(), state_);
  ASSERT_TRUE(taken.ok()) << taken.status();
  EXPECT_EQ(taken->size(), 1u);
}

TEST_F(ContinuationTest, TakesWhatHasRunOutSince) {
  log_.Append(Own(network_.Service(lin_)));
  EXPECT_TRUE(Take(Request(), TestNow() + absl::Hours(30 * 24)).ok());
}

TEST_F(ContinuationTest, RefusesWhatWasIssuedInTheFuture) {
  log_.Append(Own(network_.Service(lin_)));
  EXPECT_EQ(ReasonOf(Take(Request(), TestNow() - absl::Hours(1)).status()),
            v1::REASON_STATEMENT_INVALID);
}

TEST_F(ContinuationTest, RefusesWhatItsSpeakerDidNotSign) {
  EXPECT_EQ(Judge(SignStatement(network_.UnitKeys(lin_), stb_.identity)),
            v1::REASON_STATEMENT_INVALID);
}

TEST_F(ContinuationTest, RefusesAMemberThatTheRegistryDidNotSign) {
  EXPECT_EQ(Judge(Own(network_.Member(lin_, 2))), v1::REASON_STATEMENT_INVALID);
}

TEST_F(ContinuationTest, RefusesAMemberThatNobodyAdmitted) {
  const TestOrganisation bea("bea");
  EXPECT_EQ(Judge(SignStatement(network_.Service(bea), bea.identity)),
            v1::REASON_STATEMENT_INVALID);
}

TEST_F(ContinuationTest, RefusesTheUnitOfAnother) {
  v1::Statement keys = network_.UnitKeys(stb_);
  keys.set_organisation_id(lin_.id.bytes());
  EXPECT_EQ(Judge(Own(keys)), v1::REASON_STATEMENT_INVALID);
}

TEST_F(ContinuationTest, RefusesAVersionThatIsNotGreater) {
  v1::Statement other = network_.Service(lin_);
  other.mutable_service()->set_withdrawn(true);
  EXPECT_EQ(Judge(Own(other)), v1::REASON_STATEMENT_INVALID);
}

TEST_F(ContinuationTest, RefusesWhatIsInForceAlready) {
  const v1::SignedStatement service = Own(network_.Service(lin_));
  log_.Append(service);
  log_.Append(service);
  EXPECT_EQ(ReasonOf(Take(Request()).status()), v1::REASON_STATEMENT_INVALID);
}

TEST_F(ContinuationTest, RefusesCapacityWhichIsNotInTheLog) {
  EXPECT_EQ(Judge(Own(network_.Capacity(lin_))), v1::REASON_STATEMENT_INVALID);
}

TEST_F(ContinuationTest, RefusesAStatementLongerThanOneMayBeValid) {
  v1::Statement service = network_.UnitKeys(lin_);
  service.set_valid_until_minute(MinuteOf(TestNow() + absl::Hours(9 * 24)));
  EXPECT_EQ(Judge(Own(service)), v1::REASON_STATEMENT_INVALID);
}

TEST_F(ContinuationTest, RefusesAnEntryThatIsNotWhatItClaims) {
  log_.Append(Own(network_.Service(lin_)));
  log_.Append(Own(network_.UnitKeys(lin_)));
  const DirectoryState before = state_;
  const auto refused = [&](const std::function<void(v1::ContinueDirectoryRequest&)>& change) {
    v1::ContinueDirectoryRequest request = Request();
    change(request);
    DirectoryState state = before;
    return ReasonOf(TakeContinuation(request, 0, 2, TestNow(), state).status());
  };
  EXPECT_EQ(refused([](auto&) {}), v1::REASON_UNSPECIFIED);
  EXPECT_EQ(refused([](auto& request) { request.mutable_entries()->SwapElements(0, 1); }),
            v1::REASON_STATEMENT_INVALID);
  EXPECT_EQ(refused([](auto& request) { request.mutable_entries(1)->clear_statement(); }),
            v1::REASON_STATEMENT_INVALID);
  EXPECT_EQ(refused([](auto& request) { request.mutable_entries(1)->set_digest("other"); }),
            v1::REASON_STATEMENT_INVALID);
  EXPECT_EQ(refused([](auto& request) { request.mutable_entries(1)->set_revision(5); }),
            v1::REASON_STATEMENT_INVALID);
  EXPECT_EQ(refused([](auto& request) { request.mutable_entries()->DeleteSubrange(0, 1); }),
            v1::REASON_STATEMENT_INVALID);
  EXPECT_EQ(refused([](auto& request) {
              request.mutable_entries(1)->mutable_statement()->set_statement("?");
            }),
            v1::REASON_STATEMENT_INVALID);
}

}  // namespace
}  // namespace waymark::hub
