// The command line of waymark-node: join, staff-init, check, serve, --version.
#pragma once

#include <functional>
#include <string>

#include "absl/time/time.h"
#include "base/crypto/password.h"
#include "base/time/clock.h"

namespace waymark::node {

// What the test binary replaces.
struct ProgramOptions {
  Clock* clock = nullptr;
  // What logins and a vault's passphrase cost.
  ScryptCost cost;
  // See Node::Options.
  absl::Duration maintenance_interval = absl::Seconds(30);
  absl::Duration tls_refresh = absl::Minutes(1);
  std::function<void()> on_stored;
  // The program that runs mappings; empty: the one that is installed with this.
  std::string jq_program;
};

// Runs the program and returns its exit status: 0 done, 1 failed, 2 wrong use, 5 the registry
// operator has not approved the join yet.
int RunNodeProgram(int argc, char** argv, const ProgramOptions& options);

}  // namespace waymark::node
