#include "server/web/metrics.h"

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "base/log/log.h"
#include "base/status/status.h"
#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"
#include "prometheus/text_serializer.h"

namespace waymark::hub {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::BuildHistogram;
using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;

const Histogram::BucketBoundaries kItemBuckets = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024};
const Histogram::BucketBoundaries kSecondBuckets = {0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01,
                                                    0.02,   0.05,   0.1,   0.2,   0.5,   1};
const Histogram::BucketBoundaries kLatencyBuckets(LatencyCounts::kBounds.begin(),
                                                  LatencyCounts::kBounds.end());

// The series of a family that has one for each value of an enum, by the value's number.
template <typename Metric, size_t kSize>
using Series = std::array<Metric*, kSize>;

Series<Counter, v1::Reason_ARRAYSIZE> ByReason(Family<Counter>& family) {
  Series<Counter, v1::Reason_ARRAYSIZE> series = {};
  for (int number = 1; number < v1::Reason_ARRAYSIZE; ++number) {
    if (!v1::Reason_IsValid(number)) continue;
    const std::string name(ReasonName(static_cast<v1::Reason>(number)));
    series[static_cast<size_t>(number)] = &family.Add({{"reason", name}});
  }
  return series;
}

Series<Histogram, LatencyCounts::kKinds> ByKind(Family<Histogram>& family) {
  Series<Histogram, LatencyCounts::kKinds> series = {};
  for (int number = 0; number < v1::Kind_ARRAYSIZE; ++number) {
    if (!v1::Kind_IsValid(number)) continue;
    const std::string name = number == v1::KIND_UNSPECIFIED
                                 ? "REGISTRATION"
                                 : v1::Kind_Name(number).substr(std::string("KIND_").size());
    series[static_cast<size_t>(number)] = &family.Add({{"kind", name}}, kLatencyBuckets);
  }
  return series;
}

}  // namespace

struct HubMetrics::Families {
  prometheus::Registry registry;

  Gauge& streams =
      BuildGauge().Name("waymark_streams").Help("Open streams.").Register(registry).Add({});
  Gauge& sessions = BuildGauge()
                        .Name("waymark_sessions")
                        .Help("Streams that receive deliveries.")
                        .Register(registry)
                        .Add({});
  Counter& accepted = BuildCounter()
                          .Name("waymark_items_accepted_total")
                          .Help("Submitted items that were accepted.")
                          .Register(registry)
                          .Add({});
  Series<Counter, v1::Reason_ARRAYSIZE> rejected =
      ByReason(BuildCounter()
                   .Name("waymark_items_rejected_total")
                   .Help("Submitted items that were refused, by reason.")
                   .Register(registry));
  Series<Counter, v1::Reason_ARRAYSIZE> store_errors =
      ByReason(BuildCounter()
                   .Name("waymark_commits_failed_total")
                   .Help("Transactions that the store refused, by reason.")
                   .Register(registry));
  Series<Histogram, LatencyCounts::kKinds> confirmation =
      ByKind(BuildHistogram()
                 .Name("waymark_confirmation_seconds")
                 .Help("Time from submission to confirmation at the hub, by kind.")
                 .Register(registry));
  Gauge& queue_items = BuildGauge()
                           .Name("waymark_commit_queue_items")
                           .Help("Submitted items that wait for the committer.")
                           .Register(registry)
                           .Add({});
  Gauge& queue_bytes = BuildGauge()
                           .Name("waymark_commit_queue_bytes")
                           .Help("Bytes of submitted items that wait for the committer.")
                           .Register(registry)
                           .Add({});
  Histogram& load_seconds = BuildHistogram()
                                .Name("waymark_store_load_seconds")
                                .Help("Time in which the store loaded what a batch touches.")
                                .Register(registry)
                                .Add({}, kSecondBuckets);
  Histogram& sync_seconds = BuildHistogram()
                                .Name("waymark_store_commit_seconds")
                                .Help("Time in which the store wrote and synced a transaction.")
                                .Register(registry)
                                .Add({}, kSecondBuckets);
  Gauge& unacked_messages = BuildGauge()
                                .Name("waymark_unacknowledged_messages")
                                .Help("Messages delivered and not acknowledged: credits in use.")
                                .Register(registry)
                                .Add({});
  Gauge& unacked_bytes = BuildGauge()
                             .Name("waymark_unacknowledged_bytes")
                             .Help("Bytes of messages delivered and not acknowledged.")
                             .Register(registry)
                             .Add({});
  Gauge& buffered_messages = BuildGauge()
                                 .Name("waymark_delivery_buffer_messages")
                                 .Help("Messages in memory that wait to be delivered.")
                                 .Register(registry)
                                 .Add({});
  Gauge& buffered_bytes = BuildGauge()
                              .Name("waymark_delivery_buffer_bytes")
                              .Help("Bytes of messages in memory that wait to be delivered.")
                              .Register(registry)
                              .Add({});
  Gauge& without_credit = BuildGauge()
                              .Name("waymark_sessions_without_credit")
                              .Help("Sessions that have something to receive and no credit.")
                              .Register(registry)
                              .Add({});
  Gauge& behind = BuildGauge()
                      .Name("waymark_sessions_behind")
                      .Help("Sessions that are read to from the store, not from memory.")
                      .Register(registry)
                      .Add({});
  Gauge& data_free = BuildGauge()
                         .Name("waymark_data_free_bytes")
                         .Help("Room on the disk of the data folder.")
                         .Register(registry)
                         .Add({});
  Gauge& data_size = BuildGauge()
                         .Name("waymark_data_size_bytes")
                         .Help("Size of the disk of the data folder.")
                         .Register(registry)
                         .Add({});
  Gauge& resident = BuildGauge()
                        .Name("process_resident_memory_bytes")
                        .Help("Memory of the program.")
                        .Register(registry)
                        .Add({});
  Gauge& open_files = BuildGauge()
                          .Name("process_open_fds")
                          .Help("Open file descriptors.")
                          .Register(registry)
                          .Add({});
  Gauge& file_limit = BuildGauge()
                          .Name("process_max_fds")
                          .Help("How many file descriptors may be open.")
                          .Register(registry)
                          .Add({});
  Counter& cpu = BuildCounter()
                     .Name("process_cpu_seconds_total")
                     .Help("Processor time of the program.")
                     .Register(registry)
                     .Add({});
  Family<Gauge>& build = BuildGauge()
                             .Name("waymark_build_info")
                             .Help("1, with the version of the program.")
                             .Register(registry);
  Counter& queue_full = BuildCounter()
                            .Name("waymark_submissions_refused_total")
                            .Help("Frames refused because the committer's queue was full.")
                            .Register(registry)
                            .Add({});
  Histogram& batch_items = BuildHistogram()
                               .Name("waymark_commit_batch_items")
                               .Help("Items in one transaction.")
                               .Register(registry)
                               .Add({}, kItemBuckets);
  Histogram& commit_seconds = BuildHistogram()
                                  .Name("waymark_commit_seconds")
                                  .Help("Time to load, decide and commit one transaction.")
                                  .Register(registry)
                                  .Add({}, kSecondBuckets);
  Counter& committed_bytes = BuildCounter()
                                 .Name("waymark_committed_bytes_total")
                                 .Help("Bytes of committed items.")
                                 .Register(registry)
                                 .Add({});
  Counter& delivered = BuildCounter()
                           .Name("waymark_messages_delivered_total")
                           .Help("Messages sent to nodes, repeats included.")
                           .Register(registry)
                           .Add({});
  Counter& delivered_bytes = BuildCounter()
                                 .Name("waymark_delivered_bytes_total")
                                 .Help("Bytes of messages sent to nodes.")
                                 .Register(registry)
                                 .Add({});
  Counter& pages = BuildCounter()
                       .Name("waymark_mailbox_pages_total")
                       .Help("Mailbox pages read from the store.")
                       .Register(registry)
                       .Add({});
  Gauge& waiting_messages = BuildGauge()
                                .Name("waymark_mailbox_messages")
                                .Help("Messages that wait in all mailboxes.")
                                .Register(registry)
                                .Add({});
  Gauge& waiting_bytes = BuildGauge()
                             .Name("waymark_mailbox_bytes")
                             .Help("Bytes of messages that wait in all mailboxes.")
                             .Register(registry)
                             .Add({});
  Gauge& waiting_oldest = BuildGauge()
                              .Name("waymark_mailbox_oldest_seconds")
                              .Help("Age of the message that waits longest; 0 when none waits.")
                              .Register(registry)
                              .Add({});
  Gauge& waiting_mailboxes = BuildGauge()
                                 .Name("waymark_mailboxes_waiting")
                                 .Help("Mailboxes in which a message waits.")
                                 .Register(registry)
                                 .Add({});
  Gauge& certificate_left = BuildGauge()
                                .Name("waymark_certificate_left_seconds")
                                .Help(
                                    "Time until the hub's certificate ends; 0 when it cannot "
                                    "serve.")
                                .Register(registry)
                                .Add({});
  Counter& expired_messages = BuildCounter()
                                  .Name("waymark_messages_expired_total")
                                  .Help("Undelivered messages deleted at their end.")
                                  .Register(registry)
                                  .Add({});
  Counter& expired_referrals = BuildCounter()
                                   .Name("waymark_referrals_expired_total")
                                   .Help("Referrals that a clock ended.")
                                   .Register(registry)
                                   .Add({});
  Counter& forgotten = BuildCounter()
                           .Name("waymark_records_forgotten_total")
                           .Help("Records deleted at the end of their retention.")
                           .Register(registry)
                           .Add({});
  Counter& offline_notices = BuildCounter()
                                 .Name("waymark_offline_notices_total")
                                 .Help("Urgent messages whose recipient stayed offline.")
                                 .Register(registry)
                                 .Add({});
};

HubMetrics::HubMetrics(const std::string& version) : families_(std::make_unique<Families>()) {
  families_->build.Add({{"version", version}}).Set(1);
}
HubMetrics::~HubMetrics() = default;

void HubMetrics::OnItem(v1::Reason reason) {
  if (reason == v1::REASON_UNSPECIFIED) {
    families_->accepted.Increment();
  } else {
    families_->rejected[static_cast<size_t>(reason)]->Increment();
  }
}

void HubMetrics::OnBatch(size_t items, size_t bytes, absl::Duration took) {
  families_->batch_items.Observe(static_cast<double>(items));
  families_->commit_seconds.Observe(absl::ToDoubleSeconds(took));
  families_->committed_bytes.Increment(static_cast<double>(bytes));
}

void HubMetrics::OnStore(absl::Duration load, absl::Duration commit) {
  families_->load_seconds.Observe(absl::ToDoubleSeconds(load));
  if (commit > absl::ZeroDuration()) {
    families_->sync_seconds.Observe(absl::ToDoubleSeconds(commit));
  }
}

void HubMetrics::OnConfirmed(const LatencyCounts& latencies) {
  for (size_t kind = 0; kind < LatencyCounts::kKinds; ++kind) {
    const LatencyCounts::Counts& counts = latencies.by_kind()[kind];
    if (counts.items == 0) continue;
    const std::vector<double> buckets(counts.buckets.begin(), counts.buckets.end());
    families_->confirmation[kind]->ObserveMultiple(buckets, counts.sum_seconds);
  }
}

void HubMetrics::OnStoreError(const absl::Status& status) {
  families_->store_errors[static_cast<size_t>(ReasonOf(status))]->Increment();
  Log(LogLevel::kError, "commit_failed", {{"reason", status}});
}

void HubMetrics::OnQueueFull() { families_->queue_full.Increment(); }

void HubMetrics::OnDelivered(size_t messages, size_t bytes) {
  families_->delivered.Increment(static_cast<double>(messages));
  families_->delivered_bytes.Increment(static_cast<double>(bytes));
}

void HubMetrics::OnAttachments(size_t attached) {
  families_->sessions.Set(static_cast<double>(attached));
}

void HubMetrics::OnPageRead() { families_->pages.Increment(); }

void HubMetrics::SetStreams(size_t streams) {
  families_->streams.Set(static_cast<double>(streams));
}

void HubMetrics::OnSweep(const SweepResult& result) {
  families_->expired_messages.Increment(static_cast<double>(result.expired_messages));
  families_->expired_referrals.Increment(static_cast<double>(result.expired_referrals.size()));
  families_->forgotten.Increment(static_cast<double>(result.forgotten));
}

void HubMetrics::OnOfflineNotices(size_t notices) {
  families_->offline_notices.Increment(static_cast<double>(notices));
}

void HubMetrics::SetWaiting(const WaitingTotals& totals, absl::Time now) {
  families_->waiting_messages.Set(static_cast<double>(totals.messages));
  families_->waiting_bytes.Set(static_cast<double>(totals.bytes));
  families_->waiting_mailboxes.Set(static_cast<double>(totals.mailboxes));
  const absl::Duration age = now - totals.oldest.value_or(now);
  families_->waiting_oldest.Set(absl::ToDoubleSeconds(std::max(age, absl::ZeroDuration())));
}

void HubMetrics::SetCertificateLeft(absl::Duration left) {
  families_->certificate_left.Set(absl::ToDoubleSeconds(left));
}

void HubMetrics::SetQueue(const QueueLoad& queued) {
  families_->queue_items.Set(static_cast<double>(queued.items));
  families_->queue_bytes.Set(static_cast<double>(queued.bytes));
}

void HubMetrics::SetUnderWay(const Dispatcher::UnderWay& under_way) {
  families_->unacked_messages.Set(static_cast<double>(under_way.unacked_messages));
  families_->unacked_bytes.Set(static_cast<double>(under_way.unacked_bytes));
  families_->buffered_messages.Set(static_cast<double>(under_way.buffered_messages));
  families_->buffered_bytes.Set(static_cast<double>(under_way.buffered_bytes));
  families_->without_credit.Set(static_cast<double>(under_way.without_credit));
  families_->behind.Set(static_cast<double>(under_way.behind));
}

void HubMetrics::SetMachine(const ProcessUse& process, const DiskSpace& data) {
  families_->resident.Set(static_cast<double>(process.resident_bytes));
  families_->open_files.Set(static_cast<double>(process.open_files));
  families_->file_limit.Set(static_cast<double>(process.file_limit));
  families_->cpu.Increment(std::max(0.0, process.cpu_seconds - families_->cpu.Value()));
  families_->data_free.Set(static_cast<double>(data.free_bytes));
  families_->data_size.Set(static_cast<double>(data.size_bytes));
}

std::string HubMetrics::Text() const {
  return prometheus::TextSerializer().Serialize(families_->registry.Collect());
}

}  // namespace waymark::hub
