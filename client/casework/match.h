// Matching a need against the directory, on the originating node alone.
//
// Every criterion that was looked at is reported with its verdict, so that a person can see why a
// service is offered and why another one is not. A person's exclusions and preferences are compared
// here and go nowhere. Missing answers never speak against anybody: they become a question.
// Pure functions over values; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "base/ids/ids.h"
#include "base/schema/catalogue.h"
#include "waymark/v1/directory.pb.h"
#include "waymark/v1/node.pb.h"

namespace waymark::node {

// A service with what the directory says around it. Borrowed for the call.
struct Candidate {
  const v1::Service* service = nullptr;
  const v1::Unit* unit = nullptr;
  const v1::Member* member = nullptr;
  OrganisationId organisation;
  // nullptr when the member published none.
  const v1::Profile* profile = nullptr;
  // UNKNOWN when there is none or it is out of date.
  v1::CapacityStatus capacity = v1::CAPACITY_STATUS_UNKNOWN;
  std::optional<uint32_t> available;
  // Absent when the status is unknown.
  std::optional<absl::Time> capacity_until;
};

// Returns one entry per candidate that offers the need's code: those without conflict first, among
// them the unconditional ones first, then by capacity and handle.
std::vector<v1::ServiceMatch> Match(const Catalogue& catalogue, const v1::Case& person,
                                    const v1::Need& need, const std::vector<Candidate>& candidates);

// Whether the service is there and of this code, the main one or another.
bool Offers(const v1::Service& service, uint32_t code);

// The directory's view of one service, as lists show it.
v1::DirectoryListing ListingOf(const Candidate& candidate);

}  // namespace waymark::node
