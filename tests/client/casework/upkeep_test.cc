#include "client/casework/upkeep.h"

#include <vector>

#include "base/status/status.h"
#include "gmock/gmock.h"
#include "tests/client/casework/office.h"

namespace waymark::node {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class UpkeepTest : public ::testing::Test {
 protected:
  // An offer that is held for so long.
  local::v1::Referral Offered(absl::Duration held) {
    local::v1::Referral referral = office_.Referral(NodeState::kOffered, /*originated=*/false);
    referral.set_state_until_ms(ToMillis(office_.clock.Now() + held));
    office_.Save(referral);
    return referral;
  }
  // How many records a tick opens.
  int64_t Tick() { return Tick(upkeep_); }
  int64_t Tick(Upkeep& upkeep) {
    const int64_t before = office_.vault->records_opened();
    const absl::Status done = upkeep.Tick();
    EXPECT_TRUE(done.ok()) << done;
    return office_.vault->records_opened() - before;
  }
  std::string StateOf(const local::v1::Referral& referral) {
    return office_.Load(referral).state();
  }

  Office office_;
  Upkeep upkeep_{office_.context};
};

TEST_F(UpkeepTest, ATickOpensWhatHasChangedAndWhatIsDue) {
  std::vector<local::v1::Referral> offers;
  offers.reserve(40);
  for (int i = 0; i < 40; ++i) offers.push_back(Offered(absl::Hours(1 + i)));
  EXPECT_EQ(Tick(), 40) << "the first one looks at all";
  EXPECT_EQ(Tick(), 0);

  office_.clock.Advance(absl::Hours(1));
  EXPECT_EQ(Tick(), 1);
  EXPECT_EQ(StateOf(offers[0]), "OFFER_LAPSED");
  EXPECT_EQ(StateOf(offers[1]), "OFFERED");
  EXPECT_EQ(Tick(), 1) << "the one that has changed";
  EXPECT_EQ(Tick(), 0);

  office_.clock.Advance(absl::Hours(2));
  EXPECT_EQ(Tick(), 2);
  EXPECT_EQ(StateOf(offers[2]), "OFFER_LAPSED");
}

TEST_F(UpkeepTest, AClockThatIsSetAnewIsTheOneThatCounts) {
  local::v1::Referral sooner = Offered(absl::Hours(9));
  local::v1::Referral later = Offered(absl::Hours(1));
  EXPECT_EQ(Tick(), 2);
  sooner.set_state_until_ms(ToMillis(office_.clock.Now() + absl::Hours(2)));
  office_.Save(sooner);
  later.set_state_until_ms(ToMillis(office_.clock.Now() + absl::Hours(9)));
  office_.Save(later);
  EXPECT_EQ(Tick(), 2);
  office_.clock.Advance(absl::Hours(2));
  EXPECT_EQ(Tick(), 1);
  EXPECT_EQ(StateOf(sooner), "OFFER_LAPSED");
  EXPECT_EQ(StateOf(later), "OFFERED");
}

TEST_F(UpkeepTest, AChangeThatFailedChangesNothing) {
  local::v1::Referral referral = Offered(absl::Hours(1));
  EXPECT_EQ(Tick(), 1);
  referral.set_state_until_ms(ToMillis(office_.clock.Now() + absl::Hours(9)));
  const absl::Status failed = office_.vault->Write([&](Transaction& t) -> absl::Status {
    RETURN_IF_ERROR(SaveReferral(office_.context, t, referral));
    return Error(v1::REASON_INTERNAL, "after all not");
  });
  EXPECT_FALSE(failed.ok());
  EXPECT_EQ(Tick(), 0);
  office_.clock.Advance(absl::Hours(1));
  EXPECT_EQ(Tick(), 1);
  EXPECT_EQ(StateOf(referral), "OFFER_LAPSED");
}

TEST_F(UpkeepTest, WhatCameDueWhileTheNodeWasDownIsDoneAtOnce) {
  const local::v1::Referral referral = Offered(absl::Hours(1));
  office_.clock.Advance(absl::Hours(24));
  Upkeep restarted(office_.context);
  Tick(restarted);
  EXPECT_EQ(StateOf(referral), "OFFER_LAPSED");
}

TEST_F(UpkeepTest, TheEndOfRetentionErasesOnceAndIsThenOver) {
  office_.PublishPartner();
  office_.Watch();
  const local::v1::Referral referral = office_.Referral(NodeState::kStarted, /*originated=*/false);
  const auto id = *ReferralId::FromBytes(referral.referral_id());
  office_.Write([&](Transaction& t) {
    SectionRecord section;
    section.section = v1::SECTION_LANG;
    section.content = SecretBytes::CopyOf("canary");
    return t.PutSection(id, SectionDirection::kReceived, section);
  });
  const auto sections = [&] {
    return office_.Read(
        [&](const Reader& reader) { return reader.ReadSections(id, SectionDirection::kReceived); });
  };
  EXPECT_EQ(Tick(), 1);
  // The office's tokens end after two days; the pack keeps for thirty.
  office_.clock.Advance(absl::Hours(24 * 32 - 1));
  EXPECT_EQ(Tick(), 0);
  EXPECT_THAT(sections(), SizeIs(1));
  office_.clock.Advance(absl::Hours(1));
  EXPECT_GT(Tick(), 0);
  EXPECT_THAT(sections(), IsEmpty());
  EXPECT_EQ(office_.Load(referral).erased_at_ms(), ToMillis(office_.clock.Now()));
  EXPECT_EQ(Tick(), 1);
  EXPECT_EQ(Tick(), 0);
}

}  // namespace
}  // namespace waymark::node
