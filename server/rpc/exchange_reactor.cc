#include "server/rpc/exchange_reactor.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/rpc/status_mapping.h"
#include "base/status/status.h"
#include "server/rpc/deliver_frame.h"

namespace waymark::hub {
namespace {

// Outcomes that wait are sent together, up to this many in a frame.
constexpr int kMaxOutcomes = 1024;

class RefusedStream final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  explicit RefusedStream(const absl::Status& status) { Finish(ToGrpc(status)); }
  void OnDone() override { delete this; }
};

// A frame that holds no more messages than this, with room for their sequences.
constexpr size_t kMaxDeliveries = 64;
constexpr size_t kMaxDeliveryBytes = size_t{1} << 20;

}  // namespace

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* RefuseStream(
    const absl::Status& status) {
  return new RefusedStream(status);
}

ExchangeReactor::ExchangeReactor(const Environment& environment,
                                 grpc::CallbackServerContext* context,
                                 const OrganisationId& organisation)
    : environment_(environment),
      organisation_(organisation),
      strand_(Strand::Create(environment.pool)),
      context_(context) {}

std::shared_ptr<ExchangeReactor> ExchangeReactor::Start(const Environment& environment,
                                                        grpc::CallbackServerContext* context,
                                                        const OrganisationId& organisation) {
  auto reactor =
      std::shared_ptr<ExchangeReactor>(new ExchangeReactor(environment, context, organisation));
  reactor->self_ = reactor;
  reactor->session_ = std::make_shared<Session>(
      organisation, environment.session, environment.options, reactor.get(), reactor->strand_);
  reactor->strand_->set_on_exception([weak = reactor->weak_from_this()] {
    const auto self = weak.lock();
    if (self && self->context_ != nullptr) self->context_->TryCancel();
  });
  reactor->strand_->set_after([weak = reactor->weak_from_this()] {
    if (const auto self = weak.lock()) self->Pump();
  });
  reactor->strand_->Run([] {});
  return reactor;
}

void ExchangeReactor::OnReadDone(bool ok) {
  strand_->Run([self = shared_from_this(), ok] {
    self->read_in_flight_ = false;
    self->HandleRead(ok);
  });
}

void ExchangeReactor::OnWriteDone(bool ok) {
  strand_->Run([self = shared_from_this(), ok] {
    self->write_in_flight_ = false;
    self->HandleWritten(ok);
  });
}

void ExchangeReactor::OnCancel() {
  strand_->Run([self = shared_from_this()] { self->Abandon(); });
}

void ExchangeReactor::OnDone() {
  strand_->Run([self = shared_from_this()] {
    self->context_ = nullptr;
    self->session_->OnGone();
    self->self_.reset();
  });
}

void ExchangeReactor::HandleRead(bool ok) {
  if (!ok) return session_->OnHalfClose();
  v1::ConnectRequest frame;
  const absl::Status parsed = ParseFrame(reading_, environment_.recorder, frame);
  reading_.Clear();
  if (!parsed.ok()) return session_->OnMalformed();
  session_->OnFrame(std::move(frame), environment_.steady->Now());
}

void ExchangeReactor::HandleWritten(bool ok) {
  writing_.Clear();
  if (!ok) Abandon();
}

void ExchangeReactor::Abandon() {
  session_->OnGone();
  out_.clear();
  if (!end_) end_ = Error(v1::REASON_PEER_STALLED, "the stream was cancelled");
}

void ExchangeReactor::Leave(v1::Reason reason, absl::Duration retry_after) {
  strand_->Post([self = shared_from_this(), reason, retry_after] {
    self->session_->Leave(reason, retry_after);
  });
}

void ExchangeReactor::Tick() {
  strand_->Post([self = shared_from_this()] {
    const absl::Time now = self->environment_.steady->Now();
    self->session_->OnTick(now);
    const bool stuck = self->write_in_flight_ && now - self->write_began_ > kWriteLimit;
    if (stuck && self->context_ != nullptr) self->context_->TryCancel();
  });
}

void ExchangeReactor::Cancel() {
  strand_->Post([self = shared_from_this()] {
    if (self->context_ != nullptr) self->context_->TryCancel();
  });
}

// Outcomes and messages have no order between them, nor with the other frames that may wait.
template <typename Fits>
ExchangeReactor::Joint& ExchangeReactor::JoinedTo(Fits fits) {
  for (auto queued = out_.rbegin(); queued != out_.rend(); ++queued) {
    auto* joint = std::get_if<Joint>(&*queued);
    if (joint == nullptr) continue;
    if (fits(*joint)) return *joint;
    break;
  }
  return std::get<Joint>(out_.emplace_back(Joint{}));
}

void ExchangeReactor::Send(v1::ConnectResponse frame) {
  if (end_) return;
  if (!frame.has_outcomes()) {
    out_.emplace_back(std::move(frame));
    return;
  }
  auto& outcomes = *frame.mutable_outcomes()->mutable_outcomes();
  Joint& joint = JoinedTo(
      [&](const Joint& last) { return last.outcomes.size() + outcomes.size() <= kMaxOutcomes; });
  if (joint.outcomes.empty()) {
    joint.outcomes.Swap(&outcomes);
  } else {
    joint.outcomes.MergeFrom(outcomes);
  }
}

void ExchangeReactor::Deliver(std::vector<OutgoingDelivery> deliveries) {
  if (end_) return;
  size_t bytes = 0;
  for (const OutgoingDelivery& delivery : deliveries) bytes += WireBytes(delivery);
  Joint& joint = JoinedTo([&](const Joint& last) {
    return last.messages.size() + deliveries.size() <= kMaxDeliveries &&
           last.bytes + bytes <= kMaxDeliveryBytes;
  });
  std::move(deliveries.begin(), deliveries.end(), std::back_inserter(joint.messages));
  joint.bytes += bytes;
}

void ExchangeReactor::End(absl::Status status) {
  if (!end_) end_ = std::move(status);
}

grpc::ByteBuffer ExchangeReactor::BytesOf(Outgoing& outgoing) {
  auto* joint = std::get_if<Joint>(&outgoing);
  if (joint == nullptr) return SerializeFrame(std::get<v1::ConnectResponse>(outgoing));
  if (joint->messages.empty()) {
    v1::ConnectResponse frame;
    frame.mutable_outcomes()->mutable_outcomes()->Swap(&joint->outcomes);
    return SerializeFrame(frame);
  }
  v1::Deliver rest;
  rest.mutable_outcomes()->Swap(&joint->outcomes);
  return DeliverFrame(joint->messages, rest);
}

void ExchangeReactor::Pump() {
  if (finished_) return;
  if (!write_in_flight_ && !out_.empty()) {
    writing_ = BytesOf(out_.front());
    out_.pop_front();
    write_in_flight_ = true;
    write_began_ = environment_.steady->Now();
    StartWrite(&writing_);
  }
  if (end_) {
    if (write_in_flight_) return;
    finished_ = true;
    Finish(ToGrpc(*end_));
    return;
  }
  if (!read_in_flight_ && session_->wants_frame() && out_.size() < kMaxQueuedFrames) {
    read_in_flight_ = true;
    StartRead(&reading_);
  }
}

}  // namespace waymark::hub
