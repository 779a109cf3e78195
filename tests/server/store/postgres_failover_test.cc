// The primary of a synchronous pair is lost under load and its standby promoted: nothing that was
// confirmed is lost, and nothing that was refused is there.
#include <gmock/gmock.h>

#include <atomic>
#include <set>
#include <thread>

#include "base/random/random.h"
#include "base/sync/sync.h"
#include "server/store/postgres/postgres_store.h"
#include "tests/server/store_conformance/samples.h"
#include "tests/support/poll.h"
#include "tests/support/postgres_server.h"

namespace waymark::hub {
namespace {

using waymark::testing::PostgresServer;

class PostgresFailoverTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto primary = PostgresServer::Start();
    ASSERT_TRUE(primary.ok()) << primary.status();
    primary_ = *std::move(primary);
    ASSERT_TRUE(primary_->CreateDatabase("hub").ok());
    auto standby = PostgresServer::StartStandby(*primary_);
    ASSERT_TRUE(standby.ok()) << standby.status();
    standby_ = *std::move(standby);
    Ask("ALTER SYSTEM SET synchronous_standby_names = 'standby'");
    Ask("SELECT pg_reload_conf()");
    ASSERT_TRUE(Eventually([this] {
      return Ask("SELECT sync_state FROM pg_stat_replication") == std::vector<std::string>{"sync"};
    }));
    auto store = PostgresStore::Open(
        {.target = {.url = "postgresql://administrator@/hub?host=" + primary_->host() + "," +
                           standby_->host() + "&port=" + std::to_string(primary_->port()) + "," +
                           std::to_string(standby_->port()) + "&target_session_attrs=read-write"},
         .random = &SystemRandom(),
         .first_pause = absl::Milliseconds(5),
         .longest_pause = absl::Milliseconds(50)});
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
  }

  std::vector<std::string> Ask(const std::string& sql) {
    const auto values = primary_->Query("hub", sql);
    EXPECT_TRUE(values.ok()) << values.status();
    return values.ok() ? *values : std::vector<std::string>();
  }

  // Commits batches of two until told to end. The one that is under way when the primary is lost
  // may be on the standby: then it is confirmed, and else refused.
  void Write() {
    for (uint64_t number = 1; !ended_; number += 2) {
      std::vector<Effects> batch = {SampleInquiry(1, number), SampleInquiry(1, number + 1)};
      const bool committed = store_->Commit(batch).ok();
      if (!committed) continue;
      MutexLock lock(mu_);
      for (const uint64_t one : {number, number + 1}) confirmed_.insert(SampleId<MessageId>(one));
    }
  }
  size_t confirmed() {
    MutexLock lock(mu_);
    return confirmed_.size();
  }

  std::unique_ptr<PostgresServer> primary_;
  std::unique_ptr<PostgresServer> standby_;
  std::unique_ptr<PostgresStore> store_;
  std::atomic<bool> ended_ = false;
  Mutex mu_;
  std::set<MessageId> confirmed_ ABSL_GUARDED_BY(mu_);
};

TEST_F(PostgresFailoverTest, NothingConfirmedIsLostWithThePrimary) {
  const std::string epoch = store_->epoch();
  std::thread writer([this] { Write(); });
  EXPECT_TRUE(Eventually([this] { return confirmed() >= 200; }));
  primary_->Kill();
  EXPECT_TRUE(standby_->Promote().ok());
  const size_t before = confirmed();
  EXPECT_TRUE(Eventually([&] { return confirmed() >= before + 100; })) << "it goes on";
  ended_ = true;
  writer.join();

  std::set<MessageId> present;
  uint64_t cursor = 0;
  bool more = true;
  while (more) {
    const auto page = store_->ReadMailbox(SampleId<OrganisationId>(1), MailboxView::kAll, cursor,
                                          1000, size_t{1} << 30, SampleTime());
    ASSERT_TRUE(page.ok()) << page.status();
    for (const MailboxItem& item : page->items) {
      EXPECT_EQ(item.sequence, ++cursor) << "a gap";
      EXPECT_TRUE(present.insert(item.message_id).second) << "twice";
    }
    more = page->more;
  }
  MutexLock lock(mu_);
  EXPECT_EQ(present, confirmed_) << "what was confirmed, and nothing else";
  EXPECT_EQ(store_->epoch(), epoch);
}

}  // namespace
}  // namespace waymark::hub
