// The model finds what it is there to find: a true history passes, and each falsification of it is
// told by the rule that it breaks.
#include "tests/torture/model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace waymark::torture {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kReferral[] = "r1";

// A message that went its way as it should.
void Add(History& history, const std::string& from, const std::string& to,
         const std::string& message, v1::Kind kind, const std::string& detail = "") {
  history.push_back({What::kSubmitted, from, kReferral, message, kind, detail});
  history.push_back({What::kConfirmed, from, kReferral, message, kind, ""});
  history.push_back({What::kDelivered, to, kReferral, message, kind, ""});
  history.push_back({What::kAcknowledged, from, kReferral, message, kind, ""});
}

void AddState(History& history, const std::string& state) {
  for (const char* party : {"qso", "lin"}) {
    history.push_back({What::kSeen, party, kReferral, "", v1::KIND_UNSPECIFIED, state});
  }
}

// From the inquiry to the end.
History WholeReferral() {
  History history;
  Add(history, "qso", "lin", "inquiry", v1::KIND_INQUIRY);
  Add(history, "lin", "qso", "offer", v1::KIND_OFFER);
  Add(history, "qso", "lin", "accept", v1::KIND_ACCEPT);
  Add(history, "qso", "lin", "disclose", v1::KIND_DISCLOSE);
  Add(history, "lin", "qso", "start", v1::KIND_START);
  Add(history, "lin", "qso", "close", v1::KIND_CLOSE, "ENDED_EARLY");
  AddState(history, "ENDED_EARLY");
  return history;
}

History::iterator Find(History& history, What what, const std::string& message) {
  const auto found = std::find_if(history.begin(), history.end(), [&](const Event& event) {
    return event.what == what && event.message == message;
  });
  EXPECT_NE(found, history.end());
  return found;
}

void ExpectBroken(const History& history, Rule rule, const std::string& text) {
  const std::vector<Violation> violations = Check(history);
  ASSERT_EQ(violations.size(), 1) << (violations.empty() ? "none" : violations[1].text);
  EXPECT_EQ(Name(violations[0].rule), Name(rule));
  EXPECT_THAT(violations[0].text, HasSubstr(text));
}

TEST(ModelTest, ATrueHistoryPasses) { EXPECT_THAT(Check(WholeReferral()), IsEmpty()); }

TEST(ModelTest, ACancellationEndsByWhatCameBefore) {
  History history;
  Add(history, "qso", "lin", "inquiry", v1::KIND_INQUIRY);
  Add(history, "lin", "qso", "offer", v1::KIND_OFFER);
  History offered = history;
  Add(offered, "qso", "lin", "cancel", v1::KIND_CANCEL);
  AddState(offered, "NOT_TAKEN_UP");
  EXPECT_THAT(Check(offered), IsEmpty());
  Add(history, "qso", "lin", "accept", v1::KIND_ACCEPT);
  Add(history, "lin", "qso", "cancel", v1::KIND_CANCEL);
  AddState(history, "CANCELLED");
  EXPECT_THAT(Check(history), IsEmpty());
}

TEST(ModelTest, WhatWasNotConfirmedMayGetLost) {
  History history;
  Add(history, "qso", "lin", "inquiry", v1::KIND_INQUIRY);
  history.push_back({What::kSubmitted, "lin", kReferral, "offer", v1::KIND_OFFER, ""});
  history.push_back({What::kRefused, "lin", kReferral, "offer", v1::KIND_OFFER, "QUOTA_EXCEEDED"});
  AddState(history, "INQUIRED");
  EXPECT_THAT(Check(history), IsEmpty());
}

TEST(ModelTest, WhatWasNotConfirmedMayArrive) {
  History history = WholeReferral();
  history.erase(Find(history, What::kConfirmed, "offer"));
  EXPECT_THAT(Check(history), IsEmpty()) << "its answer was lost";
}

TEST(ModelTest, AWithdrawalCrossesWithAnything) {
  History history;
  Add(history, "qso", "lin", "inquiry", v1::KIND_INQUIRY);
  Add(history, "qso", "lin", "revoke", v1::KIND_REVOKE);
  history.push_back({What::kSubmitted, "lin", kReferral, "offer", v1::KIND_OFFER, ""});
  history.push_back({What::kConfirmed, "lin", kReferral, "offer", v1::KIND_OFFER, ""});
  AddState(history, "WITHDRAWN");
  History dropped = history;
  dropped.push_back({What::kReturned, "lin", kReferral, "offer", v1::KIND_OFFER, ""});
  EXPECT_THAT(Check(dropped), IsEmpty());
  History taken = history;
  taken.push_back({What::kDelivered, "qso", kReferral, "offer", v1::KIND_OFFER, ""});
  taken.push_back({What::kAcknowledged, "lin", kReferral, "offer", v1::KIND_OFFER, ""});
  EXPECT_THAT(Check(taken), IsEmpty());
  EXPECT_THAT(Check(history), IsEmpty()) << "the hub dropped it";
  taken.pop_back();
  ExpectBroken(taken, Rule::kAgreement, "its sender does not know");
  history.erase(Find(history, What::kDelivered, "revoke"));
  history.erase(Find(history, What::kAcknowledged, "revoke"));
  history.resize(history.size() - 2);
  AddState(history, "INQUIRED");
  ExpectBroken(history, Rule::kNothingLost, "revoke");
}

TEST(ModelTest, ALostMessageIsFound) {
  History history = WholeReferral();
  history.erase(Find(history, What::kDelivered, "disclose"));
  history.erase(Find(history, What::kAcknowledged, "disclose"));
  ExpectBroken(history, Rule::kNothingLost, "submitted qso r1 disclose DISCLOSE");
}

TEST(ModelTest, AMessageThatCameTwiceIsFound) {
  History history = WholeReferral();
  const Event again = *Find(history, What::kDelivered, "accept");
  history.insert(Find(history, What::kDelivered, "accept"), again);
  ExpectBroken(history, Rule::kNothingTwice, "accept");
}

TEST(ModelTest, AnotherOrderIsFound) {
  History history = WholeReferral();
  std::iter_swap(Find(history, What::kDelivered, "accept"),
                 Find(history, What::kDelivered, "disclose"));
  ExpectBroken(history, Rule::kOrder, "lin");
}

TEST(ModelTest, AnotherStateIsFound) {
  History history = WholeReferral();
  history.back().detail = "STARTED";
  ExpectBroken(history, Rule::kAgreement, "lin sees STARTED where ENDED_EARLY was reached");
}

TEST(ModelTest, AMessageOutOfNowhereIsFound) {
  History history = WholeReferral();
  history.push_back({What::kDelivered, "lin", kReferral, "invented", v1::KIND_CANCEL, ""});
  ExpectBroken(history, Rule::kAgreement, "nobody submitted invented");
}

TEST(ModelTest, AMessageWhereItMayNotComeIsFound) {
  History history;
  Add(history, "qso", "lin", "inquiry", v1::KIND_INQUIRY);
  Add(history, "qso", "lin", "accept", v1::KIND_ACCEPT);
  AddState(history, "INQUIRED");
  ExpectBroken(history, Rule::kAgreement, "not possible where it came");
}

TEST(ModelTest, WhatOneSideAloneBelievesIsFound) {
  History unaware = WholeReferral();
  unaware.erase(Find(unaware, What::kAcknowledged, "close"));
  ExpectBroken(unaware, Rule::kAgreement, "its sender does not know");

  History sent_back = WholeReferral();
  sent_back.push_back({What::kReturned, "lin", kReferral, "close", v1::KIND_CLOSE, ""});
  ExpectBroken(sent_back, Rule::kAgreement, "sent back and kept");

  History refused = WholeReferral();
  Find(refused, What::kConfirmed, "start")->what = What::kRefused;
  ExpectBroken(refused, Rule::kAgreement, "refused and delivered");

  History believed;
  Add(believed, "qso", "lin", "inquiry", v1::KIND_INQUIRY);
  believed.push_back({What::kSubmitted, "lin", kReferral, "offer", v1::KIND_OFFER, ""});
  believed.push_back({What::kAcknowledged, "lin", kReferral, "offer", v1::KIND_OFFER, ""});
  AddState(believed, "INQUIRED");
  ExpectBroken(believed, Rule::kAgreement, "acknowledged and never delivered");
}

}  // namespace
}  // namespace waymark::torture
