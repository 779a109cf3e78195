// Asks the hub that runs on this machine what it says of itself.
#pragma once

#include <optional>
#include <string>

namespace waymark::hub {

// The version of the hub whose loopback listener is at `metrics_listen`; nullopt when none answers
// within a few seconds.
std::optional<std::string> RunningVersion(const std::string& metrics_listen);

}  // namespace waymark::hub
