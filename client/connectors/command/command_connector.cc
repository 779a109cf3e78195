#include "client/connectors/command/command_connector.h"

#include <algorithm>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "base/crypto/secret.h"
#include "base/status/status.h"
#include "base/time/clock.h"
#include "client/connectors/command/run.h"
#include "client/connectors/json_members.h"
#include "client/connectors/limits.h"
#include "client/connectors/result.h"

namespace waymark::node {
namespace {

// As sysexits.h has them.
constexpr int kDone = 0;
constexpr int kDataError = 65;
constexpr int kTemporaryFailure = 75;

bool IsVariableName(std::string_view name) {
  return !absl::ascii_isdigit(static_cast<unsigned char>(name.front())) &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_';
         });
}

absl::StatusOr<std::vector<std::string>> ReadCommand(ConfigSection& section, std::string_view key) {
  ASSIGN_OR_RETURN(std::vector<std::string> command, section.Strings(key));
  if (!command.empty() && command.front().front() == '/') return command;
  return section.Invalid(key,
                         "expected a list: the absolute path of a program, then its arguments; "
                         "there is no shell");
}

absl::StatusOr<std::vector<std::string>> ReadFeedCommand(ConfigSection& connector,
                                                         std::string_view use) {
  if (!connector.Has(use)) return std::vector<std::string>();
  ASSIGN_OR_RETURN(ConfigSection section, connector.Section(use));
  return ReadCommand(section, "read");
}

absl::StatusOr<CommandVariable> ReadVariable(ConfigSection& section) {
  CommandVariable variable;
  ASSIGN_OR_RETURN(variable.name, section.String("name"));
  if (!IsVariableName(variable.name)) {
    return section.Invalid("name", "expected letters, digits and '_'");
  }
  ASSIGN_OR_RETURN(variable.value, section.String("value", ""));
  ASSIGN_OR_RETURN(variable.secret, ReadSecretReference(section, "secret"));
  const bool secret = variable.secret.kind != SecretReference::Kind::kNone;
  if (variable.value.empty() == secret) return variable;
  return section.Invalid("value", "expected either value or secret");
}

absl::Status NoOutput(std::string_view what) {
  return SystemRefused("the command's output " + std::string(what));
}

// Puts one line of the output on the page.
absl::Status AddLine(std::string_view line, FeedPage& page) {
  const auto members = ReadJsonObject(line);
  if (!members) return NoOutput("has a line that is no JSON object");
  const bool cursor = members->size() == 1 && members->front().name == "cursor" &&
                      members->front().value.kind == JsonValue::Kind::kText;
  if (!cursor) {
    if (page.items.size() == kMaxFeedItems) return NoOutput("has more than 256 items");
    page.items.emplace_back(line);
    return absl::OkStatus();
  }
  const std::string& text = members->front().value.text;
  if (text.size() > kMaxCursorBytes) return NoOutput("has a cursor of more than 4 KiB");
  page.more = text != page.cursor;
  page.cursor = text;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<CommandSettings> ReadCommandSettings(ConfigSection& connector) {
  CommandSettings settings;
  if (connector.Has("referrals")) {
    ASSIGN_OR_RETURN(ConfigSection referrals, connector.Section("referrals"));
    ASSIGN_OR_RETURN(settings.write, ReadCommand(referrals, "write"));
    if (referrals.Has("erase")) {
      ASSIGN_OR_RETURN(settings.erase, ReadCommand(referrals, "erase"));
    }
    ASSIGN_OR_RETURN(settings.keyed, referrals.Bool("keyed", false));
  }
  ASSIGN_OR_RETURN(settings.capacity, ReadFeedCommand(connector, "capacity"));
  ASSIGN_OR_RETURN(settings.updates, ReadFeedCommand(connector, "updates"));
  ASSIGN_OR_RETURN(std::vector<ConfigSection> variables, connector.Sections("environment"));
  for (ConfigSection& section : variables) {
    ASSIGN_OR_RETURN(CommandVariable variable, ReadVariable(section));
    settings.environment.push_back(std::move(variable));
  }
  return settings;
}

absl::StatusOr<std::vector<std::string>> CommandConnector::Environment() const {
  std::vector<std::string> environment;
  for (const CommandVariable& variable : settings_.environment) {
    std::string entry = variable.name + "=" + variable.value;
    if (variable.secret.kind != SecretReference::Kind::kNone) {
      const absl::StatusOr<SecretBytes> secret = ReadSecret(variable.secret);
      if (!secret.ok()) return SystemRefused(std::string(secret.status().message()));
      entry += secret->view();
    }
    environment.push_back(std::move(entry));
  }
  return environment;
}

CommandConnector::Ended CommandConnector::Run(const std::vector<std::string>& command,
                                              const std::string& input, size_t max_output) const {
  Ended ended;
  absl::StatusOr<std::vector<std::string>> environment = Environment();
  if (!environment.ok()) {
    ended.status = environment.status();
    return ended;
  }
  absl::StatusOr<CommandRun> run =
      RunCommand(command, *environment, input, max_output, SteadyClock().Now() + time_limit_);
  for (std::string& entry : *environment) Wipe(entry);
  if (!run.ok()) {
    ended.status = run.status();
    return ended;
  }
  ended.output = std::move(run->output);
  if (run->end == CommandRun::End::kTooLarge) {
    ended.uncertain = true;
    ended.status = NoOutput("is larger than 8 MiB");
  } else if (run->end != CommandRun::End::kExited) {
    ended.uncertain = true;
    ended.status = SystemUnavailable(run->end == CommandRun::End::kTimedOut
                                         ? "the command ran out of time and was stopped"
                                         : "the command was stopped by a signal");
  } else if (run->exit_code == kTemporaryFailure) {
    ended.status = SystemUnavailable("the command ended with 75: not now");
  } else if (run->exit_code == kDataError) {
    ended.status = SystemRefused("the command ended with 65: it refuses the record");
  } else if (run->exit_code != kDone) {
    ended.uncertain = true;
    ended.status = SystemUnavailable("the command ended with " + std::to_string(run->exit_code));
  }
  return ended;
}

WriteResult CommandConnector::Write(const LocalRecord& record) {
  if (settings_.write.empty()) return ResultOf(NoReferrals());
  const absl::Status valid = CheckKey(record.key);
  if (!valid.ok()) return ResultOf(valid);
  if (!ReadJsonObject(record.json)) {
    return ResultOf(SystemRefused("the mapping returned what is no JSON object"));
  }
  JsonObject input;
  input.Add("key", QuoteJson(record.key));
  input.Add("record", record.json);
  const Ended ended = Run(settings_.write, std::move(input).Finish() + "\n", kMaxPageBytes);
  if (ended.uncertain && !keyed()) return Uncertain(std::string(ended.status.message()));
  return ResultOf(ended.status);
}

WriteResult CommandConnector::Erase(std::string_view key) {
  if (settings_.erase.empty()) return CannotErase();
  const absl::Status valid = CheckKey(key);
  if (!valid.ok()) return ResultOf(valid);
  JsonObject input;
  input.Add("key", QuoteJson(key));
  // An erasure may always be repeated, so that nothing about it is uncertain.
  return ResultOf(Run(settings_.erase, std::move(input).Finish() + "\n", kMaxPageBytes).status);
}

absl::StatusOr<FeedPage> CommandConnector::Read(Feed feed, std::string_view cursor) {
  const std::vector<std::string>& command = settings_.feed(feed);
  if (command.empty()) return NoSuchFeed();
  JsonObject input;
  input.Add("cursor", QuoteJson(cursor));
  input.Add("limit", std::to_string(kMaxFeedItems));
  const Ended ended = Run(command, std::move(input).Finish() + "\n", kMaxPageBytes);
  RETURN_IF_ERROR(ended.status);
  FeedPage page;
  page.cursor = std::string(cursor);
  for (const absl::string_view line : absl::StrSplit(ended.output, '\n')) {
    if (line.empty()) continue;
    RETURN_IF_ERROR(AddLine({line.data(), line.size()}, page));
  }
  // There is more at once only when the page is full and the next one begins elsewhere.
  page.more = page.more && page.items.size() == kMaxFeedItems;
  return page;
}

}  // namespace waymark::node
