// What the use cases share: the node's own identity and the things they work with.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/crypto/signature.h"
#include "base/envelope/seal.h"
#include "base/ids/ids.h"
#include "base/policy/evaluator.h"
#include "base/random/random.h"
#include "base/schema/catalogue.h"
#include "base/time/clock.h"
#include "client/directory/snapshot.h"
#include "client/vault/vault.h"

namespace waymark::node {

class LocalCopies;

// Everything outlives the use cases. The functions are called from any thread; `opening_keys` runs
// inside a vault transaction and must use nothing but the reader that it is given.
struct CaseworkContext {
  NetworkId network;
  OrganisationId organisation;
  const SigningKey& identity_key;
  Vault& vault;
  const Catalogue& catalogue;
  Clock& clock;
  Random& random;
  // Whether messages that are not urgent wait for a random time before they leave.
  bool delays = true;
  // The directory as it stands.
  std::function<std::shared_ptr<const DirectorySnapshot>()> directory;
  // Whether that is all the hub has: its watch runs and has caught up.
  std::function<bool()> directory_up_to_date;
  // The private keys of an own unit.
  std::function<absl::StatusOr<std::vector<OpeningKey>>(const Reader&, const UnitId&)> opening_keys;
  // Compares a head that a peer sent.
  std::function<void(const v1::DirectoryHead&)> check_peer_head;
  // The outbox has grown.
  std::function<void()> outbox_grew;
  // What keeps copies of referrals outside the vault; nullptr when nothing does.
  LocalCopies* local_copies = nullptr;
};

// The facts that the evaluator asks about the provider's end. `service` may be nullptr when the
// entry is no longer in the directory.
ProviderFacts FactsOf(const DirectorySnapshot& directory, const UnitId& unit, uint32_t service_code,
                      const ServiceEntry* service);

// Id of the policy pack of the unit's organisation; empty when the directory has none.
std::string PackOf(const DirectorySnapshot& directory, const UnitId& unit);

// The unit's handle, or its id in hexadecimal when the directory does not know it.
std::string HandleOf(const DirectorySnapshot& directory, const UnitId& unit);

// Whether the unit is one of the node's own.
bool IsOwnUnit(const CaseworkContext& context, const DirectorySnapshot& directory,
               const UnitId& unit);

}  // namespace waymark::node
