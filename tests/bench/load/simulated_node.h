// A node of the load: one stream of one member to the hub, and nothing behind it.
//
// Items wait in a line and leave as soon as the write before them has completed, as many as a frame
// holds; what a frame of the hub gives rise to leaves together. What is delivered is acknowledged
// at once, and what has no answer yet is submitted again on the next stream, which goes on from the
// last that was delivered, as a real node does. A stream that broke is followed by another over a
// new connection, after a real node's growing pause; a hub that says when to come back is obeyed.
// Frames are put together from bytes that were prepared.
//
// Collaborators: NodeListener. Threads: Tick from one thread at a time, which is none of gRPC's,
// everything else from any thread; the listener is called on gRPC's threads, for one node one call
// at a time. Lifetime: the listener outlives the node, and what is submitted its answer; Close
// before destruction.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "base/sync/sync.h"
#include "client/link/backoff.h"
#include "grpcpp/channel.h"
#include "waymark/v1/exchange.pb.h"

namespace waymark::bench {

// Something to submit.
struct Entry {
  // As ItemBytes makes them; not owned.
  const std::string* item = nullptr;
  // The message id or the token hash that its answer names; not owned.
  const std::string* id = nullptr;
  // The listener's own.
  uint64_t tag = 0;
};

class NodeListener {
 public:
  virtual ~NodeListener() = default;
  // The item of `tag` is durable.
  virtual void OnConfirmed(size_t node, uint64_t tag) = 0;
  // The hub refused it for good.
  virtual void OnRefused(size_t node, uint64_t tag, v1::Reason reason) = 0;
  // The hub delivered `message`.
  virtual void OnDelivered(size_t node, const v1::Message& message) = 0;
  // The hub said something that has no place there.
  virtual void OnBroken(size_t node, const std::string& what) = 0;
};

class SimulatedNode {
 public:
  // Makes another connection.
  using Dial = std::function<std::shared_ptr<grpc::Channel>()>;

  enum class Leaving {
    // Sends nothing more, and waits until the hub has answered everything and ended the stream.
    kInOrder,
    // Drops the stream, whatever is under way on it.
    kAbruptly,
  };

  struct Counts {
    uint64_t streams = 0;
    uint64_t welcomes = 0;
    // Streams that ended by no doing of ours: after a welcome; before it; before it, with a time
    // to come back.
    uint64_t lost = 0;
    uint64_t failed = 0;
    uint64_t turned_away = 0;
    // From the opening of the latest welcomed stream to its welcome.
    absl::Duration welcome;
    uint64_t frames_sent = 0;
    uint64_t frames_received = 0;
    // Items that were submitted again, because their stream ended or the hub had no room.
    uint64_t repeats = 0;
  };

  // `number` is what the listener is told, `channel` its first connection.
  SimulatedNode(size_t number, std::shared_ptr<grpc::Channel> channel, Dial dial,
                NodeListener* listener);
  ~SimulatedNode();
  SimulatedNode(const SimulatedNode&) = delete;
  SimulatedNode& operator=(const SimulatedNode&) = delete;

  // Opens the stream. Whether the hub welcomes it shows in connected().
  void Connect();
  bool connected();

  // Queues entries, in order and without anything between them.
  void Submit(const Entry* entries, size_t count);

  // Ends the stream, and its connection with it; `rest` after its end comes the next one. Nothing
  // without a stream.
  void Leave(Leaving how, absl::Duration rest);

  // Connects again, and submits again what the hub had no room for, once it is time to. Call it
  // every few milliseconds.
  void Tick(absl::Time now);

  // Whether everything is answered, and what was delivered acknowledged.
  bool idle();

  // Ends the stream in order and waits for its end. The listener is not called any more.
  void Close();

  Counts counts();

 private:
  class Stream;
  using Outcomes = google::protobuf::RepeatedPtrField<v1::Outcome>;

  // From the stream.
  void OnFrame(const v1::ConnectResponse& frame);
  void OnEnded(bool in_order);

  void OnOutcomes(const Outcomes& outcomes);
  void OnDeliver(const v1::Deliver& deliver);
  void StartStream() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void OnWelcome(const v1::Welcome& welcome) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // How long to stay away after a stream that ended by no doing of ours, which is counted.
  absl::Duration RestAfterLoss() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Writes the next frame if none is being written, or ends the stream if it is to be left.
  void Pump() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const size_t number_;
  const Dial dial_;
  NodeListener* const listener_;

  Mutex mu_;
  // Let go of by Tick and the destructor alone: gRPC's threads must not drop the last of it.
  std::shared_ptr<grpc::Channel> channel_ ABSL_GUARDED_BY(mu_);
  // Whether it has had its time, and the next stream needs another.
  bool redial_ ABSL_GUARDED_BY(mu_) = false;
  CondVar ended_;
  // Deletes itself when it has ended; null once there is nothing more to be read from it.
  Stream* stream_ ABSL_GUARDED_BY(mu_) = nullptr;
  // Whether there is a stream that has not ended.
  bool live_ ABSL_GUARDED_BY(mu_) = false;
  bool welcomed_ ABSL_GUARDED_BY(mu_) = false;
  bool closing_ ABSL_GUARDED_BY(mu_) = false;
  // Set while the stream is left: how long to stay away once it has ended.
  std::optional<absl::Duration> rest_ ABSL_GUARDED_BY(mu_);
  std::string epoch_ ABSL_GUARDED_BY(mu_);
  uint64_t cursor_ ABSL_GUARDED_BY(mu_) = 0;
  bool ack_ ABSL_GUARDED_BY(mu_) = false;
  // A frame of the hub is being taken in.
  bool taking_ ABSL_GUARDED_BY(mu_) = false;
  // What is to leave; what has left and has no answer, in order; what is to be repeated later.
  std::deque<Entry> waiting_ ABSL_GUARDED_BY(mu_);
  std::deque<Entry> submitted_ ABSL_GUARDED_BY(mu_);
  std::vector<Entry> refused_ ABSL_GUARDED_BY(mu_);
  absl::Time repeat_at_ ABSL_GUARDED_BY(mu_);
  absl::Time connect_at_ ABSL_GUARDED_BY(mu_) = absl::InfiniteFuture();
  // What the hub asks for in its goodbye.
  std::optional<absl::Duration> retry_after_ ABSL_GUARDED_BY(mu_);
  node::Backoff backoff_ ABSL_GUARDED_BY(mu_);
  absl::Time opened_ ABSL_GUARDED_BY(mu_);
  Counts counts_ ABSL_GUARDED_BY(mu_);
};

}  // namespace waymark::bench
