// What every connector does, whatever its kind: tried against each kind's real system.

#include <gmock/gmock.h>

#include <algorithm>
#include <optional>

#include "base/status/status.h"
#include "tests/client/connectors/tried_system.h"
#include "tests/support/fake_clock.h"

namespace waymark::node {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

namespace {

constexpr char kKey[] = "AbC-1";
constexpr char kOther[] = "AbC-2";
constexpr char kCanary[] = "canary-7f3a";
constexpr absl::Duration kLongEnough = absl::Minutes(1);

class ConnectorConformance : public ::testing::TestWithParam<TriedSystemKind> {
 protected:
  void SetUp() override {
    system_ = GetParam().create();
    Open();
  }

  TriedSystem& system() { return *system_; }
  Connector& connector() { return *connector_; }

  void Open() {
    auto opened = OpenFrom(system_->Settings(), clock_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    connector_ = *std::move(opened);
  }

  LocalRecord Record(const std::string& key, const std::string& note) const {
    return {.key = key, .json = system_->RecordOf(note)};
  }

  WriteOutcome Write(const std::string& key, const std::string& note) {
    return connector().Write(Record(key, note)).outcome;
  }

  // A page, of files only once they have been the same for long enough.
  absl::StatusOr<FeedPage> Read(const std::string& cursor) {
    auto page = connector().Read(Feed::kUpdates, cursor);
    if (!page.ok() || !page->items.empty()) return page;
    clock_.Advance(kLongEnough);
    return connector().Read(Feed::kUpdates, cursor);
  }

  // What is said on the page after `cursor`.
  std::vector<std::string> Said(const std::string& cursor) {
    const auto page = Read(cursor);
    EXPECT_TRUE(page.ok()) << page.status();
    std::vector<std::string> said;
    if (!page.ok()) return said;
    said.reserve(page->items.size());
    for (const std::string& item : page->items) said.push_back(system_->SaidIn(item));
    return said;
  }

 private:
  FakeClock clock_{absl::FromUnixSeconds(1000000)};
  std::unique_ptr<TriedSystem> system_;
  std::unique_ptr<Connector> connector_;
};

TEST_P(ConnectorConformance, ARepeatedWriteLeavesOneRecord) {
  EXPECT_TRUE(connector().keyed());
  EXPECT_EQ(Write(kKey, "first"), WriteOutcome::kDone);
  EXPECT_EQ(Write(kKey, "first"), WriteOutcome::kDone);
  EXPECT_EQ(Write(kOther, "second"), WriteOutcome::kDone);
  EXPECT_THAT(system().Notes(), UnorderedElementsAre(Pair(kKey, "first"), Pair(kOther, "second")));
}

TEST_P(ConnectorConformance, IsReadyOnceItsSystemHasBeenSeen) {
  system().Break();
  FakeClock clock(absl::UnixEpoch());
  const auto made = MakeFrom(system().Settings(), clock);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_TRUE((*made)->keyed()) << "the settings say so";
  const absl::Status away = (*made)->Ready();
  EXPECT_TRUE(away.ok() || ReasonOf(away) == v1::REASON_LOCAL_SYSTEM_UNAVAILABLE) << away;
  system().Mend();
  EXPECT_EQ((*made)->Ready(), absl::OkStatus());
  EXPECT_EQ((*made)->Ready(), absl::OkStatus());
  EXPECT_EQ((*made)->Write(Record(kKey, "first")).outcome, WriteOutcome::kDone);
}

TEST_P(ConnectorConformance, ANewerVersionReplacesTheRecord) {
  EXPECT_EQ(Write(kKey, "first"), WriteOutcome::kDone);
  Open();
  EXPECT_EQ(Write(kKey, "second"), WriteOutcome::kDone);
  EXPECT_THAT(system().Notes(), UnorderedElementsAre(Pair(kKey, "second")));
}

TEST_P(ConnectorConformance, ErasesOneRecordAndNoOther) {
  EXPECT_EQ(Write(kKey, "first"), WriteOutcome::kDone);
  EXPECT_EQ(Write(kOther, "second"), WriteOutcome::kDone);
  EXPECT_EQ(connector().Erase(kKey).outcome, WriteOutcome::kDone);
  EXPECT_THAT(system().Notes(), UnorderedElementsAre(Pair(kOther, "second")));
  EXPECT_EQ(connector().Erase(kKey).outcome, WriteOutcome::kDone) << "it is no longer there";
  EXPECT_EQ(connector().Erase("never-there").outcome, WriteOutcome::kDone);
}

TEST_P(ConnectorConformance, ReadsInPagesAndGoesOnAtTheCursor) {
  std::vector<std::string> all(300);
  for (size_t i = 0; i < all.size(); ++i) all[i] = "saying " + std::to_string(i);
  system().Say(all);
  const auto first = Read("");
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_THAT(first->items, SizeIs(256));
  EXPECT_TRUE(first->more);
  ASSERT_TRUE(connector().Taken(Feed::kUpdates, first->cursor).ok());
  const auto second = Read(first->cursor);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_FALSE(second->more);
  ASSERT_TRUE(connector().Taken(Feed::kUpdates, second->cursor).ok());
  std::vector<std::string> said;
  for (const auto* page : {&*first, &*second}) {
    for (const std::string& item : page->items) said.push_back(system().SaidIn(item));
  }
  EXPECT_THAT(said, ElementsAreArray(all));

  const auto nothing = Read(second->cursor);
  ASSERT_TRUE(nothing.ok()) << nothing.status();
  EXPECT_THAT(nothing->items, IsEmpty());
  EXPECT_EQ(nothing->cursor, second->cursor);
  EXPECT_FALSE(nothing->more);
  system().Say({"later"});
  EXPECT_THAT(Said(second->cursor), ElementsAre("later"));
}

TEST_P(ConnectorConformance, WhatWasNotTakenComesAgain) {
  system().Say({"one", "two"});
  EXPECT_THAT(Said(""), ElementsAre("one", "two"));
  EXPECT_THAT(Said(""), ElementsAre("one", "two"));
  Open();
  EXPECT_THAT(Said(""), ElementsAre("one", "two"));
}

TEST_P(ConnectorConformance, ASystemOutOfReachIsReachedLater) {
  system().Say({"one"});
  system().Break();
  EXPECT_EQ(Write(kKey, "first"), WriteOutcome::kNotNow);
  EXPECT_EQ(connector().Erase(kKey).outcome, WriteOutcome::kNotNow);
  EXPECT_EQ(ReasonOf(connector().Read(Feed::kUpdates, "").status()),
            v1::REASON_LOCAL_SYSTEM_UNAVAILABLE);
  Open();
  EXPECT_EQ(Write(kKey, "first"), WriteOutcome::kNotNow) << "nor does a start need it";
  system().Mend();
  EXPECT_EQ(Write(kKey, "first"), WriteOutcome::kDone);
  EXPECT_THAT(Said(""), ElementsAre("one"));
  EXPECT_THAT(system().Notes(), UnorderedElementsAre(Pair(kKey, "first")));
}

TEST_P(ConnectorConformance, ASystemThatDeniesHasNothing) {
  system().Deny();
  const WriteResult result = connector().Write(Record(kKey, kCanary));
  EXPECT_EQ(result.outcome, WriteOutcome::kRefused);
  EXPECT_THAT(result.detail, Not(IsEmpty()));
  EXPECT_THAT(result.detail, Not(HasSubstr(kCanary)));
}

TEST_P(ConnectorConformance, HostileValuesAreOnlyValues) {
  const std::string values[] = {"'); DROP TABLE records; --",
                                "\" || 'x'",
                                "a\nb\r\nc\td",
                                "../../etc/passwd",
                                "$(id) `id` ${PATH} %s %n",
                                ":key ?1 $1 @x",
                                "\\ \\' \\u0041 \x01\x1f",
                                "\xf0\x9f\x97\x9d \xe2\x80\xae \xc3\xa9",
                                "{\"note\":\"nested\"}",
                                "a,b;c\"d\"",
                                " spaced ",
                                ""};
  int number = 0;
  for (const std::string& value : values) {
    const std::string key = "hostile-" + std::to_string(++number);
    const WriteResult result = connector().Write(Record(key, value));
    EXPECT_EQ(result.outcome, WriteOutcome::kDone) << result.detail;
    EXPECT_EQ(system().Notes()[key], value);
  }
  EXPECT_THAT(system().Notes(), SizeIs(std::size(values)));
}

TEST_P(ConnectorConformance, AZeroIsKeptOrRefused) {
  const std::string value("a\0canary-7f3a", 13);
  const WriteResult result = connector().Write(Record(kKey, value));
  if (system().holds_zero()) {
    EXPECT_EQ(result.outcome, WriteOutcome::kDone) << result.detail;
    EXPECT_EQ(system().Notes()[kKey], value);
  } else {
    EXPECT_EQ(result.outcome, WriteOutcome::kRefused);
    EXPECT_THAT(result.detail, Not(HasSubstr(kCanary)));
    EXPECT_THAT(system().Notes(), IsEmpty());
  }
}

TEST_P(ConnectorConformance, HostileKeysAreRefused) {
  const std::string keys[] = {"",
                              "../x",
                              "a/b",
                              "a'b",
                              "a\nb",
                              "a b",
                              ".",
                              std::string("a\0b", 3),
                              "\xc3\xa9",
                              "x; DROP TABLE records",
                              std::string(65, 'a')};
  for (const std::string& key : keys) {
    EXPECT_EQ(Write(key, "first"), WriteOutcome::kRefused);
    EXPECT_EQ(connector().Erase(key).outcome, WriteOutcome::kRefused);
  }
  EXPECT_THAT(system().Notes(), IsEmpty());
  EXPECT_EQ(Write(std::string(64, 'a'), "first"), WriteOutcome::kDone);
}

TEST_P(ConnectorConformance, WhatIsNoObjectIsRefused) {
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "{\"note\":";
  const std::string texts[] = {"",
                               "[\"canary-7f3a\"]",
                               "\"canary-7f3a\"",
                               "{\"note\":\"canary-7f3a",
                               "{\"note\":\"canary-7f3a\",\"note\":1}",
                               "{\"note\":\"\xff\"}",
                               "{\"note\":\"\\ud800\"}",
                               deep};
  for (const std::string& text : texts) {
    const WriteResult result = connector().Write({.key = kKey, .json = text});
    EXPECT_EQ(result.outcome, WriteOutcome::kRefused) << text;
    EXPECT_THAT(result.detail, Not(HasSubstr(kCanary)));
  }
  EXPECT_THAT(system().Notes(), IsEmpty());
}

TEST_P(ConnectorConformance, AFeedThatItDoesNotHaveIsRefused) {
  EXPECT_EQ(ReasonOf(connector().Read(Feed::kCapacity, "").status()),
            v1::REASON_LOCAL_SYSTEM_REFUSED);
}

// The systems that can be made to lose an answer.
class ConnectorLosesAnswers : public ConnectorConformance {};

TEST_P(ConnectorLosesAnswers, ACrashBeforeTheAnswerLeavesOneRecord) {
  for (int i = 0; i < 5; ++i) {
    system().LoseAnswers();
    EXPECT_EQ(Write(kKey, "first"), WriteOutcome::kNotNow);
    EXPECT_THAT(system().Notes(), UnorderedElementsAre(Pair(kKey, "first"))) << "it was taken";
    system().Break();
    EXPECT_EQ(Write(kKey, "first"), WriteOutcome::kNotNow);
    system().Mend();
    EXPECT_EQ(Write(kKey, "first"), WriteOutcome::kDone);
    EXPECT_THAT(system().Notes(), UnorderedElementsAre(Pair(kKey, "first")));

    system().LoseAnswers();
    EXPECT_EQ(connector().Erase(kKey).outcome, WriteOutcome::kNotNow);
    EXPECT_THAT(system().Notes(), IsEmpty());
    system().Mend();
    EXPECT_EQ(connector().Erase(kKey).outcome, WriteOutcome::kDone);
  }
}

INSTANTIATE_TEST_SUITE_P(OverHttp, ConnectorLosesAnswers,
                         ::testing::Values(TriedSystemKind{"http", &MakeHttpSystem},
                                           TriedSystemKind{"fhir", &MakeFhirSystem}),
                         [](const ::testing::TestParamInfo<TriedSystemKind>& kind) {
                           return kind.param.name;
                         });

INSTANTIATE_TEST_SUITE_P(Every, ConnectorConformance,
                         ::testing::Values(TriedSystemKind{"sqlite", &MakeSqliteSystem},
                                           TriedSystemKind{"postgres", &MakePostgresSystem},
                                           TriedSystemKind{"http", &MakeHttpSystem},
                                           TriedSystemKind{"fhir", &MakeFhirSystem},
                                           TriedSystemKind{"files_json", &MakeJsonFilesSystem},
                                           TriedSystemKind{"files_csv", &MakeCsvFilesSystem},
                                           TriedSystemKind{"command", &MakeCommandSystem}),
                         [](const ::testing::TestParamInfo<TriedSystemKind>& kind) {
                           return kind.param.name;
                         });

}  // namespace
}  // namespace waymark::node
