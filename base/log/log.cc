#include "base/log/log.h"

#include <array>
#include <exception>
#include <memory>
#include <utility>

#include "base/schema/redact.h"
#include "base/status/status.h"
#include "base/sync/sync.h"
#include "spdlog/logger.h"
#include "spdlog/sinks/basic_file_sink.h"
#include "spdlog/sinks/stdout_sinks.h"

namespace waymark {
namespace {

constexpr char kTextPattern[] = "%Y-%m-%dT%H:%M:%S.%eZ %l %v";
constexpr char kJsonPattern[] = R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})";

constexpr std::array<std::pair<std::string_view, LogLevel>, 4> kLevels = {{
    {"debug", LogLevel::kDebug},
    {"info", LogLevel::kInfo},
    {"warning", LogLevel::kWarning},
    {"error", LogLevel::kError},
}};

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

struct LogState {
  // The sink is thread-safe and the logger shares it as spdlog demands.
  std::shared_ptr<spdlog::logger> logger;
  bool json = false;
  std::string file;
  // What StartLog was told.
  LogLevel level = LogLevel::kWarning;
};

std::shared_ptr<spdlog::logger> MakeLogger(spdlog::sink_ptr sink, bool json) {
  auto logger = std::make_shared<spdlog::logger>("waymark", std::move(sink));
  logger->set_pattern(json ? kJsonPattern : kTextPattern, spdlog::pattern_time_type::utc);
  logger->flush_on(spdlog::level::info);
  return logger;
}

LogState StandardError() {
  LogState state;
  state.logger = MakeLogger(std::make_shared<spdlog::sinks::stderr_sink_mt>(), false);
  state.logger->set_level(spdlog::level::warn);
  return state;
}

class LogHolder {
 public:
  LogState Get() {
    MutexLock lock(mu_);
    return state_;
  }
  void Set(LogState state) {
    MutexLock lock(mu_);
    state_ = std::move(state);
  }

 private:
  Mutex mu_;
  LogState state_ ABSL_GUARDED_BY(mu_) = StandardError();
};

LogHolder& Holder() {
  static LogHolder& holder = *new LogHolder;
  return holder;
}

// Quotes `text` as JSON does; what is not printable ASCII is escaped, so that no value breaks a
// line.
std::string Quoted(std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (byte < 0x20 || byte >= 0x7f) {
      quoted += "\\u00";
      quoted += kDigits[byte >> 4];
      quoted += kDigits[byte & 15];
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

bool NeedsQuotes(std::string_view text) {
  if (text.empty()) return true;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7f || c == '"' || c == '=' || c == '\\') return true;
  }
  return false;
}

}  // namespace

std::optional<LogLevel> LogLevelFromName(std::string_view name) {
  for (const auto& [known, level] : kLevels) {
    if (known == name) return level;
  }
  return std::nullopt;
}

std::string_view LogLevelName(LogLevel level) {
  for (const auto& [name, known] : kLevels) {
    if (known == level) return name;
  }
  return "";
}

LogField::LogField(std::string_view key, const absl::Status& status)
    : key_(key), text_(status.ok() ? "OK" : ReasonName(ReasonOf(status))) {}

LogField::LogField(std::string_view key, const google::protobuf::Message& message)
    : key_(key), text_(Redacted(message)) {}

absl::Status StartLog(const LogOptions& options) {
  LogState state;
  state.json = options.json;
  state.file = options.file;
  state.level = options.level;
  try {
    spdlog::sink_ptr sink;
    if (options.file.empty()) {
      sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    } else {
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(options.file);
    }
    state.logger = MakeLogger(std::move(sink), options.json);
  } catch (const std::exception&) {
    return Error(v1::REASON_FILE_UNUSABLE,
                 "the log file " + options.file + " cannot be opened for writing");
  }
  state.logger->set_level(ToSpdlog(options.level));
  Holder().Set(std::move(state));
  return absl::OkStatus();
}

void RaiseLogToDebug() {
  Holder().Get().logger->set_level(spdlog::level::debug);
  Log(LogLevel::kInfo, "log_level", {{"level", LogLevelName(LogLevel::kDebug)}});
}

void RestoreLogLevel() {
  const LogState state = Holder().Get();
  // Written before the level may suppress it.
  Log(LogLevel::kInfo, "log_level", {{"level", LogLevelName(state.level)}});
  state.logger->set_level(ToSpdlog(state.level));
}

absl::Status ReopenLog() {
  LogState state = Holder().Get();
  if (state.file.empty()) return absl::OkStatus();
  const auto level = state.logger->level();
  try {
    state.logger =
        MakeLogger(std::make_shared<spdlog::sinks::basic_file_sink_mt>(state.file), state.json);
  } catch (const std::exception&) {
    return Error(v1::REASON_FILE_UNUSABLE,
                 "the log file " + state.file + " cannot be opened for writing");
  }
  state.logger->set_level(level);
  Holder().Set(std::move(state));
  return absl::OkStatus();
}

std::string FormatText(std::string_view event, std::initializer_list<LogField> fields) {
  std::string line(event);
  for (const LogField& field : fields) {
    line += ' ';
    line += field.key();
    line += '=';
    line += NeedsQuotes(field.text()) ? Quoted(field.text()) : field.text();
  }
  return line;
}

std::string FormatJson(std::string_view event, std::initializer_list<LogField> fields) {
  std::string line = "\"event\":" + Quoted(event);
  for (const LogField& field : fields) {
    line += ',' + Quoted(field.key()) + ':';
    line += field.bare() ? field.text() : Quoted(field.text());
  }
  return line;
}

void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  const LogState state = Holder().Get();
  if (!state.logger->should_log(ToSpdlog(level))) return;
  const std::string line = state.json ? FormatJson(event, fields) : FormatText(event, fields);
  // spdlog reports its own failures to standard error and never throws from a log call.
  state.logger->log(ToSpdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace waymark
