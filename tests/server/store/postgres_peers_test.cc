// What hub processes on one PostgreSQL database learn of each other.
#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "base/sync/sync.h"
#include "tests/server/store/postgres_medium.h"
#include "tests/server/store_conformance/samples.h"
#include "tests/support/poll.h"

namespace waymark::hub {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Heard final : public PeerListener {
 public:
  void OnPeerDelivered(std::span<const OrganisationId> mailboxes) override {
    for (const OrganisationId& mailbox : mailboxes) Add("delivered " + mailbox.hex());
  }
  void OnPeerDropped(std::span<const std::string> token_hashes) override {
    for (const std::string& hash : token_hashes) Add("dropped " + hash);
  }
  void OnPeerStatements() override { Add("statements"); }
  void OnPeerSession(const OrganisationId& organisation, uint64_t claim) override {
    Add("session " + organisation.hex() + " " + std::to_string(claim));
  }
  void OnPeerNotices(std::span<const OfflineNotice> notices) override {
    for (const OfflineNotice& notice : notices) {
      Add("notice " + notice.sender.hex() + " " + notice.message_id.hex());
    }
  }
  void OnNewsLost() override { Add("lost"); }

  bool Await(const std::string& news) {
    return Eventually([&] { return Has(news); });
  }
  bool Has(const std::string& news) {
    MutexLock lock(mu_);
    return std::find(heard_.begin(), heard_.end(), news) != heard_.end();
  }
  std::vector<std::string> all() {
    MutexLock lock(mu_);
    return heard_;
  }
  void Forget() {
    MutexLock lock(mu_);
    heard_.clear();
  }

 private:
  void Add(std::string news) {
    MutexLock lock(mu_);
    heard_.push_back(std::move(news));
  }

  Mutex mu_;
  std::vector<std::string> heard_ ABSL_GUARDED_BY(mu_);
};

class PostgresPeersTest : public ::testing::Test {
 protected:
  ~PostgresPeersTest() override {
    if (one_ != nullptr) one_->SetPeerListener(nullptr);
    if (two_ != nullptr) two_->SetPeerListener(nullptr);
  }

  // Opens both; they poll as often as that.
  void Open(absl::Duration poll_interval) {
    one_ = medium_.OpenAnother(poll_interval);
    two_ = medium_.OpenAnother(poll_interval);
    one_->SetPeerListener(&first_);
    two_->SetPeerListener(&second_);
    // Both listen.
    EXPECT_TRUE(Eventually([&] {
      return medium_
                 .Query(
                     "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND "
                     "application_name = 'waymark-hub'")
                 .size() == 6;
    }));
    EXPECT_TRUE(Eventually([&] {
      EXPECT_TRUE(two_->SendNotices(std::vector<OfflineNotice>{Notice(99)}).ok());
      EXPECT_TRUE(one_->SendNotices(std::vector<OfflineNotice>{Notice(98)}).ok());
      return first_.Has(Text(99)) && second_.Has(Text(98));
    }));
    first_.Forget();
    second_.Forget();
  }
  static OfflineNotice Notice(uint64_t number) {
    return {SampleId<OrganisationId>(number), SampleId<MessageId>(number)};
  }
  static std::string Text(uint64_t number) {
    return "notice " + SampleId<OrganisationId>(number).hex() + " " +
           SampleId<MessageId>(number).hex();
  }
  static std::string Delivered(uint64_t mailbox) {
    return "delivered " + SampleId<OrganisationId>(mailbox).hex();
  }
  void Commit(PostgresStore& store, Effects effects) {
    std::vector<Effects> batch = {std::move(effects)};
    EXPECT_TRUE(store.Commit(batch).ok());
  }
  // Ends the connections of both that listen, which then begin with a poll.
  void EndListening() {
    EXPECT_TRUE(Eventually([&] {
      return medium_
                 .Query(
                     "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = "
                     "current_database() AND application_name = 'waymark-hub' AND query LIKE "
                     "'%pg_notify%'")
                 .size() == 2;
    }));
  }
  static Effects Drop(uint64_t number) {
    Effects effects;
    effects.drop = {{SampleHash(number)}};
    return effects;
  }

  PostgresMedium medium_;
  Heard first_;
  Heard second_;
  std::unique_ptr<PostgresStore> one_;
  std::unique_ptr<PostgresStore> two_;
};

TEST_F(PostgresPeersTest, NewsOfOthersComeAtOnce) {
  Open(absl::Hours(1));
  EXPECT_TRUE(one_->shared());
  EXPECT_EQ(one_->epoch(), two_->epoch());
  Commit(*one_, SampleInquiry(1, 1));
  EXPECT_TRUE(second_.Await(Delivered(1)));
  Commit(*two_, Drop(4));
  EXPECT_TRUE(first_.Await("dropped " + SampleHash(4)));
  std::vector<StatementRow> rows = {SampleStatement("service/1", 1)};
  ASSERT_TRUE(one_->AppendStatements(rows, 0).ok());
  EXPECT_TRUE(second_.Await("statements"));
  const auto organisation = SampleId<OrganisationId>(1);
  const uint64_t earlier = one_->ClaimSession(organisation).value();
  const uint64_t later = two_->ClaimSession(organisation).value();
  EXPECT_LT(earlier, later);
  EXPECT_TRUE(first_.Await("session " + organisation.hex() + " " + std::to_string(later)));
  EXPECT_TRUE(second_.Await("session " + organisation.hex() + " " + std::to_string(earlier)));
  const std::vector<OfflineNotice> notices = {Notice(1), Notice(2)};
  ASSERT_TRUE(one_->SendNotices(notices).ok());
  EXPECT_TRUE(second_.Await(Text(1)));
  EXPECT_TRUE(second_.Await(Text(2)));
  EXPECT_FALSE(first_.Has(Delivered(1))) << "its own doing";
  EXPECT_FALSE(first_.Has(Text(1)));
}

// Who polls seldom is told whatever was stored while nobody else seemed to be there.
TEST_F(PostgresPeersTest, WhoIsBiddenToLookPolls) {
  Open(absl::Hours(1));
  medium_.Query("INSERT INTO waymark.mailbox VALUES ('\\x" + SampleId<OrganisationId>(8).hex() +
                "', 1, 0, 0, 0)");
  medium_.Query("NOTIFY waymark, 'look'");
  EXPECT_TRUE(first_.Await(Delivered(8)));
  EXPECT_TRUE(second_.Await(Delivered(8)));
}

// One store, and what a connection beside it hears.
class PostgresAloneTest : public ::testing::Test {
 protected:
  PostgresAloneTest()
      : listener_(*PgConnection::Connect({.url = medium_.url()})),
        store_(medium_.OpenAnother(absl::Milliseconds(5))) {
    EXPECT_TRUE(listener_->Execute("LISTEN waymark", kPgLimit).ok());
    // It knows by itself how a referral stands, and so has found itself alone.
    Commit(9);
    const StateKeys referral = {.referrals = {SampleId<ReferralId>(9)}, .may_assume = true};
    EXPECT_TRUE(Eventually([&] { return store_->Load(referral)->assumed; }));
  }

  // What is heard since the last call until `wanted` is.
  std::vector<std::string> Hear(const std::string& wanted) {
    std::vector<std::string> heard;
    EXPECT_TRUE(Eventually([&] {
      while (const auto news = listener_->NextNotification()) heard.emplace_back(news->extra);
      return std::find(heard.begin(), heard.end(), wanted) != heard.end();
    })) << wanted;
    return heard;
  }
  void Commit(uint64_t number) {
    std::vector<Effects> batch = {SampleInquiry(number, number)};
    EXPECT_TRUE(store_->Commit(batch).ok());
  }
  static std::string Text(uint64_t mailbox) {
    return "delivered " + SampleId<OrganisationId>(mailbox).hex();
  }

  PostgresMedium medium_;
  std::unique_ptr<PgConnection> listener_;
  std::unique_ptr<PostgresStore> store_;
};

TEST_F(PostgresAloneTest, ItTellsNobodyWhatItStores) {
  Commit(1);
  // Notices are told in any case, after what came before.
  ASSERT_TRUE(store_->SendNotices(std::vector<OfflineNotice>{{}}).ok());
  const std::string notice = "notices " + OrganisationId().hex() + " " + MessageId().hex();
  EXPECT_THAT(Hear(notice), ::testing::Not(::testing::Contains(Text(1))));
  EXPECT_FALSE(Hear("delivered").empty()) << "it says that it is there";
}

TEST_F(PostgresAloneTest, WhoComesIsBiddenToLookAndToldFromThenOn) {
  medium_.Query("NOTIFY waymark, 'delivered'");
  Hear("look");
  EXPECT_TRUE(Eventually([&] {
    medium_.Query("NOTIFY waymark, 'delivered'");
    Commit(2);
    const auto heard = Hear("delivered");
    return std::find(heard.begin(), heard.end(), Text(2)) != heard.end();
  }));
}

TEST_F(PostgresPeersTest, ManyMailboxesAreManyNotifications) {
  Open(absl::Hours(1));
  Effects effects;
  for (uint64_t i = 1; i <= 500; ++i) effects.deliver.push_back(SampleItem(i, i));
  Commit(*one_, effects);
  EXPECT_TRUE(Eventually([&] {
    const std::vector<std::string> heard = second_.all();
    const std::set<std::string> different(heard.begin(), heard.end());
    return std::count_if(different.begin(), different.end(), [](const std::string& news) {
             return news.rfind("delivered ", 0) == 0;
           }) == 500;
  }));
}

// A hub that dies between its commit and its notification has told nobody.
TEST_F(PostgresPeersTest, WhatWasNotToldIsFoundByPolling) {
  Open(absl::Milliseconds(20));
  Commit(*one_, SampleInquiry(1, 1));
  ASSERT_TRUE(second_.Await(Delivered(1)));
  second_.Forget();
  medium_.Query("UPDATE waymark.mailbox SET last = last + 1");
  EXPECT_TRUE(second_.Await(Delivered(1)));
  medium_.Query("INSERT INTO waymark.withdrawal (token_hash, written_at) VALUES ('token', 1)");
  EXPECT_TRUE(second_.Await("dropped token"));
  const auto organisation = SampleId<OrganisationId>(6);
  medium_.Query("INSERT INTO waymark.session VALUES ('\\x" + organisation.hex() + "', 1000)");
  EXPECT_TRUE(second_.Await("session " + organisation.hex() + " 1000"));
  medium_.Query("INSERT INTO waymark.statement VALUES (1, 9, '', '', 0, '', '', '')");
  EXPECT_TRUE(second_.Await("statements"));
}

// A poll that falls between a commit and what follows it may tell it; one that comes later does
// not.
TEST_F(PostgresPeersTest, OwnDoingIsNotPolled) {
  Open(absl::Hours(1));
  for (uint64_t i = 1; i <= 5; ++i) Commit(*one_, SampleInquiry(1, i));
  ASSERT_TRUE(second_.Await(Delivered(1)));
  medium_.Query("INSERT INTO waymark.withdrawal (token_hash, written_at) VALUES ('token', 1)");
  EndListening();
  ASSERT_TRUE(first_.Await("lost"));
  EXPECT_TRUE(first_.Has("dropped token")) << "there was a poll";
  EXPECT_FALSE(first_.Has(Delivered(1)));
}

TEST_F(PostgresPeersTest, ALostConnectionIsSaid) {
  Open(absl::Hours(1));
  EndListening();
  EXPECT_TRUE(first_.Await("lost"));
  EXPECT_TRUE(second_.Await("lost"));
  EXPECT_TRUE(Eventually([&] {
    Commit(*one_, SampleInquiry(3, 3 + first_.all().size()));
    return second_.Has(Delivered(3));
  }));
}

TEST_F(PostgresPeersTest, NobodyIsToldWithoutAListener) {
  Open(absl::Hours(1));
  two_->SetPeerListener(nullptr);
  Commit(*one_, SampleInquiry(1, 1));
  // What it says next comes after what it heard.
  ASSERT_TRUE(two_->SendNotices(std::vector<OfflineNotice>{Notice(7)}).ok());
  EXPECT_TRUE(first_.Await(Text(7)));
  EXPECT_THAT(second_.all(), IsEmpty());
}

TEST(PgNewsTest, TextsAreShortAndReadBack) {
  PgNews news{"notices", {}};
  for (int i = 0; i < 1000; ++i) news.words.push_back(SampleId<MessageId>(1000 + i).hex());
  std::vector<std::string> words;
  for (const std::string& text : NewsTexts(news, 2)) {
    EXPECT_LE(text.size(), kMaxNewsBytes);
    const PgNews read = NewsFromText(text);
    EXPECT_EQ(read.kind, "notices");
    EXPECT_EQ(read.words.size() % 2, 0u) << "what belongs together stays so";
    words.insert(words.end(), read.words.begin(), read.words.end());
  }
  EXPECT_EQ(words, news.words);
  EXPECT_THAT(NewsTexts({"statements", {}}), ElementsAre("statements"));
  EXPECT_THAT(NewsFromText("statements").words, SizeIs(0));
}

}  // namespace
}  // namespace waymark::hub
