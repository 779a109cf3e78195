// What a configuration says of local systems, and what it is told when it says something else.
#include "client/local_systems.h"

#include <gmock/gmock.h>

#include <atomic>
#include <future>
#include <thread>

#include "base/status/status.h"
#include "tests/client/connectors/test_folder.h"

namespace waymark::node {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kWhole[] = R"(
mapping_limits: {memory: 128MiB, time: 2s, input: 1MiB, output: 2MiB, depth: 32}
connectors:
  - name: exchange
    kind: files
    poll: 5s
    units: [lin.family]
    states: [OFFERED, ACCEPTED]
    args:
      - {name: service, value: abc}
    retry: {first_pause: 2s, longest_pause: 10m, attempts: 5, give_up_after: 24h, mapping_attempts: 2}
    kept: {ground: CLINICAL_RECORD, days: 3650}
    referrals: {mapping: out.jq, folder: out, collected: false}
    updates: {mapping: in.jq, folder: in}
)";

class LocalSystemsTest : public ::testing::Test {
 protected:
  LocalSystemsTest() {
    PutFile(folder_ / "out.jq", ".");
    PutFile(folder_ / "in.jq", "empty");
  }

  absl::StatusOr<LocalSystemsSettings> Read(const std::string& yaml) const {
    const std::string path = folder_ / "node.yaml";
    ASSIGN_OR_RETURN(ConfigFile file, ConfigFile::Parse(yaml, path));
    ConfigSection root = file.root();
    ASSIGN_OR_RETURN(auto settings, ReadLocalSystems(root, path));
    RETURN_IF_ERROR(file.Finish());
    settings.jq_program = WAYMARK_JQ_PROGRAM;
    return settings;
  }
  // The whole configuration with `was` replaced.
  absl::StatusOr<LocalSystemsSettings> With(const std::string& was, const std::string& is) const {
    std::string text = kWhole;
    const size_t at = text.find(was);
    EXPECT_NE(at, std::string::npos) << was;
    return Read(text.replace(at, was.size(), is));
  }
  std::vector<absl::Status> Check(const LocalSystemsSettings& settings) const {
    const auto runner = JqRunner::Create({.program = WAYMARK_JQ_PROGRAM});
    EXPECT_TRUE(runner.ok()) << runner.status();
    return CheckLocalSystems(settings, &units_, **runner, SteadyClock());
  }

  TestFolder folder_;
  const UnitId family_ = *UnitId::FromBytes(std::string(16, 'f'));
  const UnitsByHandle units_ = {{"lin.family", family_},
                                {"lin.night", *UnitId::FromBytes(std::string(16, 'n'))}};
};

TEST_F(LocalSystemsTest, ReadsEverySetting) {
  const auto settings = Read(kWhole);
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->limits.memory_bytes, size_t{128} << 20);
  EXPECT_EQ(settings->limits.time, absl::Seconds(2));
  EXPECT_EQ(settings->limits.input_bytes, size_t{1} << 20);
  EXPECT_EQ(settings->limits.output_bytes, size_t{2} << 20);
  EXPECT_EQ(settings->limits.depth, 32);
  const auto systems = LocalSystems::Open(*settings, &units_, SteadyClock());
  ASSERT_TRUE(systems.ok()) << systems.status();
  ASSERT_THAT(systems->targets(), SizeIs(1));
  const LocalTarget& target = systems->targets().front();
  EXPECT_EQ(target.name, "exchange");
  EXPECT_TRUE(target.connector->keyed());
  EXPECT_EQ(target.outward->text, ".");
  EXPECT_EQ(target.inward->text, "empty");
  EXPECT_FALSE(target.capacity.has_value());
  EXPECT_THAT(target.units, ElementsAre(family_));
  EXPECT_THAT(target.states, ElementsAre(NodeState::kOffered, NodeState::kAccepted));
  EXPECT_EQ(target.args.at("service"), "abc");
  EXPECT_EQ(target.retry.first_pause, absl::Seconds(2));
  EXPECT_EQ(target.retry.longest_pause, absl::Minutes(10));
  EXPECT_EQ(target.retry.attempts, 5);
  EXPECT_EQ(target.retry.give_up_after, absl::Hours(24));
  EXPECT_EQ(target.retry.mapping_attempts, 2);
  EXPECT_EQ(target.poll, absl::Seconds(5));
  EXPECT_EQ(target.kept->ground, v1::RETENTION_GROUND_CLINICAL_RECORD);
  EXPECT_EQ(target.kept->days, 3650);
  EXPECT_THAT(Check(*settings), IsEmpty());
}

TEST_F(LocalSystemsTest, ASlowMappingIsWaitedForByItsOwnSystemAlone) {
  const auto settings = Read(R"(
mapping_limits: {time: 5s}
connectors:
  - {name: slow, kind: files, referrals: {mapping: out.jq, folder: a, collected: false}}
  - {name: quick, kind: files, referrals: {mapping: out.jq, folder: b, collected: false}}
)");
  ASSERT_TRUE(settings.ok()) << settings.status();
  const auto systems = LocalSystems::Open(*settings, &units_, SteadyClock());
  ASSERT_TRUE(systems.ok()) << systems.status();
  ASSERT_THAT(systems->targets(), SizeIs(2));
  std::promise<void> begun;
  std::atomic<bool> over = false;
  std::thread slow([&] {
    begun.set_value();
    const auto looped =
        systems->targets()[0].runner->Run({"loop.jq", "repeat(1) | empty"}, "1", {});
    over = true;
    EXPECT_EQ(ReasonOf(looped.status()), v1::REASON_MAPPING_TIME);
  });
  begun.get_future().wait();
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(systems->targets()[1].runner->Run({"out.jq", "."}, "1", {}).ok());
  }
  EXPECT_FALSE(over);
  slow.join();
}

TEST_F(LocalSystemsTest, AbsentSettingsAreTheDefaultsOfTheRules) {
  const auto none = Read("data: x\n");
  EXPECT_FALSE(none.ok()) << "nobody asked for that key";
  const auto settings = Read(
      "connectors:\n  - name: exchange\n    kind: files\n"
      "    referrals: {mapping: out.jq, folder: out, collected: false}\n");
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->limits.memory_bytes, MappingLimits().memory_bytes);
  const LocalSystemSettings& system = settings->systems.front();
  EXPECT_THAT(system.units, IsEmpty());
  EXPECT_EQ(system.states, DefaultStates());
  EXPECT_EQ(system.retry.attempts, RetryPolicy().attempts);
  EXPECT_FALSE(system.kept.has_value());
  EXPECT_THAT(Read("connectors: []\n")->systems, IsEmpty());
}

TEST_F(LocalSystemsTest, WhatIsWrongIsNamedByFileAndKeyWithTheWayOut) {
  const struct {
    const char* was;
    const char* is;
    const char* key;
    const char* way_out;
  } kCases[] = {
      {"[OFFERED, ACCEPTED]", "[OFFERED, COMPLETED]", "states", "ACCEPTED, SCHEDULED"},
      {"[OFFERED, ACCEPTED]", "[]", "states", "INQUIRED"},
      {"name: service", "name: key", "args", "choose another name"},
      {"first_pause: 2s", "first_pause: 2h", "first_pause", "expected 1s to 1h"},
      {"longest_pause: 10m", "longest_pause: 1s", "longest_pause", "expected 2s to 24h"},
      {"attempts: 5", "attempts: 0", "attempts", "1"},
      {"give_up_after: 24h", "give_up_after: 1s", "give_up_after", "expected 1m to 2160h"},
      {"mapping_attempts: 2", "mapping_attempts: 99", "mapping_attempts", "10"},
      {"CLINICAL_RECORD", "HABIT", "ground", "STATUTORY_RECORD"},
      {"days: 3650", "days: 0", "days", "1"},
      {"memory: 128MiB", "memory: 1MiB", "mapping_limits", "32 MiB"},
      {"time: 2s", "time: 0s", "mapping_limits", "10 minutes"},
      {"retry:", "retires:", "retires", "retry"},
  };
  for (const auto& one : kCases) {
    const absl::Status status = With(one.was, one.is).status();
    EXPECT_EQ(ReasonOf(status), v1::REASON_CONFIG_INVALID) << one.is;
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr("node.yaml:"), HasSubstr(one.key), HasSubstr(one.way_out)))
        << one.is;
  }
}

TEST_F(LocalSystemsTest, AUnitThatIsNotOursIsNamed) {
  const auto settings = With("[lin.family]", "[lin.famly]");
  ASSERT_TRUE(settings.ok()) << settings.status();
  const absl::Status status = LocalSystems::Open(*settings, &units_, SteadyClock()).status();
  EXPECT_EQ(ReasonOf(status), v1::REASON_CONFIG_INVALID);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("node.yaml: connector 'exchange': units:"),
                    HasSubstr("no unit 'lin.famly'; it has lin.family, lin.night")));
  const auto by_id = With("[lin.family]", "[" + family_.hex() + "]");
  ASSERT_TRUE(by_id.ok()) << by_id.status();
  EXPECT_TRUE(LocalSystems::Open(*by_id, &units_, SteadyClock()).ok());
}

TEST_F(LocalSystemsTest, AConnectorThatRefusesItsSettingsHoldsUpNoStartAndIsFoundByTheCheck) {
  const auto settings = Read(R"(
connectors:
  - name: exchange
    kind: command
    environment: [{name: TOKEN, secret: {env: WAYMARK_TEST_NO_SUCH_SECRET}}]
    referrals: {mapping: out.jq, write: [/bin/true], keyed: true}
)");
  ASSERT_TRUE(settings.ok()) << settings.status();
  const auto systems = LocalSystems::Open(*settings, &units_, SteadyClock());
  ASSERT_TRUE(systems.ok()) << systems.status();
  Connector& connector = *systems->targets().front().connector;
  EXPECT_TRUE(connector.keyed());
  EXPECT_EQ(ReasonOf(connector.Ready()), v1::REASON_LOCAL_SYSTEM_REFUSED);
  const std::vector<absl::Status> wrong = Check(*settings);
  ASSERT_THAT(wrong, SizeIs(1));
  EXPECT_THAT(std::string(wrong[0].message()), AllOf(HasSubstr("node.yaml: connector 'exchange'"),
                                                     HasSubstr("WAYMARK_TEST_NO_SUCH_SECRET")));
}

TEST_F(LocalSystemsTest, AMappingThatIsNotThereIsNamed) {
  const auto settings = With("mapping: in.jq", "mapping: inn.jq");
  ASSERT_TRUE(settings.ok()) << settings.status();
  const absl::Status status = LocalSystems::Open(*settings, &units_, SteadyClock()).status();
  EXPECT_EQ(ReasonOf(status), v1::REASON_CONFIG_INVALID);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("connector 'exchange': updates.mapping:"), HasSubstr("inn.jq")));
}

TEST_F(LocalSystemsTest, ACheckFindsAllThatIsWrongAtOnce) {
  PutFile(folder_ / "out.jq", "{a: ");
  PutFile(folder_ / "in.jq", "error(\"on this input\")");
  const auto settings = With("[lin.family]", "[lin.none]");
  ASSERT_TRUE(settings.ok()) << settings.status();
  const std::vector<absl::Status> wrong = Check(*settings);
  ASSERT_THAT(wrong, SizeIs(2)) << "an input that is no referral is no fault of a mapping";
  EXPECT_THAT(std::string(wrong[0].message()), HasSubstr("units"));
  EXPECT_THAT(std::string(wrong[1].message()), HasSubstr("referrals.mapping"));
}

}  // namespace
}  // namespace waymark::node
