#include "server/session/session.h"

#include <algorithm>
#include <utility>

#include "base/log/log.h"
#include "base/status/status.h"
#include "google/protobuf/util/time_util.h"
#include "server/routing/submitted.h"

namespace waymark::hub {
namespace {

constexpr size_t kIdSize = 16;
constexpr size_t kTokenHashSize = 32;
constexpr uint32_t kMaxWindowMessages = 4096;
constexpr uint32_t kMinWindowBytes = 256 * 1024;
constexpr uint32_t kMaxWindowBytes = 64 * 1024 * 1024;

google::protobuf::Duration ToProto(absl::Duration duration) {
  return google::protobuf::util::TimeUtil::MillisecondsToDuration(
      absl::ToInt64Milliseconds(duration));
}

struct Item {
  // What its outcome names; of another size than an id when it has none.
  std::string id;
  SubmittedItem content;
};

// Reads one item; what cannot be read is answered with its reason in the item's turn.
Item ReadItem(const OrganisationId& sender, v1::Submission& item) {
  if (item.has_message()) {
    auto submitted = ReadMessage(sender, item.message());
    if (!submitted.ok()) return {ItemId(item), ReasonOf(submitted.status())};
    std::string id = submitted->id.bytes();
    return {std::move(id), *std::move(submitted)};
  }
  std::string id = ItemId(item);
  if (!item.has_registration()) return {std::move(id), v1::REASON_MALFORMED};
  return {std::move(id), std::move(*item.mutable_registration())};
}

}  // namespace

Session::Session(const OrganisationId& organisation, const Collaborators& collaborators,
                 const Options& options, SessionOutput* output,
                 std::shared_ptr<SessionStrand> strand)
    : organisation_(organisation),
      with_(collaborators),
      options_(options),
      strand_(std::move(strand)),
      output_(output) {}

void Session::OnFrame(v1::ConnectRequest frame, absl::Time now) {
  if (state_ != State::kHelloExpected && state_ != State::kOpen) return;
  last_heard_ = now;
  if (frame.has_hello() != (state_ == State::kHelloExpected)) {
    Fail(Error(v1::REASON_HELLO_EXPECTED,
               frame.has_hello() ? "a second hello" : "the first frame is not the hello"));
    return;
  }
  switch (frame.frame_case()) {
    case v1::ConnectRequest::kHello:
      return OnHello(frame.hello(), now);
    case v1::ConnectRequest::kSubmit:
      return OnSubmit(std::move(*frame.mutable_submit()), now);
    case v1::ConnectRequest::kAck:
      return OnAck(frame.ack().through());
    case v1::ConnectRequest::kHeartbeat: {
      v1::ConnectResponse answer;
      *answer.mutable_heartbeat() = frame.heartbeat();
      return output_->Send(std::move(answer));
    }
    case v1::ConnectRequest::kGoodbye:
      return OnHalfClose();
    case v1::ConnectRequest::FRAME_NOT_SET:
      return OnMalformed();
  }
}

void Session::OnMalformed() {
  Fail(Error(v1::REASON_MALFORMED, "a frame of the stream does not parse"));
}

absl::Status Session::CheckHello(const v1::Hello& hello) const {
  if (hello.protocol_version() != kProtocolVersion) {
    return Error(v1::REASON_VERSION_UNSUPPORTED, "hello.protocol_version: expected 1");
  }
  if (!hello.epoch().empty() && hello.epoch().size() != kIdSize) {
    return Error(v1::REASON_FIELD_INVALID, "hello.epoch: expected 16 bytes");
  }
  if (hello.window_messages() < 1 || hello.window_messages() > kMaxWindowMessages) {
    return Error(v1::REASON_FIELD_INVALID, "hello.window_messages: expected 1 to 4096");
  }
  if (hello.window_bytes() < kMinWindowBytes || hello.window_bytes() > kMaxWindowBytes) {
    return Error(v1::REASON_FIELD_INVALID, "hello.window_bytes: expected 262144 to 67108864");
  }
  return absl::OkStatus();
}

std::optional<bool> Session::Suspended() const {
  const auto membership = with_.membership();
  const MemberRecord* member = membership->Find(organisation_);
  if (member == nullptr) return std::nullopt;
  return member->status == v1::MEMBER_STATUS_SUSPENDED;
}

void Session::OnHello(const v1::Hello& hello, absl::Time now) {
  if (const absl::Status checked = CheckHello(hello); !checked.ok()) return Fail(checked);
  const std::optional<bool> restricted = Suspended();
  if (!restricted) {
    return Fail(Error(v1::REASON_MEMBER_UNKNOWN, "organisation " + organisation_.hex()));
  }
  if (const std::optional<absl::Duration> wait = with_.gate->Admit(now)) {
    return SayGoodbye(v1::REASON_QUOTA_EXCEEDED, *wait);
  }
  Attach(hello, *restricted);
}

void Session::Attach(const v1::Hello& hello, bool restricted) {
  // A cursor counts within its epoch: after a restore of the store it means nothing.
  cursor_ = hello.epoch() == with_.epoch ? hello.cursor() : 0;
  restricted_ = restricted;
  Dispatcher::Options delivery;
  delivery.cursor = cursor_;
  delivery.window_messages = hello.window_messages();
  delivery.window_bytes = hello.window_bytes();
  delivery.restricted = restricted;
  state_ = State::kAttaching;
  attachment_ = with_.dispatcher->Attach(organisation_, delivery, weak_from_this());
}

void Session::OnAttached() {
  // Deliveries are posted after it, and so follow the welcome.
  strand_->Post([self = shared_from_this()] { self->Welcome(); });
}

void Session::Welcome() {
  if (state_ != State::kAttaching) return;
  v1::ConnectResponse response;
  v1::Welcome& welcome = *response.mutable_welcome();
  welcome.set_epoch(with_.epoch);
  welcome.set_cursor(cursor_);
  welcome.set_hub_time_ms(absl::ToUnixMillis(with_.clock->Now()));
  welcome.set_restricted(restricted_);
  *welcome.mutable_heartbeat_interval() = ToProto(options_.heartbeat_interval);
  state_ = State::kOpen;
  output_->Send(std::move(response));
  // A standing that changed before the attachment existed had nothing to disconnect.
  if (Suspended() != restricted_) SayGoodbye(v1::REASON_UNSPECIFIED, absl::ZeroDuration());
}

void Session::OnSubmit(v1::Submit submit, absl::Time now) {
  if (submit.ack_through() > 0) OnAck(submit.ack_through());
  const size_t bytes = submit.ByteSizeLong();
  if (submit.items().empty()) {
    return Fail(Error(v1::REASON_FIELD_INVALID, "submit.items: expected at least one"));
  }
  if (submit.items_size() > kMaxFrameItems || bytes > kMaxFrameBytes) {
    return Fail(Error(v1::REASON_FRAME_TOO_LARGE, "submit"));
  }
  Pending pending;
  pending.number = next_number_++;
  pending.bytes = bytes;
  Work work;
  work.sender = organisation_;
  work.bytes = bytes;
  std::vector<size_t> sizes;
  for (v1::Submission& item : *submit.mutable_items()) {
    sizes.push_back(item.ByteSizeLong());
    Item read = ReadItem(organisation_, item);
    if (read.id.size() != kIdSize && read.id.size() != kTokenHashSize) {
      return Fail(Error(v1::REASON_MALFORMED, "submit.items: an item has no readable id"));
    }
    pending.item_ids.push_back(std::move(read.id));
    work.items.push_back(std::move(read.content));
  }
  const size_t admitted = with_.quotas->Admit(organisation_, sizes, now);
  for (size_t i = admitted; i < work.items.size(); ++i) work.items[i] = v1::REASON_QUOTA_EXCEEDED;
  unanswered_items_ += pending.item_ids.size();
  unanswered_bytes_ += bytes;
  work.done = [self = shared_from_this(),
               number = pending.number](std::span<const v1::Reason> reasons) mutable {
    const std::shared_ptr<SessionStrand> strand = self->strand_;
    strand->Post([self = std::move(self), number,
                  copy = std::vector<v1::Reason>(reasons.begin(), reasons.end())]() mutable {
      self->OnAnswered(number, std::move(copy));
    });
  };
  const size_t items = pending.item_ids.size();
  const uint64_t number = pending.number;
  pending_.push_back(std::move(pending));
  const absl::Status taken = with_.committer->Submit(std::move(work));
  if (!taken.ok()) OnAnswered(number, std::vector<v1::Reason>(items, ReasonOf(taken)));
}

void Session::OnAck(uint64_t through) {
  const uint64_t known = std::min(through, delivered_);
  if (known > acked_) unacked_since_.reset();
  acked_ = std::max(acked_, known);
  with_.dispatcher->OnAck(*attachment_, through);
}

void Session::OnAnswered(uint64_t number, std::vector<v1::Reason> reasons) {
  for (Pending& pending : pending_) {
    if (pending.number != number) continue;
    pending.reasons = std::move(reasons);
    break;
  }
  SendAnswered();
  EndIfAnswered();
}

void Session::SendAnswered() {
  v1::ConnectResponse response;
  while (!pending_.empty() && pending_.front().reasons.has_value()) {
    Pending& front = pending_.front();
    for (size_t i = 0; i < front.item_ids.size(); ++i) {
      v1::Outcome& outcome = *response.mutable_outcomes()->add_outcomes();
      outcome.set_item_id(std::move(front.item_ids[i]));
      outcome.set_reason((*front.reasons)[i]);
    }
    unanswered_items_ -= front.item_ids.size();
    unanswered_bytes_ -= front.bytes;
    pending_.pop_front();
  }
  if (response.has_outcomes() && output_ != nullptr) output_->Send(std::move(response));
}

bool Session::wants_frame() const {
  return (state_ == State::kHelloExpected || state_ == State::kOpen) &&
         unanswered_items_ < options_.max_unanswered_items &&
         unanswered_bytes_ < options_.max_unanswered_bytes;
}

void Session::OnHalfClose() {
  if (state_ == State::kHelloExpected) {
    return Fail(Error(v1::REASON_HELLO_EXPECTED, "the stream ended before the hello"));
  }
  Close(absl::OkStatus(), std::nullopt);
}

void Session::OnGone() {
  state_ = State::kEnded;
  output_ = nullptr;
  Detach();
}

void Session::Leave(v1::Reason reason, absl::Duration retry_after) {
  SayGoodbye(reason, retry_after);
}

void Session::OnTick(absl::Time now) {
  if (!Lasts()) return;
  if (!last_heard_) last_heard_ = now;
  // While we do not read, the silence is ours.
  if (!wants_frame()) {
    last_heard_ = now;
  } else if (now - *last_heard_ > options_.silence_limit) {
    return Fail(Error(v1::REASON_PEER_STALLED, "the node has been silent for too long"));
  }
  if (acked_ >= delivered_) return;
  if (!unacked_since_) unacked_since_ = now;
  if (now - *unacked_since_ > options_.ack_limit) {
    Fail(Error(v1::REASON_PEER_STALLED, "the node acknowledges nothing of what it was given"));
  }
}

void Session::OnDeliver(std::vector<OutgoingDelivery> deliveries) {
  strand_->Post([self = shared_from_this(), deliveries = std::move(deliveries)]() mutable {
    if (self->state_ != State::kOpen) return;
    self->delivered_ = deliveries.back().sequence;
    self->output_->Deliver(std::move(deliveries));
  });
}

void Session::OnPeerOffline(const MessageId& message_id) {
  strand_->Post([self = shared_from_this(), message_id] {
    if (self->state_ != State::kOpen) return;
    v1::ConnectResponse response;
    response.mutable_peer_offline()->set_message_id(message_id.bytes());
    self->output_->Send(std::move(response));
  });
}

void Session::OnDetached(v1::Reason reason) {
  strand_->Post([self = shared_from_this(), reason] {
    self->attachment_.reset();
    if (!self->Lasts()) return;
    self->SayGoodbye(reason, absl::ZeroDuration());
  });
}

void Session::SayGoodbye(v1::Reason reason, absl::Duration retry_after) {
  v1::Goodbye goodbye;
  goodbye.set_reason(reason);
  if (retry_after > absl::ZeroDuration()) *goodbye.mutable_retry_after() = ToProto(retry_after);
  Close(absl::OkStatus(), std::move(goodbye));
}

void Session::Fail(const absl::Status& status) {
  Log(LogLevel::kWarning, "session_failed", {{"organisation", organisation_}, {"reason", status}});
  Close(status, std::nullopt);
}

bool Session::Lasts() const {
  return state_ == State::kHelloExpected || state_ == State::kAttaching || state_ == State::kOpen;
}

void Session::Close(const absl::Status& status, std::optional<v1::Goodbye> goodbye) {
  if (!Lasts()) return;
  state_ = State::kClosing;
  end_status_ = status;
  goodbye_ = std::move(goodbye);
  Detach();
  EndIfAnswered();
}

void Session::EndIfAnswered() {
  if (state_ != State::kClosing || !pending_.empty()) return;
  state_ = State::kEnded;
  if (goodbye_) {
    v1::ConnectResponse response;
    *response.mutable_goodbye() = *std::move(goodbye_);
    output_->Send(std::move(response));
  }
  output_->End(end_status_);
}

void Session::Detach() {
  if (!attachment_) return;
  with_.dispatcher->Detach(*attachment_);
  attachment_.reset();
}

}  // namespace waymark::hub
