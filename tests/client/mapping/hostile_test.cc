// Hostile mappings, one a file in tests/client/mapping/hostile: each is contained, named as its
// file says, tells nothing of its input, and leaves the runner able to run a good one.
//
// The head of a file: a remark that says what it tries; "# expect:" with the reasons that are
// right, or OK with the one output (or any, if none stands there); "# input:" with what it gets
// instead of null.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "base/status/status.h"
#include "client/mapping/mapper.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace waymark::node {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// Stands in the inputs of some of them.
constexpr char kSecret[] = "secret-of-the-input";

struct Hostile {
  MappingProgram program;
  std::vector<std::string> expected;
  // What follows OK.
  std::string output;
  std::string input = "null";
};

std::string After(const std::string& line, const std::string& start) {
  return line.compare(0, start.size(), start) == 0 ? line.substr(start.size()) : "";
}

Hostile ReadHostile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  Hostile hostile;
  hostile.program.name = path;
  hostile.program.text = {std::istreambuf_iterator<char>(file), {}};
  const std::vector<std::string> lines = absl::StrSplit(hostile.program.text, '\n');
  for (const std::string& line : lines) {
    const std::string expected = After(line, "# expect: ");
    const std::string output = After(expected, "OK ");
    if (!output.empty()) {
      hostile.expected = {"OK"};
      hostile.output = output;
    } else if (!expected.empty()) {
      hostile.expected = absl::StrSplit(expected, ' ');
    }
    if (const std::string input = After(line, "# input: "); !input.empty()) hostile.input = input;
  }
  return hostile;
}

std::vector<std::string> HostileFiles() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(WAYMARK_HOSTILE_MAPPINGS)) {
    names.push_back(entry.path().stem());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string NameOf(const testing::TestParamInfo<std::string>& file) {
  std::string name = file.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

class HostileMappingTest : public testing::TestWithParam<std::string> {
 protected:
  // One runner for all of them, so that each meets what its predecessor left.
  static void SetUpTestSuite() {
    auto runner = JqRunner::Create({.program = WAYMARK_JQ_PROGRAM,
                                    .limits = {.memory_bytes = size_t{96} << 20,
                                               .time = absl::Seconds(2),
                                               .output_bytes = size_t{4} << 20}});
    ASSERT_TRUE(runner.ok()) << runner.status();
    runner_ = runner->release();
  }
  static void TearDownTestSuite() {
    delete runner_;
    runner_ = nullptr;
  }

  static JqRunner* runner_;
};
JqRunner* HostileMappingTest::runner_ = nullptr;

TEST_P(HostileMappingTest, IsContainedAndNamed) {
  const Hostile hostile =
      ReadHostile(std::string(WAYMARK_HOSTILE_MAPPINGS "/") + GetParam() + ".jq");
  ASSERT_FALSE(hostile.expected.empty()) << "the file does not say what to expect";
  const auto outputs = runner_->Run(hostile.program, hostile.input, {});
  if (outputs.ok()) {
    EXPECT_THAT(hostile.expected, Contains("OK"));
    if (!hostile.output.empty()) {
      EXPECT_THAT(*outputs, ElementsAre(hostile.output));
    }
  } else {
    EXPECT_THAT(hostile.expected, Contains(std::string(ReasonName(ReasonOf(outputs.status())))))
        << outputs.status();
    EXPECT_THAT(outputs.status().message(), HasSubstr(hostile.program.name));
    EXPECT_THAT(outputs.status().message(), Not(HasSubstr(kSecret)));
  }
  const auto good =
      runner_->Run({"good.jq", "{name: .n, who: $args.who}"}, R"({"n": 7})", {{"who", "unit"}});
  ASSERT_TRUE(good.ok()) << good.status();
  EXPECT_THAT(*good, ElementsAre(R"({"name":7,"who":"unit"})"));
}

INSTANTIATE_TEST_SUITE_P(Files, HostileMappingTest, testing::ValuesIn(HostileFiles()), NameOf);

TEST(HostileMappings, AreAtLeastForty) { EXPECT_GE(HostileFiles().size(), 40u); }

}  // namespace
}  // namespace waymark::node
