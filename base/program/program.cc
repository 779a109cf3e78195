#include "base/program/program.h"

#include <pthread.h>

#include <string>

#include "base/status/status.h"

namespace waymark {

absl::StatusOr<LogOptions> ReadLogOptions(ConfigSection& root) {
  LogOptions log;
  ASSIGN_OR_RETURN(ConfigSection section, root.Section("log"));
  ASSIGN_OR_RETURN(const std::string level,
                   section.Choice("level", {"debug", "info", "warning", "error"}, "info"));
  log.level = LogLevelFromName(level).value();
  ASSIGN_OR_RETURN(const std::string format, section.Choice("format", {"text", "json"}, "text"));
  log.json = format == "json";
  ASSIGN_OR_RETURN(log.file, section.Path("file", ""));
  return log;
}

EndSignals::EndSignals() {
  sigemptyset(&signals_);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals_, signal);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

void EndSignals::Wait() const {
  while (true) {
    int signal = 0;
    sigwait(&signals_, &signal);
    if (signal != SIGHUP) return;
    const absl::Status reopened = ReopenLog();
    if (!reopened.ok()) Log(LogLevel::kError, "log_not_reopened", {{"reason", reopened}});
  }
}

}  // namespace waymark
