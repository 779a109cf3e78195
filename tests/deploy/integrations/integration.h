// A ready integration of deploy/integrations as a node uses it, without the node: its configuration
// as it stands there, its mappings in the real jq child, its connector.
//
// A test says what its machine has otherwise than the configuration: a host, a folder. What cannot
// go on ends the test program. Not thread-safe; different integrations are independent.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "client/connectors/connector.h"
#include "client/local_systems.h"
#include "client/mapping/mapper.h"
#include "client/mapping/mapping.h"
#include "tests/support/fake_clock.h"
#include "waymark/v1/directory.pb.h"
#include "waymark/v1/local.pb.h"

namespace waymark::node {

// Texts that must occur in the configuration, and what stands for each here.
using ConfigChanges = std::vector<std::pair<std::string, std::string>>;

// The path and the content of a file of deploy/integrations.
std::string IntegrationPath(const std::string& file);
std::string ReadIntegrationFile(const std::string& file);

// 16 bytes that all are `byte`.
std::string ReferralIdOf(char byte);

// "AcAAAA==" of 16 bytes and the like.
std::string Base64Of(const std::string& bytes);

class Integration {
 public:
  // The one connector of `name`/node.yaml.
  Integration(const std::string& name, const ConfigChanges& changes);

  // The sample of the outward mapping as the referral with this id, in this state.
  v1::LocalOutward Sample(const std::string& referral_id, const std::string& state) const;

  // Maps the referral and writes its record, as delivery does.
  WriteResult Write(const v1::LocalOutward& referral);
  WriteResult Erase(const std::string& referral_id);

  // What the system has answered since the last call, each held against schema, profile and what a
  // step can carry: without findings it would be done.
  std::vector<MappedUpdate> ReadUpdates();

  // The room that the system says there is at `now`, each fit to be published.
  std::vector<v1::Capacity> ReadRoom(absl::Time now);

 private:
  std::vector<std::string> ReadFeed(Feed feed);
  const LocalTarget& target() const { return systems_->targets().front(); }

  const std::string name_;
  FakeClock steady_{absl::UnixEpoch()};
  std::optional<LocalSystems> systems_;
  std::unique_ptr<MappingRunner> runner_;
  std::string cursors_[2];
};

}  // namespace waymark::node
