// The log: one line per event, to standard error or a file, as text or JSON.
//
// A line is a time, a level, an event name and fields. Fields hold ids, kinds, states, reasons,
// counts and paths of our own files; never a key or a datum about a person. A message of the schema
// shows what the policy of its fields lets it (base/schema/redact.h), and nothing else gets there:
// there is no way to log a payload as it is, or a free sentence. Example:
//
//   Log(LogLevel::kWarning, "session_ended", {{"organisation", id}, {"reason",
//   ReasonName(reason)}});
//
// Before StartLog nothing is written below kWarning and lines go to standard error as text. All
// functions are thread-safe except StartLog, which main calls once before it starts threads.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "base/ids/ids.h"
#include "google/protobuf/message.h"

namespace waymark {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// "debug", "info", "warning" or "error"; nullopt for anything else.
std::optional<LogLevel> LogLevelFromName(std::string_view name);
std::string_view LogLevelName(LogLevel level);

struct LogOptions {
  LogLevel level = LogLevel::kInfo;
  bool json = false;
  // Appended to; empty for standard error. Opened again by ReopenLog, for log rotation.
  std::string file;
};

// Sets where lines go; makes the folder of the file if need be. REASON_FILE_UNUSABLE: the file
// cannot be opened for appending.
absl::Status StartLog(const LogOptions& options);

// From now on everything is written, whatever StartLog was told; and as StartLog was told again.
// Each writes a line about it, `log_level`, with the new level.
void RaiseLogToDebug();
void RestoreLogLevel();

// Opens the file again after a rotation; without a file it does nothing.
absl::Status ReopenLog();

// One field of a line.
class LogField {
 public:
  LogField(std::string_view key, std::string_view value) : key_(key), text_(value) {}
  LogField(std::string_view key, const std::string& value) : key_(key), text_(value) {}
  LogField(std::string_view key, const char* value) : key_(key), text_(value) {}
  LogField(std::string_view key, int64_t value)
      : key_(key), text_(std::to_string(value)), bare_(true) {}
  LogField(std::string_view key, uint64_t value)
      : key_(key), text_(std::to_string(value)), bare_(true) {}
  LogField(std::string_view key, int value) : LogField(key, static_cast<int64_t>(value)) {}
  LogField(std::string_view key, bool value)
      : key_(key), text_(value ? "true" : "false"), bare_(true) {}
  template <typename Tag>
  LogField(std::string_view key, const Id<Tag>& id) : key_(key), text_(id.hex()) {}
  // The name of the status' reason; the message stays out, since it may name what a log must not.
  LogField(std::string_view key, const absl::Status& status);
  // The message as Redacted shows it: which fields are set, and the values of those that say
  // nothing about a person.
  LogField(std::string_view key, const google::protobuf::Message& message);

  std::string_view key() const { return key_; }
  const std::string& text() const { return text_; }
  // Whether the text is a number or a boolean, which JSON writes without quotes.
  bool bare() const { return bare_; }

 private:
  std::string_view key_;
  std::string text_;
  bool bare_ = false;
};

// Writes a line if `level` is enabled. `event` is lower_snake_case.
void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});

// The part of a line after its time and level, as Log writes it: "event key=value ..." or the
// members of a JSON object.
std::string FormatText(std::string_view event, std::initializer_list<LogField> fields);
std::string FormatJson(std::string_view event, std::initializer_list<LogField> fields);

}  // namespace waymark
