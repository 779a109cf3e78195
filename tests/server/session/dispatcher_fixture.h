// A dispatcher over a real store, with one mailbox and a sink that remembers, for its tests.
#pragma once

#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "server/session/dispatcher.h"
#include "tests/server/session/gated_store.h"
#include "tests/server/session/remembering_sink.h"
#include "tests/server/store/sqlite_medium.h"
#include "tests/server/store_conformance/samples.h"
#include "tests/support/fake_clock.h"

namespace waymark::hub {

// Counts what it is told.
class DeliveryCounts final : public DispatcherMetrics {
 public:
  void OnDelivered(size_t messages, size_t) override { delivered_ += messages; }
  void OnAttachments(size_t attached) override { attached_ = attached; }
  void OnPageRead() override {}
  size_t attached() const { return attached_; }

 private:
  std::atomic<size_t> delivered_ = 0;
  std::atomic<size_t> attached_ = 0;
};

class DispatcherTest : public testing::Test {
 protected:
  DispatcherTest()
      : clock_(SampleTime()),
        store_(*medium_.Open()),
        dispatcher_(Dispatcher::Create(&store_, &clock_, &metrics_)) {}

  ~DispatcherTest() override { store_.OpenReads(); }

  AttachmentId Attach(const std::shared_ptr<RememberingSink>& sink,
                      Dispatcher::Options options = {}) {
    return dispatcher_->Attach(mailbox_, options, sink);
  }

  // Commits one item for each number, without telling the dispatcher.
  std::vector<Effects> Store(std::vector<MailboxItem> items) {
    std::vector<Effects> batch(1);
    batch[0].deliver = std::move(items);
    EXPECT_TRUE(store_.Commit(batch).ok());
    return batch;
  }
  std::vector<Effects> Store(uint64_t first, uint64_t count) {
    std::vector<MailboxItem> items;
    for (uint64_t i = 0; i < count; ++i) items.push_back(SampleItem(1, first + i));
    return Store(std::move(items));
  }
  std::vector<uint64_t> Commit(std::vector<Effects> batch) {
    std::vector<uint64_t> sequences;
    for (const Effects& effects : batch) {
      for (const MailboxItem& item : effects.deliver) sequences.push_back(item.sequence);
    }
    dispatcher_->OnCommitted(batch);
    return sequences;
  }
  // Withdraws a token, in the store and before the dispatcher.
  void Withdraw(const std::string& token_hash) {
    std::vector<Effects> batch(1);
    batch[0].drop = {{token_hash}};
    EXPECT_TRUE(store_.Commit(batch).ok());
    dispatcher_->OnCommitted(batch);
  }

  // Returns once the dispatcher has done what there was to do for `sink`, the attached one: each
  // round is one advance of its attachment, and none needs more than frame, page and frame.
  void Settle(const std::shared_ptr<RememberingSink>& sink) {
    for (int round = 0; round < 4; ++round) {
      MailboxItem notice;
      notice.sender = mailbox_;
      notice.message_id = SampleId<MessageId>(++settled_);
      dispatcher_->NotifyPeerOffline(std::span(&notice, 1));
      sink->AwaitOffline(notice.message_id);
    }
  }

  std::vector<uint64_t> Mailbox() {
    auto page = store_.inner().ReadMailbox(mailbox_, MailboxView::kAll, 0, 100000, size_t{1} << 30,
                                           clock_.Now());
    EXPECT_TRUE(page.ok());
    std::vector<uint64_t> sequences;
    for (const MailboxItem& item : page->items) sequences.push_back(item.sequence);
    return sequences;
  }

  const OrganisationId mailbox_ = SampleId<OrganisationId>(1);
  FakeClock clock_;
  DeliveryCounts metrics_;
  SqliteMedium medium_;
  GatedStore store_;
  std::unique_ptr<Dispatcher> dispatcher_;
  const std::shared_ptr<RememberingSink> sink_ = std::make_shared<RememberingSink>();
  uint64_t settled_ = 1'000'000;
};

inline std::vector<uint64_t> SequencesIn(const std::vector<Effects>& batch) {
  std::vector<uint64_t> sequences;
  for (const MailboxItem& item : batch[0].deliver) sequences.push_back(item.sequence);
  return sequences;
}

}  // namespace waymark::hub
