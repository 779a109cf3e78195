#include "base/status/status.h"
#include "client/vault/vault.h"
#include "gmock/gmock.h"
#include "tests/client/vault/open_vault.h"

namespace waymark::node {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

absl::Time Minute(int64_t minute) { return absl::FromUnixSeconds(minute * 60); }

std::string Id16(char name) { return std::string(16, name); }

class MailboxesTest : public ::testing::Test {
 protected:
  static OutboxEntry Entry(char name, const ReferralId& referral, int64_t minute) {
    OutboxEntry entry;
    entry.item_id = Id16(name);
    entry.referral = referral;
    entry.submission = std::string(100, name);
    entry.not_before = Minute(minute);
    entry.keep_until = Minute(1000);
    return entry;
  }

  absl::Status Append(char name, const ReferralId& referral, int64_t minute, bool urgent = false) {
    OutboxEntry entry = Entry(name, referral, minute);
    entry.urgent = urgent;
    return vault_->Write([&](Transaction& t) { return t.AppendOutbox(entry); });
  }

  // The names of the entries that may go.
  std::string Next(int64_t minute, const std::set<int64_t>& in_flight = {}, size_t max_items = 64,
                   size_t max_bytes = 1 << 20) {
    std::string names;
    EXPECT_TRUE(vault_
                    ->Read([&](const Reader& r) -> absl::Status {
                      ASSIGN_OR_RETURN(
                          const std::vector<OutboxItem> items,
                          r.NextOutbox(Minute(minute), in_flight, max_items, max_bytes));
                      for (const OutboxItem& item : items) {
                        EXPECT_EQ(item.submission, std::string(100, item.item_id[0]));
                        names += item.item_id[0];
                      }
                      return absl::OkStatus();
                    })
                    .ok());
    return names;
  }

  void Outcome(char name, v1::Reason reason) {
    EXPECT_TRUE(
        vault_->Write([&](Transaction& t) { return t.MarkOutcome(Id16(name), reason); }).ok());
  }

  OutboxCounters Count() {
    OutboxCounters counters;
    EXPECT_TRUE(vault_
                    ->Read([&](const Reader& r) -> absl::Status {
                      ASSIGN_OR_RETURN(counters, r.CountOutbox());
                      return absl::OkStatus();
                    })
                    .ok());
    return counters;
  }

  VaultFolder folder_;
  std::unique_ptr<Vault> vault_ = folder_.Open();
  ReferralId first_ = ReferralId::Generate(SystemRandom());
  ReferralId second_ = ReferralId::Generate(SystemRandom());
};

TEST_F(MailboxesTest, EntriesLeaveInOrderWhenTheirTimeHasCome) {
  ASSERT_TRUE(Append('a', first_, 10).ok());
  ASSERT_TRUE(Append('b', second_, 0).ok());
  EXPECT_EQ(Next(5), "b");
  EXPECT_EQ(Next(10), "ab");
  EXPECT_EQ(Next(10, {1}), "b");
  EXPECT_EQ(Next(10, {}, 1), "a");
  EXPECT_EQ(Next(10, {}, 64, 1), "a") << "the first one goes whatever its size";
}

TEST_F(MailboxesTest, AnEntryWaitsForThoseBeforeItInItsReferral) {
  ASSERT_TRUE(Append('a', first_, 10).ok());
  ASSERT_TRUE(Append('b', first_, 0).ok());
  EXPECT_EQ(Next(9), "");
  EXPECT_EQ(Next(10), "ab");
}

TEST_F(MailboxesTest, AnUrgentEntryTakesThoseBeforeItAlong) {
  ASSERT_TRUE(Append('a', first_, 10).ok());
  ASSERT_TRUE(Append('b', second_, 10).ok());
  ASSERT_TRUE(Append('c', first_, 1, /*urgent=*/true).ok());
  EXPECT_EQ(Next(1), "ac");
}

TEST_F(MailboxesTest, TellsWhenTheNextEntryMayGo) {
  ASSERT_TRUE(Append('a', first_, 10).ok());
  ASSERT_TRUE(Append('b', second_, 7).ok());
  ASSERT_TRUE(vault_
                  ->Read([](const Reader& r) -> absl::Status {
                    EXPECT_EQ(**r.NextOutboxTime(Minute(5)), Minute(7));
                    EXPECT_EQ(**r.NextOutboxTime(Minute(7)), Minute(10));
                    EXPECT_FALSE(r.NextOutboxTime(Minute(10))->has_value());
                    return absl::OkStatus();
                  })
                  .ok());
}

TEST_F(MailboxesTest, AnItemIdIsUsedOnce) {
  ASSERT_TRUE(Append('a', first_, 0).ok());
  EXPECT_EQ(ReasonOf(Append('a', first_, 0)), v1::REASON_ID_REUSED);
}

TEST_F(MailboxesTest, ConfirmedEntriesStayUntilTheReceipt) {
  ASSERT_TRUE(Append('a', first_, 0).ok());
  ASSERT_TRUE(Append('b', first_, 0).ok());
  Outcome('a', v1::REASON_UNSPECIFIED);
  EXPECT_EQ(Next(0), "b");
  EXPECT_EQ(Count().confirmed, 1);
  ASSERT_TRUE(
      vault_->Write([](Transaction& t) { return t.MarkReceipt(*MessageId::FromBytes(Id16('a'))); })
          .ok());
  EXPECT_EQ(Count().confirmed, 0);
  EXPECT_EQ(Count().waiting, 1);
}

TEST_F(MailboxesTest, ConfirmedEntriesGoAgainToAHubThatLostThem) {
  ASSERT_TRUE(Append('a', first_, 0).ok());
  ASSERT_TRUE(Append('b', first_, 0).ok());
  Outcome('a', v1::REASON_UNSPECIFIED);
  int resent = 0;
  ASSERT_TRUE(vault_
                  ->Write([&](Transaction& t) -> absl::Status {
                    ASSIGN_OR_RETURN(resent, t.ResendConfirmed());
                    return absl::OkStatus();
                  })
                  .ok());
  EXPECT_EQ(resent, 1);
  EXPECT_EQ(Next(0), "ab");
}

TEST_F(MailboxesTest, ARevisedEntryKeepsItsPlaceAndItsState) {
  ASSERT_TRUE(Append('a', first_, 0).ok());
  ASSERT_TRUE(Append('b', first_, 0).ok());
  Outcome('a', v1::REASON_UNSPECIFIED);
  const auto revise = [&](char name) {
    return vault_->Write(
        [&](Transaction& t) { return t.ReviseOutbox(Id16(name), std::string(50, 'r')); });
  };
  ASSERT_TRUE(revise('a').ok());
  ASSERT_TRUE(revise('x').ok()) << "there is none";
  EXPECT_EQ(Next(0), "b") << "it is still confirmed";
  ASSERT_TRUE(vault_
                  ->Write([&](Transaction& t) -> absl::Status {
                    RETURN_IF_ERROR(t.ResendConfirmed().status());
                    ASSIGN_OR_RETURN(const auto items, t.NextOutbox(Minute(0), {}, 64, 1 << 20));
                    EXPECT_EQ(items.at(0).item_id, Id16('a'));
                    EXPECT_EQ(items.at(0).submission, std::string(50, 'r'));
                    EXPECT_EQ(items.at(1).item_id, Id16('b'));
                    return absl::OkStatus();
                  })
                  .ok());
}

TEST_F(MailboxesTest, RefusedEntriesStayUntilTheyAreDealtWith) {
  ASSERT_TRUE(Append('a', first_, 0).ok());
  Outcome('a', v1::REASON_TOKEN_REVOKED);
  Outcome('a', v1::REASON_UNSPECIFIED);  // A late repeat changes nothing.
  EXPECT_EQ(Next(0), "");
  ASSERT_TRUE(vault_
                  ->Write([this](Transaction& t) -> absl::Status {
                    ASSIGN_OR_RETURN(const std::vector<RefusedItem> refused, t.RefusedOutbox());
                    EXPECT_EQ(refused.at(0).item_id, Id16('a'));
                    EXPECT_EQ(refused.at(0).referral, first_);
                    EXPECT_EQ(refused.at(0).reason, v1::REASON_TOKEN_REVOKED);
                    EXPECT_EQ(**t.StateOfOutbox(Id16('a')), OutboxState::kRefused);
                    RETURN_IF_ERROR(t.ForgetRefused(Id16('a')));
                    EXPECT_FALSE(t.StateOfOutbox(Id16('a'))->has_value());
                    return absl::OkStatus();
                  })
                  .ok());
  EXPECT_EQ(Count().refused, 0);
}

TEST_F(MailboxesTest, OnlyWhatExpectsAReceiptAwaitsOne) {
  OutboxEntry message = Entry('a', first_, 0);
  message.expects_receipt = true;
  ASSERT_TRUE(vault_->Write([&](Transaction& t) { return t.AppendOutbox(message); }).ok());
  ASSERT_TRUE(Append('b', first_, 0).ok()) << "a receipt or a registration";
  EXPECT_EQ(Count().awaiting_receipt, 0) << "the hub has not confirmed it";
  Outcome('a', v1::REASON_UNSPECIFIED);
  Outcome('b', v1::REASON_UNSPECIFIED);
  EXPECT_EQ(Count().confirmed, 2);
  EXPECT_EQ(Count().awaiting_receipt, 1);
  ASSERT_TRUE(
      vault_->Write([](Transaction& t) { return t.MarkReceipt(*MessageId::FromBytes(Id16('a'))); })
          .ok());
  EXPECT_EQ(Count().confirmed, 1);
  EXPECT_EQ(Count().awaiting_receipt, 0);
}

TEST_F(MailboxesTest, WhatWaitsOfAReferralCanBeDropped) {
  ASSERT_TRUE(Append('a', first_, 0).ok());
  ASSERT_TRUE(Append('b', first_, 0).ok());
  ASSERT_TRUE(Append('c', second_, 0).ok());
  Outcome('a', v1::REASON_UNSPECIFIED);
  OutboxEntry receipt = Entry('d', first_, 0);
  receipt.outlives_withdrawal = true;
  ASSERT_TRUE(vault_->Write([&](Transaction& t) { return t.AppendOutbox(receipt); }).ok());
  std::vector<std::string> dropped;
  ASSERT_TRUE(vault_
                  ->Write([&](Transaction& t) -> absl::Status {
                    ASSIGN_OR_RETURN(dropped, t.DropWaiting(first_));
                    return absl::OkStatus();
                  })
                  .ok());
  EXPECT_THAT(dropped, ElementsAre(Id16('b')));
  EXPECT_EQ(Next(0), "cd");
  EXPECT_EQ(Count().confirmed, 1);
}

TEST_F(MailboxesTest, PurgeForgetsWhatHasPassedItsTime) {
  const MessageId id = MessageId::Generate(SystemRandom());
  ASSERT_TRUE(Append('a', first_, 0).ok());
  ASSERT_TRUE(Append('b', first_, 0).ok());
  Outcome('a', v1::REASON_UNSPECIFIED);
  const auto purge = [&](int64_t minute) {
    ASSERT_TRUE(vault_->Write([&](Transaction& t) { return t.Purge(Minute(minute)); }).ok());
  };
  ASSERT_TRUE(vault_->Write([&](Transaction& t) { return t.Remember(id, Minute(20)); }).ok());
  purge(19);
  EXPECT_EQ(Count().confirmed, 1);
  purge(1000);
  EXPECT_EQ(Count().confirmed, 0);
  EXPECT_EQ(Count().waiting, 1) << "what was never confirmed stays";
}

TEST_F(MailboxesTest, SeenIdsAreRememberedUntilTheirTime) {
  const MessageId id = MessageId::Generate(SystemRandom());
  ASSERT_TRUE(vault_
                  ->Write([&](Transaction& t) -> absl::Status {
                    EXPECT_FALSE(*t.SeenBefore(id, Minute(0)));
                    RETURN_IF_ERROR(t.Remember(id, Minute(20)));
                    RETURN_IF_ERROR(t.Remember(id, Minute(10)));
                    EXPECT_TRUE(*t.SeenBefore(id, Minute(19)));
                    EXPECT_FALSE(*t.SeenBefore(id, Minute(20)));
                    return absl::OkStatus();
                  })
                  .ok());
}

TEST_F(MailboxesTest, AnIdIsKeptWhileARepeatMayLieInTheInbox) {
  const MessageId id = MessageId::Generate(SystemRandom());
  const auto seen_after_purge = [&] {
    bool seen = false;
    EXPECT_TRUE(vault_
                    ->Write([&](Transaction& t) -> absl::Status {
                      RETURN_IF_ERROR(t.Purge(Minute(30)));
                      ASSIGN_OR_RETURN(seen, t.SeenBefore(id, Minute(19)));
                      return absl::OkStatus();
                    })
                    .ok());
    return seen;
  };
  ASSERT_TRUE(vault_
                  ->Write([&](Transaction& t) -> absl::Status {
                    RETURN_IF_ERROR(t.Remember(id, Minute(20)));
                    RETURN_IF_ERROR(t.AppendInbox("in time", Minute(19)).status());
                    return t.AppendInbox("late", Minute(20)).status();
                  })
                  .ok());
  EXPECT_TRUE(seen_after_purge());
  ASSERT_TRUE(vault_->Write([](Transaction& t) { return t.RemoveInbox(1); }).ok());
  EXPECT_FALSE(seen_after_purge());
}

TEST_F(MailboxesTest, TheInboxKeepsItsOrderAndItsNumbers) {
  const auto append = [&](std::string_view message) {
    int64_t number = 0;
    EXPECT_TRUE(vault_
                    ->Write([&](Transaction& t) -> absl::Status {
                      ASSIGN_OR_RETURN(number, t.AppendInbox(message, Minute(7)));
                      return t.SetPosition({Id16('e'), static_cast<uint64_t>(number) * 10});
                    })
                    .ok());
    return number;
  };
  EXPECT_EQ(append("one"), 1);
  EXPECT_EQ(append("two"), 2);
  ASSERT_TRUE(vault_->Write([](Transaction& t) { return t.RemoveInbox(2); }).ok());
  vault_.reset();
  vault_ = folder_.Open();
  EXPECT_EQ(append("three"), 3) << "a number is not used again";
  ASSERT_TRUE(vault_
                  ->Read([](const Reader& r) -> absl::Status {
                    ASSIGN_OR_RETURN(const std::vector<InboxItem> items, r.NextInbox(0, 10));
                    EXPECT_EQ(items.at(0).message, "one");
                    EXPECT_EQ(items.at(0).arrived, Minute(7));
                    EXPECT_EQ(items.at(1).message, "three");
                    EXPECT_THAT(*r.NextInbox(3, 10), IsEmpty());
                    ASSIGN_OR_RETURN(const MailboxPosition position, r.Position());
                    EXPECT_EQ(position.epoch, Id16('e'));
                    EXPECT_EQ(position.cursor, 30u);
                    return absl::OkStatus();
                  })
                  .ok());
}

}  // namespace
}  // namespace waymark::node
