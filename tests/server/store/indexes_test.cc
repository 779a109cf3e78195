#include <gmock/gmock.h>

#include "server/store/record_cache.h"
#include "server/store/sqlite/due_index.h"
#include "server/store/sqlite/mailbox_index.h"
#include "server/store/sqlite/segmented_map.h"
#include "tests/server/store_conformance/samples.h"

namespace waymark::hub {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

absl::Time At(int second) { return SampleTime() + absl::Seconds(second); }

TEST(RecordCacheTest, HoldsTheLatestAndForgetsTheOthers) {
  RecordCache<std::string, int> cache(2);
  cache.Put("a", 1);
  cache.Put("b", 2);
  cache.Put("c", 3);
  cache.Put("d", 4);
  EXPECT_THAT(cache.Find("a"), testing::Pointee(1)) << "used, and so young again";
  cache.Put("e", 5);
  EXPECT_EQ(cache.Find("b"), nullptr);
  for (const auto& [key, value] : {std::pair("a", 1), std::pair("e", 5)}) {
    EXPECT_THAT(cache.Find(key), testing::Pointee(value)) << key;
  }
}

TEST(RecordCacheTest, TheLatestRecordOfAKeyCounts) {
  RecordCache<std::string, int> cache(1);
  cache.Put("a", 1);
  cache.Put("b", 2);
  cache.Put("a", 3);
  EXPECT_THAT(cache.Find("a"), testing::Pointee(3));
  cache.Put("b", 4);
  EXPECT_THAT(cache.Find("a"), testing::Pointee(3));
  cache.Erase("a");
  EXPECT_EQ(cache.Find("a"), nullptr);
  EXPECT_THAT(cache.Find("b"), testing::Pointee(4));
  cache.Put("a", 5);
  cache.Clear();
  EXPECT_EQ(cache.Find("a"), nullptr);
  EXPECT_EQ(cache.Find("b"), nullptr) << "the old generation, too";
}

TEST(SegmentedMapTest, IsAMap) {
  SegmentedMap<uint64_t, int> map;
  EXPECT_EQ(map.Find(1), nullptr);
  map.Put(1, 10);
  map.Put(2, 20);
  map.Put(1, 11);
  EXPECT_THAT(map.Find(1), testing::Pointee(11));
  EXPECT_THAT(map.Find(2), testing::Pointee(20));
  EXPECT_EQ(map.size(), 2U);
  *map.Find(2) = 21;
  EXPECT_THAT(map.Find(2), testing::Pointee(21));
  map.Erase(1);
  map.Erase(1);
  EXPECT_EQ(map.Find(1), nullptr);
  EXPECT_EQ(map.size(), 1U);
}

// Also keys that count up, as sequences do.
TEST(SegmentedMapTest, NoAdditionMovesMoreThanASegmentHowManyThereAre) {
  SegmentedMap<uint64_t, uint64_t> map;
  uint64_t key = 0;
  for (const uint64_t entries : {1000, 20000, 150000, 400000}) {
    for (; key < entries; ++key) map.Put(key, key + 1);
    EXPECT_EQ(map.size(), entries);
    EXPECT_LT(map.largest_segment(), 3 * map.kEntries) << entries;
  }
  for (uint64_t i = 0; i < key; ++i) {
    const uint64_t* const value = map.Find(i);
    ASSERT_NE(value, nullptr) << i;
    ASSERT_EQ(*value, i + 1);
  }
  EXPECT_EQ(map.Find(key), nullptr);
  for (uint64_t i = 0; i < key; i += 2) map.Erase(i);
  EXPECT_EQ(map.size(), key / 2);
  EXPECT_EQ(map.Find(0), nullptr);
  EXPECT_THAT(map.Find(1), testing::Pointee(2));
}

TEST(DueIndexTest, FindsTheRowOfAKey) {
  DueIndex<std::string> index;
  index.Put("a", 1, At(10));
  index.Put("b", 2, absl::InfiniteFuture());
  EXPECT_EQ(index.Find("a"), 1);
  EXPECT_EQ(index.Find("b"), 2);
  EXPECT_EQ(index.Find("c"), std::nullopt);
  index.Erase("a");
  index.Erase("a");
  EXPECT_EQ(index.Find("a"), std::nullopt);
  EXPECT_THAT(index.Due(At(100), 9), IsEmpty());
}

TEST(DueIndexTest, ListsWhatIsDueLongestOverdueFirst) {
  DueIndex<std::string> index;
  index.Put("late", 1, At(30));
  index.Put("early", 2, At(10));
  index.Put("middle", 3, At(20));
  index.Put("never", 4, absl::InfiniteFuture());
  EXPECT_THAT(index.Due(At(9), 9), IsEmpty());
  EXPECT_THAT(index.Due(At(20), 9), ElementsAre(2, 3));
  EXPECT_THAT(index.Due(At(99), 2), ElementsAre(2, 3));
}

TEST(DueIndexTest, PutReplacesTheDueTime) {
  DueIndex<std::string> index;
  index.Put("a", 1, At(10));
  index.Put("a", 1, At(20));
  EXPECT_THAT(index.Due(At(10), 9), IsEmpty());
  EXPECT_THAT(index.Due(At(20), 9), ElementsAre(1));
}

class MailboxIndexTest : public testing::Test {
 protected:
  void Add(uint64_t sequence, v1::Kind kind = v1::KIND_INQUIRY, absl::Time expires_at = At(100)) {
    MailboxItem item = SampleItem(1, 1);
    item.kind = kind;
    item.expires_at = expires_at;
    item.message.assign(10, 'm');
    index_.Add(sequence, EntryOf(item));
  }

  MailboxIndex index_;
  const OrganisationId mailbox_ = SampleId<OrganisationId>(1);
};

TEST_F(MailboxIndexTest, ReadsInOrderAndWithinTheLimits) {
  for (const uint64_t sequence : {3, 1, 2}) Add(sequence);
  auto page = index_.Read(mailbox_, MailboxView::kAll, 0, 2, 1000, At(0));
  EXPECT_THAT(page.sequences, ElementsAre(1, 2));
  EXPECT_TRUE(page.more);
  page = index_.Read(mailbox_, MailboxView::kAll, 2, 2, 1000, At(0));
  EXPECT_THAT(page.sequences, ElementsAre(3));
  EXPECT_FALSE(page.more);
  page = index_.Read(mailbox_, MailboxView::kAll, 0, 9, 20, At(0));
  EXPECT_THAT(page.sequences, ElementsAre(1, 2));
  EXPECT_TRUE(page.more);
}

TEST_F(MailboxIndexTest, SkippedItemsAreNotMore) {
  Add(1);
  Add(2, v1::KIND_INQUIRY, At(5));
  const auto page = index_.Read(mailbox_, MailboxView::kAll, 0, 1, 1000, At(5));
  EXPECT_THAT(page.sequences, ElementsAre(1));
  EXPECT_FALSE(page.more) << "the other one has expired";
}

TEST_F(MailboxIndexTest, WithdrawalSparesRevocationsAndReceipts) {
  Add(1);
  Add(2, v1::KIND_REVOKE);
  Add(3, v1::KIND_REVOKE_ACK);
  Add(4, v1::KIND_RECEIPT);
  EXPECT_THAT(index_.UnderToken(SampleHash(1)), ElementsAre(1));
  EXPECT_THAT(index_.UnderToken(""), IsEmpty());
  EXPECT_THAT(index_.Through(mailbox_, MailboxView::kRevocations, 3), ElementsAre(2));
}

TEST_F(MailboxIndexTest, AWithdrawalFindsTheItemsOfItsTokenAlone) {
  for (uint64_t sequence = 1; sequence <= 9; ++sequence) {
    index_.Add(sequence, EntryOf(SampleItem(1, 1 + sequence % 3)));
  }
  for (uint64_t token = 1; token <= 3; ++token) {
    std::vector<uint64_t> expected;
    for (uint64_t sequence = 1; sequence <= 9; ++sequence) {
      if (EntryOf(SampleItem(1, 1 + sequence % 3)).token == HashKeyOf(SampleHash(token))) {
        expected.push_back(sequence);
      }
    }
    EXPECT_EQ(index_.UnderToken(SampleHash(token)), expected) << token;
  }
  EXPECT_THAT(index_.UnderToken(SampleHash(4)), IsEmpty());
}

TEST_F(MailboxIndexTest, CountsWhatWaits) {
  EXPECT_EQ(index_.CountWaiting(), WaitingTotals());
  for (const uint64_t sequence : {3, 1, 2}) {
    MailboxItem item = SampleItem(sequence, sequence);
    item.stored_at = At(static_cast<int>(sequence));
    item.message.assign(10 * sequence, 'm');
    index_.Add(sequence, EntryOf(item));
  }
  EXPECT_EQ(index_.CountWaiting(),
            (WaitingTotals{.messages = 3, .bytes = 60, .mailboxes = 3, .oldest = At(1)}));
  index_.Remove(1);
  index_.Remove(1);
  EXPECT_EQ(index_.CountWaiting(),
            (WaitingTotals{.messages = 2, .bytes = 50, .mailboxes = 2, .oldest = At(2)}));
  index_.Remove(2);
  index_.Remove(3);
  EXPECT_EQ(index_.CountWaiting(), WaitingTotals());
}

TEST_F(MailboxIndexTest, RemovedItemsAreNowhere) {
  Add(1);
  Add(2);
  index_.Remove(1);
  index_.Remove(1);
  EXPECT_FALSE(index_.Contains(1));
  EXPECT_THAT(index_.Through(mailbox_, MailboxView::kAll, 9), ElementsAre(2));
  EXPECT_THAT(index_.UnderToken(SampleHash(1)), ElementsAre(2));
  EXPECT_THAT(index_.Expired(At(100), 9), ElementsAre(2));
}

}  // namespace
}  // namespace waymark::hub
