// The crash campaign: referrals among real nodes over real hubs, while these are killed and their
// network is cut, and in the end the history of it all, held against the model.
//
// One network of a hub or two, the originating node and two providers, each node with a way of its
// own to the hubs that can be cut. Everything that is drawn comes from the seed; what the processes
// make of it depends on the machine. Not thread-safe.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/torture/history.h"
#include "tests/torture/model.h"
#include "tests/torture/torture_network.h"

namespace waymark::torture {

struct CampaignOptions {
  uint32_t seed = 1;
  // The campaign ends with the fault that makes it so many kills.
  int kills = 500;
  StoreKind store = StoreKind::kSqlite;
  WayKind ways = WayKind::kProxy;
  // Told what is going on, often: for a watchdog.
  std::function<void(const std::string& doing)> beat;
};

struct CampaignResult {
  History history;
  std::vector<Violation> violations;
  // What is wrong beside the history: a call that was refused, a course that came to no end, a
  // process that ended without being killed, what a vault holds besides.
  std::vector<std::string> failures;
  // How often each fault happened, and the processes that were killed.
  std::map<std::string, int> faults;
  int kills = 0;
  int courses = 0;
  absl::Duration took;

  bool passed() const { return violations.empty() && failures.empty(); }
};

// Runs the whole campaign. Errors: the network could not be set up, a process could not be started
// again after it was killed, or a way could not be changed.
absl::StatusOr<CampaignResult> RunCampaign(const CampaignOptions& options);

// The result in Markdown, as it goes into the documentation.
std::string Report(const CampaignOptions& options, const CampaignResult& result);

}  // namespace waymark::torture
