// Commands: how they end, what they see, and what stops them.

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <memory>

#include "absl/strings/numbers.h"
#include "absl/time/clock.h"
#include "base/status/status.h"
#include "client/connectors/json_members.h"
#include "tests/client/connectors/test_folder.h"
#include "tests/client/connectors/tried_system.h"
#include "tests/support/fake_clock.h"
#include "tests/support/poll.h"

namespace waymark::node {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const LocalRecord kRecord = {.key = "k-1", .json = "{\"note\":\"canary-7f3a\"}"};

class CommandConnectorTest : public ::testing::Test {
 protected:
  // A connector whose every command is this shell script.
  std::unique_ptr<Connector> Open(const std::string& script, const std::string& referrals = "",
                                  const std::string& more = "") {
    const std::string command =
        "[/bin/sh, -c, " + QuoteJson(script) + ", sh, " + (folder_ / "") + "]";
    auto connector =
        OpenFrom("kind: command\ntime_limit: 1s\nreferrals:\n  mapping: a\n  write: " + command +
                     "\n  erase: " + command + "\n" + referrals +
                     "updates:\n  mapping: b\n  read: " + command + "\n" + more,
                 clock_);
    EXPECT_TRUE(connector.ok()) << connector.status();
    return connector.ok() ? *std::move(connector) : nullptr;
  }

  TestFolder folder_;
  FakeClock clock_{absl::UnixEpoch()};
};

TEST_F(CommandConnectorTest, TheExitCodeSaysWhatBecameOfIt) {
  const struct {
    const char* script;
    WriteOutcome unkeyed;
    WriteOutcome keyed;
  } cases[] = {
      {"exit 0", WriteOutcome::kDone, WriteOutcome::kDone},
      {"exit 75", WriteOutcome::kNotNow, WriteOutcome::kNotNow},
      {"exit 65", WriteOutcome::kRefused, WriteOutcome::kRefused},
      {"exit 1", WriteOutcome::kUncertain, WriteOutcome::kNotNow},
      {"exit 127", WriteOutcome::kUncertain, WriteOutcome::kNotNow},
      {"kill -SEGV $$", WriteOutcome::kUncertain, WriteOutcome::kNotNow},
  };
  for (const auto& one : cases) {
    const auto unkeyed = Open(one.script);
    EXPECT_FALSE(unkeyed->keyed());
    EXPECT_EQ(unkeyed->Write(kRecord).outcome, one.unkeyed) << one.script;
    EXPECT_EQ(Open(one.script, "  keyed: true\n")->Write(kRecord).outcome, one.keyed) << one.script;
    EXPECT_EQ(unkeyed->Erase("k-1").outcome, one.keyed) << "an erasure may be repeated";
  }
}

TEST_F(CommandConnectorTest, GetsTheRecordAndNothingElse) {
  setenv("WAYMARK_TEST_LEAK", "leak", 1);
  setenv("WAYMARK_TEST_TOKEN", "a token", 1);
  const auto connector = Open(
      "cat > $1/input; tr '\\0' '\\n' < /proc/self/environ > $1/environment; "
      "ls /proc/self/fd > $1/descriptors; pwd > $1/where",
      "",
      "environment:\n  - {name: LANG, value: C}\n  - {name: TOKEN, secret: {env: "
      "WAYMARK_TEST_TOKEN}}\n  - {name: PATH, value: \"/usr/bin:/bin\"}\n");
  EXPECT_EQ(connector->Write(kRecord).outcome, WriteOutcome::kDone);
  EXPECT_EQ(GetFile(folder_ / "input"),
            "{\"key\":\"k-1\",\"record\":{\"note\":\"canary-7f3a\"}}\n");
  const std::string environment = GetFile(folder_ / "environment");
  EXPECT_THAT(environment, AllOf(HasSubstr("LANG=C\n"), HasSubstr("TOKEN=a token\n"),
                                 Not(HasSubstr("leak")), Not(HasSubstr("canary"))));
  // The last is that of `ls` itself.
  EXPECT_EQ(GetFile(folder_ / "descriptors"), "0\n1\n2\n3\n");
  EXPECT_EQ(GetFile(folder_ / "where"), "/\n");
  EXPECT_EQ(connector->Erase("k-1").outcome, WriteOutcome::kDone);
  EXPECT_EQ(GetFile(folder_ / "input"), "{\"key\":\"k-1\"}\n");
  ASSERT_TRUE(connector->Read(Feed::kUpdates, "a\"b").ok());
  EXPECT_EQ(GetFile(folder_ / "input"), "{\"cursor\":\"a\\\"b\",\"limit\":256}\n");
}

TEST_F(CommandConnectorTest, SaysNothingOfWhatItSaid) {
  const auto connector = Open("cat; cat >&2; echo canary-7f3a >&2; exit 65");
  const WriteResult result = connector->Write(kRecord);
  EXPECT_EQ(result.outcome, WriteOutcome::kRefused);
  EXPECT_THAT(result.detail, Not(HasSubstr("canary")));
}

TEST_F(CommandConnectorTest, OutOfTimeItEndsWithAllThatItStarted) {
  const auto connector = Open("/bin/sleep 600 & echo $! > $1/child; wait");
  const absl::Time start = absl::Now();
  const WriteResult result = connector->Write(kRecord);
  EXPECT_EQ(result.outcome, WriteOutcome::kUncertain);
  EXPECT_THAT(result.detail, HasSubstr("ran out of time"));
  EXPECT_LT(absl::Now() - start, absl::Seconds(30));
  int child = 0;
  std::string text = GetFile(folder_ / "child");
  ASSERT_TRUE(absl::SimpleAtoi(text, &child));
  const auto gone = [&] {
    const std::string stat = GetFile("/proc/" + std::to_string(child) + "/stat");
    return stat.empty() || stat.find(") Z") != std::string::npos;
  };
  EXPECT_TRUE(Eventually(gone));
}

TEST_F(CommandConnectorTest, WhatItLeavesBehindDoesNotHoldTheNode) {
  const auto connector = Open("/bin/sleep 600 & echo '{\"said\":\"x\"}'");
  const absl::Time start = absl::Now();
  const auto page = connector->Read(Feed::kUpdates, "");
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_THAT(page->items, ElementsAre("{\"said\":\"x\"}"));
  EXPECT_LT(absl::Now() - start, absl::Seconds(30));
}

TEST_F(CommandConnectorTest, ALargeRecordThatNobodyReadsDoesNotHoldTheNode) {
  const auto connector = Open("exit 0");
  const std::string large = "{\"note\":\"" + std::string(3 << 20, 'x') + "\"}";
  EXPECT_EQ(connector->Write({.key = "k-1", .json = large}).outcome, WriteOutcome::kDone);
  const auto reading = Open("/usr/bin/wc -c > $1/size");
  EXPECT_EQ(reading->Write({.key = "k-1", .json = large}).outcome, WriteOutcome::kDone);
  EXPECT_THAT(GetFile(folder_ / "size"),
              HasSubstr(std::to_string(large.size() + sizeof("{\"key\":\"k-1\",\"record\":}"))));
}

TEST_F(CommandConnectorTest, OutputHasLimits) {
  const auto endless =
      Open("while :; do echo '{\"canary\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}'; done");
  const auto page = endless->Read(Feed::kUpdates, "");
  EXPECT_FALSE(page.ok());
  EXPECT_THAT(std::string(page.status().message()), Not(HasSubstr("canary")));
  const auto many = Open("i=0; while [ $i -lt 257 ]; do echo '{}'; i=$((i+1)); done");
  EXPECT_THAT(std::string(many->Read(Feed::kUpdates, "").status().message()),
              HasSubstr("more than 256"));
  const auto broken = Open("echo '{\"a\":1}'; echo canary");
  const auto status = broken->Read(Feed::kUpdates, "").status();
  EXPECT_EQ(ReasonOf(status), v1::REASON_LOCAL_SYSTEM_REFUSED);
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("canary")));
}

TEST_F(CommandConnectorTest, AProgramThatIsNotThereIsRefused) {
  auto connector =
      OpenFrom("kind: command\nreferrals: {mapping: a, write: [/nowhere/put]}\n", clock_);
  ASSERT_TRUE(connector.ok()) << connector.status();
  const WriteResult result = (*connector)->Write(kRecord);
  EXPECT_EQ(result.outcome, WriteOutcome::kRefused) << "nothing ran, so nothing is uncertain";
  EXPECT_THAT(result.detail, HasSubstr("/nowhere/put"));
  EXPECT_EQ((*connector)->Erase("k-1").outcome, WriteOutcome::kUnsupported);
}

TEST_F(CommandConnectorTest, NoShellSeesTheArguments) {
  auto connector = OpenFrom(
      "kind: command\nupdates: {mapping: a, read: [/usr/bin/printf, "
      "'{\"a\":\"%s\"}', \"$(id); `id` && *\"]}\n",
      clock_);
  ASSERT_TRUE(connector.ok()) << connector.status();
  const auto page = (*connector)->Read(Feed::kUpdates, "");
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_THAT(page->items, ElementsAre("{\"a\":\"$(id); `id` && *\"}"));
}

}  // namespace
}  // namespace waymark::node
