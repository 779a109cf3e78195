// The bidirectional stream as a source of events for one thread.
//
// gRPC's reactions only put an event into the queue; the thread that takes events out makes every
// call on the stream. One read and one write are in flight at most. Lifetime: a started stream
// keeps itself until gRPC is done with it; its owner lets go whenever it likes, after Finish.
#pragma once

#include <deque>
#include <memory>
#include <optional>

#include "absl/time/time.h"
#include "base/sync/sync.h"
#include "grpcpp/grpcpp.h"
#include "waymark/v1/exchange.grpc.pb.h"

namespace waymark::node {

class Stream;

struct StreamEvent {
  enum class Kind { kFrame, kReadFailed, kWritten, kWriteFailed, kDone };

  Kind kind;
  v1::ConnectResponse frame;
  grpc::Status status;
  // With kDone: the stream itself.
  std::shared_ptr<Stream> stream;
};

// Wakes its one reader for events and for whatever else it should look at. Thread-safe.
class EventQueue {
 public:
  void Put(StreamEvent event);
  // The reader should look around.
  void Nudge();
  // Waits until there is an event, a nudge, or the timeout; returns the first event if any.
  std::optional<StreamEvent> Wait(absl::Duration timeout);

 private:
  Mutex mu_;
  CondVar changed_;
  std::deque<StreamEvent> events_ ABSL_GUARDED_BY(mu_);
  bool nudged_ ABSL_GUARDED_BY(mu_) = false;
};

class Stream : public grpc::ClientBidiReactor<v1::ConnectRequest, v1::ConnectResponse> {
 public:
  // Starts the call. The queue is shared with reactions, which may outlast the owner.
  static std::shared_ptr<Stream> Start(v1::ExchangeService::StubInterface& stub,
                                       std::shared_ptr<EventQueue> queue);

  // Asks for the next frame; once per kFrame.
  void ReadNext();
  // Writes a frame; not before the last one's kWritten.
  void Write(v1::ConnectRequest frame, bool last);
  // No further call follows; the call ends by itself.
  void Finish();
  // Ends the call. Allowed at any time before kDone.
  void Cancel();

 private:
  explicit Stream(std::shared_ptr<EventQueue> queue) : queue_(std::move(queue)) {}

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnDone(const grpc::Status& status) override;
  void Put(StreamEvent event) noexcept;

  // Shared with the thread that reads it: either may go first.
  const std::shared_ptr<EventQueue> queue_;
  grpc::ClientContext context_;
  v1::ConnectRequest request_;
  v1::ConnectResponse response_;
  // Set from Start until OnDone.
  std::shared_ptr<Stream> self_;
  bool finished_ = false;
};

}  // namespace waymark::node
