#include "server/consent/registration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "server/consent/recipient_class.h"
#include "tests/server/routing/test_network.h"

namespace waymark::hub {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr v1::Reason kAccepted = v1::REASON_UNSPECIFIED;

struct Row {
  std::string name;
  v1::Reason reason;
  std::function<void(TestNetwork&, v1::TokenRegistration&)> spoil;
};

std::vector<Row> ShapeRows() {
  using Token = v1::TokenRegistration;
  return {
      {"nothing wrong", kAccepted, [](TestNetwork&, Token&) {}},
      {"short hash", v1::REASON_FIELD_INVALID,
       [](TestNetwork&, Token& token) { token.set_token_hash("short"); }},
      {"no lock", v1::REASON_FIELD_INVALID,
       [](TestNetwork&, Token& token) { token.clear_revocation_lock(); }},
      {"no issuer", v1::REASON_FIELD_INVALID,
       [](TestNetwork&, Token& token) { token.clear_issuer_unit(); }},
      {"no presenter", v1::REASON_FIELD_INVALID,
       [](TestNetwork&, Token& token) { token.clear_presenter_unit(); }},
      {"no recipient", v1::REASON_FIELD_INVALID,
       [](TestNetwork&, Token& token) { token.clear_recipient_unit(); }},
      {"for the issuer itself", v1::REASON_FIELD_INVALID,
       [](TestNetwork&, Token& token) { token.set_recipient_unit(token.issuer_unit()); }},
      {"for the presenter itself", v1::REASON_FIELD_INVALID,
       [](TestNetwork&, Token& token) { token.set_presenter_unit(token.recipient_unit()); }},
      {"ceiling of none", v1::REASON_FIELD_INVALID,
       [](TestNetwork&, Token& token) { token.set_stage_ceiling(v1::STAGE_NONE); }},
      {"no ceiling", v1::REASON_ENUM_UNKNOWN,
       [](TestNetwork&, Token& token) { token.clear_stage_ceiling(); }},
      {"unknown ceiling", v1::REASON_ENUM_UNKNOWN,
       [](TestNetwork&, Token& token) { token.set_stage_ceiling(static_cast<v1::Stage>(9)); }},
  };
}

std::vector<Row> RuleRows() {
  using Token = v1::TokenRegistration;
  const auto ends = [](absl::Duration ahead) {
    return [ahead](TestNetwork& network, Token& token) {
      token.set_valid_until_hour(Hours(network.now + ahead));
    };
  };
  const auto for_police = [](bool release, int days) {
    return [=](TestNetwork& network, Token& token) {
      token.set_recipient_unit(Unit("cpl.desk").bytes());
      token.set_separate_release(release);
      token.set_valid_until_hour(Hours(network.now) + days * 24);
    };
  };
  return {
      {"unknown member", v1::REASON_MEMBER_UNKNOWN,
       [](TestNetwork& network, Token&) { network.Remove("qso"); }},
      {"suspended", v1::REASON_MEMBER_SUSPENDED,
       [](TestNetwork& network, Token&) { network.SetMember("qso", v1::MEMBER_STATUS_SUSPENDED); }},
      {"a member that leaves still refers", kAccepted,
       [](TestNetwork& network, Token&) { network.SetMember("qso", v1::MEMBER_STATUS_LEAVING); }},
      {"another's unit issues", v1::REASON_TOKEN_NOT_ISSUER,
       [](TestNetwork&, Token& token) { token.set_issuer_unit(Unit("bea.intake").bytes()); }},
      {"an intermediary presents", kAccepted,
       [](TestNetwork&, Token& token) { token.set_presenter_unit(Unit("bwi.pool").bytes()); }},
      {"unknown presenter", v1::REASON_UNIT_UNKNOWN,
       [](TestNetwork&, Token& token) { token.set_presenter_unit(Unit("no.where").bytes()); }},
      {"unknown recipient", v1::REASON_UNIT_UNKNOWN,
       [](TestNetwork&, Token& token) { token.set_recipient_unit(Unit("no.where").bytes()); }},
      {"media", v1::REASON_RECIPIENT_BLOCKED,
       [](TestNetwork&, Token& token) {
         token.set_recipient_unit(Unit("prs.desk").bytes());
         token.set_separate_release(true);
       }},
      {"already over", v1::REASON_TOKEN_EXPIRED, ends(absl::ZeroDuration())},
      {"366 days", kAccepted, ends(absl::Hours(366 * 24))},
      {"longer", v1::REASON_TIME_INVALID, ends(absl::Hours(366 * 24 + 1))},
      {"beyond all time", v1::REASON_TIME_INVALID,
       [](TestNetwork&, Token& token) {
         token.set_valid_until_hour(std::numeric_limits<int64_t>::max());
       }},
      {"before all time", v1::REASON_TOKEN_EXPIRED,
       [](TestNetwork&, Token& token) {
         token.set_valid_until_hour(std::numeric_limits<int64_t>::min());
       }},
      {"police", v1::REASON_TOKEN_SEPARATE_RELEASE, for_police(false, 1)},
      {"police with a release", kAccepted, for_police(true, 7)},
      {"police with a long release", v1::REASON_TOKEN_SEPARATE_RELEASE, for_police(true, 8)},
  };
}

TEST(RegistrationTest, EachReasonFromOneThingWrong) {
  std::vector<Row> rows = ShapeRows();
  for (Row& row : RuleRows()) rows.push_back(std::move(row));
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    TestNetwork network;
    v1::TokenRegistration token = network.Token("c-a", "qso.night", "lin.family");
    row.spoil(network, token);
    EXPECT_EQ(ReasonName(network.Register("qso", token)), ReasonName(row.reason));
    EXPECT_EQ(network.state().FindToken(token.token_hash()) != nullptr, row.reason == kAccepted);
  }
}

TEST(RegistrationTest, KeepsWhatTheHubMayKnow) {
  TestNetwork network;
  const auto token = network.Token("c-a", "qso.night", "lin.family");
  const absl::Time minute = network.now;
  network.now += absl::Seconds(12);
  const Decision decision =
      DecideRegistration(network.state(), Organisation("qso"), token, network.now, network.limits);
  TokenRecord record;
  record.hash = token.token_hash();
  record.issuer = record.presenter = Unit("qso.night");
  record.recipient = Unit("lin.family");
  record.ceiling = v1::STAGE_STARTED;
  record.valid_until = absl::UnixEpoch() + absl::Hours(token.valid_until_hour());
  record.revocation_lock = token.revocation_lock();
  record.registered_at = minute;
  EXPECT_THAT(decision.effects.put_tokens, ::testing::ElementsAre(record));
  EXPECT_THAT(decision.effects.deliver, IsEmpty());
}

TEST(RegistrationTest, ARepeatIsAcceptedAndChangesNothing) {
  LindenReferral referral(HubState::kWithdrawn);
  const TokenRecord before = *referral.network.state().FindToken(referral.token.token_hash());
  EXPECT_TRUE(before.revoked);
  referral.network.now += absl::Hours(1);
  EXPECT_EQ(referral.network.Register("qso", referral.token), kAccepted);
  EXPECT_EQ(*referral.network.state().FindToken(before.hash), before);
}

TEST(RegistrationTest, OtherContentUnderTheSameHashIsRefused) {
  LindenReferral referral;
  const TokenRecord before = *referral.network.state().FindToken(referral.token.token_hash());
  const std::vector<std::function<void(v1::TokenRegistration&)>> changes = {
      [](auto& token) { token.set_recipient_unit(Unit("bea.intake").bytes()); },
      [](auto& token) { token.set_presenter_unit(Unit("qso.day").bytes()); },
      [](auto& token) { token.set_stage_ceiling(v1::STAGE_INQUIRY); },
      [](auto& token) { token.set_valid_until_hour(token.valid_until_hour() + 1); },
      [](auto& token) { token.set_separate_release(true); },
      [](auto& token) { token.set_revocation_lock(std::string(32, 'l')); },
  };
  for (const auto& change : changes) {
    v1::TokenRegistration token = referral.token;
    change(token);
    EXPECT_EQ(referral.network.Register("qso", token), v1::REASON_ID_REUSED);
    EXPECT_EQ(*referral.network.state().FindToken(before.hash), before);
  }
}

TEST(RecipientClassTest, EveryClassHasItsRule) {
  const auto* classes = v1::OrganisationClass_descriptor();
  for (int i = 0; i < classes->value_count(); ++i) {
    const auto value = static_cast<v1::OrganisationClass>(classes->value(i)->number());
    RecipientRule rule = RecipientRule::kOpen;
    switch (value) {
      case v1::ORGANISATION_CLASS_LAW_ENFORCEMENT:
      case v1::ORGANISATION_CLASS_IMMIGRATION:
      case v1::ORGANISATION_CLASS_CONSULAR:
      case v1::ORGANISATION_CLASS_EMPLOYER:
        rule = RecipientRule::kSeparateRelease;
        break;
      case v1::ORGANISATION_CLASS_UNSPECIFIED:
      case v1::ORGANISATION_CLASS_MEDIA:
      case v1::ORGANISATION_CLASS_FUNDER:
        rule = RecipientRule::kNoticesOnly;
        break;
      default:
        break;
    }
    EXPECT_EQ(RecipientRuleOf(value, Limits::From(Catalogue::Default())), rule)
        << v1::OrganisationClass_Name(value);
  }
}

}  // namespace
}  // namespace waymark::hub
