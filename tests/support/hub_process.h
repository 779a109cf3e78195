// A real hub in a process of its own, with the clock of the test and a record of what it receives.
//
// Collaborators: process.h; the program waymark-hub-test. Not thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/support/process.h"

namespace waymark::testing {

class HubProcess {
 public:
  // Which hub it is: by default the one whose clock tests move, which writes everything into its
  // log and records what it receives.
  struct Variant {
    // The program's path; empty for that one.
    std::string program;
    std::string log_level = "debug";
    // Lines of hub.yaml besides.
    std::string settings;
    // Where nodes reach it besides 127.0.0.1, for its certificate: it then listens everywhere.
    std::vector<std::string> addresses = {};
  };

  struct Options {
    // A folder of the hub's own.
    std::string folder;
    // The network file that the operator handed over.
    std::string network;
    // The file that holds the clock's offset.
    std::string clock_file;
    Variant variant = {};
  };

  struct Ports {
    int exchange = 0;
    int enrolment = 0;
    int metrics = 0;
  };

  explicit HubProcess(Options options) : options_(std::move(options)) {}

  // Makes the hub's key and returns its certificate request (PEM), for the operator to sign.
  absl::StatusOr<std::string> Init();
  // Stores what the operator signed.
  absl::Status Install(const std::string& certificate_pem);

  // Starts serving and waits until it is ready: first on free ports, later on the same ones.
  absl::Status Start();
  // SIGTERM, and waits for the orderly end.
  absl::Status Stop();
  // SIGKILL.
  void Kill();
  // Whether the process that serves has not died.
  bool running() const { return process_ != nullptr && process_->running(); }

  const Ports& ports() const { return ports_; }
  // Of the process that serves; valid until Stop or Kill.
  pid_t pid() const { return process_->pid(); }
  // What it was sent after TLS since the network began: frames and requests, in order of arrival.
  absl::StatusOr<std::vector<std::string>> Recorded() const;
  // The metrics as they stand.
  absl::StatusOr<std::string> Metrics() const;
  // Everything that it wrote: database, log, record.
  const std::string& folder() const { return options_.folder; }

 private:
  std::string Path(const std::string& name) const { return options_.folder + "/" + name; }
  std::string Program() const;
  absl::Status WriteConfig() const;

  const Options options_;
  Ports ports_;
  std::unique_ptr<Process> process_;
};

}  // namespace waymark::testing
