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

// A process that writes to the store and reports what was confirmed.
class Writer {
 public:
  Writer(std::vector<std::string> command, uint64_t first) {
    command.push_back(std::to_string(first));
    std::vector<char*> arguments;
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
