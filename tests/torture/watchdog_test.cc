#include "tests/torture/watchdog.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <iostream>
#include <thread>

#include "base/file/descriptor.h"
#include "tests/support/process.h"

namespace waymark::torture {
namespace {

using ::testing::ExitedWithCode;

// What a broken campaign is like: a child that runs on, and a thread that waits for it without an
// end. The child holds the write end of `pipe` as long as it lives.
[[noreturn]] void WaitForEver(Mutex& mu, CondVar& never) {
  auto child = testing::Process::Start({.command = {"/bin/sleep", "1000"}, .output = "/dev/null"});
  if (!child.ok()) _exit(1);
  mu.Lock();
  while (true) never.Wait(mu);
}

class WatchdogTest : public ::testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }

  Mutex mu_;
  CondVar never_;
};

TEST_F(WatchdogTest, EndsAProcessThatWaitsForEver) {
  EXPECT_EXIT(
      {
        Watchdog watchdog(absl::Milliseconds(200),
                          [](const std::string& doing) { std::cerr << "hung while " << doing; });
        watchdog.Beat("waiting");
        WaitForEver(mu_, never_);
      },
      ExitedWithCode(Watchdog::kHung), "hung while waiting");
}

TEST_F(WatchdogTest, EndsItThoughTheLastWordsHang) {
  EXPECT_EXIT(
      {
        Watchdog watchdog(absl::Milliseconds(200),
                          [this](const std::string&) { WaitForEver(mu_, never_); });
        WaitForEver(mu_, never_);
      },
      ExitedWithCode(Watchdog::kHung), "");
}

TEST_F(WatchdogTest, EndsItOnASignal) {
  EXPECT_EXIT(
      {
        Watchdog watchdog(absl::Minutes(10), [](const std::string&) {});
        // It waits, too: a thread that ends before it is detached is a leak to ThreadSanitizer.
        std::thread([this] {
          kill(getpid(), SIGTERM);
          WaitForEver(mu_, never_);
        }).detach();
        WaitForEver(mu_, never_);
      },
      ExitedWithCode(128 + SIGTERM), "");
}

// The children of a process that ends so end with it: they hold a pipe, which closes.
TEST_F(WatchdogTest, TakesTheChildrenAlong) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  FileDescriptor read_end(ends[0]);
  FileDescriptor write_end(ends[1]);
  const pid_t pid = fork();
  if (pid == 0) {
    Watchdog watchdog(absl::Milliseconds(200), [](const std::string&) {});
    WaitForEver(mu_, never_);
  }
  write_end.Close();
  char byte = 0;
  EXPECT_EQ(read(read_end.get(), &byte, 1), 0) << "somebody still holds it";
  int status = 0;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_EQ(WEXITSTATUS(status), Watchdog::kHung);
}

}  // namespace
}  // namespace waymark::torture
