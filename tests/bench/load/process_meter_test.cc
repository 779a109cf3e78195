#include "tests/bench/load/process_meter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "base/status/status.h"
#include "tests/support/poll.h"
#include "tests/support/process.h"

namespace waymark::bench {
namespace {

// What the descendants of this process have used.
double OfDescendants() {
  const auto family = FamilyCpuSeconds(getpid());
  const auto own = LookAt(getpid());
  EXPECT_TRUE(family.ok()) << family.status();
  return family.ok() && own.ok() ? *family - own->cpu_seconds : 0;
}

TEST(ProcessMeterTest, AFamilyHasItsChildrenAlsoWhenTheyHaveEnded) {
  // The kernel ends it after a second of CPU.
  const auto child = testing::Process::Start(
      {.command = {"/bin/bash", "-c", "ulimit -t 1; while :; do :; done"}, .output = "/dev/null"});
  ASSERT_TRUE(child.ok()) << child.status();
  EXPECT_TRUE(Eventually([] { return OfDescendants() > 0.1; })) << "while it runs";
  EXPECT_TRUE((*child)->Wait(absl::Minutes(1)).has_value());
  // Up to what the kernel rounds off, and less what this process has used between the two.
  EXPECT_GT(OfDescendants(), 0.9) << "once it has ended";
}

TEST(ProcessMeterTest, ServersAreSummedUp) {
  const auto one = LookAtServers({.hubs = {getpid()}, .database = 0});
  const auto two = LookAtServers({.hubs = {getpid(), getpid()}, .database = getpid()});
  ASSERT_TRUE(one.ok()) << one.status();
  ASSERT_TRUE(two.ok()) << two.status();
  EXPECT_EQ(one->database_cpu_seconds, 0);
  EXPECT_GT(two->hubs.resident_bytes, one->hubs.resident_bytes);
  EXPECT_GT(two->database_cpu_seconds, 0);
  EXPECT_EQ(two->cpu_seconds(), two->hubs.cpu_seconds + two->database_cpu_seconds);
}

TEST(ProcessMeterTest, OpenFilesAreCounted) {
  const Servers self = {.hubs = {getpid()}, .database = 0};
  const auto before = CountDescriptors(self);
  const std::ifstream file("/proc/self/stat");
  const auto after = CountDescriptors(self);
  ASSERT_TRUE(before.ok()) << before.status();
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_EQ(*after, *before + 1);
}

TEST(ProcessMeterTest, AProcessThatIsNotThereIsAnError) {
  // Beyond the largest number that Linux gives.
  constexpr pid_t kNobody = 1 << 23;
  EXPECT_EQ(ReasonOf(LookAt(kNobody).status()), v1::REASON_FILE_UNUSABLE);
  EXPECT_EQ(ReasonOf(FamilyCpuSeconds(kNobody).status()), v1::REASON_FILE_UNUSABLE);
  EXPECT_FALSE(LookAtServers({.hubs = {}, .database = kNobody}).ok());
  EXPECT_FALSE(CountDescriptors({.hubs = {kNobody}, .database = 0}).ok());
}

}  // namespace
}  // namespace waymark::bench
