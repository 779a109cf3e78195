#include "base/directory/state.h"

#include <functional>

#include "base/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/base/directory/fixtures.h"

namespace waymark {
namespace {

class DirectoryStateTest : public ::testing::Test {
 protected:
  v1::Reason Publish(const v1::SignedStatement& statement) {
    auto checked = state_.Check(statement, TestNow());
    if (checked.ok()) state_.Apply(*checked);
    return ReasonOf(checked.status());
  }
  v1::Reason PublishMember(const v1::Statement& statement) {
    return Publish(network_.ByRegistry(statement));
  }
  v1::Reason PublishOwn(const v1::Statement& statement) {
    return Publish(SignStatement(statement, lin_.identity));
  }
  void Join() {
    ASSERT_EQ(PublishMember(network_.Member(lin_)), v1::REASON_UNSPECIFIED);
    ASSERT_EQ(PublishOwn(network_.Service(lin_)), v1::REASON_UNSPECIFIED);
  }

  TestDirectory network_;
  TestOrganisation lin_{"lin"};
  TestOrganisation stb_{"stb"};
  DirectoryState state_{network_.id, network_.registry.verifying_key()};
};

TEST_F(DirectoryStateTest, MemberThenItsOwnStatements) {
  Join();
  EXPECT_EQ(PublishOwn(network_.UnitKeys(lin_)), v1::REASON_UNSPECIFIED);
  EXPECT_EQ(PublishOwn(network_.Capacity(lin_)), v1::REASON_UNSPECIFIED);
  ASSERT_NE(state_.FindMember(lin_.id), nullptr);
  EXPECT_EQ(state_.units().at(lin_.unit), lin_.id);
  EXPECT_EQ(state_.services().at(lin_.service).organisation, lin_.id);
}

TEST_F(DirectoryStateTest, OnlyTheRegistryNamesMembers) {
  EXPECT_EQ(PublishOwn(network_.Member(lin_)), v1::REASON_STATEMENT_INVALID);
}

TEST_F(DirectoryStateTest, OnlyTheMemberSpeaksForItself) {
  Join();
  EXPECT_EQ(Publish(SignStatement(network_.Service(lin_, 2), stb_.identity)),
            v1::REASON_STATEMENT_INVALID);
  EXPECT_EQ(Publish(network_.ByRegistry(network_.Service(lin_, 2))), v1::REASON_STATEMENT_INVALID);
}

TEST_F(DirectoryStateTest, StrangersAreRefused) {
  EXPECT_EQ(PublishOwn(network_.Service(lin_)), v1::REASON_MEMBER_UNKNOWN);
}

TEST_F(DirectoryStateTest, SuspendedMembersDoNotSpeak) {
  Join();
  v1::Statement suspension = network_.Member(lin_, 2);
  suspension.mutable_member()->set_status(v1::MEMBER_STATUS_SUSPENDED);
  ASSERT_EQ(PublishMember(suspension), v1::REASON_UNSPECIFIED);
  EXPECT_EQ(PublishOwn(network_.Service(lin_, 2)), v1::REASON_MEMBER_SUSPENDED);
}

TEST_F(DirectoryStateTest, VersionsGrowPerSubject) {
  Join();
  EXPECT_EQ(PublishOwn(network_.Service(lin_, 5)), v1::REASON_UNSPECIFIED);
  EXPECT_EQ(PublishOwn(network_.Service(lin_, 4)), v1::REASON_STATEMENT_INVALID);
  EXPECT_EQ(PublishOwn(network_.Capacity(lin_, 1)), v1::REASON_UNSPECIFIED);
}

TEST_F(DirectoryStateTest, SameBytesAgainAreARepeat) {
  Join();
  const auto statement = SignStatement(network_.Service(lin_, 2), lin_.identity);
  ASSERT_EQ(Publish(statement), v1::REASON_UNSPECIFIED);
  auto again = state_.Check(statement, TestNow() + absl::Hours(24 * 30));
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(again->repeated);
}

TEST_F(DirectoryStateTest, ValidityIsBounded) {
  const auto with = [&](const std::function<void(v1::Statement&)>& change) {
    v1::Statement statement = network_.Member(lin_);
    change(statement);
    return PublishMember(statement);
  };
  const int64_t now = MinuteOf(TestNow());
  EXPECT_EQ(with([&](auto& s) { s.set_valid_until_minute(now + 8 * 24 * 60 + 1); }),
            v1::REASON_STATEMENT_INVALID);
  EXPECT_EQ(with([&](auto& s) { s.set_issued_minute(now + 6); }), v1::REASON_STATEMENT_INVALID);
  EXPECT_EQ(with([&](auto& s) {
              s.set_issued_minute(now - 10);
              s.set_valid_until_minute(now);
            }),
            v1::REASON_STATEMENT_INVALID);
  EXPECT_EQ(with([&](auto& s) { s.set_network_id(std::string(16, 'x')); }),
            v1::REASON_STATEMENT_INVALID);
  EXPECT_EQ(with([&](auto& s) { s.set_valid_until_minute(now + 8 * 24 * 60); }),
            v1::REASON_UNSPECIFIED);
}

TEST_F(DirectoryStateTest, NobodyTakesWhatIsAnothers) {
  Join();
  v1::Statement handle = network_.Member(stb_);
  handle.mutable_member()->set_handle("lin");
  handle.mutable_member()->mutable_units(0)->set_handle("lin.desk");
  EXPECT_EQ(PublishMember(handle), v1::REASON_STATEMENT_INVALID);

  v1::Statement unit = network_.Member(stb_);
  unit.mutable_member()->mutable_units(0)->set_unit_id(lin_.unit.bytes());
  EXPECT_EQ(PublishMember(unit), v1::REASON_STATEMENT_INVALID);

  ASSERT_EQ(PublishMember(network_.Member(stb_)), v1::REASON_UNSPECIFIED);
  v1::Statement service = network_.Service(stb_);
  service.mutable_service()->set_service_id(lin_.service.bytes());
  EXPECT_EQ(Publish(SignStatement(service, stb_.identity)), v1::REASON_UNIT_NOT_OWN);
  service = network_.Service(stb_);
  service.mutable_service()->set_unit_id(lin_.unit.bytes());
  EXPECT_EQ(Publish(SignStatement(service, stb_.identity)), v1::REASON_UNIT_NOT_OWN);
  service = network_.Service(stb_);
  service.mutable_service()->set_handle("lin-101");
  EXPECT_EQ(Publish(SignStatement(service, stb_.identity)), v1::REASON_STATEMENT_INVALID);
  v1::Statement capacity = network_.Capacity(stb_);
  capacity.mutable_capacity()->set_service_id(lin_.service.bytes());
  EXPECT_EQ(Publish(SignStatement(capacity, stb_.identity)), v1::REASON_UNIT_NOT_OWN);
  v1::Statement keys = network_.UnitKeys(stb_);
  keys.mutable_unit_keys()->set_unit_id(lin_.unit.bytes());
  EXPECT_EQ(Publish(SignStatement(keys, stb_.identity)), v1::REASON_UNIT_NOT_OWN);
}

TEST_F(DirectoryStateTest, WhatAMemberGivesUpIsFreeForOthers) {
  Join();
  v1::Statement service = network_.Service(lin_, 2);
  service.mutable_service()->set_handle("lin-102");
  ASSERT_EQ(PublishOwn(service), v1::REASON_UNSPECIFIED);
  v1::Statement member = network_.Member(lin_, 2);
  member.mutable_member()->set_handle("lin2");
  member.mutable_member()->mutable_units(0)->set_handle("lin2.desk");
  member.mutable_member()->mutable_units(0)->set_unit_id(std::string(16, 'u'));
  ASSERT_EQ(PublishMember(member), v1::REASON_UNSPECIFIED);

  v1::Statement other = network_.Member(stb_);
  other.mutable_member()->set_handle("lin");
  other.mutable_member()->mutable_units(0)->set_handle("lin.desk");
  other.mutable_member()->mutable_units(0)->set_unit_id(lin_.unit.bytes());
  EXPECT_EQ(PublishMember(other), v1::REASON_UNSPECIFIED);
  v1::Statement taken = network_.Service(stb_);
  taken.mutable_service()->set_unit_id(lin_.unit.bytes());
  taken.mutable_service()->set_handle("lin-101");
  EXPECT_EQ(Publish(SignStatement(taken, stb_.identity)), v1::REASON_UNSPECIFIED);
}

TEST_F(DirectoryStateTest, RedactedLocationPublishesNoNumbers) {
  Join();
  v1::Statement available = network_.Capacity(lin_);
  available.mutable_capacity()->set_available(2);
  EXPECT_EQ(PublishOwn(available), v1::REASON_STATEMENT_INVALID);
  v1::Statement maximum = network_.Capacity(lin_);
  maximum.mutable_capacity()->set_maximum(9);
  EXPECT_EQ(PublishOwn(maximum), v1::REASON_STATEMENT_INVALID);

  v1::Statement open = network_.Service(lin_, 2);
  open.mutable_service()->set_location_kind(v1::LOCATION_KIND_ADDRESSED);
  ASSERT_EQ(PublishOwn(open), v1::REASON_UNSPECIFIED);
  EXPECT_EQ(PublishOwn(available), v1::REASON_UNSPECIFIED);
}

TEST_F(DirectoryStateTest, StoredStatementsAreReadInAnyOrder) {
  const auto member = network_.ByRegistry(network_.Member(lin_, 3));
  const auto service = SignStatement(network_.Service(lin_), lin_.identity);
  for (const auto& stored : {service, member}) {
    auto read = DirectoryState::ReadStored(stored);
    ASSERT_TRUE(read.ok());
    state_.Apply(*read);
  }
  EXPECT_EQ(PublishMember(network_.Member(lin_, 3)), v1::REASON_STATEMENT_INVALID);
  EXPECT_EQ(PublishOwn(network_.Capacity(lin_)), v1::REASON_UNSPECIFIED);
}

struct ShapeCase {
  const char* name;
  std::function<void(v1::Statement&)> change;
  v1::Reason reason;
};

class ShapeTest : public ::testing::TestWithParam<ShapeCase> {};

TEST_P(ShapeTest, FieldOutsideItsRangeIsRefused) {
  TestDirectory network;
  TestOrganisation lin{"lin"};
  v1::Statement statement = network.Member(lin);
  GetParam().change(statement);
  EXPECT_EQ(ReasonOf(ParseStatement(network.ByRegistry(statement)).status()), GetParam().reason);
}

constexpr v1::Reason kField = v1::REASON_FIELD_INVALID;
constexpr v1::Reason kEnum = v1::REASON_ENUM_UNKNOWN;

INSTANTIATE_TEST_SUITE_P(
    Member, ShapeTest,
    ::testing::Values(
        ShapeCase{"NoContent", [](auto& s) { s.clear_content(); }, kField},
        ShapeCase{"NoVersion", [](auto& s) { s.clear_version(); }, kField},
        ShapeCase{"Handle", [](auto& s) { s.mutable_member()->set_handle("Lin"); }, kField},
        ShapeCase{"Class", [](auto& s) { s.mutable_member()->clear_organisation_class(); }, kEnum},
        ShapeCase{"NoUnits", [](auto& s) { s.mutable_member()->clear_units(); }, kField},
        ShapeCase{"Key", [](auto& s) { s.mutable_member()->set_identity_key("x"); }, kField},
        ShapeCase{"Country", [](auto& s) { s.mutable_member()->set_jurisdiction("x1"); }, kField},
        ShapeCase{"Date", [](auto& s) { s.mutable_member()->mutable_member_since()->set_day(32); },
                  kField},
        ShapeCase{"UnitHandle",
                  [](auto& s) { s.mutable_member()->mutable_units(0)->set_handle("stb.x"); },
                  kField},
        ShapeCase{"UnitTwice",
                  [](auto& s) { *s.mutable_member()->add_units() = s.member().units(0); }, kField}),
    [](const auto& test) { return std::string(test.param.name); });

// A profile with one training, of which a change spoils something.
template <typename Change>
auto TrainingWith(Change change) {
  return [change](v1::Statement& s) {
    v1::Profile& profile = *s.mutable_profile();
    profile.add_reporting_duties(v1::REPORTING_DUTY_NONE_KNOWN);
    profile.set_law_enforcement_relationship(v1::LAW_ENFORCEMENT_RELATIONSHIP_NONE);
    profile.set_faith_participation(v1::FAITH_PARTICIPATION_NONE);
    v1::Training& training = *profile.add_training();
    training.set_topic(v1::TRAINING_TOPIC_CHILD);
    training.set_group(v1::TRAINED_GROUP_STAFF);
    training.set_share(v1::SHARE_BAND_FROM_75);
    training.mutable_valid_until()->set_year(2027);
    training.mutable_valid_until()->set_month(2);
    training.mutable_valid_until()->set_day(28);
    change(training);
  };
}

INSTANTIATE_TEST_SUITE_P(
    Training, ShapeTest,
    ::testing::Values(
        ShapeCase{"Whole", TrainingWith([](auto&) {}), v1::REASON_UNSPECIFIED},
        ShapeCase{"Topic", TrainingWith([](auto& training) { training.clear_topic(); }), kEnum},
        ShapeCase{"Group", TrainingWith([](auto& training) { training.clear_group(); }), kEnum},
        ShapeCase{"Share", TrainingWith([](auto& training) { training.clear_share(); }), kEnum},
        ShapeCase{"Day",
                  TrainingWith([](auto& training) { training.mutable_valid_until()->set_day(29); }),
                  kField}),
    [](const auto& test) { return std::string(test.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Others, ShapeTest,
    ::testing::Values(ShapeCase{"EmptyService", [](auto& s) { s.mutable_service(); }, kField},
                      ShapeCase{"EmptyProfile", [](auto& s) { s.mutable_profile(); }, kField},
                      ShapeCase{"EmptyKeys", [](auto& s) { s.mutable_unit_keys(); }, kField},
                      ShapeCase{"EmptyCapacity", [](auto& s) { s.mutable_capacity(); }, kField}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(StatementTest, HeadCoversEveryStatementInOrder) {
  const std::string a(32, 'a');
  const std::string b(32, 'b');
  EXPECT_EQ(EmptyHead(), std::string(32, '\0'));
  EXPECT_NE(NextHead(NextHead(EmptyHead(), a), b), NextHead(NextHead(EmptyHead(), b), a));
}

TEST(StatementTest, RefusesWhatDoesNotParse) {
  v1::SignedStatement statement;
  statement.set_statement("\xff\xff");
  EXPECT_EQ(ReasonOf(ParseStatement(statement).status()), v1::REASON_MALFORMED);
  statement.set_statement(std::string(kMaxStatementBytes + 1, ' '));
  EXPECT_EQ(ReasonOf(ParseStatement(statement).status()), v1::REASON_MALFORMED);
}

}  // namespace
}  // namespace waymark
