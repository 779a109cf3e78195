// The hub's store on a disk that loses power: whatever was committed is there afterwards, a batch
// that was not is there as a whole or not at all, and the file opens.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/status/status.h"
#include "server/store/sqlite/schema.h"
#include "server/store/sqlite/sqlite_store.h"
#include "server/store/sqlite/store_file.h"
#include "tests/client/vault/temp_folder.h"
#include "tests/server/store_conformance/samples.h"
#include "tests/support/seeded_random.h"
#include "tests/torture/torn_disk.h"

namespace waymark::torture {
namespace {

using hub::Effects;
using hub::SqliteStore;

// Cuts, and after how many of them the store begins anew.
constexpr int kCuts = 400;
constexpr int kCutsAStore = 10;
constexpr uint64_t kBatchItems = 5;
constexpr uint64_t kMailbox = 1;

class TornStoreTest : public ::testing::Test {
 protected:
  std::string path() const { return folder_->File("hub.db"); }

  absl::StatusOr<std::unique_ptr<SqliteStore>> Open() {
    return SqliteStore::Open({.path = path(), .random = &random_});
  }

  void BeginAnew() {
    folder_ = std::make_unique<node::TempFolder>();
    epoch_.clear();
    committed_ = acked_ = 0;
  }

  // Batch `number` delivers its inquiries, registers a token and revokes the one before.
  static std::vector<Effects> Batch(uint64_t number) {
    std::vector<Effects> batch;
    for (uint64_t i = 0; i < kBatchItems; ++i) {
      batch.push_back(hub::SampleInquiry(kMailbox, number * kBatchItems + i));
    }
    batch[0].put_tokens = {hub::SampleToken(number)};
    if (number > 0) {
      hub::TokenRecord before = hub::SampleToken(number - 1);
      before.revoked = true;
      batch[1].put_tokens = {before};
    }
    return batch;
  }

  // Uses the store until the power is gone.
  void WriteUntilCut() {
    auto store = Open();
    ASSERT_TRUE(store.ok() || PowerIsCut()) << store.status();
    if (!store.ok()) return;
    epoch_ = (*store)->epoch();
    const auto checkpointer = hub::OpenCheckpointer(path());
    while (!PowerIsCut()) {
      std::vector<Effects> batch = Batch(committed_);
      if (!(*store)->Commit(batch).ok()) break;
      ++committed_;
      const uint64_t last = batch.back().deliver.back().sequence;
      if (random_.Uniform(4) == 0) {
        ASSERT_TRUE((*store)
                        ->Ack(hub::SampleId<OrganisationId>(kMailbox), hub::MailboxView::kAll, last)
                        .ok());
        acked_ = committed_;
      }
      if (checkpointer.ok() && random_.Uniform(4) == 0) {
        const int mode =
            random_.Uniform(2) == 0 ? SQLITE_CHECKPOINT_PASSIVE : SQLITE_CHECKPOINT_TRUNCATE;
        (*checkpointer)->Checkpoint(mode).IgnoreError();
      }
    }
    ASSERT_TRUE(PowerIsCut()) << "the store refused by itself";
  }

  void ExpectWhole() {
    PowerOn(folder_->path());
    auto store = Open();
    ASSERT_TRUE(store.ok()) << store.status();
    if (committed_ > 0) {
      EXPECT_EQ((*store)->epoch(), epoch_);
    }
    ASSERT_NO_FATAL_FAILURE(ExpectItems(Items(**store)));
    uint64_t present = committed_;
    while (!Load(**store, present).referrals.empty()) ++present;
    ASSERT_LE(present, committed_ + 1) << "a batch that nobody wrote";
    for (uint64_t batch = 0; batch < present; ++batch) {
      const hub::LoadedState state = Load(**store, batch);
      ASSERT_EQ(state.referrals.size(), kBatchItems) << batch << " of " << committed_;
      ASSERT_EQ(state.seen.size(), kBatchItems);
      ASSERT_EQ(state.tokens.size(), 1u);
      ASSERT_EQ(state.tokens.front().revoked, batch + 1 < present);
    }
    committed_ = present;
  }

  static std::vector<hub::MailboxItem> Items(SqliteStore& store) {
    const auto page =
        store.ReadMailbox(hub::SampleId<OrganisationId>(kMailbox), hub::MailboxView::kAll, 0,
                          SIZE_MAX, SIZE_MAX, hub::SampleTime());
    EXPECT_TRUE(page.ok()) << page.status();
    return page.ok() ? page->items : std::vector<hub::MailboxItem>();
  }

  // In order, without gaps, from somewhere among what was acknowledged: an acknowledgement may be
  // forgotten, a message may not.
  void ExpectItems(const std::vector<hub::MailboxItem>& items) {
    ASSERT_EQ(items.size() % kBatchItems, 0u) << "a batch is there in part";
    const uint64_t first = items.empty() ? 0 : NumberOf(items.front());
    if (!items.empty()) {
      ASSERT_LE(first, acked_ * kBatchItems);
      ASSERT_GE(first + items.size(), committed_ * kBatchItems);
    } else {
      ASSERT_EQ(acked_, committed_);
    }
    for (size_t i = 0; i < items.size(); ++i) {
      hub::MailboxItem expected = hub::SampleItem(kMailbox, first + i);
      expected.sequence = items[i].sequence;
      ASSERT_EQ(items[i], expected);
    }
  }

  static uint64_t NumberOf(const hub::MailboxItem& item) {
    uint64_t number = 0;
    while (hub::SampleId<MessageId>(number) != item.message_id) ++number;
    return number;
  }

  // Everything of a batch but its items.
  static hub::LoadedState Load(SqliteStore& store, uint64_t batch) {
    hub::StateKeys keys;
    keys.token_hashes = {hub::SampleHash(batch)};
    for (uint64_t i = 0; i < kBatchItems; ++i) {
      keys.referrals.push_back(hub::SampleId<ReferralId>(batch * kBatchItems + i));
      keys.messages.push_back(hub::SampleId<MessageId>(batch * kBatchItems + i));
    }
    const auto state = store.Load(keys);
    EXPECT_TRUE(state.ok()) << state.status();
    return state.ok() ? *state : hub::LoadedState();
  }

  SeededRandom random_{1};
  std::unique_ptr<node::TempFolder> folder_;
  std::string epoch_;
  // Batches: committed, and acknowledged by the mailbox's owner.
  uint64_t committed_ = 0;
  uint64_t acked_ = 0;
};

TEST_F(TornStoreTest, WhatWasCommittedOutlastsEveryCut) {
  std::set<uint64_t> cut_points;
  for (int cut = 0; cut < kCuts; ++cut) {
    SCOPED_TRACE("cut " + std::to_string(cut));
    if (cut % kCutsAStore == 0) BeginAnew();
    // The first operations make the file; later ones are commits, checkpoints and deletions.
    const uint64_t at = 1 + random_.Uniform(cut % kCutsAStore == 0 ? 40 : 200);
    PowerOn(folder_->path(), at);
    cut_points.insert(at);
    ASSERT_NO_FATAL_FAILURE(WriteUntilCut());
    Settle(random_);
    ASSERT_NO_FATAL_FAILURE(ExpectWhole());
    ASSERT_FALSE(HasFailure());
  }
  EXPECT_GT(cut_points.size(), 100u) << "the cuts came at too few points";
}

// A disk that fills up in the middle of anything: the store says so, goes on serving what it has,
// and takes what comes once there is room again.
TEST_F(TornStoreTest, AFullDiskIsSaidAndRecoveredFrom) {
  for (int round = 0; round < 60; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    if (round % kCutsAStore == 0) BeginAnew();
    PowerOn(folder_->path());
    {
      auto store = Open();
      ASSERT_TRUE(store.ok()) << store.status();
      epoch_ = (*store)->epoch();
      FillUpAt(Operations() + 1 + random_.Uniform(80));
      absl::Status committed = absl::OkStatus();
      while (committed.ok()) {
        std::vector<Effects> batch = Batch(committed_);
        committed = (*store)->Commit(batch);
        if (committed.ok()) ++committed_;
      }
      EXPECT_EQ(ReasonOf(committed), v1::REASON_QUOTA_EXCEEDED) << committed;
      std::vector<Effects> refused = Batch(committed_);
      EXPECT_EQ(ReasonOf((*store)->Commit(refused)), v1::REASON_QUOTA_EXCEEDED);
      EXPECT_TRUE(Load(**store, committed_).referrals.empty()) << "it was refused";
      ASSERT_NO_FATAL_FAILURE(ExpectItems(Items(**store)));

      FillUpAt(kNever);
      std::vector<Effects> again = Batch(committed_);
      const absl::Status recovered = (*store)->Commit(again);
      ASSERT_TRUE(recovered.ok()) << recovered;
      ++committed_;
      PowerOff();
    }
    Settle(random_);
    ASSERT_NO_FATAL_FAILURE(ExpectWhole());
    ASSERT_FALSE(HasFailure());
  }
}

TEST_F(TornStoreTest, ANewFileKeepsItsName) {
  for (int cut = 0; cut < 50; ++cut) {
    BeginAnew();
    PowerOn(folder_->path());
    ASSERT_TRUE(hub::EnsurePrivateFile(path()).ok());
    Settle(random_);
    ASSERT_TRUE(std::filesystem::exists(path()));
  }
}

// The disk itself: what is not synced is found missing, and what is synced is not.
TEST_F(TornStoreTest, TheDiskLosesWhatIsNotSynced) {
  const std::string kFull = "PRAGMA synchronous = FULL";
  int lost = 0;
  for (int cut = 0; cut < 40; ++cut) {
    BeginAnew();
    for (const std::string& synchronous : {kFull, std::string("PRAGMA synchronous = OFF")}) {
      PowerOn(folder_->path());
      {
        ASSERT_TRUE(hub::EnsurePrivateFile(path()).ok());
        // The writer's way to the disk keeps in memory what it need not sync.
        const bool syncs = synchronous == kFull;
        const auto writer = syncs ? hub::OpenWriter(path()) : hub::OpenCheckpointer(path());
        ASSERT_TRUE(writer.ok()) << writer.status();
        ASSERT_TRUE((*writer)->Execute("CREATE TABLE IF NOT EXISTS t (x)").ok());
        ASSERT_TRUE((*writer)->Execute(synchronous.c_str()).ok());
        ASSERT_TRUE((*writer)->Execute("INSERT INTO t VALUES (1)").ok());
        // Before SQLite closes in order, which would sync.
        PowerOff();
      }
      Settle(random_);
    }
    PowerOn(folder_->path());
    auto reader = hub::OpenReader(path());
    ASSERT_TRUE(reader.ok()) << reader.status();
    auto count = (*reader)->Prepare("SELECT count(*) FROM t");
    ASSERT_TRUE(count.ok()) << count.status();
    ASSERT_TRUE(count->Step().ok());
    const int64_t rows = count->Int();
    ASSERT_GE(rows, 1) << "what was synced is gone";
    if (rows == 1) ++lost;
  }
  EXPECT_GT(lost, 5) << "nothing was lost, and nothing was synced";
  EXPECT_LT(lost, 40) << "everything is lost: a disk keeps some of it";
}

}  // namespace
}  // namespace waymark::torture
