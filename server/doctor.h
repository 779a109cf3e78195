// `waymark-hub doctor`: what is wrong with a hub, or soon will be, and what to do.
//
// The hub may run or not; nothing is changed. Gathering the facts reads files, asks the hub's own
// loopback listener and its database, and connects to its addresses; judging them is pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/doctor/checks.h"
#include "server/hub.h"

namespace waymark::hub {

struct HubFacts {
  absl::Time now;
  // Of the program that looks.
  std::string version;
  std::string metrics_listen;
  // What the hub that runs says of itself: its version; nullopt when none answers.
  std::optional<std::string> running;
  PrivateFacts data;
  PrivateFacts key;
  absl::Status disk_looked;
  DiskSpace disk;
  CertificateFacts certificate;
  ClockSync clock = ClockSync::kUnknown;
  SchemaFacts schema;
  // Of a hub that stores in PostgreSQL: whether the database was reached, and what of its settings
  // does not keep its promises.
  struct Database {
    absl::Status reached;
    std::string weakness;
  };
  std::optional<Database> database;
  // Copies of the store, beside it, that are older than the hub's memory.
  std::vector<std::string> old_copies;
  // When the first of the registry's statements about members ends; nullopt for none, or an error
  // when the store cannot be read.
  absl::StatusOr<std::optional<absl::Time>> members_until = std::nullopt;
  // The addresses of the network file; empty while no hub runs.
  std::vector<ReachFacts> addresses;
};

HubFacts GatherHubFacts(const Hub::Options& options);

// In a fixed order, what is fine included.
std::vector<Finding> DiagnoseHub(const HubFacts& facts);

}  // namespace waymark::hub
