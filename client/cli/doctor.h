// `waymark doctor`: what is wrong with a node, or soon will be, and what to do.
//
// Judges only, over what doctor_command.cc gathered from the node's local API and this machine.
// Pure; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/doctor/checks.h"
#include "waymark/v1/node.pb.h"

namespace waymark::node {

// What was seen of the node's data folder.
struct DataFacts {
  PrivateFacts folder;
  PrivateFacts key;
  PrivateFacts vault;
  absl::Status disk_looked;
  DiskSpace disk;
  CertificateFacts certificate;
  SchemaFacts schema;
};

struct NodeFacts {
  absl::Time now;
  // Of the program that looks.
  std::string version;
  std::string socket;
  absl::StatusOr<v1::GetStatusResponse> status = absl::UnknownError("nobody has asked the node");
  // Where the data folder was looked for, and what was seen; nullopt: there is none of a node.
  std::string data_path;
  std::optional<DataFacts> data;
  ClockSync clock = ClockSync::kUnknown;
  // The hubs of the network file.
  std::vector<ReachFacts> hubs;
};

// In a fixed order, what is fine included.
std::vector<Finding> DiagnoseNode(const NodeFacts& facts);

}  // namespace waymark::node
