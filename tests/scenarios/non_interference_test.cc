// Two people, one walk: what the hub is sent must differ in ciphertext, hashes and signatures
// alone.
//
// The walk is told twice with the same seed, over two real networks, for two people of whom every
// value differs. Compared is all that the hub was sent, message by message, with ids replaced by
// the order in which they appear, and sealed boxes, signatures, hashes and locks by their length.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/envelope/header.h"
#include "base/status/status.h"
#include "tests/scenarios/walkthrough.h"
#include "tests/support/evidence.h"
#include "tests/support/seeded_random.h"

namespace waymark::testing {
namespace {

constexpr uint32_t kSeed = 206;

// What the hub can tell of one walk: a text per referral, sorted, because concurrent referrals may
// overtake each other. Within a referral the lines of each sender stand in their order.
class Observation {
 public:
  Observation(const NetworkFixture& network, const std::vector<v1::Submission>& submissions) {
    for (const char* unit : {"qso.night", "bwi.pool", "lin.family"}) {
      units_[network.unit(unit).bytes()] = unit;
    }
    for (const v1::Submission& item : submissions) {
      item.has_message() ? Add(item.message()) : Add(item.registration());
    }
  }

  std::vector<std::string> Texts() const {
    std::vector<std::string> texts = registrations_;
    for (const auto& [unused, lines] : lines_) {
      std::string text;
      for (const auto& [unit, line] : lines) text.append(unit).append("\n").append(line);
      texts.push_back(text);
    }
    std::sort(texts.begin(), texts.end());
    return texts;
  }

 private:
  std::string UnitOf(const std::string& id) const {
    const auto found = units_.find(id);
    return found == units_.end() ? "somebody" : found->second;
  }

  void Add(const v1::Message& message) {
    const v1::Header header = *ParseHeader(message.header());
    const int64_t sent = header.sent_minute();
    std::string line =
        "  " + v1::Kind_Name(header.kind()) + " " + v1::Stage_Name(header.stage()) + " to " +
        UnitOf(header.recipient_unit()) + " " + v1::Urgency_Name(header.urgency()) + " respond +" +
        std::to_string(header.respond_by() - sent) + " expires +" +
        std::to_string(header.expires_at() - sent) + " token " +
        std::to_string(header.token_hash().size()) + " until " +
        std::to_string(header.token_valid_until()) + " " +
        v1::SizeBucket_Name(header.size_bucket()) + " versions " +
        std::to_string(header.schema_version()) + "." + std::to_string(header.taxonomy_version()) +
        " header " + std::to_string(message.header().size()) + " sealed " +
        std::to_string(message.sealed().size()) + "\n";
    lines_[header.referral_id()][UnitOf(header.sender_unit())] += line;
  }

  void Add(const v1::TokenRegistration& registration) {
    registrations_.push_back("token of " + UnitOf(registration.issuer_unit()) + " presented by " +
                             UnitOf(registration.presenter_unit()) + " to " +
                             UnitOf(registration.recipient_unit()) + " up to " +
                             v1::Stage_Name(registration.stage_ceiling()) + " until " +
                             std::to_string(registration.valid_until_hour()) + " separate " +
                             std::to_string(static_cast<int>(registration.separate_release())) +
                             " hash " + std::to_string(registration.token_hash().size()) +
                             " lock " + std::to_string(registration.revocation_lock().size()));
  }

  std::map<std::string, std::string> units_;
  std::vector<std::string> registrations_;
  std::map<std::string, std::map<std::string, std::string>> lines_;
};

absl::StatusOr<std::vector<std::string>> WalkFor(const Person& person) {
  ASSIGN_OR_RETURN(const auto network,
                   NetworkFixture::Create(Scenario1Organisations({"qso", "bwi", "lin"})));
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
  RETURN_IF_ERROR(network->StopAll());
  ASSIGN_OR_RETURN(const auto frames, network->hub().Recorded());
  return Observation(*network, SubmissionsIn(frames)).Texts();
}

TEST(NonInterferenceTest, TheHubSeesNoDifferenceBetweenTwoPeople) {
  const auto one = WalkFor(Sara());
  ASSERT_TRUE(one.ok()) << one.status();
  const auto other = WalkFor(SomebodyElse());
  ASSERT_TRUE(other.ok()) << other.status();
  EXPECT_GE(one->size(), 4);
  EXPECT_EQ(*one, *other);
}

}  // namespace
}  // namespace waymark::testing
