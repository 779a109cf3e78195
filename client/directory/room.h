// Room in the own services: what was said of it, less what offers hold.
//
// Whoever says how much room there is counts the places that nobody has: a person, or the system in
// which the organisation works. What the node itself knows of comes off before anything is told:
//
//   offered     a place is held until its hold ends, or the offer ends in another way. Nobody is
//               told when a hold runs out; the place is simply there again
//   accepted    a place is taken: it comes off until places are counted anew, which finds it gone
//
// Where a place is redacted the numbers stay in the vault, and a status alone is told.
//
// Thread-safe as the vault is. Errors are the vault's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/directory/snapshot.h"
#include "client/vault/vault.h"
#include "waymark/v1/directory.pb.h"

namespace waymark::node {

// What may be told at `now` of the room in an own service, when `said` was said of it. No place
// left is NO_CAPACITY.
absl::StatusOr<v1::Capacity> RoomToTell(const Reader& reader, const v1::Capacity& said,
                                        const v1::Service& service, absl::Time now);

// The same for what was said last; what the directory knows when the node itself said nothing;
// UNKNOWN without numbers when it is out of date.
absl::StatusOr<v1::Capacity> RoomAt(const Reader& reader, const ServiceEntry& service,
                                    absl::Time now);

// How many places of an own service are free for one more offer at `now`; nullopt when nobody has
// counted them, or too long ago.
absl::StatusOr<std::optional<uint32_t>> FreePlaces(const Reader& reader,
                                                   const std::string& service_id, absl::Time now);

}  // namespace waymark::node
