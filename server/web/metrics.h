// The hub's numbers, as Prometheus text.
//
// Labels are reasons alone: no member, unit or referral is ever a label. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "server/session/committer.h"
#include "server/session/dispatcher.h"
#include "server/store/store.h"

namespace waymark::hub {

class HubMetrics final : public CommitterMetrics, public DispatcherMetrics {
 public:
  HubMetrics();
  ~HubMetrics() override;

  void OnItem(v1::Reason reason) override;
  void OnBatch(size_t items, size_t bytes, absl::Duration took) override;
  void OnStoreError(const absl::Status& status) override;
  void OnQueueFull() override;

  void OnDelivered(size_t messages, size_t bytes) override;
  void OnAttachments(size_t attached) override;
  void OnPageRead() override;

  // Streams that are open, attached or not.
  void SetStreams(size_t streams);
  void OnSweep(const SweepResult& result);
  void OnOfflineNotices(size_t notices);
  // What waits in the mailboxes at `now`.
  void SetWaiting(const WaitingTotals& totals, absl::Time now);
  // How long the hub's own certificate still serves; not negative.
  void SetCertificateLeft(absl::Duration left);

  // The exposition text, format 0.0.4.
  std::string Text() const;

 private:
  struct Families;
  const std::unique_ptr<Families> families_;
};

}  // namespace waymark::hub
