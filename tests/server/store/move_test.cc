// The way of a store from SQLite to PostgreSQL: everything, or nothing.
#include "server/store/move.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "base/random/random.h"
#include "base/status/status.h"
#include "server/store/postgres/look.h"
#include "server/store/sqlite/routing_log.h"
#include "tests/server/store/folder_fixture.h"
#include "tests/server/store/postgres_medium.h"
#include "tests/support/poll.h"

namespace waymark::hub {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

// More than is in memory at once, in either direction.
constexpr uint64_t kMany = 2300;
constexpr uint64_t kUrgent = kMany / 5 - kMany / 15;

class MoveTest : public StoreFolderTest {
 protected:
  void Fill(uint64_t count) {
    const auto store = OpenStore();
    const absl::Status filled = FillStore(*store, count);
    ASSERT_TRUE(filled.ok()) << filled;
  }

  absl::StatusOr<Tally> Move() {
    return MoveStore(path(), {.url = database_.url()}, &SystemRandom(), &SystemClock());
  }

  // Once the processes that were at the database before have left.
  absl::StatusOr<Tally> MoveWhenAlone() {
    absl::StatusOr<Tally> moved;
    EXPECT_TRUE(Eventually([&] {
      moved = Move();
      return ReasonOf(moved.status()) != v1::REASON_UNAVAILABLE;
    }));
    return moved;
  }

  // Whether the database holds nothing of a hub.
  bool Empty() {
    for (const char* table : {"item", "mailbox", "token", "referral", "seen", "routing",
                              "statement", "invitation", "enrolment", "writer"}) {
      const auto rows = database_.Query(std::string("SELECT count(*) FROM waymark.") + table);
      if (rows.size() != 1 || rows[0] != "0") return false;
    }
    return true;
  }

  PostgresMedium database_;
};

std::vector<std::string> Lines(Store& store, uint64_t count) {
  auto lines = ContentOf(store, count);
  EXPECT_TRUE(lines.ok()) << lines.status();
  return lines.ok() ? *std::move(lines) : std::vector<std::string>();
}

// The messages whose senders have yet to be told, which takes them.
std::vector<std::string> Untold(Store& store) {
  std::vector<std::string> messages;
  const auto items = store.TakeOfflineNotices(SampleTime() + absl::Hours(1000), kMany);
  EXPECT_TRUE(items.ok()) << items.status();
  for (const MailboxItem& item : *items) messages.push_back(item.message_id.bytes());
  std::sort(messages.begin(), messages.end());
  return messages;
}

TEST_F(MoveTest, EverythingIsCarriedOver) {
  Fill(kMany);
  const auto moved = Move();
  ASSERT_TRUE(moved.ok()) << moved.status();
  EXPECT_EQ(moved->kinds().at("messages").rows, kMany);
  EXPECT_EQ(moved->kinds().at("statements").rows, 9U);

  const auto from = OpenStore();
  const auto opened = database_.Open();
  ASSERT_TRUE(opened.ok()) << opened.status();
  Store& to = **opened;
  EXPECT_EQ(Lines(to, kMany), Lines(*from, kMany));
  EXPECT_NE(to.epoch(), from->epoch()) << "sequences are other ones";
  const auto log = ReadRoutingLog(path());
  const auto moved_log = ReadPgRoutingLog({.url = database_.url()});
  ASSERT_TRUE(log.ok() && moved_log.ok());
  EXPECT_EQ(moved_log->lines.size(), log->lines.size());
  EXPECT_EQ(moved_log->waiting, log->waiting);
  EXPECT_EQ(moved_log->waiting_bytes, log->waiting_bytes);
  const std::vector<std::string> untold = Untold(*from);
  EXPECT_EQ(untold.size(), kUrgent);
  EXPECT_EQ(Untold(to), untold);
}

TEST_F(MoveTest, TheDatabaseGoesOnWhereTheFileStopped) {
  Fill(kCount);
  ASSERT_TRUE(Move().ok());
  const auto opened = database_.Open();
  ASSERT_TRUE(opened.ok()) << opened.status();
  Store& store = **opened;
  std::vector<StatementRow> next = {SampleStatement("service/9", 1),
                                    SampleStatement("capacity/9", 1, true)};
  ASSERT_TRUE(store.AppendStatements(next, 5).ok()) << "the chain continues revision 5";
  EXPECT_EQ(next[0].revision, 6U);
  EXPECT_EQ(next[1].revision, 6U);
  std::vector<StatementRow> old = {SampleStatement("service/1", 12)};
  EXPECT_EQ(ReasonOf(store.AppendStatements(old, 6)), v1::REASON_STATEMENT_INVALID);
  std::vector<Effects> batch = {SampleInquiry(1, 5000)};
  ASSERT_TRUE(store.Commit(batch).ok());
  EXPECT_EQ(batch[0].deliver[0].sequence, kCount / 3 + 1) << "behind what waited";
}

TEST_F(MoveTest, NothingIsAddedToWhatIsThere) {
  Fill(kCount);
  {
    const auto store = database_.Open();
    ASSERT_TRUE(store.ok());
    ASSERT_TRUE((*store)->PutInvitation(SampleInvitation(77)).ok());
  }
  EXPECT_EQ(ReasonOf(MoveWhenAlone().status()), v1::REASON_EXISTS);
  EXPECT_THAT(database_.Query("SELECT 1 FROM waymark.item"), IsEmpty());
}

TEST_F(MoveTest, NotWhileAHubRunsOnEitherSide) {
  Fill(kCount);
  {
    const auto hub = OpenStore();
    EXPECT_EQ(ReasonOf(Move().status()), v1::REASON_UNAVAILABLE);
  }
  {
    const auto hub = database_.Open();
    ASSERT_TRUE(hub.ok());
    const absl::Status refused = Move().status();
    EXPECT_EQ(ReasonOf(refused), v1::REASON_UNAVAILABLE);
    EXPECT_THAT(std::string(refused.message()), HasSubstr("stop all hubs"));
  }
  EXPECT_THAT(database_.Query("SELECT 1 FROM waymark.item"), IsEmpty());
}

TEST_F(MoveTest, WhatFailsInTheMiddleLeavesNothingAndIsTriedAgain) {
  Fill(kCount);
  { ASSERT_TRUE(database_.Open().ok()); }
  database_.Query("DELETE FROM waymark.writer");
  database_.Query(
      "CREATE FUNCTION waymark.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE "
      "EXCEPTION USING ERRCODE = '53100', MESSAGE = 'refused'; END $$; CREATE TRIGGER refuse "
      "BEFORE INSERT ON waymark.enrolment EXECUTE FUNCTION waymark.refuse()");
  EXPECT_EQ(ReasonOf(MoveWhenAlone().status()), v1::REASON_QUOTA_EXCEEDED);
  EXPECT_TRUE(Empty());
  database_.Query("DROP FUNCTION waymark.refuse() CASCADE");
  const auto moved = MoveWhenAlone();
  ASSERT_TRUE(moved.ok()) << moved.status();
  EXPECT_EQ(moved->kinds().at("messages").rows, kCount);
}

TEST_F(MoveTest, WhatDoesNotReadBackIsNotKept) {
  Fill(kCount);
  { ASSERT_TRUE(database_.Open().ok()); }
  database_.Query("DELETE FROM waymark.writer");
  database_.Query(
      "CREATE FUNCTION waymark.spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.head = "
      "'x'; RETURN NEW; END $$; CREATE TRIGGER spoil BEFORE INSERT ON waymark.statement FOR EACH "
      "ROW EXECUTE FUNCTION waymark.spoil()");
  const absl::Status refused = MoveWhenAlone().status();
  EXPECT_EQ(ReasonOf(refused), v1::REASON_INTERNAL);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("statements"));
  EXPECT_TRUE(Empty());
}

TEST_F(MoveTest, ABrokenStoreIsNotMoved) {
  Fill(kCount);
  std::string bytes = Bytes(path());
  const size_t statement = bytes.find("statement of service/2");
  ASSERT_NE(statement, std::string::npos);
  bytes[statement] ^= 1;
  WriteBytes(path(), bytes);
  EXPECT_EQ(ReasonOf(Move().status()), v1::REASON_DATA_CORRUPT);
  EXPECT_THAT(database_.Query("SELECT 1 FROM pg_namespace WHERE nspname = 'waymark'"), IsEmpty());
}

TEST_F(MoveTest, ARecoveryGoesOnInTheDatabase) {
  Fill(kCount);
  std::filesystem::copy_file(path(), In("copy"));
  std::filesystem::rename(In("copy"), path());
  const absl::Status refused = Move().status();
  EXPECT_EQ(ReasonOf(refused), v1::REASON_FILE_UNUSABLE);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("start the hub on it once"));
  const auto restored_at = OpenStore()->restored_at();
  ASSERT_TRUE(restored_at.has_value());
  ASSERT_TRUE(MoveWhenAlone().ok());
  const auto moved = database_.Open();
  ASSERT_TRUE(moved.ok()) << moved.status();
  EXPECT_EQ((*moved)->restored_at(), absl::FromUnixMicros(absl::ToUnixMicros(*restored_at)));
}

TEST_F(MoveTest, WhereThereIsNoStoreNoneIsMade) {
  EXPECT_EQ(ReasonOf(Move().status()), v1::REASON_FILE_UNUSABLE);
  EXPECT_TRUE(Files().empty());
}

TEST(TallyTest, DoesNotDependOnOrderAndMissesNothing) {
  const auto row = [](int64_t number, std::string_view bytes) {
    PgColumns columns;
    columns.Add(number).Add(bytes);
    columns.EndRow();
    return columns;
  };
  Tally one;
  one.Add("a", row(1, "x"));
  one.Add("a", row(2, "y"));
  one.Add("b", row(3, "z"));
  Tally other;
  other.Add("b", row(3, "z"));
  other.Add("a", row(2, "y"));
  EXPECT_EQ(one.DifferenceTo(other), "a");
  EXPECT_EQ(other.DifferenceTo(one), "a");
  other.Add("a", row(1, "x"));
  EXPECT_EQ(one.DifferenceTo(other), "");
  other.Add("c", row(1, "x"));
  EXPECT_EQ(one.DifferenceTo(other), "c");
}

}  // namespace
}  // namespace waymark::hub
