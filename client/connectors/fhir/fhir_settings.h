// What the configuration says of a FHIR R4 server:
//
//   address: https://clinic.example/r4
//   flavour: sdohcc
//   key_system: https://clinic.example/waymark     # a URI
//   referrals: {mapping: clinic-out.jq, erase: delete}
//   capacity: {mapping: clinic-capacity.jq}
//   updates: {mapping: clinic-updates.jq}
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "base/config/config.h"
#include "client/connectors/fhir/flavour.h"
#include "client/connectors/http/access.h"

namespace waymark::node {

struct FhirSettings {
  HttpAccess access;
  // Never nullptr.
  const FhirFlavour* flavour;
  // The system of the identifier that holds the key.
  std::string key_system;
  bool referrals = false;
  // Resources are emptied and entered in error, as the server deletes nothing.
  bool keeps_shells = false;
  bool updates = false;
  // The search that capacity is read with, below the address; empty: not for that.
  std::string capacity = {};
};

absl::StatusOr<FhirSettings> ReadFhirSettings(ConfigSection& connector);

}  // namespace waymark::node
