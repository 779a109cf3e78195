// What hub.yaml says, read for every command that needs it. Stateless; thread-safe.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "base/log/log.h"
#include "server/hub.h"
#include "server/program.h"

namespace waymark::hub {

// In the data folder.
inline constexpr char kKeyFile[] = "hub.key";
inline constexpr char kRequestFile[] = "hub.csr";
inline constexpr char kCertificateFile[] = "hub.crt";

struct Settings {
  Hub::Options hub;
  LogOptions log;
};

// Reads the configuration at `path` and the network file that it names. REASON_CONFIG_INVALID: it
// does not say what it must; REASON_FILE_UNUSABLE: a file cannot be read.
absl::StatusOr<Settings> ReadSettings(const std::string& path, const ProgramOptions& program);

}  // namespace waymark::hub
