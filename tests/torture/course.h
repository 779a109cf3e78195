// One referral as the staff of two real nodes works on it, one call after the other, whatever
// happens to the nodes meanwhile.
//
// A call that got no answer is made again with the same ids, as the command line would; everything
// that was asked for and answered goes into the history. Collaborators: the walk-through of
// scenario 1 for the person's case and consents, history.h. Not thread-safe; what it is given
// outlives it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/random/random.h"
#include "tests/scenarios/walkthrough.h"
#include "tests/support/network_fixture.h"
#include "tests/torture/history.h"
#include "waymark/v1/node.pb.h"

namespace waymark::torture {

// The originating node's member; each course has one of kProviders as its provider.
inline constexpr char kOrigin[] = "qso";
inline constexpr const char* kProviders[] = {"lin", "bea"};

// One call of the staff: who makes it, of which kind, and the state that it waits for at the own
// node.
struct Step {
  std::string party;
  v1::Kind kind = v1::KIND_UNSPECIFIED;
  std::string when;
  // Drawn when it is first tried.
  std::string message_id;
};

class Course {
 public:
  // Draws who is asked and how it ends: after the service, by a refusal, a cancellation or a
  // withdrawal at some moment.
  Course(testing::NetworkFixture& network, Random& random);

  // Makes the next call if its time has come. Returns whether there was one to make. UNAVAILABLE:
  // the node did not answer; try again. Any other error of the node ends the course.
  absl::StatusOr<bool> Advance(History& history);

  // Nothing is left to do.
  bool done() const { return next_ == steps_.size(); }
  // The node refused a call, which none of a course's deserves.
  const absl::Status& refused() const { return refused_; }
  const std::string& provider() const { return provider_; }
  // The referral, as the history names it.
  const std::string& referral() const { return referral_name_; }
  std::string name() const;

  // Whether nothing is on its way any more and both sides see one state.
  bool Settled();
  // Appends what the vaults of both sides hold. Errors: of the nodes.
  absl::Status Collect(History& history);

 private:
  void Plan(Random& random);
  absl::Status Prepare();
  absl::Status Call(const Step& step);
  // Has the caseworker look at what would go, once for each step.
  absl::Status Preview(const v1::PreviewRequest& content);
  absl::Status Inquire(const std::string& message_id);
  absl::Status Accept(const std::string& message_id);
  absl::Status Disclose(const std::string& message_id);
  absl::Status Offer(const std::string& message_id);
  absl::Status Waitlist(const std::string& message_id);
  absl::Status Schedule(const std::string& message_id);
  absl::Status ReportProgress(const std::string& message_id);
  absl::Status Withdraw();
  // So long after the present minute, whenever this runs: within the need's window.
  absl::Time InMinutes(int minutes);
  absl::StatusOr<v1::GetReferralResponse> View(const std::string& party);
  // The event of `step`, or of what lies in a vault.
  Event EventOf(What what, const std::string& party, const std::string& message_id,
                v1::Kind kind) const;
  void CollectEvents(const std::string& party, const v1::GetReferralResponse& view,
                     History& history);

  template <typename Request>
  Request Ask(const std::string& message_id) {
    Request request;
    request.set_referral_id(referral_id());
    request.set_message_id(message_id);
    return request;
  }
  const std::string& referral_id() { return walk_.Id(kReferral); }

  static constexpr char kReferral[] = "referral";

  testing::NetworkFixture& network_;
  Random& random_;
  testing::Walkthrough walk_;
  std::string referral_name_;
  std::string provider_;
  bool prepared_ = false;
  std::vector<Step> steps_;
  size_t next_ = 0;
  // Of what the caseworker has seen for the present step; a repeated call has the first one's.
  std::string digest_;
  absl::Status refused_;
  // The staff's withdrawal was confirmed; its message names itself in the vault.
  bool withdrawn_ = false;
};

}  // namespace waymark::torture
