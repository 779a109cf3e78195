// What the configuration says of commands.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/config/config.h"
#include "base/secret/secret.h"
#include "client/connectors/connector.h"

namespace waymark::node {

struct CommandVariable {
  std::string name;
  // One of the two.
  std::string value;
  SecretReference secret;
};

struct CommandSettings {
  // A program's path and its arguments each; empty: not for that.
  std::vector<std::string> write;
  std::vector<std::string> erase;
  std::vector<std::string> capacity;
  std::vector<std::string> updates;
  bool keyed = false;
  // The whole environment of each.
  std::vector<CommandVariable> environment;

  const std::vector<std::string>& feed(Feed feed) const {
    return feed == Feed::kCapacity ? capacity : updates;
  }
};

absl::StatusOr<CommandSettings> ReadCommandSettings(ConfigSection& connector);

}  // namespace waymark::node
