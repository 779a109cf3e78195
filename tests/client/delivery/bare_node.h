// What campaigns of crashes begin again and again: a node over a vault's file, as it is after a
// start, with one local system, without hub and directory; and referrals that are its business.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/crypto/signature.h"
#include "base/status/status.h"
#include "client/casework/referral.h"
#include "client/delivery/commands.h"
#include "client/delivery/courier.h"
#include "client/delivery/planner.h"
#include "gtest/gtest.h"
#include "tests/client/vault/open_vault.h"
#include "tests/support/fake_clock.h"
#include "tests/support/seeded_random.h"

namespace waymark::node {

class BareNode {
 public:
  BareNode(const VaultFolder& folder, absl::Time now, uint32_t seed)
      : random(seed), clock(now), vault(folder.Open()) {
    LocalTarget target;
    target.name = "register";
    target.retry = {.attempts = 4, .give_up_after = absl::Hours(1)};
    targets.push_back(std::move(target));
  }

  // `mapping` makes the records. What is given outlives the node.
  void Connect(Connector& connector, MappingRunner& runner, const std::string& mapping) {
    targets.front().connector = &connector;
    targets.front().runner = &runner;
    targets.front().outward = MappingProgram{"out.jq", mapping};
    courier =
        std::make_unique<Courier>(context, targets.front(), [](v1::Reason, const std::string&) {});
  }

  // An accepted referral that is not saved yet, with a consent of ten years.
  local::v1::Referral NewReferral() {
    local::v1::Referral referral;
    referral.set_referral_id(random.Bytes(16));
    referral.set_own_unit(random.Bytes(16));
    referral.set_other_unit(random.Bytes(16));
    referral.set_state("ACCEPTED");
    local::v1::TokenEntry& token = *referral.add_tokens();
    token.set_hash(random.Bytes(32));
    token.set_valid_until_hour(absl::ToUnixSeconds(clock.Now() + absl::Hours(24 * 3650)) / 3600);
    return referral;
  }
  void Save(const local::v1::Referral& referral) {
    const absl::Status saved =
        vault->Write([&](Transaction& t) { return SaveReferral(context, t, referral); });
    EXPECT_TRUE(saved.ok()) << saved;
  }
  // The casework goes on: a step forward.
  void Advance(local::v1::Referral& referral) {
    if (referral.erased_at_ms() != 0) return;
    referral.set_state(referral.state() == "ACCEPTED" ? "SCHEDULED" : "STARTED");
    Save(referral);
  }
  // An erasure for good.
  void Erase(local::v1::Referral& referral) {
    if (referral.erased_at_ms() != 0) return;
    referral.set_state("WITHDRAWN");
    referral.set_erased_at_ms(ToMillis(clock.Now()));
    Save(referral);
  }

  // Brings everything that is due, and what follows within a day.
  void Run() {
    for (int hour = 0; hour < 24; ++hour) {
      const auto next = courier->RunDue();
      ASSERT_TRUE(next.ok()) << next.status();
      if (*next == absl::InfiniteFuture()) return;
      clock.Advance(absl::Hours(1));
    }
  }

  std::vector<ShownDelivery> Deliveries(bool all) const {
    auto shown = ListDeliveries(*vault, targets, all);
    EXPECT_TRUE(shown.ok()) << shown.status();
    return std::move(shown).value_or(std::vector<ShownDelivery>());
  }
  // A person looks into the system and says what is there, and lets go again what was given up.
  // Returns of how many nobody knew.
  int LookAndSay(const std::function<bool(const std::string&)>& is_there) {
    int unknown = 0;
    for (const ShownDelivery& one : Deliveries(/*all=*/false)) {
      if (one.delivery.state() != local::v1::LOCAL_STATE_UNCERTAIN) continue;
      ++unknown;
      const Sighting sighting =
          is_there(KeyOf(one.delivery)) ? Sighting::kThere : Sighting::kNotThere;
      const auto id = DeliveryId::FromBytes(one.delivery.delivery_id());
      EXPECT_TRUE(ResolveDelivery(*vault, clock, *id, sighting).ok());
    }
    EXPECT_TRUE(ReplayDead(*vault, clock, "").ok());
    return unknown;
  }

  SeededRandom random;
  FakeClock clock;
  const std::unique_ptr<Vault> vault;
  std::vector<LocalTarget> targets;
  DeliveryPlanner planner{targets, clock, [] {}};
  const SigningKey key = SigningKey::Generate();
  const CaseworkContext context = {
      .network = *NetworkId::FromBytes("a network, 16 b."),
      .organisation = *OrganisationId::FromBytes("an organisation."),
      .identity_key = key,
      .vault = *vault,
      .catalogue = Catalogue::Default(),
      .clock = clock,
      .random = random,
      .directory = [] { return std::make_shared<const DirectorySnapshot>(); },
      .directory_up_to_date = [] { return true; },
      .opening_keys = [](const Reader&, const UnitId&) -> absl::StatusOr<std::vector<OpeningKey>> {
        return std::vector<OpeningKey>();
      },
      .check_peer_head = [](const v1::DirectoryHead&) {},
      .outbox_grew = [] {},
      .local_copies = &planner};
  std::unique_ptr<Courier> courier;
};

}  // namespace waymark::node
