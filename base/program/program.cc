#include "base/program/program.h"

#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
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
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2}) sigaddset(&signals_, signal);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

void EndSignals::Wait() const {
  while (true) {
    int signal = 0;
    sigwait(&signals_, &signal);
    if (signal == SIGTERM || signal == SIGINT) return;
    if (signal == SIGUSR1) {
      RaiseLogToDebug();
    } else if (signal == SIGUSR2) {
      RestoreLogLevel();
    } else if (const absl::Status reopened = ReopenLog(); !reopened.ok()) {
      Log(LogLevel::kError, "log_not_reopened", {{"reason", reopened}});
    }
  }
}

void NotifyServiceManager(std::string_view state) {
  const char* named = std::getenv("NOTIFY_SOCKET");
  const std::string path = named == nullptr ? "" : named;
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path)) return;
  std::copy(path.begin(), path.end(), address.sun_path);
  // A name that begins with '@' lies in no folder.
  if (path.front() == '@') address.sun_path[0] = '\0';
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  const ssize_t sent = sendto(fd, state.data(), state.size(), MSG_NOSIGNAL,
                              reinterpret_cast<const sockaddr*>(&address), size);
  // The manager ends a service that does not report in time, and its log says so; this one says
  // why.
  if (sent < 0) Log(LogLevel::kWarning, "service_manager_not_told", {{"state", state}});
  close(fd);
}

}  // namespace waymark
