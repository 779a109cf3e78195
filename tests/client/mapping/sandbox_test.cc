// What the sandbox leaves, told from inside by sandbox_probe, and what it refuses.
#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace waymark::jq {
namespace {

using testing::HasSubstr;

struct Ended {
  int status = -1;
  std::string out;
};

// Runs the probe with a rich environment and a descriptor that it should not have.
Ended Probe(const std::string& what, pid_t parent = getpid()) {
  int out[2];
  EXPECT_EQ(pipe2(out, O_CLOEXEC), 0);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, 77, "/dev/null", O_RDONLY, 0);
  std::string words[] = {WAYMARK_SANDBOX_PROBE, what, std::to_string(parent)};
  char* argv[] = {words[0].data(), words[1].data(), words[2].data(), nullptr};
  std::string variable = "WAYMARK_SECRET=of-the-environment";
  char* environment[] = {variable.data(), nullptr};
  pid_t pid = 0;
  EXPECT_EQ(posix_spawn(&pid, argv[0], &actions, nullptr, argv, environment), 0);
  posix_spawn_file_actions_destroy(&actions);
  close(out[1]);
  Ended ended;
  char buffer[4096];
  for (ssize_t got = 0; (got = read(out[0], buffer, sizeof(buffer))) > 0;) {
    ended.out.append(buffer, static_cast<size_t>(got));
  }
  close(out[0]);
  EXPECT_EQ(waitpid(pid, &ended.status, 0), pid);
  return ended;
}

TEST(SandboxTest, LeavesNoEnvironmentNoDescriptorAndNoLimitToRaise) {
  const Ended ended = Probe("state");
  ASSERT_TRUE(WIFEXITED(ended.status));
  EXPECT_EQ(ended.out, "TZ=UTC0\nfd 0\nfd 1\nlimit " + std::to_string(RLIMIT_AS) + " 268435456\n" +
                           "limit " + std::to_string(RLIMIT_NOFILE) + " 0\n" + "limit " +
                           std::to_string(RLIMIT_CORE) + " 0\n" + "limit " +
                           std::to_string(RLIMIT_FSIZE) + " 0\n");
}

TEST(SandboxTest, LetsAProgramRunToItsEnd) {
  const Ended ended = Probe("nothing");
  EXPECT_TRUE(WIFEXITED(ended.status));
  EXPECT_EQ(WEXITSTATUS(ended.status), 0);
  EXPECT_EQ(WEXITSTATUS(Probe("write-other").status), 0);
  const Ended aborted = Probe("abort");
  ASSERT_TRUE(WIFSIGNALED(aborted.status));
  EXPECT_EQ(WTERMSIG(aborted.status), SIGABRT);
}

TEST(SandboxTest, DoesNotBeginUnderAnotherParent) {
  EXPECT_EQ(WEXITSTATUS(Probe("nothing", 1).status), 3);
}

std::string NameOf(const testing::TestParamInfo<const char*>& tried) {
  std::string name = tried.param;
  for (char& c : name) c = c == '-' ? '_' : c;
  return name;
}

class SandboxTryTest : public testing::TestWithParam<const char*> {};

TEST_P(SandboxTryTest, EndsTheProcess) {
  const Ended ended = Probe(GetParam());
  ASSERT_TRUE(WIFSIGNALED(ended.status)) << "it went through";
  EXPECT_EQ(WTERMSIG(ended.status), SIGSYS);
}

INSTANTIATE_TEST_SUITE_P(Calls, SandboxTryTest,
                         testing::Values("open", "openat", "create", "socket", "connect", "execve",
                                         "fork", "vfork", "kill-parent", "signal-self", "ptrace",
                                         "executable", "map-file", "raise-limit", "read-other",
                                         "other-abi"),
                         NameOf);

}  // namespace
}  // namespace waymark::jq
