#include "client/casework/retention.h"

#include <algorithm>
#include <optional>

#include "base/envelope/token.h"
#include "base/lifecycle/lifecycle.h"
#include "base/status/status.h"
#include "base/time/clock.h"
#include "client/casework/referral.h"
#include "client/casework/sender.h"

namespace waymark::node {
namespace {

// The clocks of node and hub may differ by less.
constexpr absl::Duration kClocksDiffer = absl::Minutes(10);

// The latest message that brought something; nullptr when none did.
const local::v1::Event* LatestBringing(const local::v1::Referral& referral) {
  const local::v1::Event* latest = nullptr;
  for (const local::v1::Event& event : referral.events()) {
    if (!event.sent() && !event.field_nos().empty()) latest = &event;
  }
  return latest;
}

}  // namespace

bool OwesExpiry(const local::v1::Referral& referral) {
  if (referral.originated() || referral.erased_at_ms() == 0) return false;
  if (referral.expiry_told_at_ms() != 0 || LatestBringing(referral) == nullptr) return false;
  // A withdrawal has an acknowledgement of its own.
  return std::none_of(referral.events().begin(), referral.events().end(),
                      [](const local::v1::Event& e) { return e.kind() == v1::KIND_REVOKE; });
}

absl::Status TellExpiry(const CaseworkContext& context, Transaction& transaction,
                        const DirectorySnapshot& directory, local::v1::Referral& referral) {
  const absl::Time now = context.clock.Now();
  Outgoing outgoing;
  outgoing.id = MessageId::Generate(context.random);
  outgoing.kind = v1::KIND_RECEIPT;
  outgoing.stage = v1::STAGE_NONE;
  // The hub demands the token as long as it remembers it, and takes none that it has forgotten.
  const local::v1::TokenEntry& token = *referral.tokens().rbegin();
  const absl::Time forgotten =
      absl::UnixEpoch() + absl::Hours(token.valid_until_hour()) + kTokenRetention;
  if (now < forgotten - kClocksDiffer) {
    outgoing.token_hash = token.hash();
    outgoing.token_valid_until_hour = token.valid_until_hour();
  } else {
    outgoing.not_before = forgotten + kClocksDiffer;
  }
  v1::Receipt& receipt = *outgoing.payload.mutable_receipt();
  receipt.set_message_id(LatestBringing(referral)->message_id());
  receipt.set_outcome(v1::RECEIPT_OUTCOME_EXPIRED);
  receipt.mutable_received_at()->set_seconds(absl::ToUnixSeconds(FloorMinute(now)));
  referral.set_expiry_told_at_ms(ToMillis(now));
  const absl::Status sent =
      Sender(context).Send(transaction, directory, RouteOf(referral), std::move(outgoing));
  const v1::Reason reason = ReasonOf(sent);
  const bool local = reason == v1::REASON_UNAVAILABLE || reason == v1::REASON_DATA_CORRUPT;
  return local ? sent : absl::OkStatus();
}

absl::Time EndOfRetention(const Catalogue& catalogue, const local::v1::Referral& referral) {
  const bool nothing = referral.originated() || referral.erased_at_ms() != 0;
  if (nothing || referral.tokens().empty()) return absl::InfiniteFuture();
  const local::v1::TokenEntry& latest = *referral.tokens().rbegin();
  const auto token = ParseToken(latest.token());
  if (!token.ok()) return absl::InfiniteFuture();
  uint32_t days = token->retention_days();
  if (days == 0) {
    const v1::PolicyPack* pack = catalogue.FindPack(token->policy_pack());
    days = (pack == nullptr ? catalogue.packs().packs(0) : *pack).retention_days();
  }
  absl::Time end = absl::UnixEpoch() + absl::Hours(latest.valid_until_hour());
  const std::optional<NodeState> state = StateOf(referral);
  if (state.has_value() && IsEnd(*state))
    end = std::min(end, FromMillis(referral.state_since_ms()));
  return end + absl::Hours(24) * static_cast<int64_t>(days);
}

}  // namespace waymark::node
