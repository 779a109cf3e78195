#include "client/mapping/mapper.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/poll.h"

namespace waymark::node {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::unique_ptr<JqRunner> Runner(MappingLimits limits = {}, bool reveal_errors = false) {
  auto runner = JqRunner::Create(
      {.program = WAYMARK_JQ_PROGRAM, .limits = limits, .reveal_errors = reveal_errors});
  EXPECT_TRUE(runner.ok()) << runner.status();
  return *std::move(runner);
}

MappingProgram Program(const std::string& text) { return {"beds.jq", text}; }

TEST(JqRunnerTest, ReturnsEveryOutputInItsOrder) {
  const auto runner = Runner();
  const auto outputs = runner->Run(Program(".[] | {n: .}"), "[1,\"ä\",null]", {});
  ASSERT_TRUE(outputs.ok()) << outputs.status();
  EXPECT_THAT(*outputs, ElementsAre("{\"n\":1}", "{\"n\":\"ä\"}", "{\"n\":null}"));
  const auto none = runner->Run(Program("empty"), "1", {});
  ASSERT_TRUE(none.ok()) << none.status();
  EXPECT_THAT(*none, IsEmpty());
}

TEST(JqRunnerTest, GivesArgumentsWithoutCompilingThemIn) {
  const auto runner = Runner();
  for (const char* value : {"2027-03-09", "\"}]|halt", ""}) {
    const auto outputs = runner->Run(Program("$args.now | length"), "{}", {{"now", value}});
    ASSERT_TRUE(outputs.ok()) << outputs.status();
    EXPECT_THAT(*outputs, ElementsAre(std::to_string(std::string(value).size())));
  }
}

TEST(JqRunnerTest, KeepsNothingFromRunToRun) {
  const auto runner = Runner();
  ASSERT_TRUE(runner->Run(Program("first(., 1)"), "\"before\"", {{"a", "b"}}).ok());
  const auto outputs = runner->Run(Program("first(., 1)"), "\"after\"", {});
  ASSERT_TRUE(outputs.ok());
  EXPECT_THAT(*outputs, ElementsAre("\"after\""));
  const auto args = runner->Run(Program("$args"), "1", {});
  ASSERT_TRUE(args.ok());
  EXPECT_THAT(*args, ElementsAre("{}"));
}

TEST(JqRunnerTest, UsesOneChildForManyRuns) {
  const auto runner = Runner();
  EXPECT_EQ(runner->child_pid(), 0);
  ASSERT_TRUE(runner->Run(Program("."), "1", {}).ok());
  const int child = runner->child_pid();
  EXPECT_GT(child, 0);
  for (int i = 0; i < 20; ++i) {
    // More programs than the child keeps compiled.
    ASSERT_TRUE(runner->Run(Program(". + " + std::to_string(i)), "1", {}).ok());
  }
  EXPECT_EQ(runner->child_pid(), child);
}

TEST(JqRunnerTest, StartsAnotherChildWhenItsOwnWasKilled) {
  const auto runner = Runner();
  for (int i = 0; i < 20; ++i) {
    const auto outputs = runner->Run(Program(". + 1"), "1", {});
    ASSERT_TRUE(outputs.ok()) << outputs.status();
    const int child = runner->child_pid();
    ASSERT_GT(child, 0);
    kill(child, SIGKILL);
    // The end is there when the kernel says so, and is left for the runner to collect.
    siginfo_t info = {};
    ASSERT_EQ(waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
  }
}

TEST(JqRunnerTest, LeavesNoChildBehind) {
  auto runner = Runner();
  ASSERT_TRUE(runner->Run(Program("."), "1", {}).ok());
  const int child = runner->child_pid();
  runner.reset();
  EXPECT_EQ(kill(child, 0), -1);
}

TEST(JqRunnerTest, EndsAChildThatIsIdleAndStartsAnother) {
  auto created = JqRunner::Create({.program = WAYMARK_JQ_PROGRAM, .idle = absl::Milliseconds(20)});
  ASSERT_TRUE(created.ok()) << created.status();
  const std::unique_ptr<JqRunner> runner = *std::move(created);
  for (int i = 0; i < 3; ++i) {
    const auto outputs = runner->Run(Program(". + 1"), "1", {});
    ASSERT_TRUE(outputs.ok()) << outputs.status();
    EXPECT_TRUE(Eventually([&] { return runner->child_pid() == 0; }));
  }
  siginfo_t info = {};
  EXPECT_EQ(waitid(P_ALL, 0, &info, WEXITED | WNOHANG), -1) << "none is left to be collected";
}

// One a local system: what they cost a node that maps nothing.
TEST(JqRunnerTest, IdleOnesHaveNoChildAndLittleMemory) {
  const auto resident = [] {
    std::ifstream file("/proc/self/statm");
    int64_t pages = 0;
    file >> pages >> pages;
    return pages * sysconf(_SC_PAGESIZE);
  };
  std::vector<std::unique_ptr<JqRunner>> runners;
  runners.push_back(Runner());
  const int64_t before = resident();
  constexpr int64_t kRunners = 32;
  for (int64_t i = 0; i < kRunners; ++i) runners.push_back(Runner());
  const int64_t each = (resident() - before) / kRunners;
  RecordProperty("bytes_each", static_cast<int>(each));
  for (const auto& runner : runners) EXPECT_EQ(runner->child_pid(), 0);
  // A sanitizer takes most of it.
  EXPECT_LT(each, int64_t{2} << 20);
}

TEST(JqRunnerTest, OutlivesTheThreadThatRanFirst) {
  const auto runner = Runner();
  std::thread([&] { EXPECT_TRUE(runner->Run(Program("."), "1", {}).ok()); }).join();
  const int child = runner->child_pid();
  ASSERT_TRUE(runner->Run(Program("."), "1", {}).ok());
  EXPECT_EQ(runner->child_pid(), child);
}

TEST(JqRunnerTest, ServesManyThreads) {
  const auto runner = Runner();
  constexpr int kThreads = 4;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        const auto outputs = runner->Run(Program(". * 2"), std::to_string(t * 1000 + i), {});
        ASSERT_TRUE(outputs.ok()) << outputs.status();
        EXPECT_THAT(*outputs, ElementsAre(std::to_string(2 * (t * 1000 + i))));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(JqRunnerTest, BoundsTheMemoryOfTheChildByItsConfiguration) {
  const auto runner = Runner({.memory_bytes = size_t{40} << 20, .time = absl::Seconds(60)});
  ASSERT_TRUE(runner->Run(Program("."), "1", {}).ok());
  rlimit limit = {};
  ASSERT_EQ(prlimit(runner->child_pid(), RLIMIT_AS, nullptr, &limit), 0);
  EXPECT_EQ(limit.rlim_max, rlim_t{40} << 20);
  ASSERT_EQ(prlimit(runner->child_pid(), RLIMIT_CORE, nullptr, &limit), 0);
  EXPECT_EQ(limit.rlim_max, 0u);
  ASSERT_EQ(prlimit(runner->child_pid(), RLIMIT_NOFILE, nullptr, &limit), 0);
  EXPECT_EQ(limit.rlim_max, 0u);
  ASSERT_EQ(prlimit(runner->child_pid(), RLIMIT_CPU, nullptr, &limit), 0);
  EXPECT_LT(limit.rlim_cur, 100u);
  const auto large = runner->Run(Program("[range(2e6)] | length"), "1", {});
  EXPECT_EQ(ReasonOf(large.status()), v1::REASON_MAPPING_MEMORY) << large.status();
  EXPECT_TRUE(
      Runner({.time = absl::Seconds(60)})->Run(Program("[range(2e6)] | length"), "1", {}).ok());
}

TEST(JqRunnerTest, StopsAtItsDeadline) {
  const auto runner = Runner({.time = absl::Milliseconds(500)});
  const auto endless = runner->Run(Program("def f: f; f"), "1", {});
  EXPECT_EQ(ReasonOf(endless.status()), v1::REASON_MAPPING_TIME);
  EXPECT_THAT(endless.status().message(), HasSubstr("mapping beds.jq did not end within 500ms"));
  EXPECT_EQ(runner->child_pid(), 0);
}

TEST(JqRunnerTest, SaysWhereAProgramDoesNotCompile) {
  const auto runner = Runner();
  const auto outputs = runner->Run(Program("# one\n{a: 1}\n| nosuch(.a)\n"), "1", {});
  EXPECT_EQ(ReasonOf(outputs.status()), v1::REASON_MAPPING_INVALID);
  EXPECT_THAT(outputs.status().message(), HasSubstr("mapping beds.jq, line 3 does not compile"));
  EXPECT_THAT(outputs.status().message(), HasSubstr("nosuch/1 is not defined"));
  EXPECT_THAT(outputs.status().message(), HasSubstr("waymark map test"));
  EXPECT_THAT(outputs.status().message(), Not(HasSubstr("args")));
}

TEST(JqRunnerTest, NamesWhatFailedWithoutTheValue) {
  const auto runner = Runner();
  const auto hidden = runner->Run(Program(".a.b"), R"({"a": "private"})", {});
  EXPECT_EQ(ReasonOf(hidden.status()), v1::REASON_MAPPING_FAILED);
  EXPECT_THAT(hidden.status().message(), HasSubstr("it looks up a part of a string"));
  const auto raised = runner->Run(Program("error(.a)"), R"({"a": "private"})", {});
  EXPECT_THAT(raised.status().message(), Not(HasSubstr("private")));
  const auto revealing = Runner({}, /*reveal_errors=*/true);
  const auto shown = revealing->Run(Program("error(.a)"), R"({"a": "private"})", {});
  EXPECT_THAT(shown.status().message(), HasSubstr("private"));
}

TEST(JqRunnerTest, RefusesInputsThatAreNoPlainJson) {
  const auto runner = Runner({.input_bytes = 1000, .depth = 10});
  const std::string deep = std::string(11, '[') + std::string(11, ']');
  for (const std::string& input :
       {std::string(), std::string("{"), std::string("1 2"), std::string("{'a': 1}"),
        std::string("\"\xff\""), std::string("\"\0\"", 3), std::string("nan"), deep,
        std::string(1001, ' ') + "1"}) {
    const auto outputs = runner->Run(Program("."), input, {});
    EXPECT_EQ(ReasonOf(outputs.status()), v1::REASON_MAPPING_INPUT_INVALID) << outputs.status();
  }
  EXPECT_EQ(ReasonOf(runner->Run(Program("."), "1", {{"a", "\xff"}}).status()),
            v1::REASON_MAPPING_INPUT_INVALID);
  EXPECT_EQ(runner->child_pid(), 0) << "nothing of it reached the child";
  EXPECT_TRUE(runner->Run(Program("."), std::string(10, '[') + std::string(10, ']'), {}).ok());
}

TEST(JqRunnerTest, SaysThatItCannotRunAtAll) {
  const auto missing = JqRunner::Create({.program = "/nowhere/waymark-jq"});
  EXPECT_EQ(ReasonOf(missing.status()), v1::REASON_MAPPING_UNAVAILABLE);
  const auto other = JqRunner::Create({.program = "/bin/false"});
  ASSERT_TRUE(other.ok());
  EXPECT_EQ(ReasonOf((*other)->Run(Program("."), "1", {}).status()),
            v1::REASON_MAPPING_UNAVAILABLE);
  const auto echo = JqRunner::Create({.program = "/bin/cat", .limits = {.time = absl::Seconds(1)}});
  ASSERT_TRUE(echo.ok());
  EXPECT_FALSE((*echo)->Run(Program("."), "1", {}).ok());
}

TEST(JqRunnerTest, RefusesLimitsThatCannotBe) {
  for (const MappingLimits& limits :
       {MappingLimits{.memory_bytes = 1000}, MappingLimits{.time = absl::ZeroDuration()},
        MappingLimits{.time = absl::InfiniteDuration()}, MappingLimits{.output_bytes = 0},
        MappingLimits{.input_bytes = size_t{1} << 40}, MappingLimits{.depth = 0}}) {
    EXPECT_EQ(
        ReasonOf(JqRunner::Create({.program = WAYMARK_JQ_PROGRAM, .limits = limits}).status()),
        v1::REASON_CONFIG_INVALID);
  }
}

TEST(ReadMappingTest, NamesTheFile) {
  EXPECT_EQ(ReasonOf(ReadMapping("/nowhere/a.jq").status()), v1::REASON_FILE_UNUSABLE);
  const std::string path = testing::TempDir() + "/waymark-empty.jq";
  std::ofstream(path) << " \n";
  const auto empty = ReadMapping(path);
  EXPECT_EQ(ReasonOf(empty.status()), v1::REASON_MAPPING_INVALID);
  EXPECT_THAT(empty.status().message(), HasSubstr(path));
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace waymark::node
