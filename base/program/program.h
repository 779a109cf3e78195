// What every program of ours that serves does alike: where its log goes and what ends it.
#pragma once

#include <csignal>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/config/config.h"
#include "base/log/log.h"

namespace waymark {

// Reads the section `log` of a configuration: level, format, file. REASON_CONFIG_INVALID as there.
absl::StatusOr<LogOptions> ReadLogOptions(ConfigSection& root);

// SIGTERM and SIGINT, which end a program in order; SIGHUP, upon which it opens its log again;
// SIGUSR1 and SIGUSR2, upon which the log has everything, and what the configuration says again.
// Made before any thread, so that every thread inherits the mask and Wait alone takes the signals.
class EndSignals {
 public:
  // Blocks them for this thread and those that it starts; ignores SIGPIPE.
  EndSignals();

  // Returns upon SIGTERM or SIGINT.
  void Wait() const;

 private:
  sigset_t signals_;
};

// Tells the service manager that started this program (systemd, Type=notify) how it does: "READY=1"
// or "STOPPING=1". Without one that wants to know (NOTIFY_SOCKET), nothing happens.
void NotifyServiceManager(std::string_view state);

}  // namespace waymark
