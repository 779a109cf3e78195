// What an attachment brought, for tests. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/sync/sync.h"
#include "server/session/dispatcher.h"

namespace waymark::hub {

// A session that remembers.
class RememberingSink final : public DeliverySink {
 public:
  void OnAttached() override {
    MutexLock lock(mu_);
    attached_ = true;
    changed_.SignalAll();
  }
  void OnDeliver(std::vector<OutgoingDelivery> deliveries) override {
    MutexLock lock(mu_);
    frames_.push_back(deliveries.size());
    for (OutgoingDelivery& delivery : deliveries) received_.push_back(std::move(delivery));
    overlapped_ |= std::exchange(called_, true);
    changed_.SignalAll();
    while (held_) changed_.Wait(mu_);
    called_ = false;
  }
  void OnPeerOffline(const MessageId& message_id) override {
    MutexLock lock(mu_);
    offline_.push_back(message_id);
    changed_.SignalAll();
  }
  void OnDetached(v1::Reason reason) override {
    MutexLock lock(mu_);
    detached_ = reason;
    changed_.SignalAll();
  }

  // While it is held, OnDeliver does not return.
  void Hold(bool held) {
    MutexLock lock(mu_);
    held_ = held;
    changed_.SignalAll();
  }

  // Waits until `count` messages have come and returns their sequences.
  std::vector<uint64_t> Await(size_t count) {
    MutexLock lock(mu_);
    while (received_.size() < count) changed_.Wait(mu_);
    std::vector<uint64_t> sequences;
    for (const OutgoingDelivery& delivery : received_) sequences.push_back(delivery.sequence);
    return sequences;
  }
  void AwaitOffline(const MessageId& message_id) {
    MutexLock lock(mu_);
    while (offline_.empty() || offline_.back() != message_id) changed_.Wait(mu_);
  }
  void AwaitAttached() {
    MutexLock lock(mu_);
    while (!attached_) changed_.Wait(mu_);
  }
  v1::Reason AwaitDetached() {
    MutexLock lock(mu_);
    while (!detached_) changed_.Wait(mu_);
    return *detached_;
  }

  std::vector<OutgoingDelivery> received() {
    MutexLock lock(mu_);
    return received_;
  }
  std::vector<size_t> frames() {
    MutexLock lock(mu_);
    return frames_;
  }
  std::vector<MessageId> offline() {
    MutexLock lock(mu_);
    return offline_;
  }
  // Whether OnDeliver was called before it had returned.
  bool overlapped() {
    MutexLock lock(mu_);
    return overlapped_;
  }
  bool attached() {
    MutexLock lock(mu_);
    return attached_;
  }
  bool detached() {
    MutexLock lock(mu_);
    return detached_.has_value();
  }

 private:
  Mutex mu_;
  CondVar changed_;
  bool attached_ ABSL_GUARDED_BY(mu_) = false;
  bool held_ ABSL_GUARDED_BY(mu_) = false;
  bool called_ ABSL_GUARDED_BY(mu_) = false;
  bool overlapped_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<OutgoingDelivery> received_ ABSL_GUARDED_BY(mu_);
  std::vector<size_t> frames_ ABSL_GUARDED_BY(mu_);
  std::vector<MessageId> offline_ ABSL_GUARDED_BY(mu_);
  std::optional<v1::Reason> detached_ ABSL_GUARDED_BY(mu_);
};

}  // namespace waymark::hub
