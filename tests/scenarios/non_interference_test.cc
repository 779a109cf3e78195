// Two people, one walk: what the hub was sent, stored, logged and counted differs in ids,
// ciphertext, hashes and signatures alone.
//
// The walk is told twice with the same seed, over two real networks, for two people of whom every
// value differs. hub_view.h says in which form the two are compared, and what is left out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include "base/status/status.h"
#include "tests/scenarios/hub_view.h"
#include "tests/scenarios/walkthrough.h"
#include "tests/support/seeded_random.h"

namespace waymark::testing {
namespace {

using ::testing::IsEmpty;

constexpr uint32_t kSeed = 206;

struct Observation {
  std::vector<std::string> submissions;
  std::vector<std::string> database;
  std::vector<std::string> log;
  std::vector<std::string> metrics;
};

absl::StatusOr<Observation> WalkFor(const Person& person) {
  ASSIGN_OR_RETURN(const auto network,
                   NetworkFixture::Create(Scenario1Organisations({"qso", "bwi", "lin"})));
  const HubView view(*network);
  SeededRandom random(kSeed);
  Walkthrough walk(*network, random, person);
  RETURN_IF_ERROR(walk.OpenCase());
  RETURN_IF_ERROR(walk.RecordInterpreterConsent());
  RETURN_IF_ERROR(walk.InquireInterpreter());
  RETURN_IF_ERROR(walk.InterpreterAnswersAndStarts());
  RETURN_IF_ERROR(walk.RecordInquiryConsent());
  RETURN_IF_ERROR(walk.InquireRooms());
  RETURN_IF_ERROR(walk.RoomsAnswer());
  RETURN_IF_ERROR(walk.Decide());
  RETURN_IF_ERROR(walk.DiscloseAtAcceptance());
  RETURN_IF_ERROR(walk.Schedule());
  RETURN_IF_ERROR(walk.Start());
  RETURN_IF_ERROR(walk.DiscloseAtStart());
  Observation seen;
  ASSIGN_OR_RETURN(const std::string metrics, network->hub().Metrics());
  seen.metrics = HubView::Metrics(metrics);
  RETURN_IF_ERROR(network->StopAll());
  ASSIGN_OR_RETURN(seen.submissions, view.Submissions());
  ASSIGN_OR_RETURN(seen.database, view.Database());
  seen.log = view.Log();
  return seen;
}

// What stands in one of two sorted lists and not in the other.
std::vector<std::string> Differences(const std::vector<std::string>& one,
                                     const std::vector<std::string>& other) {
  std::vector<std::string> differences;
  std::set_symmetric_difference(one.begin(), one.end(), other.begin(), other.end(),
                                std::back_inserter(differences));
  return differences;
}

TEST(NonInterferenceTest, TheHubSeesNoDifferenceBetweenTwoPeople) {
  const auto one = WalkFor(Sara());
  ASSERT_TRUE(one.ok()) << one.status();
  const auto other = WalkFor(SomebodyElse());
  ASSERT_TRUE(other.ok()) << other.status();
  EXPECT_GE(one->submissions.size(), 4);
  EXPECT_THAT(Differences(one->submissions, other->submissions), IsEmpty());
  EXPECT_GE(one->database.size(), 30) << "members, tokens, referrals, ids, the routing log";
  EXPECT_THAT(Differences(one->database, other->database), IsEmpty());
  EXPECT_GE(one->log.size(), 2) << "its orderly end at least";
  EXPECT_THAT(Differences(one->log, other->log), IsEmpty());
  EXPECT_GE(one->metrics.size(), 8);
  EXPECT_THAT(Differences(one->metrics, other->metrics), IsEmpty());
}

}  // namespace
}  // namespace waymark::testing
