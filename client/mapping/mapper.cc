#include "client/mapping/mapper.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/identity/files.h"
#include "base/status/status.h"
#include "base/time/clock.h"
#include "client/mapping/jq_child.h"
#include "client/mapping/json_text.h"
#include "client/mapping/mapping_error.h"
#include "client/mapping/sandbox/protocol.h"

namespace waymark::node {
namespace {

constexpr size_t kMaxProgramBytes = size_t{1} << 20;
// With less, not even a small mapping is sure to run.
constexpr size_t kMinMemoryBytes = size_t{32} << 20;

absl::Status CheckProgram(const MappingProgram& program) {
  const std::string mapping = "mapping " + program.name;
  if (program.text.size() > kMaxProgramBytes) {
    return Error(v1::REASON_MAPPING_INVALID, mapping + " is larger than 1 MiB");
  }
  if (program.text.find_first_not_of(" \t\r\n") == std::string::npos) {
    return Error(v1::REASON_MAPPING_INVALID, mapping + " is empty");
  }
  if (!IsUtf8Text(program.text)) {
    return Error(v1::REASON_MAPPING_INVALID, mapping + " is not UTF-8 text");
  }
  return absl::OkStatus();
}

absl::Status CheckInput(const MappingProgram& program, const MappingLimits& limits,
                        std::string_view input, const std::map<std::string, std::string>& args) {
  const auto invalid = [&](const std::string& what) {
    return Error(v1::REASON_MAPPING_INPUT_INVALID, "the input of mapping " + program.name + what);
  };
  size_t size = input.size();
  for (const auto& [name, value] : args) {
    size += name.size() + value.size();
    if (!IsUtf8Text(name) || !IsUtf8Text(value)) return invalid(" has an argument that is no text");
  }
  if (size > limits.input_bytes) {
    return invalid(" has more than " + std::to_string(limits.input_bytes) + " bytes");
  }
  switch (CheckJson(input, limits.depth)) {
    case JsonText::kValid:
      return absl::OkStatus();
    case JsonText::kInvalid:
      return invalid(" is not JSON");
    case JsonText::kTooDeep:
      return invalid(" is nested deeper than " + std::to_string(limits.depth) + " levels");
  }
  return absl::OkStatus();
}

absl::Status CheckOutputs(const std::string& name, const MappingLimits& limits,
                          const std::vector<std::string>& outputs) {
  for (const std::string& output : outputs) {
    const JsonText found = CheckJson(output, limits.depth);
    if (found == JsonText::kValid) continue;
    return Error(
        v1::REASON_MAPPING_OUTPUT_INVALID,
        "mapping " + name +
            (found == JsonText::kTooDeep
                 ? " returns values nested deeper than " + std::to_string(limits.depth) + " levels"
                 : std::string(" returns something that is not JSON")));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckMappingLimits(const MappingLimits& limits) {
  const auto invalid = [](std::string_view what) {
    return Error(v1::REASON_CONFIG_INVALID, std::string("the limits of mappings: ").append(what));
  };
  if (limits.memory_bytes < kMinMemoryBytes) return invalid("memory is less than 32 MiB");
  if (limits.time <= absl::ZeroDuration() || limits.time > absl::Minutes(10)) {
    return invalid("time is not between nothing and 10 minutes");
  }
  if (limits.depth < 1 || limits.depth > 200) return invalid("depth is not between 1 and 200");
  if (limits.output_bytes < 1 || limits.output_bytes > jq::kMaxRequest) {
    return invalid("output is not between 1 byte and 64 MiB");
  }
  if (limits.input_bytes < 1 || limits.input_bytes > jq::kMaxRequest / 2) {
    return invalid("input is not between 1 byte and 32 MiB");
  }
  return absl::OkStatus();
}

absl::StatusOr<MappingProgram> ReadMapping(const std::string& path) {
  MappingProgram program;
  program.name = path;
  ASSIGN_OR_RETURN(program.text, ReadPublicFile(path));
  RETURN_IF_ERROR(CheckProgram(program));
  return program;
}

std::string FindJqProgram() {
  const std::filesystem::path beside = std::filesystem::path("libexec") / "waymark" / "waymark-jq";
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (!error) {
    const std::filesystem::path folder = self.parent_path();
    for (const auto& candidate : {folder.parent_path() / beside, folder / beside}) {
      if (access(candidate.c_str(), X_OK) == 0) return candidate;
    }
  }
  return WAYMARK_LIBEXEC_DIR "/waymark/waymark-jq";
}

absl::StatusOr<std::unique_ptr<JqRunner>> JqRunner::Create(Options options) {
  RETURN_IF_ERROR(CheckMappingLimits(options.limits));
  if (access(options.program.c_str(), X_OK) != 0) {
    return Error(v1::REASON_MAPPING_UNAVAILABLE, "cannot run " + options.program);
  }
  return std::unique_ptr<JqRunner>(new JqRunner(std::move(options)));
}

JqRunner::JqRunner(Options options) : options_(std::move(options)), thread_([this] { Serve(); }) {}

JqRunner::~JqRunner() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
    work_.Signal();
  }
  thread_.join();
}

absl::StatusOr<std::vector<std::string>> JqRunner::Run(
    const MappingProgram& program, std::string_view input_json,
    const std::map<std::string, std::string>& args) {
  RETURN_IF_ERROR(CheckProgram(program));
  RETURN_IF_ERROR(CheckInput(program, options_.limits, input_json, args));
  Job job;
  job.name = &program.name;
  job.frame =
      Encode(jq::Request{.program = program.text,
                         .input = std::string(input_json),
                         .arguments = args,
                         .max_output = static_cast<uint32_t>(options_.limits.output_bytes)});
  MutexLock lock(mu_);
  queue_.push_back(&job);
  work_.Signal();
  while (!job.done) done_.Wait(mu_);
  return std::move(job.result);
}

int JqRunner::child_pid() {
  MutexLock lock(mu_);
  return child_pid_;
}

bool JqRunner::Await(Job*& job) {
  const absl::Time idle_ends = SteadyClock().Now() + options_.idle;
  MutexLock lock(mu_);
  while (queue_.empty() && !stopping_) {
    if (child_ == nullptr) {
      work_.Wait(mu_);
      continue;
    }
    const absl::Duration left = idle_ends - SteadyClock().Now();
    if (left <= absl::ZeroDuration()) return true;
    work_.WaitFor(mu_, left);
  }
  if (queue_.empty()) return false;
  job = queue_.front();
  queue_.pop_front();
  return true;
}

void JqRunner::Serve() {
  while (true) {
    Job* job = nullptr;
    if (!Await(job)) break;
    if (job == nullptr) {
      child_.reset();
      MutexLock lock(mu_);
      child_pid_ = 0;
      continue;
    }
    auto result = Execute(*job);
    if (child_ != nullptr && !child_->running()) child_.reset();
    MutexLock lock(mu_);
    child_pid_ = child_ == nullptr ? 0 : child_->pid();
    job->result = std::move(result);
    job->done = true;
    done_.SignalAll();
  }
  child_.reset();
}

absl::StatusOr<std::vector<std::string>> JqRunner::Execute(const Job& job) {
  const MappingLimits& limits = options_.limits;
  const absl::Time deadline = SteadyClock().Now() + limits.time;
  if (child_ != nullptr && !child_->running()) child_.reset();
  if (child_ == nullptr) {
    ASSIGN_OR_RETURN(child_, JqChild::Start(options_.program, limits.memory_bytes));
  }
  const size_t max_body = std::max(limits.output_bytes, jq::kMaxMessage) + jq::kResponseOverhead;
  const JqExchange exchange = child_->Ask(job.frame, max_body, deadline);
  switch (exchange.end) {
    case JqExchange::End::kAnswered:
      return ReadAnswer(*job.name, exchange.body);
    case JqExchange::End::kTimedOut:
      return Error(v1::REASON_MAPPING_TIME, "mapping " + *job.name + " did not end within " +
                                                absl::FormatDuration(limits.time));
    case JqExchange::End::kTooLarge:
      return ErrorOf(*job.name, {.outcome = jq::Outcome::kOutputTooLarge}, false);
    case JqExchange::End::kDied:
      return ErrorOfEnd(*job.name, exchange.wait_status);
  }
  return Error(v1::REASON_INTERNAL, "mapping " + *job.name + " ended in no way that is known");
}

absl::StatusOr<std::vector<std::string>> JqRunner::ReadAnswer(const std::string& name,
                                                              const std::string& body) {
  auto response = jq::DecodeResponse(body);
  if (!response.has_value()) {
    child_.reset();
    return Error(v1::REASON_MAPPING_CRASHED,
                 "the program that runs mapping " + name + " answered with something else");
  }
  // It ends by itself, having no memory left.
  if (response->outcome == jq::Outcome::kOutOfMemory) child_.reset();
  if (response->outcome != jq::Outcome::kOutputs) {
    return ErrorOf(name, *response, options_.reveal_errors);
  }
  RETURN_IF_ERROR(CheckOutputs(name, options_.limits, response->outputs));
  return std::move(response->outputs);
}

}  // namespace waymark::node
