// The commands that look after the hub's store: backup, verify, restore, move.
#pragma once

#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "server/program.h"

namespace CLI {  // NOLINT(readability-identifier-naming): CLI11 calls it so
class App;
}  // namespace CLI

namespace waymark::hub {

// What the command line gives them. Not thread-safe.
class StoreCommands {
 public:
  // Adds the commands to `app`, which outlives this, and is parsed before anything else is called.
  explicit StoreCommands(CLI::App& app);
  StoreCommands(const StoreCommands&) = delete;
  StoreCommands& operator=(const StoreCommands&) = delete;

  // Whether the command line named one of them.
  bool parsed() const;

  // Runs it and writes to `out` what was done and what to do next. The codes of what it calls.
  absl::Status Run(const ProgramOptions& program, std::ostream& out) const;

 private:
  struct Paths {
    std::string config;
    std::string file;
  };

  void AddBackup(CLI::App& app);
  void AddVerify(CLI::App& app);
  void AddRestore(CLI::App& app);
  void AddMove(CLI::App& app);

  absl::Status Backup(const ProgramOptions& program, std::ostream& out) const;
  absl::Status Verify(std::ostream& out) const;
  absl::Status Restore(const ProgramOptions& program, std::ostream& out) const;
  absl::Status Move(const ProgramOptions& program, std::ostream& out) const;

  CLI::App* backup_command_ = nullptr;
  Paths backup_;
  CLI::App* verify_command_ = nullptr;
  Paths verify_;
  CLI::App* restore_command_ = nullptr;
  Paths restore_;
  bool replace_ = false;
  CLI::App* move_command_ = nullptr;
  std::string move_config_;
  std::string url_;
  std::string password_;
};

}  // namespace waymark::hub
