#include <filesystem>
#include <fstream>
#include <memory>
#include <utility>

#include "absl/strings/str_join.h"
#include "base/identity/files.h"
#include "base/policy/section_fields.h"
#include "base/status/status.h"
#include "client/cli/commands.h"
#include "client/cli/exit_code.h"
#include "client/cli/mapping_templates.h"
#include "client/mapping/json_text.h"
#include "client/mapping/mapper.h"
#include "client/mapping/mapping.h"
#include "client/mapping/profile_judge.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"

namespace waymark::node {
namespace {

constexpr char kOut[] = "out";
constexpr char kIn[] = "in";
constexpr char kCapacity[] = "capacity";
constexpr const char* kKinds[] = {"housing", "legal", "medical", "language", "generic"};

struct MapOptions {
  std::string file;
  std::string sample;
  std::string direction = kOut;
  std::string kind;
  std::string program;
  uint32_t service = 0;
  std::vector<std::string> arguments;
};

// What a trial showed.
struct Trial {
  std::string input;
  // Each with what speaks against it; outward, nothing can.
  struct Output {
    std::string text;
    std::vector<MappingFinding> findings;
  };
  std::vector<Output> outputs;
  // What speaks against the sample itself.
  std::vector<MappingFinding> sample;

  size_t findings() const {
    size_t count = sample.size();
    for (const Output& output : outputs) count += output.findings.size();
    return count;
  }
};

absl::StatusOr<MappingArgs> ReadArguments(const std::vector<std::string>& words) {
  MappingArgs arguments;
  for (const std::string& word : words) {
    const size_t equals = word.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return UsageError("--arg is NAME=VALUE");
    }
    arguments[word.substr(0, equals)] = word.substr(equals + 1);
  }
  return arguments;
}

// Hands on, and keeps what passed.
class KeepingRunner final : public MappingRunner {
 public:
  KeepingRunner(MappingRunner& runner, Trial& trial) : runner_(runner), trial_(trial) {}

  absl::StatusOr<std::vector<std::string>> Run(
      const MappingProgram& program, std::string_view input_json,
      const std::map<std::string, std::string>& args) override {
    trial_.input = input_json;
    auto outputs = runner_.Run(program, input_json, args);
    if (outputs.ok()) {
      for (const std::string& text : *outputs) trial_.outputs.push_back({text, {}});
    }
    return outputs;
  }

 private:
  MappingRunner& runner_;
  Trial& trial_;
};

absl::Status TryOutward(Shell& shell, MappingRunner& runner, const MappingProgram& mapping,
                        const std::string& sample, const MappingArgs& arguments, Trial& trial) {
  v1::LocalOutward outward;
  trial.sample = ReadCanonical(sample, outward);
  if (!trial.sample.empty()) return absl::OkStatus();
  for (MappingFinding& finding : FindInvalidFields(outward.sections())) {
    trial.sample.push_back(std::move(finding));
  }
  const auto judged = JudgeOutward(shell.view().catalogue, outward, shell.clock().Now());
  for (MappingFinding& finding : ToMappingFindings(judged)) {
    trial.sample.push_back(std::move(finding));
  }
  return MapOutward(runner, mapping, outward.referral(), outward.sections(),
                    FieldNumbersIn(outward.sections()), arguments)
      .status();
}

absl::Status TryInward(Shell& shell, const MapOptions& options, MappingRunner& runner,
                       const MappingProgram& mapping, const std::string& sample,
                       const MappingArgs& arguments, Trial& trial) {
  PolicyJudge judge = [](const v1::LocalUpdate&) { return std::vector<PolicyFinding>(); };
  if (options.service != 0) {
    judge = JudgeByProfile(shell.view().catalogue, options.service, shell.clock().Now());
  }
  ASSIGN_OR_RETURN(const std::vector<MappedUpdate> updates,
                   MapInward(runner, mapping, sample, arguments, judge));
  for (size_t i = 0; i < updates.size(); ++i) trial.outputs[i].findings = updates[i].findings;
  return absl::OkStatus();
}

absl::Status TryCapacity(Shell& shell, MappingRunner& runner, const MappingProgram& mapping,
                         const std::string& sample, const MappingArgs& arguments, Trial& trial) {
  RETURN_IF_ERROR(runner.Run(mapping, sample, arguments).status());
  for (Trial::Output& output : trial.outputs) {
    v1::Capacity capacity;
    output.findings = ReadCanonical(output.text, capacity);
    if (output.findings.empty()) output.findings = FindRoomFaults(capacity, shell.clock().Now());
  }
  return absl::OkStatus();
}

absl::Status Try(Shell& shell, const MapOptions& options, MappingRunner& runner,
                 const MappingProgram& mapping, const std::string& sample,
                 const MappingArgs& arguments, Trial& trial) {
  if (options.direction == kOut) {
    return TryOutward(shell, runner, mapping, sample, arguments, trial);
  }
  if (options.direction == kIn) {
    return TryInward(shell, options, runner, mapping, sample, arguments, trial);
  }
  return TryCapacity(shell, runner, mapping, sample, arguments, trial);
}

void Write(std::ostream& out, const std::vector<MappingFinding>& findings,
           const std::string& indent) {
  for (const MappingFinding& finding : findings) {
    out << indent << ReasonName(finding.reason) << ": "
        << (finding.field.empty() ? "" : finding.field + " ") << finding.text << "\n";
  }
}

google::protobuf::Value ToValue(const std::vector<MappingFinding>& findings) {
  google::protobuf::Value list;
  list.mutable_list_value();
  for (const MappingFinding& finding : findings) {
    auto& entry =
        *list.mutable_list_value()->add_values()->mutable_struct_value()->mutable_fields();
    entry["reason"].set_string_value(std::string(ReasonName(finding.reason)));
    entry["field"].set_string_value(finding.field);
    entry["text"].set_string_value(finding.text);
  }
  return list;
}

std::string ToText(const google::protobuf::Message& message) {
  std::string text;
  return google::protobuf::util::MessageToJsonString(message, &text).ok() ? text : "null";
}

// Inputs and outputs stand as they are, numbers and the order of keys included.
void WriteJson(std::ostream& out, const Trial& trial) {
  out << "{\"input\":" << (trial.input.empty() ? "null" : trial.input)
      << ",\"sample_findings\":" << ToText(ToValue(trial.sample)) << ",\"outputs\":[";
  const char* separator = "";
  for (const Trial::Output& output : trial.outputs) {
    out << separator << "{\"output\":" << output.text
        << ",\"findings\":" << ToText(ToValue(output.findings)) << "}";
    separator = ",";
  }
  out << "]}\n";
}

void WriteText(std::ostream& out, const Trial& trial) {
  if (!trial.input.empty()) out << "input\n  " << trial.input << "\n";
  Write(out, trial.sample, "  ! ");
  for (size_t i = 0; i < trial.outputs.size(); ++i) {
    out << "output " << i + 1 << "\n  " << trial.outputs[i].text << "\n";
    Write(out, trial.outputs[i].findings, "  ! ");
  }
  if (trial.outputs.empty() && trial.sample.empty()) out << "no output\n";
}

absl::Status Test(Shell& shell, const MapOptions& options) {
  ASSIGN_OR_RETURN(const MappingProgram mapping, ReadMapping(options.file));
  ASSIGN_OR_RETURN(const std::string sample, ReadPublicFile(options.sample));
  ASSIGN_OR_RETURN(const MappingArgs arguments, ReadArguments(options.arguments));
  const MappingLimits limits;
  if (CheckJson(sample, limits.depth) != JsonText::kValid) {
    return Error(v1::REASON_MAPPING_INPUT_INVALID, options.sample + " is not JSON, or too deep");
  }
  ASSIGN_OR_RETURN(
      const auto child,
      JqRunner::Create({.program = options.program.empty() ? FindJqProgram() : options.program,
                        .limits = limits,
                        .reveal_errors = true}));
  Trial trial;
  KeepingRunner runner(*child, trial);
  const absl::Status tried = Try(shell, options, runner, mapping, sample, arguments, trial);
  shell.json() ? WriteJson(shell.out(), trial) : WriteText(shell.out(), trial);
  RETURN_IF_ERROR(tried);
  if (const size_t count = trial.findings(); count > 0) {
    return UsageError(std::to_string(count) + (count == 1 ? " finding" : " findings") +
                      ", each named above");
  }
  if (!shell.json()) {
    const bool judged = options.direction != kIn || options.service != 0;
    shell.out() << "no finding"
                << (judged ? "" : "; give --service CODE to ask the disclosure profile too")
                << "\n";
  }
  return absl::OkStatus();
}

// Writes all of them or none: what is there already is never replaced.
absl::Status WriteNew(const std::vector<std::pair<std::string, std::string_view>>& files) {
  for (const auto& [name, text] : files) {
    if (std::filesystem::exists(name)) {
      return Error(v1::REASON_EXISTS, name + " is here already and is not replaced");
    }
  }
  for (const auto& [name, text] : files) RETURN_IF_ERROR(WritePublicFile(name, text));
  return absl::OkStatus();
}

absl::Status New(Shell& shell, const MapOptions& options) {
  std::vector<std::pair<std::string, std::string_view>> files;
  for (const char* ending : {"-out.jq", "-out.sample.json", "-in.jq", "-in.sample.json",
                             "-capacity.jq", "-capacity.sample.json"}) {
    const std::string name = options.kind + ending;
    files.emplace_back(name, MappingTemplate(name));
  }
  RETURN_IF_ERROR(WriteNew(files));
  std::string text = "wrote";
  for (const auto& [name, content] : files) text += " " + name;
  shell.PrintDone(text + "; the head of each .jq file says how to try it");
  return absl::OkStatus();
}

}  // namespace

void AddMapCommands(CLI::App& app, Shell& shell) {
  CLI::App* map = shell.AddGroup(app, "map", "Mappings to and from a local system");

  auto& trial = shell.Keep<MapOptions>();
  CLI::App* test = shell.Add(
      *map, "test",
      "Run a mapping on a sample, and hold the result against the schema and the profile. Needs no "
      "node.\nShows the input, every output, and everything that speaks against them; ends with 0 "
      "when nothing\ndoes, with 2 when the mapping fails or there are findings.",
      "waymark map test housing-in.jq --sample housing-in.sample.json --direction in --service 206",
      [&shell, &trial] { return Test(shell, trial); });
  test->add_option("file", trial.file, "The mapping, a jq program")->required();
  test->add_option("--sample", trial.sample,
                   "A JSON file: {referral, sections} for out, what the local system says for "
                   "in and capacity")
      ->required();
  test->add_option("--direction", trial.direction,
                   "out: to the local system; in: from it; capacity: its room")
      ->check(CLI::IsMember({kOut, kIn, kCapacity}));
  test->add_option("--service", trial.service,
                   "For in: the service code whose profile decides what may come back");
  AddEach(test, "--arg", trial.arguments, "NAME=VALUE, which the mapping sees as $args.NAME");
  test->add_option("--jq", trial.program, "The waymark-jq to use, if not the installed one");

  auto& made = shell.Keep<MapOptions>();
  CLI::App* create = shell.Add(
      *map, "new",
      "Write a starting point for each direction, with samples, into the current folder. Replaces "
      "no file.",
      "waymark map new housing", [&shell, &made] { return New(shell, made); });
  create->add_option("kind", made.kind, "One of " + absl::StrJoin(kKinds, ", "))
      ->required()
      ->check(CLI::IsMember(std::vector<std::string>(std::begin(kKinds), std::end(kKinds))));
}

}  // namespace waymark::node
