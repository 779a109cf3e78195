// What local systems report: answers and progress of referrals, and how much room there is.
//
// An item goes through the inward mapping and is then done as if a caseworker of the unit had typed
// it: shape and values are checked here, the consent by the one evaluator in Provider. Its message
// ids are made from the item itself, so that an item that comes again changes nothing. What cannot
// be acted on is kept, encrypted, with everything that speaks against it, until a person lets it be
// tried again or drops it, or its referral is erased; it holds up nothing else. The feed's position
// is stored after the items of a page, and only then does the connector learn that they are taken.
//
// Threads: ReadFeeds is for one thread, that of the connector's courier; Retry is thread-safe, as
// `publish` and `alert` have to be. What the constructor is given outlives it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/ids/ids.h"
#include "client/casework/context.h"
#include "client/casework/provider.h"
#include "client/delivery/health.h"
#include "client/delivery/target.h"
#include "waymark/local/v1/delivery.pb.h"
#include "waymark/v1/directory.pb.h"
#include "waymark/v1/local.pb.h"

namespace waymark::node {

// One item of a feed.
using ItemId = Id<struct ItemTag>;
// Publication::PublishCapacity.
using PublishRoom = std::function<absl::StatusOr<absl::Time>(v1::Capacity)>;

class Intake {
 public:
  Intake(const CaseworkContext& context, const LocalTarget& target, PublishRoom publish,
         AlertPeople alert);

  // Reads both feeds, as far as there are mappings for them, until there is no more or `stop` says
  // so. An error is about the vault; the rest is read another time.
  absl::Status ReadFeeds(const std::function<bool()>& stop = [] { return false; });

  // Tries a refused item again. OK: it was acted on and is gone. NOT_FOUND. Else what speaks
  // against it now, which is kept with it.
  absl::Status Retry(const ItemId& id);

 private:
  struct Item {
    Feed feed = Feed::kUpdates;
    std::string_view text;
  };

  absl::Status ReadFeed(Feed feed, const std::function<bool()>& stop);
  // Acts on an item, or keeps it. An error: nothing was decided, it must come again.
  absl::Status Take(const Item& item);
  // What speaks against an item; without findings it has been done.
  struct Verdict {
    std::vector<MappingFinding> findings;
    // The referral that it is about, as far as it could be read.
    std::optional<ReferralId> referral;
  };
  absl::StatusOr<Verdict> ActOn(const Item& item);
  absl::StatusOr<Verdict> ActOnUpdates(std::string_view text);
  absl::StatusOr<Verdict> ActOnRoom(std::string_view text);
  absl::Status Do(const v1::LocalUpdate& update, const MessageId& message);
  // OK if this system may speak for the service.
  absl::Status CheckOurs(const v1::Capacity& capacity) const;
  // MappingRunner::Run, again when it was short of something.
  absl::StatusOr<std::vector<std::string>> Run(const MappingProgram& mapping,
                                               std::string_view text);
  absl::Status Keep(const Item& item, const Verdict& verdict);

  const CaseworkContext& context_;
  const LocalTarget& target_;
  const PublishRoom publish_;
  const AlertPeople alert_;
  Provider provider_;
  Health health_;
};

// The items that wait for a person, newest first.
absl::StatusOr<std::vector<local::v1::RefusedFeedItem>> ListRefusedItems(const Vault& vault);
// Deletes one. OK if there is none.
absl::Status DropRefusedItem(Vault& vault, const ItemId& id);

}  // namespace waymark::node
