// A connector to any system for which somebody has written a program.
//
// Each call runs a program once. It gets one JSON object on standard input:
//
//   write     {"key":"...","record":{...}}
//   erase     {"key":"..."}
//   a read    {"cursor":"...","limit":256}
//
// and ends with 0 (done), 75 (not now) or 65 (refused). Anything else, and running out of time,
// says nothing about what it did: a keyed one is run again, another one is uncertain. A read writes
// one JSON object a line; a line {"cursor":"..."} says where the next one goes on.
//
// See connector.h for threads and errors.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/connectors/command/command_settings.h"
#include "client/connectors/connector.h"

namespace waymark::node {

class CommandConnector : public Connector {
 public:
  CommandConnector(CommandSettings settings, absl::Duration time_limit)
      : settings_(std::move(settings)), time_limit_(time_limit) {}

  bool keyed() const override { return settings_.keyed; }
  absl::Status Ready() override { return Environment().status(); }
  WriteResult Write(const LocalRecord& record) override;
  WriteResult Erase(std::string_view key) override;
  absl::StatusOr<FeedPage> Read(Feed feed, std::string_view cursor) override;

 private:
  // How a run ended, as far as that is known.
  struct Ended {
    absl::Status status;
    bool uncertain = false;
    std::string output;
  };

  absl::StatusOr<std::vector<std::string>> Environment() const;
  Ended Run(const std::vector<std::string>& command, const std::string& input,
            size_t max_output) const;

  const CommandSettings settings_;
  const absl::Duration time_limit_;
};

}  // namespace waymark::node
