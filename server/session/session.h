// One node's stream, without gRPC: what a frame may be, what becomes of it, what goes back.
//
// The first frame is a hello; then registrations and messages go to the committer, and their
// outcomes come back in the order of submission; deliveries come from the dispatcher under the
// node's credits. A rule that the node breaks ends the stream with its reason; what was accepted
// before stays accepted. An end that is not the node's fault is said in a Goodbye first.
//
// Overload: what is beyond the member's quota is answered with QUOTA_EXCEEDED, item by item; a
// hello for which there is no room now gets a Goodbye with the time to come back, in place of a
// welcome; a node that acknowledges nothing of what it was given gets no more than its credits, and
// after a while its stream ends with PEER_STALLED.
//
// Collaborators: Committer, Dispatcher, and a SessionOutput, which is the rim (server/rpc).
// Threads: every method of Session except the DeliverySink's runs on the session's strand, as does
// everything it asks of the output. The DeliverySink's methods and the committer's answers may come
// from any thread and only post to the strand. Lifetime: shared by the strand's tasks and the rim;
// the dispatcher holds it weakly; the collaborators outlive it.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/ids/ids.h"
#include "base/time/clock.h"
#include "server/routing/membership.h"
#include "server/session/committer.h"
#include "server/session/dispatcher.h"
#include "server/session/hello_gate.h"
#include "server/session/quotas.h"
#include "waymark/v1/exchange.pb.h"

namespace waymark::hub {

inline constexpr int kMaxFrameItems = 64;
inline constexpr size_t kMaxFrameBytes = size_t{1} << 20;
inline constexpr uint32_t kProtocolVersion = 1;

// The rim of a session. Called on the session's strand.
class SessionOutput {
 public:
  virtual ~SessionOutput() = default;
  // Sends a frame after those before it.
  virtual void Send(v1::ConnectResponse frame) = 0;
  // Sends messages, 1 to 64 of at most 1 MiB together, after the deliveries before them.
  virtual void Deliver(std::vector<OutgoingDelivery> deliveries) = 0;
  // Ends the stream once everything sent before is written: OK after a Goodbye, else the reason.
  // The last call.
  virtual void End(absl::Status status) = 0;
};

// Runs tasks of one session one at a time, in order, on some thread. Thread-safe.
class SessionStrand {
 public:
  virtual ~SessionStrand() = default;
  virtual void Post(absl::AnyInvocable<void()> task) = 0;
};

class Session final : public DeliverySink, public std::enable_shared_from_this<Session> {
 public:
  struct Options {
    absl::Duration heartbeat_interval = absl::Seconds(30);
    // A node that sends nothing for so long is gone.
    absl::Duration silence_limit = absl::Seconds(90);
    // A node that acknowledges nothing of what was delivered for so long does not work.
    absl::Duration ack_limit = absl::Minutes(2);
    // Submitted and not answered; beyond it no further frame is taken.
    size_t max_unanswered_items = 1024;
    size_t max_unanswered_bytes = size_t{4} << 20;
  };

  // Not owned; they outlive the session.
  struct Collaborators {
    Committer* committer = nullptr;
    Dispatcher* dispatcher = nullptr;
    Quotas* quotas = nullptr;
    HelloGate* gate = nullptr;
    Clock* clock = nullptr;
    // Who the members are now.
    std::function<std::shared_ptr<const Membership>()> membership;
    // The store's epoch, 16 bytes.
    std::string epoch;
  };

  // `organisation` is what the peer's certificate names. `output` and `strand` outlive the
  // session's last task.
  Session(const OrganisationId& organisation, const Collaborators& collaborators,
          const Options& options, SessionOutput* output, std::shared_ptr<SessionStrand> strand);

  // A frame that parsed. `now` is monotonic, for the silence limit.
  void OnFrame(v1::ConnectRequest frame, absl::Time now);

  // A frame that did not parse.
  void OnMalformed();

  // The node will send nothing more: answers what it submitted, then ends.
  void OnHalfClose();

  // The stream is gone; nothing reaches the node any more. Idempotent.
  void OnGone();

  // Ends the session from our side with a Goodbye, for draining.
  void Leave(v1::Reason reason, absl::Duration retry_after);

  // Ends the session if the node has been silent, or has acknowledged nothing, for too long. `now`
  // is monotonic.
  void OnTick(absl::Time now);

  // Whether the next frame may be read now.
  bool wants_frame() const;

  // DeliverySink. From any thread.
  void OnAttached() override;
  void OnDeliver(std::vector<OutgoingDelivery> deliveries) override;
  void OnPeerOffline(const MessageId& message_id) override;
  void OnDetached(v1::Reason reason) override;

 private:
  enum class State {
    kHelloExpected,
    // The hello was good; the welcome waits until nobody who came before can replace this session.
    kAttaching,
    kOpen,
    // About to end; what was submitted is still being answered.
    kClosing,
    kEnded,
  };

  // One submitted frame that waits for its answer.
  struct Pending {
    uint64_t number = 0;
    std::vector<std::string> item_ids;
    size_t bytes = 0;
    // Set once answered; sent in order.
    std::optional<std::vector<v1::Reason>> reasons;
  };

  void OnHello(const v1::Hello& hello, absl::Time now);
  // Has this session delivered to from now on.
  void Attach(const v1::Hello& hello, bool restricted);
  void Welcome();
  // Whether the stream has not begun to end.
  bool Lasts() const;
  // Whether the member is suspended; nullopt when it is none.
  std::optional<bool> Suspended() const;
  absl::Status CheckHello(const v1::Hello& hello) const;
  void OnSubmit(v1::Submit submit, absl::Time now);
  void OnAck(uint64_t through);
  void Submit(Work work);
  void OnAnswered(uint64_t number, std::vector<v1::Reason> reasons);
  void SendAnswered();
  // Takes no more frames, and once everything submitted is answered says `goodbye` and ends.
  void Close(const absl::Status& status, std::optional<v1::Goodbye> goodbye);
  void EndIfAnswered();
  // Closes with the reason for which the node is to blame.
  void Fail(const absl::Status& status);
  // Closes in order, for a reason that is not the node's fault.
  void SayGoodbye(v1::Reason reason, absl::Duration retry_after);
  void Detach();

  const OrganisationId organisation_;
  const Collaborators with_;
  const Options options_;
  const std::shared_ptr<SessionStrand> strand_;

  // On the strand. The output is null once the stream is gone.
  SessionOutput* output_;
  State state_ = State::kHelloExpected;
  std::optional<AttachmentId> attachment_;
  // What the attachment was made for.
  uint64_t cursor_ = 0;
  bool restricted_ = false;
  std::deque<Pending> pending_;
  uint64_t next_number_ = 0;
  size_t unanswered_items_ = 0;
  size_t unanswered_bytes_ = 0;
  std::optional<absl::Time> last_heard_;
  // The last sequence delivered and acknowledged, and since when the difference is looked at.
  uint64_t delivered_ = 0;
  uint64_t acked_ = 0;
  std::optional<absl::Time> unacked_since_;
  // How a closing session ends.
  absl::Status end_status_;
  std::optional<v1::Goodbye> goodbye_;
};

}  // namespace waymark::hub
