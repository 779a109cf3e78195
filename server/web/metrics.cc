#include "server/web/metrics.h"

#include <algorithm>
#include <map>

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
  Family<Counter>& rejected = BuildCounter()
                                  .Name("waymark_items_rejected_total")
                                  .Help("Submitted items that were refused, by reason.")
                                  .Register(registry);
  Family<Counter>& store_errors = BuildCounter()
                                      .Name("waymark_commits_failed_total")
                                      .Help("Transactions that the store refused, by reason.")
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

HubMetrics::HubMetrics() : families_(std::make_unique<Families>()) {}
HubMetrics::~HubMetrics() = default;

void HubMetrics::OnItem(v1::Reason reason) {
  if (reason == v1::REASON_UNSPECIFIED) {
    families_->accepted.Increment();
  } else {
    families_->rejected.Add({{"reason", std::string(ReasonName(reason))}}).Increment();
  }
}

void HubMetrics::OnBatch(size_t items, size_t bytes, absl::Duration took) {
  families_->batch_items.Observe(static_cast<double>(items));
  families_->commit_seconds.Observe(absl::ToDoubleSeconds(took));
  families_->committed_bytes.Increment(static_cast<double>(bytes));
}

void HubMetrics::OnStoreError(const absl::Status& status) {
  families_->store_errors.Add({{"reason", std::string(ReasonName(ReasonOf(status)))}}).Increment();
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

std::string HubMetrics::Text() const {
  return prometheus::TextSerializer().Serialize(families_->registry.Collect());
}

}  // namespace waymark::hub
