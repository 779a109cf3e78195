#include "client/link/session.h"

#include <algorithm>
#include <utility>

#include "base/status/status.h"
#include "waymark/v1/header.pb.h"

namespace waymark::node {
namespace {

constexpr uint32_t kProtocolVersion = 1;
constexpr uint32_t kWindowMessages = 512;
constexpr uint32_t kWindowBytes = 8 * 1024 * 1024;
constexpr size_t kMaxInFlight = 256;
constexpr int kMaxFrameItems = 64;
constexpr size_t kMaxFrameBytes = 1024 * 1024;
// Room for a frame's own framing, and for an item's tag and length.
constexpr size_t kFrameOverhead = 64;
constexpr size_t kItemOverhead = 16;
constexpr size_t kEpochSize = 16;
constexpr absl::Duration kRetryAfter = absl::Seconds(5);
// A restored hub waits for another member, which comes soon or is away.
constexpr absl::Duration kMinRecovery = absl::Seconds(1);
constexpr absl::Duration kMaxRecovery = absl::Minutes(1);
// A hub that is silent for this many heartbeats is gone.
constexpr int kSilentHeartbeats = 3;
constexpr absl::Duration kMinHeartbeat = absl::Seconds(1);
constexpr absl::Duration kMaxHeartbeat = absl::Minutes(10);

// Whether the hub's answer may change without anything changing here.
bool MayChange(v1::Reason reason) {
  return reason == v1::REASON_UNAVAILABLE || reason == v1::REASON_QUOTA_EXCEEDED ||
         reason == v1::REASON_RECOVERING || reason == v1::REASON_MEMBER_SUSPENDED;
}

// When it is worth asking again, in a session that was welcomed at `since`; a suspension ends with
// a new one.
absl::Time AskAgainAt(v1::Reason reason, absl::Time since, absl::Time now) {
  switch (reason) {
    case v1::REASON_MEMBER_SUSPENDED:
      return absl::InfiniteFuture();
    case v1::REASON_RECOVERING:
      return now + std::clamp((now - since) / 2, kMinRecovery, kMaxRecovery);
    default:
      return now + kRetryAfter;
  }
}

// Whether a suspended member may send it.
bool AllowedWhileRestricted(const v1::Submission& submission) {
  v1::Header header;
  return submission.has_message() && header.ParseFromString(submission.message().header()) &&
         header.kind() == v1::KIND_REVOKE_ACK;
}

}  // namespace

Session::Session(MailboxPosition position, absl::Time now)
    : position_(std::move(position)), last_heard_(now) {}

absl::StatusOr<Session::Arrived> Session::OnFrame(const v1::ConnectResponse& frame,
                                                  absl::Time now) {
  last_heard_ = now;
  if (frame.has_goodbye()) {
    Arrived arrived;
    arrived.goodbye = frame.goodbye();
    return arrived;
  }
  if (frame.has_welcome() == welcomed_) {
    return Error(v1::REASON_HELLO_EXPECTED, "the hub did not begin with one welcome");
  }
  if (frame.has_welcome()) {
    heartbeat_due_ = now;
    welcomed_at_ = now;
    return OnWelcome(frame.welcome());
  }

  Arrived arrived;
  switch (frame.frame_case()) {
    case v1::ConnectResponse::kOutcomes:
      OnOutcomes(frame.outcomes().outcomes(), now, arrived);
      return arrived;
    case v1::ConnectResponse::kDeliver:
      OnOutcomes(frame.deliver().outcomes(), now, arrived);
      RETURN_IF_ERROR(OnDeliver(frame.deliver(), arrived));
      return arrived;
    case v1::ConnectResponse::kPeerOffline:
      arrived.peer_offline = MessageId::FromBytes(frame.peer_offline().message_id());
      return arrived;
    case v1::ConnectResponse::kHeartbeat:
      return arrived;
    default:
      return Error(v1::REASON_MALFORMED, "the hub sent a frame that this version does not know");
  }
}

absl::StatusOr<Session::Arrived> Session::OnWelcome(const v1::Welcome& welcome) {
  if (welcome.epoch().size() != kEpochSize) {
    return Error(v1::REASON_FIELD_INVALID, "the hub's welcome: epoch");
  }
  welcomed_ = true;
  restricted_ = welcome.restricted();
  const auto& interval = welcome.heartbeat_interval();
  heartbeat_interval_ =
      std::clamp(absl::Seconds(interval.seconds()) + absl::Nanoseconds(interval.nanos()),
                 kMinHeartbeat, kMaxHeartbeat);
  heartbeat_due_ += heartbeat_interval_;

  Arrived arrived;
  Arrived::Welcomed& welcomed = *(arrived.welcomed = Arrived::Welcomed());
  welcomed.lost_epoch = !position_.epoch.empty() && position_.epoch != welcome.epoch();
  welcomed.restricted = restricted_;
  welcomed.hub_time = absl::FromUnixMillis(welcome.hub_time_ms());
  // Within an epoch our own cursor counts: what the vault has is not stored twice.
  const uint64_t cursor = position_.epoch == welcome.epoch()
                              ? std::max(position_.cursor, welcome.cursor())
                              : welcome.cursor();
  position_ = {welcome.epoch(), cursor};
  delivered_ = cursor;
  welcomed.position = position_;
  return arrived;
}

void Session::OnOutcomes(const google::protobuf::RepeatedPtrField<v1::Outcome>& outcomes,
                         absl::Time now, Arrived& arrived) {
  for (const v1::Outcome& outcome : outcomes) {
    const auto item = std::find_if(
        in_flight_.begin(), in_flight_.end(),
        [&](const InFlight& candidate) { return candidate.item_id == outcome.item_id(); });
    if (item == in_flight_.end()) continue;
    if (MayChange(outcome.reason())) {
      Stall(item->referral, AskAgainAt(outcome.reason(), welcomed_at_, now));
    }
    const auto stalled = stalled_.find(item->referral);
    if (outcome.reason() != v1::REASON_UNSPECIFIED && stalled != stalled_.end()) {
      held_.emplace(item->number, stalled->second);
    } else {
      taken_.erase(item->number);
      arrived.outcomes.push_back(outcome);
    }
    in_flight_.erase(item);
  }
}

void Session::Stall(const ReferralId& referral, absl::Time until) {
  stalled_.insert_or_assign(referral, until);
  const auto moves = [&](const std::pair<InFlight, v1::Submission>& ready) {
    if (ready.first.referral != referral) return false;
    held_.emplace(ready.first.number, until);
    return true;
  };
  ready_.erase(std::remove_if(ready_.begin(), ready_.end(), moves), ready_.end());
}

absl::Status Session::OnDeliver(const v1::Deliver& deliver, Arrived& arrived) {
  for (const v1::Delivery& delivery : deliver.deliveries()) {
    if (delivery.sequence() == 0) {
      return Error(v1::REASON_FIELD_INVALID, "a delivery without a sequence number");
    }
    if (delivery.sequence() <= delivered_) continue;
    delivered_ = delivery.sequence();
    arrived.messages.push_back(delivery.message());
  }
  if (!restricted_) position_.cursor = delivered_;
  arrived.position = position_;
  arrived.through = delivered_;
  return absl::OkStatus();
}

void Session::Stored(uint64_t through) { ack_ = through; }

size_t Session::Room() const {
  if (!welcomed_ || leaving_) return 0;
  const size_t busy = ready_.size() + in_flight_.size();
  return busy >= kMaxInFlight ? 0 : kMaxInFlight - busy;
}

absl::Status Session::Offer(const std::vector<OutboxItem>& items) {
  for (const OutboxItem& item : items) {
    v1::Submission submission;
    if (!submission.ParseFromString(item.submission)) {
      return Error(v1::REASON_DATA_CORRUPT, "an entry of the outbox does not parse");
    }
    taken_.insert(item.number);
    if (restricted_ && !AllowedWhileRestricted(submission)) {
      held_.emplace(item.number, absl::InfiniteFuture());
      continue;
    }
    const auto stalled = stalled_.find(item.referral);
    if (stalled != stalled_.end()) {
      held_.emplace(item.number, stalled->second);
      continue;
    }
    ready_.emplace_back(InFlight{item.number, item.item_id, item.referral}, std::move(submission));
  }
  return absl::OkStatus();
}

std::optional<v1::ConnectRequest> Session::NextFrame(absl::Time now) {
  v1::ConnectRequest frame;
  if (!hello_sent_) {
    hello_sent_ = true;
    v1::Hello& hello = *frame.mutable_hello();
    hello.set_protocol_version(kProtocolVersion);
    hello.set_epoch(position_.epoch);
    hello.set_cursor(position_.cursor);
    hello.set_window_messages(kWindowMessages);
    hello.set_window_bytes(kWindowBytes);
    return frame;
  }
  if (!welcomed_ || goodbye_sent_) return std::nullopt;
  if (!leaving_ && now >= heartbeat_due_) {
    heartbeat_due_ = now + heartbeat_interval_;
    frame.mutable_heartbeat()->set_nonce(++heartbeat_nonce_);
    return frame;
  }
  if (!leaving_ && !ready_.empty()) {
    if (std::optional<v1::ConnectRequest> submit = SubmitFrame()) return submit;
  }
  if (ack_.has_value()) {
    frame.mutable_ack()->set_through(*std::exchange(ack_, std::nullopt));
    return frame;
  }
  if (!leaving_) return std::nullopt;
  goodbye_sent_ = true;
  frame.mutable_goodbye();
  return frame;
}

std::optional<v1::ConnectRequest> Session::SubmitFrame() {
  std::set<ReferralId> unanswered;
  for (const InFlight& item : in_flight_) unanswered.insert(item.referral);
  v1::ConnectRequest frame;
  v1::Submit& submit = *frame.mutable_submit();
  size_t bytes = kFrameOverhead;
  for (auto next = ready_.begin(); next != ready_.end() && submit.items_size() < kMaxFrameItems;) {
    auto& [item, submission] = *next;
    if (unanswered.count(item.referral) > 0) {
      ++next;
      continue;
    }
    bytes += submission.ByteSizeLong() + kItemOverhead;
    if (submit.items_size() > 0 && bytes > kMaxFrameBytes) break;
    *submit.add_items() = std::move(submission);
    in_flight_.push_back(std::move(item));
    next = ready_.erase(next);
  }
  if (submit.items().empty()) return std::nullopt;
  submit.set_ack_through(std::exchange(ack_, std::nullopt).value_or(0));
  return frame;
}

absl::Status Session::OnTick(absl::Time now) {
  for (auto held = held_.begin(); held != held_.end();) {
    if (held->second > now) {
      ++held;
      continue;
    }
    taken_.erase(held->first);
    held = held_.erase(held);
  }
  std::erase_if(stalled_, [now](const auto& stalled) { return stalled.second <= now; });
  if (welcomed_ && now - last_heard_ > kSilentHeartbeats * heartbeat_interval_) {
    return Error(v1::REASON_PEER_STALLED, "the hub answers no heartbeat");
  }
  return absl::OkStatus();
}

void Session::Leave() { leaving_ = true; }

}  // namespace waymark::node
