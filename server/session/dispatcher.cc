#include "server/session/dispatcher.h"

#include <algorithm>
#include <utility>

#include "base/lifecycle/lifecycle.h"
#include "base/status/status.h"
#include "server/session/attachment.h"

namespace waymark::hub {
namespace {

constexpr size_t kFrameMessages = 64;
constexpr size_t kFrameBytes = size_t{1} << 20;
// Where other processes store into the same mailboxes, many of them have to be read all the time.
constexpr size_t kSharedPages = 16;

template <typename Function>
void Call(const std::weak_ptr<DeliverySink>& sink, Function function) {
  if (const std::shared_ptr<DeliverySink> receiver = sink.lock()) function(*receiver);
}

size_t WireBytes(const MailboxItem& item) { return item.message.size() + kDeliveryOverhead; }

}  // namespace

// Sessions ----------------------------------------------------------------------------------------

std::unique_ptr<Dispatcher> Dispatcher::Create(Store* store, Clock* clock,
                                               DispatcherMetrics* metrics) {
  return Create(store, clock, metrics, Bounds{});
}

std::unique_ptr<Dispatcher> Dispatcher::Create(Store* store, Clock* clock,
                                               DispatcherMetrics* metrics, const Bounds& bounds) {
  auto dispatcher = std::unique_ptr<Dispatcher>(new Dispatcher(store, clock, metrics, bounds));
  dispatcher->thread_ = std::thread([self = dispatcher.get()] { self->Run(); });
  return dispatcher;
}

Dispatcher::Dispatcher(Store* store, Clock* clock, DispatcherMetrics* metrics, const Bounds& bounds)
    : store_(store),
      clock_(clock),
      metrics_(metrics),
      bounds_(bounds),
      pages_together_(store->shared() ? kSharedPages : 1) {}

Dispatcher::~Dispatcher() { Shutdown(); }

AttachmentId Dispatcher::Attach(const OrganisationId& organisation, const Options& options,
                                std::weak_ptr<DeliverySink> sink) {
  auto attachment = std::make_unique<Attachment>();
  attachment->organisation = organisation;
  attachment->options = options;
  attachment->view = options.restricted ? MailboxView::kRevocations : MailboxView::kAll;
  attachment->sink = std::move(sink);
  attachment->delivered_to = options.cursor;
  attachment->taken_to = options.cursor;

  size_t attached;
  AttachmentId id;
  {
    MutexLock lock(mu_);
    id = ++last_id_;
    if (stopping_) return id;
    attachment->id = id;
    if (Attachment* older = Current(organisation)) End(*older, v1::REASON_SESSION_REPLACED);
    if (options.cursor > 0) acks_.push_back({organisation, attachment->view, options.cursor});
    current_[organisation] = attachment.get();
    Wake(*attachment);
    attachments_.emplace(id, std::move(attachment));
    attached = attachments_.size();
  }
  metrics_->OnAttachments(attached);
  return id;
}

void Dispatcher::Detach(AttachmentId attachment) {
  MutexLock lock(mu_);
  const auto found = attachments_.find(attachment);
  if (found != attachments_.end()) End(*found->second, std::nullopt);
}

void Dispatcher::OnAck(AttachmentId attachment, uint64_t through) {
  MutexLock lock(mu_);
  const auto found = attachments_.find(attachment);
  if (found == attachments_.end()) return;
  Attachment& acked = *found->second;
  uint64_t last = 0;
  while (!acked.unacked.empty() && acked.unacked.front().sequence <= through) {
    last = acked.unacked.front().sequence;
    acked.unacked_bytes -= acked.unacked.front().bytes;
    unacked_bytes_ -= acked.unacked.front().bytes;
    acked.unacked.pop_front();
  }
  if (last == 0) return;
  acks_.push_back({acked.organisation, acked.view, last});
  if (HasWork(acked)) {
    Wake(acked);
  } else if (acks_.size() == 1) {
    changed_.Signal();
  }
}

void Dispatcher::Disconnect(const OrganisationId& organisation, v1::Reason reason) {
  MutexLock lock(mu_);
  if (Attachment* current = Current(organisation)) End(*current, reason);
}

std::vector<OfflineNotice> Dispatcher::NotifyPeerOffline(std::span<const MailboxItem> items) {
  std::vector<OfflineNotice> elsewhere;
  MutexLock lock(mu_);
  for (const MailboxItem& item : items) {
    const OfflineNotice notice = {item.sender, item.message_id};
    if (!Notify(notice)) elsewhere.push_back(notice);
  }
  return elsewhere;
}

bool Dispatcher::Notify(const OfflineNotice& notice) {
  Attachment* sender = Current(notice.sender);
  if (sender == nullptr) return false;
  sender->offline.push_back(notice.message_id);
  Wake(*sender);
  return true;
}

Dispatcher::UnderWay Dispatcher::CountUnderWay() {
  UnderWay all;
  MutexLock lock(mu_);
  for (const auto& [id, attachment] : attachments_) {
    if (attachment->ended) continue;
    all.unacked_messages += attachment->unacked.size();
    all.unacked_bytes += attachment->unacked_bytes;
    all.buffered_messages += attachment->ready.size();
    all.buffered_bytes += attachment->ready_bytes;
    all.without_credit += static_cast<size_t>(WaitsForCredit(*attachment));
    all.behind += static_cast<size_t>(attachment->behind);
  }
  return all;
}

// Commits -----------------------------------------------------------------------------------------

void Dispatcher::OnCommitted(std::span<Effects> batch) {
  MutexLock lock(mu_);
  std::vector<Attachment*> kept;
  for (Effects& effects : batch) {
    for (const DropUndelivered& drop : effects.drop) OnCommittedDrop(drop.token_hash);
    for (MailboxItem& item : effects.deliver) {
      if (Attachment* attachment = OnCommittedItem(item)) kept.push_back(attachment);
    }
  }
  HandOver(kept);
}

void Dispatcher::HandOver(std::span<Attachment* const> attachments) {
  struct Hand {
    Attachment* attachment;
    std::weak_ptr<DeliverySink> sink;
    std::vector<OutgoingDelivery> frame;
  };
  std::vector<Hand> hands;
  for (Attachment* attachment : attachments) {
    if (attachment->ready.empty()) continue;
    if (attachment->calling || attachment->runnable || !attachment->claimed) {
      Wake(*attachment);
      continue;
    }
    std::vector<OutgoingDelivery> frame = TakeFrame(*attachment);
    if (frame.empty()) continue;
    attachment->calling = true;
    hands.push_back({attachment, attachment->sink, std::move(frame)});
  }
  if (hands.empty()) return;
  ++handing_over_;
  mu_.Unlock();
  for (Hand& hand : hands) Deliver(hand.sink, std::move(hand.frame));
  mu_.Lock();
  --handing_over_;
  for (const Hand& hand : hands) {
    Attachment& attachment = *hand.attachment;
    attachment.calling = false;
    // What came meanwhile, or did not fit.
    if (HasWork(attachment)) Wake(attachment);
  }
  if (stopping_) changed_.Signal();
}

Dispatcher::Attachment* Dispatcher::OnCommittedItem(MailboxItem& item) {
  Attachment* attachment = Current(item.mailbox);
  if (attachment == nullptr) return nullptr;
  if (attachment->view == MailboxView::kRevocations && item.kind != v1::KIND_REVOKE) return nullptr;
  attachment->added_meanwhile = true;
  // A page that was read between commit and this call may have brought it already.
  if (attachment->behind || item.sequence <= attachment->taken_to) return nullptr;
  // Another process may have stored something before it.
  const bool gap = store_->shared() && item.sequence != attachment->taken_to + 1;
  const bool withdrawn =
      !OutlivesWithdrawal(item.kind) && withdrawn_index_.contains(item.token_hash);
  if (gap || withdrawn || attachment->Full() ||
      memory_bytes_ + WireBytes(item) > bounds_.memory_bytes) {
    attachment->behind = true;
    Wake(*attachment);
    return nullptr;
  }
  Keep(*attachment, std::move(item));
  return attachment;
}

void Dispatcher::OnCommittedDrop(const std::string& token_hash) {
  for (auto& [organisation, attachment] : current_) {
    attachment->dropped_meanwhile = true;
    std::erase_if(attachment->ready,
                  [&, at = attachment](const MailboxItem& item) ABSL_NO_THREAD_SAFETY_ANALYSIS {
                    if (item.token_hash != token_hash || OutlivesWithdrawal(item.kind))
                      return false;
                    at->ready_bytes -= WireBytes(item);
                    memory_bytes_ -= WireBytes(item);
                    return true;
                  });
  }
}

// The thread --------------------------------------------------------------------------------------

void Dispatcher::Run() {
  MutexLock lock(mu_);
  while (true) {
    while ((!stopping_ || handing_over_ > 0) && runnable_.empty() && acks_.empty() &&
           wanting_.empty()) {
      changed_.Wait(mu_);
    }
    const bool enough = wanting_.size() >= pages_together_;
    if (!acks_.empty()) {
      SendAcks();
    } else if (!wanting_.empty() && (enough || runnable_.empty())) {
      ReadPages();
    } else if (!runnable_.empty()) {
      Attachment& attachment = *attachments_.at(runnable_.front());
      runnable_.pop_front();
      attachment.runnable = false;
      Advance(attachment);
    } else {
      return;
    }
  }
}

void Dispatcher::SendAcks() {
  const std::vector<PendingAck> acks = std::exchange(acks_, {});
  mu_.Unlock();
  for (const PendingAck& ack : acks) {
    // An ack that fails is repeated delivery at a later attachment, which ids make harmless.
    store_->Ack(ack.organisation, ack.view, ack.through).IgnoreError();
  }
  mu_.Lock();
}

void Dispatcher::Advance(Attachment& attachment) {
  // Whoever calls its sink now wakes it afterwards.
  if (attachment.calling) return;
  // The sink is locked, and let go of, without the lock: it may be the last to hold its session.
  const std::weak_ptr<DeliverySink> sink = attachment.sink;
  if (attachment.ended || sink.expired()) {
    const std::optional<v1::Reason> reason = attachment.reason;
    Erase(attachment);
    const size_t attached = attachments_.size();
    mu_.Unlock();
    if (reason) Call(sink, [&](DeliverySink& receiver) { receiver.OnDetached(*reason); });
    metrics_->OnAttachments(attached);
    mu_.Lock();
    return;
  }
  if (!attachment.claimed) return Claim(attachment);
  const std::vector<MessageId> offline = std::exchange(attachment.offline, {});
  std::vector<OutgoingDelivery> frame = TakeFrame(attachment);
  if (!offline.empty() || !frame.empty()) {
    // There may be more than a frame holds.
    Wake(attachment);
    attachment.calling = true;
    mu_.Unlock();
    Call(sink, [&](DeliverySink& receiver) {
      for (const MessageId& message_id : offline) receiver.OnPeerOffline(message_id);
    });
    if (!frame.empty()) Deliver(sink, std::move(frame));
    mu_.Lock();
    attachment.calling = false;
    return;
  }
  const bool wants = attachment.behind && attachment.ready.empty() && Credit(attachment) > 0;
  if (wants && !std::exchange(attachment.wants_page, true)) wanting_.push_back(attachment.id);
}

void Dispatcher::Claim(Attachment& attachment) {
  const std::weak_ptr<DeliverySink> sink = attachment.sink;
  mu_.Unlock();
  const absl::StatusOr<uint64_t> claim = store_->ClaimSession(attachment.organisation);
  mu_.Lock();
  Wake(attachment);
  if (attachment.ended) return;
  if (!claim.ok()) return End(attachment, ReasonOf(claim.status()));
  attachment.claimed = true;
  attachment.claim = *claim;
  // The news of a session that claimed later may have come before our own number.
  if (attachment.peer_claim > *claim) return End(attachment, v1::REASON_SESSION_REPLACED);
  attachment.calling = true;
  mu_.Unlock();
  Call(sink, [](DeliverySink& receiver) { receiver.OnAttached(); });
  mu_.Lock();
  attachment.calling = false;
}

void Dispatcher::Deliver(const std::weak_ptr<DeliverySink>& sink,
                         std::vector<OutgoingDelivery> frame) {
  size_t bytes = 0;
  for (const OutgoingDelivery& delivery : frame) bytes += delivery.message.size();
  const size_t messages = frame.size();
  Call(sink, [&](DeliverySink& receiver) { receiver.OnDeliver(std::move(frame)); });
  metrics_->OnDelivered(messages, bytes);
}

void Dispatcher::ReadPages() {
  std::vector<Attachment*> asking;
  std::vector<PageQuery> queries;
  for (const AttachmentId id : std::exchange(wanting_, {})) {
    Attachment& attachment = *attachments_.at(id);
    attachment.wants_page = false;
    attachment.added_meanwhile = false;
    attachment.dropped_meanwhile = false;
    asking.push_back(&attachment);
    queries.push_back(QueryFor(attachment));
  }
  const absl::Time now = clock_->Now();
  mu_.Unlock();
  std::vector<absl::StatusOr<MailboxPage>> pages = store_->ReadMailboxes(queries, now);
  for (size_t i = 0; i < pages.size(); ++i) metrics_->OnPageRead();
  mu_.Lock();
  for (size_t i = 0; i < pages.size(); ++i) TakePage(*asking[i], std::move(pages[i]));
}

PageQuery Dispatcher::QueryFor(const Attachment& attachment) {
  const size_t room = unacked_bytes_ >= bounds_.unacked_bytes
                          ? 1
                          : attachment.options.window_messages - attachment.unacked.size();
  return {.mailbox = attachment.organisation,
          .view = attachment.view,
          .after = attachment.taken_to,
          .max_items = std::max<size_t>(std::min(kFrameMessages, room), 1),
          .max_bytes = std::min(kFrameBytes, Credit(attachment))};
}

void Dispatcher::TakePage(Attachment& attachment, absl::StatusOr<MailboxPage> page) {
  if (!page.ok()) {
    if (!attachment.ended) End(attachment, ReasonOf(page.status()));
    return;
  }
  Wake(attachment);
  // The page may hold what has just been withdrawn: read it again.
  if (attachment.dropped_meanwhile) return;
  for (MailboxItem& item : page->items) Keep(attachment, std::move(item));
  attachment.behind = page->more || attachment.added_meanwhile;
}

size_t Dispatcher::Credit(const Attachment& attachment) {
  const size_t window = attachment.options.window_bytes;
  if (attachment.unacked.empty()) return std::max<size_t>(window, 1);
  if (attachment.unacked.size() >= attachment.options.window_messages) return 0;
  if (unacked_bytes_ >= bounds_.unacked_bytes) return 0;
  return window - std::min(window, attachment.unacked_bytes);
}

bool Dispatcher::WaitsForCredit(const Attachment& attachment) {
  if (attachment.unacked.empty() || (attachment.ready.empty() && !attachment.behind)) return false;
  return Credit(attachment) < (attachment.ready.empty() ? 1 : WireBytes(attachment.ready.front()));
}

std::vector<OutgoingDelivery> Dispatcher::TakeFrame(Attachment& attachment) {
  std::vector<OutgoingDelivery> frame;
  size_t frame_bytes = 0;
  const absl::Time now = clock_->Now();
  while (!attachment.ready.empty() && frame.size() < kFrameMessages) {
    MailboxItem& item = attachment.ready.front();
    const size_t bytes = WireBytes(item);
    if (item.expires_at > now) {
      const bool fits = frame.empty() || frame_bytes + bytes <= kFrameBytes;
      const bool credited = attachment.unacked.empty() || bytes <= Credit(attachment);
      if (!fits || !credited) break;
      frame_bytes += bytes;
      attachment.unacked.push_back({item.sequence, bytes});
      attachment.unacked_bytes += bytes;
      unacked_bytes_ += bytes;
      frame.push_back({item.sequence, std::move(item.message)});
    }
    attachment.delivered_to = item.sequence;
    attachment.ready_bytes -= bytes;
    memory_bytes_ -= bytes;
    attachment.ready.pop_front();
  }
  return frame;
}

void Dispatcher::Keep(Attachment& attachment, MailboxItem item) {
  attachment.taken_to = item.sequence;
  attachment.ready_bytes += WireBytes(item);
  memory_bytes_ += WireBytes(item);
  attachment.ready.push_back(std::move(item));
}

// Attachments -------------------------------------------------------------------------------------

bool Dispatcher::HasWork(const Attachment& attachment) {
  return attachment.ended || attachment.sink.expired() || attachment.behind ||
         !attachment.ready.empty() || !attachment.offline.empty();
}

Dispatcher::Attachment* Dispatcher::Current(const OrganisationId& organisation) {
  const auto found = current_.find(organisation);
  return found == current_.end() ? nullptr : found->second;
}

void Dispatcher::Wake(Attachment& attachment) {
  if (attachment.runnable) return;
  attachment.runnable = true;
  runnable_.push_back(attachment.id);
  changed_.Signal();
}

void Dispatcher::End(Attachment& attachment, std::optional<v1::Reason> reason) {
  if (Current(attachment.organisation) == &attachment) current_.erase(attachment.organisation);
  if (!attachment.ended || !reason) attachment.reason = reason;
  attachment.ended = true;
  Wake(attachment);
}

void Dispatcher::Erase(Attachment& attachment) {
  if (Current(attachment.organisation) == &attachment) current_.erase(attachment.organisation);
  memory_bytes_ -= attachment.ready_bytes;
  unacked_bytes_ -= attachment.unacked_bytes;
  std::erase(runnable_, attachment.id);
  std::erase(wanting_, attachment.id);
  attachments_.erase(attachment.id);
}

void Dispatcher::Shutdown() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
    for (auto& [id, attachment] : attachments_) {
      if (!attachment->ended) End(*attachment, v1::REASON_UNAVAILABLE);
    }
    changed_.Signal();
  }
  if (thread_.joinable()) thread_.join();
}

}  // namespace waymark::hub
