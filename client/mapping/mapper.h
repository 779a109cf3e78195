// Runs mappings: jq programs, written by an organisation's administrator, between the shared schema
// and the shape of a local system.
//
// Connectors and the directory's import work on MappingRunner; JqRunner is the one that runs them
// for real, in a child that is shut in (client/mapping/sandbox): no files, no network, no
// environment, no clock, bounded memory and time. Example:
//
//   ASSIGN_OR_RETURN(const auto runner, JqRunner::Create({.program = FindJqProgram()}));
//   ASSIGN_OR_RETURN(const MappingProgram mapping, ReadMapping("bed-register.jq"));
//   ASSIGN_OR_RETURN(const auto documents, runner->Run(mapping, json, {{"now", "2027-03-09"}}));
//
// What comes back is JSON, but otherwise as trustworthy as what a stranger typed: see mapping.h for
// the way into the schema. Errors name the mapping and never a value of its input.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/sync/sync.h"

namespace waymark::node {

class JqChild;

// A mapping as it was read.
struct MappingProgram {
  // For errors: the path of its file.
  std::string name;
  // The jq program. It sees its input as `.`, and $args.
  std::string text;
};

// Reads the file of a mapping. FILE_UNUSABLE: it does not exist; MAPPING_INVALID: it is empty or
// larger than 1 MiB.
// MAPPING_INVALID: it is empty, or not UTF-8 text.
absl::StatusOr<MappingProgram> ReadMapping(const std::string& path);

// Implementations are thread-safe.
class MappingRunner {
 public:
  virtual ~MappingRunner() = default;

  // Returns what the program makes of `input_json`, one JSON text per output, in its order; `args`
  // are strings that the program sees as $args. The same input gives the same outputs.
  //
  // MAPPING_INVALID, MAPPING_FAILED, MAPPING_TIME, MAPPING_MEMORY, MAPPING_OUTPUT_TOO_LARGE,
  // MAPPING_OUTPUT_INVALID, MAPPING_CRASHED, MAPPING_FORBIDDEN, MAPPING_INPUT_INVALID: as the
  // reason table says, about this mapping and this input; running it again gives the same, unless
  // time or memory were short. MAPPING_UNAVAILABLE: about the machine; nothing was run.
  virtual absl::StatusOr<std::vector<std::string>> Run(
      const MappingProgram& program, std::string_view input_json,
      const std::map<std::string, std::string>& args) = 0;
};

// What one run may use.
struct MappingLimits {
  // Address space of the child, of which it needs some 8 MiB before it runs anything.
  size_t memory_bytes = size_t{256} << 20;
  // Wall-clock time, compiling and starting the child included.
  absl::Duration time = absl::Seconds(5);
  // All outputs together; also the largest input.
  size_t output_bytes = size_t{4} << 20;
  size_t input_bytes = size_t{4} << 20;
  // How deep arrays and objects may be nested, in the input and in each output.
  int depth = 64;
};

// CONFIG_INVALID: a limit is zero or beyond what the child takes.
absl::Status CheckMappingLimits(const MappingLimits& limits);

// Where waymark-jq lies: seen from the running program, in ../libexec/waymark or libexec/waymark,
// else where the installation puts it.
std::string FindJqProgram();

// Runs mappings in one child process, which starts with the first run, serves run after run, ends
// when it has had nothing to do for a while, and is replaced when it has died or had to be killed.
//
// Threads: Run may be called from any; runs are served one after the other, and waiting for one's
// turn does not count against its time. The child belongs to a thread of the runner, because the
// kernel ends it with the thread that started it. Destroy the runner when no Run is under way.
class JqRunner final : public MappingRunner {
 public:
  struct Options {
    // Path of waymark-jq.
    std::string program;
    MappingLimits limits;
    // Lets MAPPING_FAILED repeat what the mapping's error says. That may be a value of the input:
    // only for samples, never for a referral.
    bool reveal_errors = false;
    // How long the child stays without a run, in real time.
    absl::Duration idle = absl::Minutes(1);
  };

  // MAPPING_UNAVAILABLE: `program` does not exist or may not be run. CONFIG_INVALID: a limit is
  // zero or beyond what the child takes.
  static absl::StatusOr<std::unique_ptr<JqRunner>> Create(Options options);

  ~JqRunner() override;
  JqRunner(const JqRunner&) = delete;
  JqRunner& operator=(const JqRunner&) = delete;

  absl::StatusOr<std::vector<std::string>> Run(
      const MappingProgram& program, std::string_view input_json,
      const std::map<std::string, std::string>& args) override;

  // The process id of the child, 0 when there is none at the moment; for tests and diagnosis.
  int child_pid();

 private:
  // A run that waits for its turn; lives on the stack of the thread that wants it.
  struct Job {
    const std::string* name = nullptr;
    // The encoded request.
    std::string frame;
    absl::StatusOr<std::vector<std::string>> result;
    bool done = false;
  };

  explicit JqRunner(Options options);

  // The thread that owns the child.
  void Serve();
  // Waits for a run, with a child for as long as that may stay idle. False at the end. `job` stays
  // nullptr when none came.
  bool Await(Job*& job);
  absl::StatusOr<std::vector<std::string>> Execute(const Job& job);
  absl::StatusOr<std::vector<std::string>> ReadAnswer(const std::string& name,
                                                      const std::string& body);

  const Options options_;
  // Used by the serving thread alone.
  std::unique_ptr<JqChild> child_;

  Mutex mu_;
  CondVar work_;
  CondVar done_;
  // Points to jobs whose owners wait for them.
  std::deque<Job*> queue_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  int child_pid_ ABSL_GUARDED_BY(mu_) = 0;

  // Last, so that it starts when everything else is there.
  std::thread thread_;
};

}  // namespace waymark::node
