// The adapter between one gRPC stream and its Session.
//
// Reactions hand over to the strand; every Start and Finish comes from Pump, which follows what the
// strand has run: one read and one write in flight, no read while the session or the queue of
// frames is full, Finish exactly once and never with a write pending. What comes while a write is
// in flight leaves together. A write that takes too long cancels the stream.
//
// Threads: reactions come from gRPC, possibly at once; everything else runs on the strand.
// Lifetime: a reference to itself lives until the last strand task after OnDone; everyone else
// holds weak ones.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "server/rpc/frames.h"
#include "server/rpc/strand.h"
#include "server/session/session.h"

namespace waymark::hub {

class ExchangeReactor final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                              public SessionOutput,
                              public std::enable_shared_from_this<ExchangeReactor> {
 public:
  static constexpr absl::Duration kWriteLimit = absl::Seconds(30);
  // Frames that wait to be written; beyond it nothing is read.
  static constexpr size_t kMaxQueuedFrames = 64;

  // What a stream needs to know of the hub. Outlives every stream.
  struct Environment {
    WorkerPool* pool = nullptr;
    Session::Collaborators session;
    Session::Options options;
    FrameRecorder recorder;
    // Monotonic, for limits that a moved clock must not trip.
    Clock* steady = nullptr;
  };

  // Begins to serve a stream of `organisation`. The result lives until its OnDone; the caller gives
  // the raw pointer to gRPC and may keep a weak one.
  static std::shared_ptr<ExchangeReactor> Start(const Environment& environment,
                                                grpc::CallbackServerContext* context,
                                                const OrganisationId& organisation);

  const OrganisationId& organisation() const { return organisation_; }

  // From any thread: says goodbye and ends; checks the time limits; cancels at once.
  void Leave(v1::Reason reason, absl::Duration retry_after);
  void Tick();
  void Cancel();

  // Reactions.
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  // SessionOutput, on the strand.
  void Send(v1::ConnectResponse frame) override;
  void Deliver(std::vector<OutgoingDelivery> deliveries) override;
  void End(absl::Status status) override;

 private:
  // Outcomes and messages that leave in one frame.
  struct Joint {
    google::protobuf::RepeatedPtrField<v1::Outcome> outcomes;
    std::vector<OutgoingDelivery> messages;
    // Of the messages.
    size_t bytes = 0;
  };
  using Outgoing = std::variant<v1::ConnectResponse, Joint>;

  ExchangeReactor(const Environment& environment, grpc::CallbackServerContext* context,
                  const OrganisationId& organisation);

  void HandleRead(bool ok);
  void HandleWritten(bool ok);
  // The stream is of no use any more: forgets what was to be written and ends.
  void Abandon();
  void Pump();
  // The last frame of outcomes and messages that waits, if it `fits`, else a new one.
  template <typename Fits>
  Joint& JoinedTo(Fits fits);
  static grpc::ByteBuffer BytesOf(Outgoing& outgoing);

  const Environment& environment_;
  const OrganisationId organisation_;
  const std::shared_ptr<Strand> strand_;

  // On the strand. The context is null after OnDone.
  grpc::CallbackServerContext* context_;
  std::shared_ptr<ExchangeReactor> self_;
  std::shared_ptr<Session> session_;
  std::deque<Outgoing> out_;
  grpc::ByteBuffer reading_;
  grpc::ByteBuffer writing_;
  bool read_in_flight_ = false;
  bool write_in_flight_ = false;
  absl::Time write_began_;
  std::optional<absl::Status> end_;
  bool finished_ = false;
};

// A stream that ends with `status` at once.
grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* RefuseStream(
    const absl::Status& status);

}  // namespace waymark::hub
