#include "tests/bench/load/simulated_node.h"

#include <optional>
#include <utility>

#include "absl/time/clock.h"
#include "base/random/random.h"
#include "base/status/status.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/util/time_util.h"
#include "grpcpp/client_context.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/client_callback.h"
#include "grpcpp/support/proto_buffer_reader.h"
#include "grpcpp/support/slice.h"

namespace waymark::bench {
namespace {

constexpr char kMethod[] = "/waymark.v1.ExchangeService/Connect";
constexpr size_t kFrameItems = 64;
constexpr size_t kFrameBytes = size_t{1} << 20;
constexpr uint32_t kWindowMessages = 4096;
constexpr uint32_t kWindowBytes = 64 << 20;
// What a member rests for that had too much to say.
constexpr absl::Duration kRest = absl::Seconds(1);
constexpr absl::Duration kCloseLimit = absl::Seconds(10);
// As a real node's (client/link/link.h).
constexpr absl::Duration kMinBackoff = absl::Milliseconds(500);
constexpr absl::Duration kMaxBackoff = absl::Minutes(2);

// A serialised ConnectRequest of entries whose bytes stay where they are, and an ack unless it is
// 0.
grpc::ByteBuffer SubmitFrame(const std::vector<const std::string*>& items, uint64_t ack_through) {
  constexpr int kSubmitTag = v1::ConnectRequest::kSubmitFieldNumber << 3 | 2;
  constexpr size_t kHeadBytes = 8;
  v1::Submit rest;
  rest.set_ack_through(ack_through);
  const std::string tail = rest.SerializeAsString();
  size_t bytes = tail.size();
  for (const std::string* item : items) bytes += item->size();
  uint8_t head[kHeadBytes] = {kSubmitTag};
  const uint8_t* end = google::protobuf::io::CodedOutputStream::WriteVarint32ToArray(
      static_cast<uint32_t>(bytes), head + 1);
  std::vector<grpc::Slice> slices;
  slices.reserve(items.size() + 2);
  slices.emplace_back(head, end - head);
  for (const std::string* item : items) {
    slices.emplace_back(item->data(), item->size(), grpc::Slice::STATIC_SLICE);
  }
  if (!tail.empty()) slices.emplace_back(tail);
  return {slices.data(), slices.size()};
}

grpc::ByteBuffer SmallFrame(const v1::ConnectRequest& frame) {
  const grpc::Slice slice(frame.SerializeAsString());
  return {&slice, 1};
}

bool MayBeRepeated(v1::Reason reason) {
  return reason == v1::REASON_QUOTA_EXCEEDED || reason == v1::REASON_UNAVAILABLE;
}

}  // namespace

// The stream deletes itself when gRPC is done with it. It holds on to itself until it has been read
// to its end, so that it may be written to from any thread until then.
class SimulatedNode::Stream final
    : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  Stream(SimulatedNode* node, const std::shared_ptr<grpc::Channel>& channel)
      : node_(node), stub_(channel) {
    stub_.PrepareBidiStreamingCall(&context_, kMethod, {}, this);
  }

  void Start() {
    AddHold();
    StartCall();
    StartRead(&reading_);
  }

  bool writing() const { return writing_; }
  void Write(const grpc::ByteBuffer& frame) {
    writing_ = true;
    frame_ = frame;
    StartWrite(&frame_);
  }
  // While nothing is being written; nothing may be any more.
  void HalfClose() {
    if (!std::exchange(half_closed_, true)) StartWritesDone();
  }
  void Cancel() { context_.TryCancel(); }

  void OnReadDone(bool ok) override {
    if (ok) {
      grpc::ProtoBufferReader reader(&reading_);
      if (received_.ParseFromZeroCopyStream(&reader)) {
        node_->OnFrame(received_);
      } else {
        node_->listener_->OnBroken(node_->number_, "a frame of the hub does not parse");
      }
      return StartRead(&reading_);
    }
    {
      MutexLock lock(node_->mu_);
      if (node_->stream_ == this) node_->stream_ = nullptr;
    }
    RemoveHold();
  }

  void OnWriteDone(bool ok) override {
    MutexLock lock(node_->mu_);
    writing_ = false;
    if (ok && node_->stream_ == this) node_->Pump();
  }

  void OnDone(const grpc::Status& status) override {
    SimulatedNode* const node = node_;
    const bool in_order = status.ok();
    // First, while the node still holds the channel.
    delete this;
    node->OnEnded(in_order);
  }

 private:
  SimulatedNode* const node_;
  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  grpc::ByteBuffer reading_;
  v1::ConnectResponse received_;
  // Under the node's lock.
  grpc::ByteBuffer frame_;
  bool writing_ = false;
  bool half_closed_ = false;
};

SimulatedNode::SimulatedNode(size_t number, std::shared_ptr<grpc::Channel> channel, Dial dial,
                             NodeListener* listener)
    : number_(number),
      dial_(std::move(dial)),
      listener_(listener),
      channel_(std::move(channel)),
      backoff_(kMinBackoff, kMaxBackoff, SystemRandom()) {}

SimulatedNode::~SimulatedNode() { Close(); }

void SimulatedNode::Connect() {
  MutexLock lock(mu_);
  StartStream();
}

bool SimulatedNode::connected() {
  MutexLock lock(mu_);
  return welcomed_;
}

SimulatedNode::Counts SimulatedNode::counts() {
  MutexLock lock(mu_);
  return counts_;
}

void SimulatedNode::StartStream() {
  connect_at_ = absl::InfiniteFuture();
  retry_after_.reset();
  live_ = true;
  opened_ = absl::Now();
  ++counts_.streams;
  stream_ = new Stream(this, channel_);
  v1::ConnectRequest frame;
  v1::Hello& hello = *frame.mutable_hello();
  hello.set_protocol_version(1);
  hello.set_epoch(epoch_);
  hello.set_cursor(cursor_);
  hello.set_window_messages(kWindowMessages);
  hello.set_window_bytes(kWindowBytes);
  stream_->Start();
  stream_->Write(SmallFrame(frame));
}

void SimulatedNode::Submit(const Entry* entries, size_t count) {
  MutexLock lock(mu_);
  waiting_.insert(waiting_.end(), entries, entries + count);
  Pump();
}

void SimulatedNode::Pump() {
  if (stream_ == nullptr || stream_->writing() || taking_) return;
  if (rest_ || closing_) return stream_->HalfClose();
  if (!welcomed_) return;
  std::vector<const std::string*> items;
  size_t bytes = 0;
  while (!waiting_.empty() && items.size() < kFrameItems) {
    bytes += waiting_.front().item->size();
    if (bytes > kFrameBytes && !items.empty()) break;
    items.push_back(waiting_.front().item);
    submitted_.push_back(waiting_.front());
    waiting_.pop_front();
  }
  const bool ack = std::exchange(ack_, false);
  if (items.empty() && !ack) return;
  ++counts_.frames_sent;
  if (!items.empty()) return stream_->Write(SubmitFrame(items, ack ? cursor_ : 0));
  v1::ConnectRequest frame;
  frame.mutable_ack()->set_through(cursor_);
  stream_->Write(SmallFrame(frame));
}

void SimulatedNode::OnFrame(const v1::ConnectResponse& frame) {
  {
    MutexLock lock(mu_);
    ++counts_.frames_received;
    taking_ = true;
  }
  if (frame.has_outcomes()) OnOutcomes(frame.outcomes().outcomes());
  if (frame.has_deliver()) {
    OnOutcomes(frame.deliver().outcomes());
    OnDeliver(frame.deliver());
  }
  MutexLock lock(mu_);
  taking_ = false;
  if (frame.has_welcome()) OnWelcome(frame.welcome());
  if (frame.has_goodbye() && frame.goodbye().has_retry_after()) {
    retry_after_ = absl::Milliseconds(
        google::protobuf::util::TimeUtil::DurationToMilliseconds(frame.goodbye().retry_after()));
  }
  Pump();
}

void SimulatedNode::OnWelcome(const v1::Welcome& welcome) {
  epoch_ = welcome.epoch();
  cursor_ = welcome.cursor();
  welcomed_ = true;
  backoff_.Succeeded();
  ++counts_.welcomes;
  counts_.welcome = absl::Now() - opened_;
}

void SimulatedNode::OnOutcomes(const Outcomes& outcomes) {
  struct Answer {
    uint64_t tag;
    v1::Reason reason;
  };
  std::vector<Answer> answers;
  answers.reserve(static_cast<size_t>(outcomes.size()));
  bool broken = false;
  {
    MutexLock lock(mu_);
    for (const v1::Outcome& outcome : outcomes) {
      if (submitted_.empty() || *submitted_.front().id != outcome.item_id()) {
        broken = true;
        break;
      }
      const Entry entry = submitted_.front();
      submitted_.pop_front();
      if (MayBeRepeated(outcome.reason())) {
        refused_.push_back(entry);
        repeat_at_ = absl::Now() + kRest;
      } else {
        answers.push_back({entry.tag, outcome.reason()});
      }
    }
  }
  for (const Answer& answer : answers) {
    if (answer.reason == v1::REASON_UNSPECIFIED) {
      listener_->OnConfirmed(number_, answer.tag);
    } else {
      listener_->OnRefused(number_, answer.tag, answer.reason);
    }
  }
  if (broken) listener_->OnBroken(number_, "an outcome is not that of the item whose turn it is");
}

void SimulatedNode::OnDeliver(const v1::Deliver& deliver) {
  for (const v1::Delivery& delivery : deliver.deliveries()) {
    listener_->OnDelivered(number_, delivery.message());
  }
  MutexLock lock(mu_);
  cursor_ = deliver.deliveries(deliver.deliveries_size() - 1).sequence();
  ack_ = true;
}

void SimulatedNode::OnEnded(bool in_order) {
  MutexLock lock(mu_);
  live_ = false;
  counts_.repeats += submitted_.size();
  waiting_.insert(waiting_.begin(), submitted_.begin(), submitted_.end());
  submitted_.clear();
  redial_ = rest_ || !in_order;
  if (!closing_) connect_at_ = absl::Now() + (rest_ ? *rest_ : RestAfterLoss());
  rest_.reset();
  welcomed_ = false;
  ended_.SignalAll();
}

absl::Duration SimulatedNode::RestAfterLoss() {
  if (welcomed_) {
    ++counts_.lost;
  } else if (retry_after_) {
    ++counts_.turned_away;
  } else {
    ++counts_.failed;
  }
  return retry_after_ ? backoff_.After(*retry_after_) : backoff_.Next();
}

void SimulatedNode::Leave(Leaving how, absl::Duration rest) {
  MutexLock lock(mu_);
  if (stream_ == nullptr || rest_) return;
  rest_ = rest;
  if (how == Leaving::kAbruptly) return stream_->Cancel();
  Pump();
}

void SimulatedNode::Tick(absl::Time now) {
  // Let go of once the lock is released.
  std::shared_ptr<grpc::Channel> left;
  {
    MutexLock lock(mu_);
    if (closing_) return;
    if (!refused_.empty() && now >= repeat_at_) {
      counts_.repeats += refused_.size();
      waiting_.insert(waiting_.end(), refused_.begin(), refused_.end());
      refused_.clear();
      Pump();
    }
    if (redial_) left = std::move(channel_);
    if (now < connect_at_) return;
    if (!redial_) return StartStream();
  }
  std::shared_ptr<grpc::Channel> channel = dial_();
  MutexLock lock(mu_);
  if (closing_) return;
  redial_ = false;
  channel_ = std::move(channel);
  StartStream();
}

bool SimulatedNode::idle() {
  MutexLock lock(mu_);
  const bool writing = stream_ != nullptr && stream_->writing();
  return waiting_.empty() && submitted_.empty() && refused_.empty() && !ack_ && !writing;
}

void SimulatedNode::Close() {
  const absl::Time limit = absl::Now() + kCloseLimit;
  MutexLock lock(mu_);
  closing_ = true;
  Pump();
  while (live_ && absl::Now() < limit) ended_.WaitFor(mu_, limit - absl::Now());
  if (stream_ != nullptr) stream_->Cancel();
  while (live_) ended_.Wait(mu_);
}

}  // namespace waymark::bench
