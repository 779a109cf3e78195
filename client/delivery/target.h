// A local system as the settings describe it: which referrals it gets, in which shape, and how
// patiently. A plain value; what it points to outlives its users.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "absl/time/time.h"
#include "base/ids/ids.h"
#include "base/lifecycle/lifecycle.h"
#include "client/connectors/connector.h"
#include "client/mapping/mapper.h"
#include "client/mapping/mapping.h"
#include "waymark/v1/message.pb.h"

namespace waymark::node {

// When to try again, and when to give up.
struct RetryPolicy {
  // The bound of the first pause; it doubles with every failure up to the longest. Each pause is
  // drawn at random below its bound.
  absl::Duration first_pause = absl::Seconds(5);
  absl::Duration longest_pause = absl::Minutes(30);
  // A write is given up after so many failures that have gone on for so long: both. An erasure is
  // never given up for being out of reach.
  uint32_t attempts = 12;
  absl::Duration give_up_after = absl::Hours(72);
  // How often a mapping is run that crashed or was short of time or memory.
  uint32_t mapping_attempts = 3;
};

// On which ground a system keeps records that it does not erase, and for how long.
struct KeptRecords {
  v1::RetentionGround ground = v1::RETENTION_GROUND_UNSPECIFIED;
  int days = 0;
};

// The states in which a referral begins to be the local system's business.
std::set<NodeState> DefaultStates();

struct LocalTarget {
  // [a-z0-9-], 1 to 40 characters. Stands in logs and alerts.
  std::string name;
  Connector* connector = nullptr;
  // Runs its mappings, and no other system's, so that a slow one holds up no other. Needed where
  // there is a mapping.
  MappingRunner* runner = nullptr;
  // What turns a referral into a record, what is read into an update, and into room; each may be
  // absent, and nothing goes that way then.
  std::optional<MappingProgram> outward;
  std::optional<MappingProgram> inward;
  std::optional<MappingProgram> capacity;
  // What all of them see as $args, beside `key` and `now`.
  MappingArgs args;
  // The own units whose referrals it gets; empty: all.
  std::set<UnitId> units;
  // A record is first written in one of these; later changes follow it whatever they are.
  std::set<NodeState> states = DefaultStates();
  RetryPolicy retry;
  // How often the feeds are read.
  absl::Duration poll = absl::Minutes(1);
  // Set if it keeps what it cannot be made to erase.
  std::optional<KeptRecords> kept;
};

}  // namespace waymark::node
