// What the unit that was asked does: offer, put on the waiting list, decline, ask back, schedule,
// start, report, close, say what the law makes it keep; and what either side may do: cancel.
//
// What flows back is judged under the received token by the one evaluator before it is sealed.
// Thread-safe; the context outlives it.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/casework/context.h"
#include "client/casework/sender.h"
#include "client/casework/staff.h"
#include "waymark/v1/node.pb.h"

namespace waymark::node {

class Provider {
 public:
  explicit Provider(const CaseworkContext& context) : context_(context), sender_(context) {}

  // Every method: NOT_FOUND (REFERRAL_UNKNOWN), STAFF_NOT_ALLOWED, STATE_FORBIDS, FIELD_INVALID,
  // the evaluator's reasons, and the errors of Sender. Repeating a message id changes nothing.

  // Holds places. `hold_until` defaults to the urgency's hold. NO_ROOM: the service has counted its
  // places, and fewer than the offer needs are held by no other.
  absl::StatusOr<v1::OfferResponse> Offer(const Actor& actor, const v1::OfferRequest& request);
  absl::Status Waitlist(const Actor& actor, const v1::WaitlistRequest& request);
  // FIELD_INVALID when the code is none of the table, or not one for this service and stage.
  absl::Status Decline(const Actor& actor, const v1::DeclineRequest& request);
  // FIELD_INVALID also for ANSWERED of the originating unit: its values go through Origin::Answer.
  absl::Status Clarify(const Actor& actor, const v1::ClarifyRequest& request);
  absl::Status Schedule(const Actor& actor, const v1::ScheduleRequest& request);
  // Erases what both sides erase at the start, the meeting point among it.
  absl::Status Start(const Actor& actor, const v1::StartRequest& request);
  absl::Status ReportProgress(const Actor& actor, const v1::ReportProgressRequest& request);
  absl::Status Close(const Actor& actor, const v1::CloseRequest& request);
  absl::Status Cancel(const Actor& actor, const v1::CancelRequest& request);
  // Notes what a withdrawal does not end; acknowledges it again when it has come already.
  // FIELD_INVALID also when the last day is over. STATE_FORBIDS when the own unit asked.
  absl::Status RecordRetention(const Actor& actor, const v1::RecordRetentionRequest& request);

 private:
  struct Step;
  absl::Status Take(const Actor& actor, const std::string& referral_id,
                    const std::string& message_id, Step step);
  absl::Status CheckReturn(const Reader& reader, const DirectorySnapshot& directory,
                           const local::v1::Referral& referral, const Step& step,
                           v1::Stage stage) const;

  const CaseworkContext& context_;
  const Sender sender_;
};

}  // namespace waymark::node
