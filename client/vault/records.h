// What the vault keeps, as plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "base/crypto/secret.h"
#include "base/ids/ids.h"
#include "waymark/v1/common.pb.h"
#include "waymark/v1/reason.pb.h"

namespace waymark::node {

// What a document is. The number is stored; never reuse one. The vault does not look into
// documents: which message a kind holds is the business of the room that writes it.
enum class DocumentKind : int32_t {
  // casework.
  kCase = 1,
  kNeed = 2,        // parent: case
  kConsent = 3,     // parent: case
  kReferral = 4,    // parent: need at the origin, none at the provider
  kQuery = 5,       // a capacity query; parent: need at the origin, none at the provider
  kDisclosure = 6,  // a line of the disclosure log; parent: referral
  kAlert = 7,       // something that a person should look at
  kStaff = 8,
  kToken = 9,              // a consent token, issued or received; parent: referral
  kMatch = 10,             // why services matched a need or did not; parent: need
  kWithdrawalSecret = 11,  // under the id of its case
  kSentMessage = 12,       // empty: which referral, its parent, a sent message belongs to
  // directory.
  kOwnStatement = 20,    // what the organisation says about itself
  kDirectoryEntry = 21,  // a verified statement of the network's directory
  kSealingKey = 22,      // a unit's private key; parent: unit
  kLogEntry = 23,        // one of the newest entries of the directory's log, in force or not
  // delivery.
  kDelivery = 30,         // on its way into a local system; parent: referral
  kSettledDelivery = 31,  // the same when nothing is left to do
  kFeedPosition = 32,     // how far a feed of a local system has been read
  kRefusedItem = 33,      // an item of a feed that could not be acted on; parent: its referral
};

// The name of a document: any id of ours, whose type follows from the document's kind. Empty as a
// parent: none.
class DocumentId {
 public:
  DocumentId() = default;
  template <typename Tag>
  DocumentId(const Id<Tag>& id)  // NOLINT(google-explicit-constructor): every id names a document
      : id_(Untyped::FromBytes(id.view()).value_or(Untyped())) {}

  // The same id under its own type, for example id.As<CaseId>().
  template <typename TypedId>
  TypedId As() const {
    return TypedId::FromBytes(id_.view()).value_or(TypedId());
  }

  std::string_view view() const { return id_.view(); }
  bool empty() const { return id_.empty(); }

  friend auto operator<=>(const DocumentId&, const DocumentId&) = default;

 private:
  using Untyped = Id<struct DocumentTag>;

  Untyped id_;
};

// What happened to the documents of a kind.
struct DocumentChanges {
  std::vector<DocumentId> ids;
  // Where the next look goes on; greater with each change.
  int64_t mark = 0;
};

// A document as it was read.
struct Document {
  DocumentId id;
  DocumentId parent;
  SecretBytes content;
};

// Which way a section of a referral went.
enum class SectionDirection : int32_t { kReceived = 1, kSent = 2 };

// One section of a referral.
struct SectionRecord {
  // The section's number in v1::Sections and, for a repeated one, the place in its list.
  int32_t section = 0;
  int32_t index = 0;
  // The stage at which it came or went.
  v1::Stage stage = v1::STAGE_UNSPECIFIED;
  // The serialised section.
  SecretBytes content;
};

// Something to hand to the hub.
struct OutboxEntry {
  // The message id (16 bytes) or token hash (32 bytes), as the hub's outcome will name it.
  std::string item_id;
  // The referral that it belongs to; entries of one referral leave in the order of their appending.
  ReferralId referral;
  // The serialised v1::Submission.
  std::string submission;
  // Not to be sent earlier.
  absl::Time not_before = absl::InfinitePast();
  // REVOKE, REVOKE_ACK and CANCEL: never waits, and takes along what waits of its referral.
  bool urgent = false;
  // RECEIPT, REVOKE, REVOKE_ACK, and the registration of a token that is being revoked: stays when
  // a withdrawal drops what waits of its referral.
  bool outlives_withdrawal = false;
  // A message that its recipient answers with a receipt: not a RECEIPT, and not a registration.
  bool expects_receipt = false;
  // After this time a confirmed entry need not be kept for a hub that lost it: the message's expiry
  // or the token's end.
  absl::Time keep_until = absl::InfiniteFuture();
};

// An outbox entry on its way.
struct OutboxItem {
  // Grows in the order of appending; names the entry locally.
  int64_t number = 0;
  std::string item_id;
  ReferralId referral;
  std::string submission;
};

// What became of an outbox entry.
enum class OutboxState : int32_t {
  kWaiting = 1,    // not confirmed by the hub
  kConfirmed = 2,  // durable at the hub; kept until the recipient's receipt
  kRefused = 3,    // refused by the hub; kept until the casework has seen why
};

// An entry that the hub refused.
struct RefusedItem {
  std::string item_id;
  ReferralId referral;
  v1::Reason reason = v1::REASON_UNSPECIFIED;
};

struct OutboxCounters {
  int64_t waiting = 0;
  // Confirmed, and of those the ones whose receipt is still to come: the others stay for a hub that
  // lost them.
  int64_t confirmed = 0;
  int64_t awaiting_receipt = 0;
  int64_t refused = 0;
};

// A delivered message that has not been worked on.
struct InboxItem {
  // Grows in the order of delivery; names the item locally.
  int64_t number = 0;
  // The serialised v1::Message.
  std::string message;
  // When it came: a message is judged by that, however long it lies here.
  absl::Time arrived;
};

// How far the node has read its mailbox.
struct MailboxPosition {
  // 16 bytes, or empty before the first contact.
  std::string epoch;
  uint64_t cursor = 0;
};

}  // namespace waymark::node
