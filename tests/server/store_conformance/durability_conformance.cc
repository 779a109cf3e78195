#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <optional>
#include <random>

#include "tests/server/store_conformance/crash_writer.h"
#include "tests/server/store_conformance/samples.h"
#include "tests/server/store_conformance/store_conformance.h"

namespace waymark::hub {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// A process that writes to the store and reports what was confirmed.
class Writer {
 public:
  Writer(std::vector<std::string> command, uint64_t first) {
    command.push_back(std::to_string(first));
    std::vector<char*> arguments;
    arguments.reserve(command.size() + 1);
    for (std::string& argument : command) arguments.push_back(argument.data());
    arguments.push_back(nullptr);
    int ends[2];
    if (pipe(ends) != 0) return;
    read_end_ = ends[0];
    pid_ = fork();
    if (pid_ == 0) {
      dup2(ends[1], STDOUT_FILENO);
      close(ends[0]);
      close(ends[1]);
      execv(arguments[0], arguments.data());
      _exit(127);
    }
    close(ends[1]);
  }

  ~Writer() {
    Kill();
    close(read_end_);
  }

  // Returns the next confirmed batch, nullopt when there are no more.
  std::optional<uint64_t> Next() {
    uint64_t batch;
    const ssize_t got = read(read_end_, &batch, sizeof(batch));
    if (got != sizeof(batch)) return std::nullopt;
    return batch;
  }

  void Kill() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  int read_end_ = -1;
  pid_t pid_ = -1;
};

TEST_P(StoreConformance, KeepsEverythingAcrossACleanClose) {
  Effects effects = SampleInquiry(1, 1);
  effects.put_tokens = {SampleToken(1)};
  Commit({effects});
  const std::vector<MailboxItem> before = Mailbox(1);
  Reopen();
  EXPECT_EQ(Mailbox(1), before);
  const LoadedState state =
      Load({{SampleHash(1)}, {SampleId<ReferralId>(1)}, {SampleId<MessageId>(1)}});
  EXPECT_THAT(state.tokens, ElementsAre(SampleToken(1)));
  EXPECT_THAT(state.referrals, ElementsAre(SampleReferral(1)));
  EXPECT_THAT(state.seen, ElementsAre(SampleSeen(1)));
}

TEST_P(StoreConformance, EpochLastsUntilARestore) {
  const std::string epoch = store().epoch();
  Reopen();
  EXPECT_EQ(store().epoch(), epoch);
  Close();
  medium().Restore();
  Open();
  EXPECT_NE(store().epoch(), epoch);
  const std::string restored = store().epoch();
  Reopen();
  EXPECT_EQ(store().epoch(), restored);
}

// What the copy has of a course that went on without it may mislead; the rest is kept.
TEST_P(StoreConformance, ARestoreLetsGoOfCoursesAndKeepsWhatStands) {
  EXPECT_EQ(store().restored_at(), std::nullopt);
  TokenRecord revoked = SampleToken(2);
  revoked.revoked = true;
  const auto under_token = [](uint64_t mailbox, uint64_t number, v1::Kind kind) {
    MailboxItem item = SampleItem(mailbox, number);
    item.kind = kind;
    item.urgency = v1::URGENCY_U0;
    return item;
  };
  MailboxItem query = under_token(1, 5, v1::KIND_CAPACITY_QUERY);
  query.token_hash.clear();
  Effects effects = SampleInquiry(1, 1);
  effects.put_tokens = {SampleToken(1), revoked};
  Commit({effects});
  const auto items =
      Deliver({under_token(1, 2, v1::KIND_REVOKE), under_token(1, 3, v1::KIND_RECEIPT),
               under_token(1, 4, v1::KIND_OFFER), query});
  std::vector<StatementRow> rows = {SampleStatement("service/1", 1)};
  ASSERT_TRUE(store().AppendStatements(rows, 0).ok());
  Close();
  medium().Restore();
  Open();
  for (const bool again : {false, true}) {
    if (again) Reopen();
    ASSERT_TRUE(store().restored_at().has_value());
    EXPECT_LT(absl::Now() - *store().restored_at(), absl::Minutes(10));
    const LoadedState state =
        Load({{SampleHash(1), SampleHash(2)}, {SampleId<ReferralId>(1)}, {SampleId<MessageId>(1)}});
    EXPECT_THAT(state.tokens, ElementsAre(revoked));
    EXPECT_THAT(state.referrals, IsEmpty());
    EXPECT_THAT(state.seen, IsEmpty());
    EXPECT_THAT(Mailbox(1), ElementsAre(items[0], items[1], items[3]));
    const auto waiting = store().CountWaiting();
    ASSERT_TRUE(waiting.ok());
    EXPECT_EQ(waiting->messages, 3u);
    EXPECT_TRUE(store().FindStatement("service/1")->has_value());
  }
  const auto notices = store().TakeOfflineNotices(SampleTime() + absl::Hours(1), 100);
  ASSERT_TRUE(notices.ok());
  EXPECT_THAT(*notices, ElementsAre(items[0], items[1], items[3]));
  Commit({SampleInquiry(1, 6)});
  EXPECT_EQ(Mailbox(1).size(), 4u);
}

// A process that commits is killed after a random number of confirmations. Whatever it confirmed is
// there afterwards, and a batch that it did not confirm is there as a whole or not at all.
TEST_P(StoreConformance, KillLosesNothingThatWasConfirmed) {
  std::mt19937 random(20261122);
  uint64_t present = 0;
  uint64_t last_sequence = 0;
  for (int round = 0; round < 10; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    Close();
    uint64_t confirmed = present;
    {
      Writer writer(medium().CrashWriter(), present);
      const uint64_t enough = present + 1 + random() % 40;
      while (confirmed < enough) {
        const auto batch = writer.Next();
        ASSERT_TRUE(batch.has_value()) << "the writer ended by itself";
        confirmed = *batch + 1;
      }
      writer.Kill();
      while (const auto batch = writer.Next()) confirmed = *batch + 1;
    }
    Open();
    const std::vector<MailboxItem> items = Mailbox(1);
    ASSERT_EQ(items.size() % kCrashBatchItems, 0u) << "a batch is there in part";
    present = items.size() / kCrashBatchItems;
    ASSERT_GE(present, confirmed);
    ASSERT_LE(present, confirmed + 1);
    StateKeys keys;
    for (uint64_t i = 0; i < items.size(); ++i) {
      MailboxItem expected = SampleItem(1, i);
      expected.sequence = items[i].sequence;
      ASSERT_EQ(items[i], expected);
      keys.referrals.push_back(SampleId<ReferralId>(i));
      keys.messages.push_back(SampleId<MessageId>(i));
    }
    const LoadedState state = Load(keys);
    EXPECT_EQ(state.referrals.size(), items.size());
    EXPECT_EQ(state.seen.size(), items.size());
    EXPECT_GT(items.back().sequence, last_sequence);
    last_sequence = items.back().sequence;
  }
}

}  // namespace
}  // namespace waymark::hub
