// Commits over PostgreSQL that do not go well: connections lost at every step, and other hubs that
// change what a commit rests on.
#include <gmock/gmock.h>

#include <future>
#include <limits>
#include <set>
#include <thread>

#include "base/status/status.h"
#include "tests/server/store/postgres_medium.h"
#include "tests/server/store_conformance/samples.h"
#include "tests/support/poll.h"

namespace waymark::hub {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr size_t kAll = 100000;
constexpr size_t kWhole = size_t{1} << 30;

class PostgresCommitTest : public ::testing::Test {
 protected:
  PostgresCommitTest() : store_(medium_.OpenAnother()) {}

  std::vector<MailboxItem> Mailbox(uint64_t mailbox) {
    return store_
        ->ReadMailbox(SampleId<OrganisationId>(mailbox), MailboxView::kAll, 0, kAll, kWhole,
                      SampleTime())
        ->items;
  }
  absl::Status Commit(PostgresStore& store, Effects effects) {
    std::vector<Effects> batch = {std::move(effects)};
    return store.Commit(batch);
  }
  LoadedState Load(PostgresStore& store, const StateKeys& keys) {
    auto state = store.Load(keys);
    EXPECT_TRUE(state.ok()) << state.status();
    return state.ok() ? *state : LoadedState();
  }
  // What a whole message changes, over every table.
  static Effects Whole(uint64_t number) {
    Effects effects = SampleInquiry(1, number);
    effects.put_tokens = {SampleToken(number)};
    return effects;
  }
  static StateKeys KeysOf(uint64_t number) {
    return {{SampleHash(number)}, {SampleId<ReferralId>(number)}, {SampleId<MessageId>(number)}};
  }
  static Effects Nothing() { return Effects(); }

  // Everything that changes `table` waits, at once or at its commit, until the connection that is
  // returned is closed.
  std::unique_ptr<PgConnection> Hold(const std::string& table, bool at_commit = false) {
    medium_.Query(
        "CREATE OR REPLACE FUNCTION waymark.hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "PERFORM pg_advisory_xact_lock(99); RETURN NULL; END $$");
    medium_.Query(at_commit ? "CREATE CONSTRAINT TRIGGER hold AFTER INSERT OR UPDATE ON waymark." +
                                  table +
                                  " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION "
                                  "waymark.hold()"
                            : "CREATE TRIGGER hold AFTER INSERT OR UPDATE ON waymark." + table +
                                  " EXECUTE FUNCTION waymark.hold()");
    auto holder = PgConnection::Connect({.url = medium_.url()});
    EXPECT_TRUE((*holder)->Execute("SELECT pg_advisory_lock(99)", kPgLimit).ok());
    return *std::move(holder);
  }
  void Release() { medium_.Query("DROP FUNCTION waymark.hold() CASCADE"); }
  // Ends the process of the server that waits for `event`.
  void KillWaiting(const std::string& event) {
    const auto killed = [&] {
      return !medium_
                  .Query(
                      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
                      "application_name = 'waymark-hub' AND datname = current_database() AND "
                      "wait_event = '" +
                      event + "'")
                  .empty();
    };
    EXPECT_TRUE(Eventually(killed));
  }

  // From now on every commit waits for a standby that there is not. The server takes such a change
  // in when it comes to it: a commit of our own tells when.
  void DemandStandby() {
    medium_.Query("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    medium_.Query("SELECT pg_reload_conf()");
    EXPECT_TRUE(Eventually([this] {
      auto trial = std::async(std::launch::async, [this] {
        return PostgresMedium::server()
            .Query(medium_.database(), "SELECT pg_logical_emit_message(true, 'trial', '')")
            .status();
      });
      bool waits = false;
      EXPECT_TRUE(Eventually([&] {
        waits = !medium_
                     .Query(
                         "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
                         "wait_event = 'SyncRep' AND query LIKE '%emit_message%'")
                     .empty();
        return waits || trial.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
      }));
      trial.get().IgnoreError();
      return waits;
    }));
  }
  void ReleaseStandby() {
    medium_.Query("ALTER SYSTEM RESET synchronous_standby_names");
    medium_.Query("SELECT pg_reload_conf()");
  }

  PostgresMedium medium_;
  std::unique_ptr<PostgresStore> store_;
};

// Lost connections --------------------------------------------------------------------------------

TEST_F(PostgresCommitTest, LostBeforeTheEndNothingIsApplied) {
  for (const std::string table :
       {"token", "referral", "seen", "mailbox", "writer", "item", "routing"}) {
    SCOPED_TRACE(table);
    auto holder = Hold(table);
    std::vector<Effects> batch = {Whole(1)};
    auto committed = std::async(std::launch::async, [&] { return store_->Commit(batch); });
    KillWaiting("advisory");
    // The question about the lost batch changes the writer's row, too.
    holder = nullptr;
    EXPECT_EQ(ReasonOf(committed.get()), v1::REASON_UNAVAILABLE);
    Release();
    EXPECT_THAT(Mailbox(1), IsEmpty());
    const LoadedState state = Load(*store_, KeysOf(1));
    EXPECT_THAT(state.tokens, IsEmpty());
    EXPECT_THAT(state.referrals, IsEmpty());
    EXPECT_THAT(state.seen, IsEmpty());
  }
  ASSERT_TRUE(Commit(*store_, Whole(1)).ok());
  EXPECT_THAT(Mailbox(1), SizeIs(1));
  EXPECT_EQ(Mailbox(1)[0].sequence, 1u) << "what was not applied used no sequence";
}

TEST_F(PostgresCommitTest, LostInTheMiddleOfTheCommitNothingIsApplied) {
  auto holder = Hold("item", /*at_commit=*/true);
  std::vector<Effects> batch = {Whole(1)};
  auto committed = std::async(std::launch::async, [&] { return store_->Commit(batch); });
  KillWaiting("advisory");
  EXPECT_EQ(ReasonOf(committed.get()), v1::REASON_UNAVAILABLE);
  holder = nullptr;
  Release();
  EXPECT_THAT(Mailbox(1), IsEmpty());
}

// The commit is on the primary's disk and waits for a standby when its connection is lost: the
// truth is that it was applied, and it is told once the standby can vouch for it.
TEST_F(PostgresCommitTest, LostAfterTheCommitItIsApplied) {
  ASSERT_TRUE(Commit(*store_, SampleInquiry(1, 7)).ok());
  DemandStandby();
  std::vector<Effects> batch = {Whole(1), SampleInquiry(2, 2), SampleInquiry(1, 3)};
  auto committed = std::async(std::launch::async, [&] { return store_->Commit(batch); });
  KillWaiting("SyncRep");
  // The question waits for the standby, too.
  KillWaiting("SyncRep");
  EXPECT_EQ(committed.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout)
      << "nothing is told that is not known";
  ReleaseStandby();
  const absl::Status status = committed.get();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(batch[0].deliver[0].sequence, 2u);
  EXPECT_EQ(batch[1].deliver[0].sequence, 1u);
  EXPECT_EQ(batch[2].deliver[0].sequence, 3u);
  EXPECT_THAT(Mailbox(1), SizeIs(3));
  EXPECT_EQ(Mailbox(1)[1], batch[0].deliver[0]);
  ASSERT_TRUE(Commit(*store_, SampleInquiry(1, 4)).ok()) << "and it goes on";
  EXPECT_THAT(Mailbox(1), SizeIs(4));
}

// Somebody cancels the wait for the standby: PostgreSQL then says that it is done, with a warning.
TEST_F(PostgresCommitTest, ACommitThatNoStandbyHasIsNotTakenAsDone) {
  DemandStandby();
  std::vector<Effects> batch = {Whole(1)};
  auto committed = std::async(std::launch::async, [&] { return store_->Commit(batch); });
  EXPECT_TRUE(Eventually([&] {
    return !medium_
                .Query(
                    "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = "
                    "'SyncRep' AND datname = current_database()")
                .empty();
  }));
  EXPECT_EQ(committed.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
  ReleaseStandby();
  EXPECT_TRUE(committed.get().ok());
  EXPECT_THAT(Mailbox(1), SizeIs(1));
}

TEST_F(PostgresCommitTest, AStatementWhoseAnswerIsLostIsApplied) {
  DemandStandby();
  std::vector<StatementRow> rows = {SampleStatement("service/1", 1)};
  auto appended = std::async(std::launch::async, [&] { return store_->AppendStatements(rows, 0); });
  KillWaiting("SyncRep");
  ReleaseStandby();
  EXPECT_TRUE(appended.get().ok());
  EXPECT_THAT(*store_->ReadStatements(false, 0, kWhole), SizeIs(1));
}

TEST_F(PostgresCommitTest, APageThatCannotBeReadSpoilsNoOther) {
  ASSERT_TRUE(Commit(*store_, Whole(1)).ok());
  const PageQuery good = {.mailbox = SampleId<OrganisationId>(1),
                          .view = MailboxView::kAll,
                          .after = 0,
                          .max_items = kAll,
                          .max_bytes = kWhole};
  PageQuery bad = good;
  // One more than that is no number of the database's.
  bad.max_items = std::numeric_limits<int64_t>::max();
  const std::vector<PageQuery> queries = {good, bad, good};
  const auto pages = store_->ReadMailboxes(queries, SampleTime());
  ASSERT_THAT(pages, SizeIs(3));
  EXPECT_FALSE(pages[1].ok());
  for (const size_t i : {0, 2}) {
    ASSERT_TRUE(pages[i].ok()) << pages[i].status();
    EXPECT_THAT(pages[i]->items, SizeIs(1));
  }
}

TEST_F(PostgresCommitTest, AnEndingProcessDoesNotWaitForTheDatabase) {
  // Not a lock, which would be free for a moment while the server ends.
  DemandStandby();
  std::vector<Effects> batch = {Whole(1)};
  auto committed = std::async(std::launch::async, [&] { return store_->Commit(batch); });
  ASSERT_TRUE(Eventually([&] {
    return !medium_
                .Query(
                    "SELECT 1 FROM pg_stat_activity WHERE application_name = 'waymark-hub' AND "
                    "wait_event = 'SyncRep' AND datname = current_database()")
                .empty();
  }));
  PostgresMedium::server().Stop();
  EXPECT_EQ(committed.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
  store_->Interrupt();
  EXPECT_EQ(ReasonOf(committed.get()), v1::REASON_UNAVAILABLE);
  ASSERT_TRUE(PostgresMedium::server().Resume().ok());
  ReleaseStandby();
}

TEST_F(PostgresCommitTest, ADatabaseThatIsAwayIsUnavailableAndComesBack) {
  ASSERT_TRUE(Commit(*store_, Whole(1)).ok());
  PostgresMedium::server().Stop();
  EXPECT_EQ(ReasonOf(store_->Load(KeysOf(1)).status()), v1::REASON_UNAVAILABLE);
  EXPECT_EQ(ReasonOf(Commit(*store_, SampleInquiry(1, 2))), v1::REASON_UNAVAILABLE);
  EXPECT_EQ(ReasonOf(store_->Sweep(SampleTime(), kAll).status()), v1::REASON_UNAVAILABLE);
  ASSERT_TRUE(store_->Ack(SampleId<OrganisationId>(1), MailboxView::kAll, 1).ok());
  ASSERT_TRUE(PostgresMedium::server().Resume().ok());
  EXPECT_TRUE(Eventually([&] { return Commit(*store_, SampleInquiry(1, 3)).ok(); }));
  EXPECT_THAT(Mailbox(1), SizeIs(1)) << "the ack has not been forgotten";
}

// Other hubs --------------------------------------------------------------------------------------

class PostgresConflictTest : public PostgresCommitTest {
 protected:
  PostgresConflictTest() : other_(medium_.OpenAnother()) {
    EXPECT_TRUE(Commit(*store_, Whole(1)).ok());
  }

  // What becomes of a commit of `mine`, which rests on `keys`, when `theirs` comes in between.
  v1::Reason After(const StateKeys& keys, Effects theirs, Effects mine) {
    Load(*store_, keys);
    EXPECT_TRUE(Commit(*other_, std::move(theirs)).ok());
    const absl::Status status = Commit(*store_, std::move(mine));
    if (ReasonOf(status) == v1::REASON_CONFLICT) {
      // Loaded again, it holds.
      Load(*store_, keys);
    }
    return ReasonOf(status);
  }
  static Effects Revocation() {
    Effects effects;
    effects.put_tokens = {SampleToken(1)};
    effects.put_tokens[0].revoked = true;
    return effects;
  }
  static Effects Referral(uint64_t number, HubState state) {
    Effects effects;
    effects.put_referrals = {SampleReferral(number)};
    effects.put_referrals[0].state = state;
    return effects;
  }
  static Effects Delivery() {
    Effects effects;
    effects.deliver = {SampleItem(5, 5)};
    return effects;
  }

  std::unique_ptr<PostgresStore> other_;
};

TEST_F(PostgresConflictTest, OnATokenThatWasRevoked) {
  const StateKeys keys = {.token_hashes = {SampleHash(1)}};
  EXPECT_EQ(After(keys, Revocation(), Delivery()), v1::REASON_CONFLICT);
  EXPECT_THAT(Mailbox(5), IsEmpty());
  EXPECT_TRUE(Commit(*store_, Delivery()).ok());
  EXPECT_THAT(Mailbox(5), SizeIs(1));
}

TEST_F(PostgresConflictTest, OnATokenThatWasRegistered) {
  Effects registration;
  registration.put_tokens = {SampleToken(2)};
  const StateKeys keys = {.token_hashes = {SampleHash(2)}};
  EXPECT_EQ(After(keys, registration, Delivery()), v1::REASON_CONFLICT);
  EXPECT_THAT(Load(*store_, keys).tokens, SizeIs(1));
}

TEST_F(PostgresConflictTest, OnATokenThatBothRegister) {
  Effects registration;
  registration.put_tokens = {SampleToken(2)};
  const StateKeys keys = {.token_hashes = {SampleHash(2)}};
  EXPECT_EQ(After(keys, registration, registration), v1::REASON_CONFLICT);
}

TEST_F(PostgresConflictTest, OnAReferralThatMoved) {
  const StateKeys keys = {.referrals = {SampleId<ReferralId>(1)}};
  EXPECT_EQ(After(keys, Referral(1, HubState::kOffered), Referral(1, HubState::kExpired)),
            v1::REASON_CONFLICT);
  EXPECT_EQ(After(keys, Referral(1, HubState::kAccepted), Delivery()), v1::REASON_CONFLICT);
  EXPECT_EQ(Load(*store_, keys).referrals[0].state, HubState::kAccepted);
  EXPECT_TRUE(Commit(*store_, Referral(1, HubState::kScheduled)).ok());
}

TEST_F(PostgresConflictTest, OnAReferralThatBegan) {
  const StateKeys keys = {.referrals = {SampleId<ReferralId>(9)}};
  EXPECT_EQ(After(keys, Referral(9, HubState::kRequested), Referral(9, HubState::kRequested)),
            v1::REASON_CONFLICT);
  const StateKeys unwritten = {.referrals = {SampleId<ReferralId>(10)}};
  EXPECT_EQ(After(unwritten, Referral(10, HubState::kRequested), Delivery()), v1::REASON_CONFLICT);
}

TEST_F(PostgresConflictTest, OnAMessageThatWasAnswered) {
  const StateKeys keys = {.messages = {SampleId<MessageId>(3)}};
  EXPECT_EQ(After(keys, SampleInquiry(3, 3), SampleInquiry(3, 3)), v1::REASON_CONFLICT);
  EXPECT_THAT(Mailbox(3), SizeIs(1)) << "delivered once";
}

TEST_F(PostgresConflictTest, OnWhatWasSwept) {
  const StateKeys keys = KeysOf(1);
  Load(*store_, keys);
  ASSERT_TRUE(other_->Sweep(SampleSeen(1).remember_until, kAll).ok());
  EXPECT_EQ(ReasonOf(Commit(*store_, Delivery())), v1::REASON_CONFLICT);
}

TEST_F(PostgresConflictTest, WhatOthersDoElsewhereIsNone) {
  EXPECT_EQ(After(KeysOf(1), SampleInquiry(1, 2), Delivery()), v1::REASON_UNSPECIFIED);
  EXPECT_EQ(After(KeysOf(1), Nothing(), Revocation()), v1::REASON_UNSPECIFIED);
}

// Two hubs write into the same mailboxes, a third reads and acknowledges: nothing is lost, nothing
// doubled, sequences have no gaps, and each writer's items come in its order.
TEST_F(PostgresConflictTest, RacingHubsLoseAndDoubleNothing) {
  constexpr uint64_t kBatches = 60;
  constexpr uint64_t kMailboxes = 3;
  const auto write = [&](PostgresStore& store, uint64_t first) {
    for (uint64_t i = 0; i < kBatches; ++i) {
      std::vector<Effects> batch;
      for (uint64_t mailbox = 0; mailbox < kMailboxes; ++mailbox) {
        // The two go through the mailboxes in opposite order.
        const uint64_t to = first == 0 ? mailbox : kMailboxes - 1 - mailbox;
        batch.push_back(SampleInquiry(100 + to, 1000000 + first + i * kMailboxes + mailbox));
      }
      EXPECT_TRUE(store.Commit(batch).ok());
    }
  };
  std::thread one([&] { write(*store_, 0); });
  std::thread two([&] { write(*other_, 100000); });
  const auto reader = medium_.OpenAnother();
  std::set<MessageId> received;
  for (uint64_t mailbox = 0; mailbox < kMailboxes; ++mailbox) {
    const auto organisation = SampleId<OrganisationId>(100 + mailbox);
    uint64_t cursor = 0;
    while (cursor < 2 * kBatches) {
      const auto page =
          reader->ReadMailbox(organisation, MailboxView::kAll, cursor, 16, kWhole, SampleTime());
      ASSERT_TRUE(page.ok()) << page.status();
      for (const MailboxItem& item : page->items) {
        ASSERT_EQ(item.sequence, cursor + 1) << "a gap";
        cursor = item.sequence;
        EXPECT_TRUE(received.insert(item.message_id).second) << "twice";
      }
      EXPECT_TRUE(reader->Ack(organisation, MailboxView::kAll, cursor).ok());
    }
  }
  one.join();
  two.join();
  EXPECT_THAT(received, SizeIs(2 * kBatches * kMailboxes));
  EXPECT_EQ(reader->CountWaiting()->messages, 1u) << "that of the set-up";
}

TEST_F(PostgresConflictTest, ADeadlockIsAConflict) {
  medium_.Query(
      "CREATE FUNCTION waymark.deadlock() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE "
      "EXCEPTION USING ERRCODE = '40P01', MESSAGE = 'deadlock detected'; END $$");
  medium_.Query(
      "CREATE TRIGGER deadlock BEFORE INSERT ON waymark.item EXECUTE FUNCTION waymark.deadlock()");
  EXPECT_EQ(ReasonOf(Commit(*store_, Delivery())), v1::REASON_CONFLICT);
  medium_.Query("DROP FUNCTION waymark.deadlock() CASCADE");
  EXPECT_TRUE(Commit(*store_, Delivery()).ok());
}

TEST_F(PostgresConflictTest, ANoticeIsTakenOnce) {
  Effects effects;
  for (uint64_t i = 0; i < 40; ++i) {
    effects.deliver.push_back(SampleItem(8, 200 + i));
    effects.deliver.back().urgency = v1::URGENCY_U0;
  }
  ASSERT_TRUE(Commit(*store_, effects).ok());
  const absl::Time later = SampleTime() + absl::Hours(1);
  auto there =
      std::async(std::launch::async, [&] { return other_->TakeOfflineNotices(later, 25); });
  const auto here = store_->TakeOfflineNotices(later, 25);
  const auto others = there.get();
  ASSERT_TRUE(here.ok() && others.ok());
  std::set<MessageId> taken;
  for (const auto* items : {&*here, &*others}) {
    for (const MailboxItem& item : *items) EXPECT_TRUE(taken.insert(item.message_id).second);
  }
  const auto rest = store_->TakeOfflineNotices(later, kAll);
  ASSERT_TRUE(rest.ok());
  EXPECT_EQ(taken.size() + rest->size(), 40u);
}

}  // namespace
}  // namespace waymark::hub
