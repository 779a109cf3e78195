// The network file, read and checked once at the edge.
//
// Values; all functions are thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/crypto/signature.h"
#include "base/ids/ids.h"
#include "waymark/v1/network.pb.h"

namespace waymark {

struct Network {
  NetworkId id;
  std::string name;
  std::string ca_pem;
  VerifyingKey registry_key;
  std::vector<std::string> hub_addresses;
  std::vector<std::string> enrolment_addresses;
  uint64_t version;
};

// Returns the checked form. REASON_FIELD_INVALID names the field that is missing or wrong; the CA
// certificate itself is parsed where it is used.
absl::StatusOr<Network> CheckNetwork(const v1::Network& network);

// Reads JSON with original field names. REASON_FILE_UNUSABLE: it does not parse or CheckNetwork
// refuses it.
absl::StatusOr<Network> ParseNetwork(std::string_view json);

// The same from a file, which the message names.
absl::StatusOr<Network> LoadNetwork(const std::string& path);

// Returns the JSON that ParseNetwork reads, for people to look at too.
std::string FormatNetwork(const v1::Network& network);

}  // namespace waymark
