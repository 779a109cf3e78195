// The hub's numbers, as Prometheus text.
//
// Labels are reasons, kinds of message and the program's version alone: no member, unit or referral
// is ever a label. What traffic counts costs an addition: every series exists from the start.
// Thread-safe.
#pragma once

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "base/program/machine.h"
#include "server/session/committer.h"
#include "server/session/dispatcher.h"
#include "server/store/store.h"

namespace waymark::hub {

class HubMetrics final : public CommitterMetrics, public DispatcherMetrics {
 public:
  // `version` is that of the program.
  explicit HubMetrics(const std::string& version);
  ~HubMetrics() override;

  void OnItem(v1::Reason reason) override;
  void OnBatch(size_t items, size_t bytes, absl::Duration took) override;
  void OnStore(absl::Duration load, absl::Duration commit) override;
  void OnConfirmed(const LatencyCounts& latencies) override;
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

  // What waits for the committer, and what is under way to nodes, at this moment.
  void SetQueue(const QueueLoad& queued);
  void SetUnderWay(const Dispatcher::UnderWay& under_way);
  // What the program uses of its machine, and what its data folder may still take.
  void SetMachine(const ProcessUse& process, const DiskSpace& data);

  // The exposition text, format 0.0.4.
  std::string Text() const;

 private:
  struct Families;
  const std::unique_ptr<Families> families_;
};

}  // namespace waymark::hub
