#include "tests/server/store_conformance/store_conformance.h"

#include <gmock/gmock.h>

#include <thread>

#include "base/status/status.h"
#include "tests/server/store_conformance/samples.h"

namespace waymark::hub {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

namespace {

constexpr size_t kMany = 100000;
constexpr size_t kBytes = size_t{1} << 30;

MailboxItem ItemOfKind(uint64_t mailbox, uint64_t number, v1::Kind kind) {
  MailboxItem item = SampleItem(mailbox, number);
  item.kind = kind;
  return item;
}

MailboxItem UrgentItem(uint64_t mailbox, uint64_t number, v1::Urgency urgency) {
  MailboxItem item = SampleItem(mailbox, number);
  item.urgency = urgency;
  return item;
}

Effects DropOf(const std::string& token_hash) {
  Effects effects;
  effects.drop = {{token_hash}};
  return effects;
}

}  // namespace

// Fixture -----------------------------------------------------------------------------------------

void StoreConformance::SetUp() {
  medium_ = GetParam().create();
  Open();
}

void StoreConformance::TearDown() {
  medium_->Refuse(Refusal::kNone);
  Close();
}

void StoreConformance::Open() {
  auto store = medium_->Open();
  ASSERT_TRUE(store.ok()) << store.status();
  store_ = *std::move(store);
}

void StoreConformance::Commit(std::vector<Effects> batch) {
  const absl::Status status = store_->Commit(batch);
  ASSERT_TRUE(status.ok()) << status;
}

std::vector<MailboxItem> StoreConformance::Deliver(std::vector<MailboxItem> items) {
  std::vector<Effects> batch(1);
  batch[0].deliver = std::move(items);
  const absl::Status status = store_->Commit(batch);
  EXPECT_TRUE(status.ok()) << status;
  return batch[0].deliver;
}

std::vector<MailboxItem> StoreConformance::Mailbox(uint64_t mailbox, MailboxView view) {
  auto page =
      store_->ReadMailbox(SampleId<OrganisationId>(mailbox), view, 0, kMany, kBytes, SampleTime());
  EXPECT_TRUE(page.ok()) << page.status();
  if (!page.ok()) return {};
  EXPECT_FALSE(page->more);
  return page->items;
}

std::vector<uint64_t> StoreConformance::Sequences(uint64_t mailbox, MailboxView view) {
  return SequencesOf(Mailbox(mailbox, view));
}

LoadedState StoreConformance::Load(const StateKeys& keys) {
  auto state = store_->Load(keys);
  EXPECT_TRUE(state.ok()) << state.status();
  return state.ok() ? *state : LoadedState();
}

std::vector<uint64_t> SequencesOf(const std::vector<MailboxItem>& items) {
  std::vector<uint64_t> sequences;
  sequences.reserve(items.size());
  for (const MailboxItem& item : items) sequences.push_back(item.sequence);
  return sequences;
}

// State -------------------------------------------------------------------------------------------

TEST_P(StoreConformance, IsEmptyAtFirst) {
  const LoadedState state =
      Load({{SampleHash(1)}, {SampleId<ReferralId>(1)}, {SampleId<MessageId>(1)}});
  EXPECT_THAT(state.tokens, IsEmpty());
  EXPECT_THAT(state.referrals, IsEmpty());
  EXPECT_THAT(state.seen, IsEmpty());
  EXPECT_THAT(Mailbox(1), IsEmpty());
  EXPECT_THAT(store().epoch(), SizeIs(16));
}

TEST_P(StoreConformance, LoadsWhatWasCommitted) {
  Effects effects;
  effects.put_tokens = {SampleToken(1), SampleToken(2)};
  effects.put_referrals = {SampleReferral(3)};
  effects.put_referrals[0].state_until = absl::InfiniteFuture();
  effects.put_seen = {SampleSeen(4)};
  Commit({effects});
  for (const bool reopened : {false, true}) {
    if (reopened) Reopen();
    const LoadedState state = Load({{SampleHash(2), SampleHash(1), SampleHash(9)},
                                    {SampleId<ReferralId>(3)},
                                    {SampleId<MessageId>(4), SampleId<MessageId>(5)}});
    EXPECT_THAT(state.tokens, UnorderedElementsAre(SampleToken(1), SampleToken(2)));
    EXPECT_THAT(state.referrals, ElementsAre(effects.put_referrals[0]));
    EXPECT_THAT(state.seen, ElementsAre(SampleSeen(4)));
  }
}

TEST_P(StoreConformance, LoadsARepeatedKeyOnce) {
  Effects effects;
  effects.put_tokens = {SampleToken(1)};
  Commit({effects});
  EXPECT_THAT(Load({.token_hashes = {SampleHash(1), SampleHash(1)}}).tokens, SizeIs(1));
}

TEST_P(StoreConformance, LaterRecordsReplaceEarlierOnes) {
  Effects first;
  first.put_tokens = {SampleToken(1)};
  Effects second = first;
  second.put_tokens[0].revoked = true;
  Effects third = first;
  third.put_tokens[0].registered_at += absl::Minutes(1);
  Commit({first, second});
  EXPECT_THAT(Load({.token_hashes = {SampleHash(1)}}).tokens, ElementsAre(second.put_tokens[0]));
  Commit({third});
  EXPECT_THAT(Load({.token_hashes = {SampleHash(1)}}).tokens, ElementsAre(third.put_tokens[0]));
  Reopen();
  EXPECT_THAT(Load({.token_hashes = {SampleHash(1)}}).tokens, ElementsAre(third.put_tokens[0]));
}

TEST_P(StoreConformance, RefusedCommitChangesNothing) {
  Commit({SampleInquiry(1, 1)});
  const std::vector<MailboxItem> before = Mailbox(1);
  for (const auto& [refusal, reason] : {std::pair(Refusal::kFull, v1::REASON_QUOTA_EXCEEDED),
                                        std::pair(Refusal::kUnavailable, v1::REASON_UNAVAILABLE)}) {
    medium().Refuse(refusal);
    std::vector<Effects> batch = {SampleInquiry(1, 2), DropOf(SampleHash(1)), SampleInquiry(1, 3)};
    batch[0].put_tokens = {SampleToken(2)};
    EXPECT_EQ(ReasonOf(store().Commit(batch)), reason);
    medium().Refuse(Refusal::kNone);

    EXPECT_EQ(Mailbox(1), before);
    const LoadedState state =
        Load({{SampleHash(2)}, {SampleId<ReferralId>(2)}, {SampleId<MessageId>(3)}});
    EXPECT_THAT(state.tokens, IsEmpty());
    EXPECT_THAT(state.referrals, IsEmpty());
    EXPECT_THAT(state.seen, IsEmpty());
  }
  Commit({SampleInquiry(1, 2)});
  EXPECT_THAT(Mailbox(1), SizeIs(2));
  Reopen();
  EXPECT_THAT(Mailbox(1), SizeIs(2));
}

// Mailboxes ---------------------------------------------------------------------------------------

TEST_P(StoreConformance, SequencesGrowInTheOrderOfDelivery) {
  const auto first = Deliver({SampleItem(1, 1), SampleItem(2, 2), SampleItem(1, 3)});
  const auto second = Deliver({SampleItem(1, 4)});
  EXPECT_LT(first[0].sequence, first[2].sequence);
  EXPECT_LT(first[2].sequence, second[0].sequence);
  EXPECT_THAT(Mailbox(1), ElementsAre(first[0], first[2], second[0]));
  EXPECT_THAT(Mailbox(2), ElementsAre(first[1]));
}

TEST_P(StoreConformance, SequencesNeverComeTwice) {
  const uint64_t last = Deliver({SampleItem(1, 1)})[0].sequence;
  ASSERT_TRUE(store().Ack(SampleId<OrganisationId>(1), MailboxView::kAll, last).ok());
  Reopen();
  EXPECT_THAT(Mailbox(1), IsEmpty());
  EXPECT_GT(Deliver({SampleItem(1, 2)})[0].sequence, last);
}

TEST_P(StoreConformance, PagesEndAtTheirLimits) {
  const auto items = Deliver({SampleItem(1, 1), SampleItem(1, 2), SampleItem(1, 3)});
  const OrganisationId mailbox = SampleId<OrganisationId>(1);
  const size_t size = items[0].message.size();

  auto page = store().ReadMailbox(mailbox, MailboxView::kAll, 0, 2, kBytes, SampleTime());
  ASSERT_TRUE(page.ok());
  EXPECT_THAT(page->items, ElementsAre(items[0], items[1]));
  EXPECT_TRUE(page->more);

  page =
      store().ReadMailbox(mailbox, MailboxView::kAll, items[1].sequence, 2, kBytes, SampleTime());
  ASSERT_TRUE(page.ok());
  EXPECT_THAT(page->items, ElementsAre(items[2]));
  EXPECT_FALSE(page->more);

  page = store().ReadMailbox(mailbox, MailboxView::kAll, 0, 3, 2 * size, SampleTime());
  ASSERT_TRUE(page.ok());
  EXPECT_THAT(page->items, SizeIs(2));
  EXPECT_TRUE(page->more);

  page = store().ReadMailbox(mailbox, MailboxView::kAll, 0, 3, 1, SampleTime());
  ASSERT_TRUE(page.ok());
  EXPECT_THAT(page->items, SizeIs(1)) << "a message larger than the page still has to go";
  EXPECT_TRUE(page->more);
}

TEST_P(StoreConformance, PagesOfSeveralMailboxesComeInTheirOrder) {
  const auto items = Deliver({SampleItem(1, 1), SampleItem(2, 2), SampleItem(1, 3)});
  ASSERT_TRUE(store().Ack(SampleId<OrganisationId>(2), MailboxView::kAll, items[1].sequence).ok());
  const auto query = [](uint64_t mailbox, uint64_t after, size_t max_items) {
    return PageQuery{.mailbox = SampleId<OrganisationId>(mailbox),
                     .view = MailboxView::kAll,
                     .after = after,
                     .max_items = max_items,
                     .max_bytes = kBytes};
  };
  const std::vector<PageQuery> queries = {query(2, 0, 2), query(1, 0, 1), query(3, 0, 2),
                                          query(1, items[0].sequence, 2)};
  const auto pages = store().ReadMailboxes(queries, SampleTime());
  ASSERT_THAT(pages, SizeIs(4));
  for (const auto& page : pages) ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_THAT(pages[0]->items, IsEmpty());
  EXPECT_THAT(pages[1]->items, ElementsAre(items[0]));
  EXPECT_TRUE(pages[1]->more);
  EXPECT_THAT(pages[2]->items, IsEmpty());
  EXPECT_THAT(pages[3]->items, ElementsAre(items[2]));
  EXPECT_FALSE(pages[3]->more);
  EXPECT_THAT(store().ReadMailboxes({}, SampleTime()), IsEmpty());
}

TEST_P(StoreConformance, ExpiredItemsAreNotShown) {
  const auto items = Deliver({SampleItem(1, 1), SampleItem(1, 2)});
  const auto page = store().ReadMailbox(SampleId<OrganisationId>(1), MailboxView::kAll, 0, kMany,
                                        kBytes, items[0].expires_at);
  ASSERT_TRUE(page.ok());
  EXPECT_THAT(page->items, IsEmpty());
}

TEST_P(StoreConformance, AckForgetsWhatItCovers) {
  const auto items = Deliver({SampleItem(1, 1), SampleItem(2, 2), SampleItem(1, 3)});
  const OrganisationId mailbox = SampleId<OrganisationId>(1);
  for (int repeat = 0; repeat < 2; ++repeat) {
    ASSERT_TRUE(store().Ack(mailbox, MailboxView::kAll, items[0].sequence).ok());
    EXPECT_THAT(Mailbox(1), ElementsAre(items[2]));
    EXPECT_THAT(Mailbox(2), ElementsAre(items[1]));
  }
  ASSERT_TRUE(store().Ack(mailbox, MailboxView::kAll, items[2].sequence).ok());
  Reopen();
  EXPECT_THAT(Mailbox(1), IsEmpty());
  EXPECT_THAT(Mailbox(2), ElementsAre(items[1]));
}

TEST_P(StoreConformance, CountsWhatWaitsInAllMailboxesTogether) {
  EXPECT_EQ(store().CountWaiting().value(), WaitingTotals());
  MailboxItem later = SampleItem(1, 2);
  later.stored_at += absl::Minutes(5);
  const auto items = Deliver({SampleItem(1, 1), later, SampleItem(2, 3)});
  WaitingTotals totals{.messages = 3, .mailboxes = 2, .oldest = SampleTime()};
  for (const MailboxItem& item : items) totals.bytes += item.message.size();
  EXPECT_EQ(store().CountWaiting().value(), totals);
  Reopen();
  EXPECT_EQ(store().CountWaiting().value(), totals);

  ASSERT_TRUE(store().Ack(SampleId<OrganisationId>(1), MailboxView::kAll, items[0].sequence).ok());
  Commit({DropOf(SampleHash(3))});
  EXPECT_EQ(store().CountWaiting().value(), (WaitingTotals{.messages = 1,
                                                           .bytes = later.message.size(),
                                                           .mailboxes = 1,
                                                           .oldest = later.stored_at}));
  ASSERT_TRUE(store().Sweep(later.expires_at, kMany).ok());
  EXPECT_EQ(store().CountWaiting().value(), WaitingTotals());
}

TEST_P(StoreConformance, AckSurvivesARefusedWrite) {
  const auto items = Deliver({SampleItem(1, 1), SampleItem(1, 2)});
  ASSERT_TRUE(store().Ack(SampleId<OrganisationId>(1), MailboxView::kAll, items[0].sequence).ok());
  medium().Refuse(Refusal::kUnavailable);
  std::vector<Effects> batch = {SampleInquiry(1, 3)};
  EXPECT_FALSE(store().Commit(batch).ok());
  medium().Refuse(Refusal::kNone);
  EXPECT_THAT(Mailbox(1), ElementsAre(items[1]));
  Reopen();
  EXPECT_THAT(Mailbox(1), ElementsAre(items[1]));
}

TEST_P(StoreConformance, RevocationsCanBeReadAndAcknowledgedAlone) {
  const auto items =
      Deliver({SampleItem(1, 1), ItemOfKind(1, 2, v1::KIND_REVOKE),
               ItemOfKind(1, 3, v1::KIND_REVOKE_ACK), ItemOfKind(1, 4, v1::KIND_REVOKE)});
  EXPECT_THAT(Mailbox(1, MailboxView::kRevocations), ElementsAre(items[1], items[3]));
  ASSERT_TRUE(
      store().Ack(SampleId<OrganisationId>(1), MailboxView::kRevocations, items[2].sequence).ok());
  EXPECT_THAT(Mailbox(1), ElementsAre(items[0], items[2], items[3]));
}

TEST_P(StoreConformance, DropRemovesWhatWaitsUnderTheToken) {
  MailboxItem answer = SampleItem(2, 12);
  answer.token_hash = SampleHash(1);
  MailboxItem revoke = ItemOfKind(1, 13, v1::KIND_REVOKE);
  revoke.token_hash = SampleHash(1);
  MailboxItem acknowledgement = ItemOfKind(2, 14, v1::KIND_REVOKE_ACK);
  acknowledgement.token_hash = SampleHash(1);
  MailboxItem receipt = ItemOfKind(2, 15, v1::KIND_RECEIPT);
  receipt.token_hash = SampleHash(1);
  const auto items =
      Deliver({SampleItem(1, 1), SampleItem(1, 2), answer, revoke, acknowledgement, receipt});
  Commit({DropOf(SampleHash(1))});
  for (const bool reopened : {false, true}) {
    if (reopened) Reopen();
    EXPECT_THAT(Mailbox(1), ElementsAre(items[1], items[3]));
    EXPECT_THAT(Mailbox(2), ElementsAre(items[4], items[5]));
  }
}

TEST_P(StoreConformance, DropSeesEarlierEffectsOfItsBatchAndSparesItsOwn) {
  Effects earlier;
  earlier.deliver = {SampleItem(1, 1)};
  Effects withdrawal = DropOf(SampleHash(1));
  withdrawal.deliver = {ItemOfKind(1, 1, v1::KIND_CANCEL)};
  std::vector<Effects> batch = {earlier, withdrawal};
  ASSERT_TRUE(store().Commit(batch).ok());
  EXPECT_THAT(Mailbox(1), ElementsAre(batch[1].deliver[0]));
}

TEST_P(StoreConformance, DropOfAnUnknownTokenChangesNothing) {
  const auto items = Deliver({SampleItem(1, 1), ItemOfKind(1, 2, v1::KIND_CAPACITY_QUERY)});
  Commit({DropOf(SampleHash(9)), DropOf("")});
  EXPECT_THAT(Mailbox(1), SizeIs(2));
}

// The clock ---------------------------------------------------------------------------------------

TEST_P(StoreConformance, OfflineNoticesAreTakenOnce) {
  const auto items = Deliver({UrgentItem(1, 1, v1::URGENCY_U0), UrgentItem(1, 2, v1::URGENCY_U2),
                              UrgentItem(2, 3, v1::URGENCY_U1)});
  const absl::Time later = SampleTime() + absl::Minutes(2);
  auto notices = store().TakeOfflineNotices(SampleTime(), kMany);
  ASSERT_TRUE(notices.ok());
  EXPECT_THAT(*notices, IsEmpty()) << "not stored before";

  notices = store().TakeOfflineNotices(later, 1);
  ASSERT_TRUE(notices.ok());
  EXPECT_THAT(*notices, ElementsAre(items[0]));
  Reopen();
  notices = store().TakeOfflineNotices(later, kMany);
  ASSERT_TRUE(notices.ok());
  EXPECT_THAT(*notices, ElementsAre(items[2]));
  notices = store().TakeOfflineNotices(later, kMany);
  ASSERT_TRUE(notices.ok());
  EXPECT_THAT(*notices, IsEmpty());
  EXPECT_THAT(Mailbox(1), SizeIs(2)) << "a notice takes nothing out of the mailbox";
}

TEST_P(StoreConformance, NoNoticeForWhatIsGone) {
  const auto items = Deliver({UrgentItem(1, 1, v1::URGENCY_U0), UrgentItem(2, 2, v1::URGENCY_U0)});
  ASSERT_TRUE(store().Ack(SampleId<OrganisationId>(1), MailboxView::kAll, items[0].sequence).ok());
  Commit({DropOf(SampleHash(2))});
  const auto notices = store().TakeOfflineNotices(SampleTime() + absl::Minutes(2), kMany);
  ASSERT_TRUE(notices.ok());
  EXPECT_THAT(*notices, IsEmpty());
}

TEST_P(StoreConformance, SweepDeletesExpiredMessages) {
  auto items = Deliver({SampleItem(1, 1), SampleItem(1, 2), SampleItem(1, 3)});
  const absl::Time end = items[0].expires_at;
  auto result = store().Sweep(end - absl::Seconds(1), kMany);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->expired_messages, 0u);
  result = store().Sweep(end, 2);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->expired_messages, 2u);
  EXPECT_THAT(Mailbox(1), ElementsAre(items[2]));
  result = store().Sweep(end, 2);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->expired_messages, 1u);
  Reopen();
  EXPECT_THAT(Mailbox(1), IsEmpty());
}

TEST_P(StoreConformance, SweepExpiresThenForgetsReferrals) {
  Effects effects;
  effects.put_referrals = {SampleReferral(1), SampleReferral(2)};
  effects.put_referrals[1].state_until = absl::InfiniteFuture();
  Commit({effects});
  Reopen();
  const absl::Time end = effects.put_referrals[0].state_until;
  ReferralRecord expired = effects.put_referrals[0];
  expired.state = HubState::kExpired;
  expired.state_until = absl::InfiniteFuture();
  expired.forget_at = end + kEndedReferralRetention;

  auto result = store().Sweep(end, kMany);
  ASSERT_TRUE(result.ok());
  EXPECT_THAT(result->expired_referrals, ElementsAre(expired));
  EXPECT_EQ(result->forgotten, 0u);
  EXPECT_THAT(Load({.referrals = {expired.id}}).referrals, ElementsAre(expired));

  result = store().Sweep(end, kMany);
  ASSERT_TRUE(result.ok());
  EXPECT_THAT(result->expired_referrals, IsEmpty());

  result = store().Sweep(expired.forget_at, kMany);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->forgotten, 1u);
  EXPECT_THAT(Load({.referrals = {expired.id, SampleId<ReferralId>(2)}}).referrals,
              ElementsAre(effects.put_referrals[1]));
}

TEST_P(StoreConformance, SweepForgetsRecordsPastTheirRetention) {
  Effects effects = SampleInquiry(1, 1);
  effects.put_tokens = {SampleToken(1)};
  effects.put_referrals.clear();
  effects.deliver.clear();
  Commit({effects});
  const StateKeys keys = {.token_hashes = {SampleHash(1)}, .messages = {SampleId<MessageId>(1)}};

  auto result = store().Sweep(effects.put_seen[0].remember_until, kMany);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->forgotten, 1u);
  EXPECT_THAT(Load(keys).seen, IsEmpty());
  EXPECT_THAT(Load(keys).tokens, SizeIs(1));

  result = store().Sweep(effects.log[0].minute + kRoutingRetention, kMany);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->forgotten, 1u) << "the line of the routing log";

  result = store().Sweep(effects.put_tokens[0].valid_until + kTokenRetention, kMany);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->forgotten, 1u);
  EXPECT_THAT(Load(keys).tokens, IsEmpty());
}

TEST_P(StoreConformance, ARecordPutAgainIsDueAnew) {
  Effects effects;
  effects.put_referrals = {SampleReferral(1)};
  Commit({effects});
  const absl::Time end = effects.put_referrals[0].state_until;
  effects.put_referrals[0].state_until = end + absl::Hours(1);
  Commit({effects});
  const auto result = store().Sweep(end, kMany);
  ASSERT_TRUE(result.ok());
  EXPECT_THAT(result->expired_referrals, IsEmpty());
}

// Threads -----------------------------------------------------------------------------------------

TEST_P(StoreConformance, MayBeUsedFromSeveralThreads) {
  constexpr uint64_t kBatches = 40;
  const OrganisationId mailbox = SampleId<OrganisationId>(1);
  std::thread writer([&] {
    for (uint64_t i = 0; i < kBatches; ++i) Commit({SampleInquiry(1, i)});
  });
  std::thread sweeper([&] {
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(store().Sweep(SampleTime(), kMany).ok());
  });
  uint64_t cursor = 0;
  uint64_t received = 0;
  while (received < kBatches) {
    const auto page =
        store().ReadMailbox(mailbox, MailboxView::kAll, cursor, 8, kBytes, SampleTime());
    ASSERT_TRUE(page.ok()) << page.status();
    for (const MailboxItem& item : page->items) {
      EXPECT_EQ(item.message_id, SampleId<MessageId>(received)) << "in order, without a gap";
      cursor = item.sequence;
      ++received;
    }
    EXPECT_TRUE(store().Ack(mailbox, MailboxView::kAll, cursor).ok());
  }
  writer.join();
  sweeper.join();
  EXPECT_THAT(Mailbox(1), IsEmpty());
}

}  // namespace waymark::hub
