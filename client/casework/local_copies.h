// Copies of referrals that the organisation keeps outside the vault, in the systems in which it
// works.
//
// The use cases tell of every change of a referral that this node was asked for, in the transaction
// that makes it; delivery (client/delivery) brings it to the local systems. A withdrawal is
// acknowledged only when they hold nothing more, or it is known on which ground they do: until then
// the acknowledgement is owed. Thread-safe.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/ids/ids.h"
#include "client/casework/context.h"
#include "client/directory/snapshot.h"
#include "client/vault/vault.h"
#include "waymark/local/v1/records.pb.h"

namespace waymark::node {

class LocalCopies {
 public:
  virtual ~LocalCopies() = default;

  // Plans what the referral as it now stands means for its copies. Told again of the same, it
  // changes nothing. The vault's codes.
  virtual absl::Status NoteChange(Transaction& transaction,
                                  const local::v1::Referral& referral) = 0;

  // Whether a copy of the erased referral may still be somewhere, and nobody has said on which
  // ground. The vault's codes.
  virtual absl::StatusOr<bool> Remain(const Reader& reader, const ReferralId& referral) const = 0;
};

// Acknowledges the referral's withdrawal, or tells that its retention is over, if that was not done
// and no copy remains; OK also when there is nothing to say. Errors of Sender::Send.
absl::Status AcknowledgeWhenErased(const CaseworkContext& context, Transaction& transaction,
                                   const DirectorySnapshot& directory, const ReferralId& id);

}  // namespace waymark::node
