// Children: what they see of the node, and how they end.
#include "client/process/spawn.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/file/descriptor.h"

namespace waymark::node {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

struct Ended {
  std::string output;
  int status = 0;
};

// Runs a shell script to its end, with `input` on its standard input.
Ended RunScript(const std::string& script, const std::string& input = "",
                ChildProgram program = {}) {
  const FileDescriptor in(memfd_create("input", MFD_CLOEXEC));
  const FileDescriptor out(memfd_create("output", MFD_CLOEXEC));
  EXPECT_TRUE(WriteAll(in.get(), input));
  lseek(in.get(), 0, SEEK_SET);
  program.command = {"/bin/sh", "-c", script};
  program.input = in.get();
  program.output = out.get();
  const Spawned spawned = Spawn(program);
  EXPECT_EQ(spawned.error, 0);
  Ended ended;
  ended.status = Reap(spawned.pid);
  lseek(out.get(), 0, SEEK_SET);
  ended.output.resize(4096);
  ended.output.resize(ReadAll(out.get(), ended.output.data(), ended.output.size()).value_or(0));
  return ended;
}

TEST(SpawnTest, ReadsWritesAndEnds) {
  const Ended ended = RunScript("cat; exit 7", "said");
  EXPECT_EQ(ended.output, "said");
  EXPECT_TRUE(WIFEXITED(ended.status));
  EXPECT_EQ(WEXITSTATUS(ended.status), 7);
}

TEST(SpawnTest, SeesNoEnvironmentButItsOwn) {
  ASSERT_EQ(setenv("WAYMARK_CANARY", "canary", 1), 0);
  // The shell adds to what it hands on, not to its own.
  const std::string read = "tr '\\0' '\\n' < /proc/$$/environ; true";
  EXPECT_THAT(RunScript(read).output, IsEmpty());
  EXPECT_EQ(RunScript(read, "", {.environment = {"A=b c", "D="}}).output, "A=b c\nD=\n");
}

TEST(SpawnTest, HasNoDescriptorButItsThree) {
  // One that a library forgot to close at exec.
  const FileDescriptor forgotten(fcntl(STDERR_FILENO, F_DUPFD, 77));
  ASSERT_TRUE(forgotten.ok());
  const std::string seen = RunScript("ls -l /proc/$$/fd; true").output;
  EXPECT_THAT(seen, Not(ContainsRegex(" (77|[3-9]) ->")));
  EXPECT_THAT(seen, HasSubstr("2 -> /dev/null"));
}

TEST(SpawnTest, NoSignalIsBlockedOrIgnored) {
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  sigset_t before;
  ASSERT_EQ(pthread_sigmask(SIG_BLOCK, &blocked, &before), 0);
  const auto handler = std::signal(SIGPIPE, SIG_IGN);
  const auto mask = [](const std::string& which) {
    // The shell looks itself: while it starts another program it blocks every signal for a moment.
    const std::string line = RunScript("while read -r line; do case $line in " + which +
                                       ":*) echo \"$line\";; esac; done < /proc/$$/status")
                                 .output;
    EXPECT_THAT(line, HasSubstr(which + ":\t"));
    // Two signals belong to the C library, which leaves them as they are.
    constexpr unsigned long long kInternal = 3ULL << 31;
    return std::stoull("0" + line.substr(std::min(line.size(), which.size() + 2)), nullptr, 16) &
           ~kInternal;
  };
  const auto blocked_there = mask("SigBlk");
  const auto ignored_there = mask("SigIgn");
  std::signal(SIGPIPE, handler);
  ASSERT_EQ(pthread_sigmask(SIG_SETMASK, &before, nullptr), 0);
  EXPECT_EQ(blocked_there, 0U);
  EXPECT_EQ(ignored_there, 0U);
}

TEST(SpawnTest, WorksWhereItIsTold) {
  EXPECT_EQ(RunScript("pwd -P", "", {.folder = "/"}).output, "/\n");
  const std::string own = std::filesystem::canonical(".");
  EXPECT_EQ(RunScript("pwd -P").output, own + "\n");
}

TEST(SpawnTest, AGroupOfItsOwnEndsAsOne) {
  const auto group = [](bool own) {
    return RunScript("test $(cut -d' ' -f5 /proc/$$/stat) = $$", "", {.own_group = own}).status;
  };
  EXPECT_EQ(group(true), 0);
  EXPECT_NE(group(false), 0);

  const FileDescriptor in(open("/dev/null", O_RDONLY | O_CLOEXEC));
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const FileDescriptor out(ends[0]);
  FileDescriptor far_end(ends[1]);
  const Spawned spawned = Spawn({.command = {"/bin/sh", "-c", "sleep 600 & echo on; wait"},
                                 .input = in.get(),
                                 .output = far_end.get(),
                                 .own_group = true});
  ASSERT_EQ(spawned.error, 0);
  far_end.Close();
  char on[3];
  EXPECT_EQ(ReadAll(out.get(), on, sizeof(on)), 3U);
  ASSERT_EQ(kill(-spawned.pid, SIGKILL), 0);
  EXPECT_TRUE(WIFSIGNALED(Reap(spawned.pid)));
  char more = 0;
  EXPECT_EQ(ReadAll(out.get(), &more, 1), 0U) << "what it started has ended, too";
}

TEST(SpawnTest, AProgramThatIsNotThereIsNoChild) {
  const Spawned spawned =
      Spawn({.command = {"/nowhere/program"}, .input = STDIN_FILENO, .output = STDOUT_FILENO});
  EXPECT_EQ(spawned.pid, 0);
  EXPECT_EQ(spawned.error, ENOENT);
}

}  // namespace
}  // namespace waymark::node
