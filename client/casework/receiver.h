// What comes in: opened, checked, and only then stored.
//
// A message counts when its box opens for its header, its sender signed it, its token says so and
// the evaluator finds nothing: the recipient trusts neither the hub nor the sender's own checks.
// Whatever fails leaves no trace of its content; the sender gets a receipt with the reason. The
// effects of a message, its removal from the inbox and the receipt are one transaction, so that a
// crash repeats nothing and loses nothing. A message whose sender the directory does not know yet
// stays in the inbox for a while (waiting_room.h); it holds up nothing but its own referral.
//
// Threads: ProcessInbox is for one thread; the use cases may run beside it. The context outlives
// it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/envelope/seal.h"
#include "client/casework/context.h"
#include "client/casework/sender.h"
#include "client/casework/waiting_room.h"
#include "waymark/local/v1/records.pb.h"

namespace waymark::node {

class Receiver {
 public:
  explicit Receiver(const CaseworkContext& context) : context_(context), sender_(context) {}

  // Works through the inbox; `refused` is told the verdict on each message that was refused.
  // Returns how many messages it took from it; an error means that the vault failed and the rest is
  // still there. What waits for the directory is looked at again when that has changed, or after
  // WaitingRoom::kPause; a call in between passes over it.
  absl::StatusOr<int> ProcessInbox(const std::function<void(const absl::Status&)>& refused =
                                       [](const absl::Status&) {});

 private:
  // A message whose bindings all hold.
  struct Incoming {
    Opened opened;
    MessageId id;
    ReferralId referral;
    UnitId own_unit;
    UnitId other_unit;
    std::string token;
    std::string token_signature;
    std::string token_hash;
  };

  // Whether the message is to stay in the inbox until the directory knows its sender.
  bool MustWait(const InboxItem& item, const DirectorySnapshot& directory);
  // Takes one message from the inbox: stores it, or refuses it with the status returned in
  // `verdict`. The returned status is about the vault only.
  absl::Status Process(const InboxItem& item, const DirectorySnapshot& directory,
                       absl::Status& verdict);
  absl::StatusOr<Incoming> Open(const Reader& reader, const DirectorySnapshot& directory,
                                const v1::Message& message, absl::Time arrived) const;
  // `arrived` decides whether the message came before its end, and not when it is worked on.
  absl::Status CheckTimes(const v1::Header& header, absl::Time arrived) const;
  absl::Status CheckPolicy(const Reader& reader, const DirectorySnapshot& directory,
                           const local::v1::Referral& referral, v1::Stage reached,
                           const Incoming& incoming) const;
  // Applies a message of its kind. Its error is the verdict; the transaction is then given up.
  absl::Status Apply(Transaction& transaction, const DirectorySnapshot& directory,
                     const Incoming& incoming) const;
  absl::Status ApplyQuery(Transaction& transaction, const DirectorySnapshot& directory,
                          const Incoming& incoming) const;
  absl::Status ApplyReply(Transaction& transaction, const Incoming& incoming) const;
  absl::Status ApplyReceipt(Transaction& transaction, const Incoming& incoming) const;
  // The referral that the message is about; a new one for an inquiry, and for a withdrawal that
  // comes alone. NOT_A_PARTY: it is between other units.
  absl::StatusOr<local::v1::Referral> ReferralOf(const Reader& reader,
                                                 const Incoming& incoming) const;
  // Notes the message's token in the referral, once.
  static void KeepToken(const Incoming& incoming, local::v1::Referral& referral);
  // Erases, and acknowledges unless a local system holds a copy that is still to be erased.
  absl::Status ApplyRevocation(Transaction& transaction, const DirectorySnapshot& directory,
                               local::v1::Referral& referral, const Incoming& incoming) const;
  absl::Status ApplyStep(Transaction& transaction, const DirectorySnapshot& directory,
                         const Incoming& incoming) const;
  absl::Status SendReceipt(Transaction& transaction, const DirectorySnapshot& directory,
                           const v1::Header& header, const Incoming* incoming,
                           v1::Reason reason) const;

  const CaseworkContext& context_;
  const Sender sender_;

  // Everything in the inbox up to this number waits, and did so under this directory.
  WaitingRoom waiting_;
  int64_t looked_through_ = 0;
  std::shared_ptr<const DirectorySnapshot> looked_under_;
  absl::Time look_again_ = absl::InfinitePast();
};

}  // namespace waymark::node
