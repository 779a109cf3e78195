// A copy of the store, made beside a hub that goes on.
#include "server/store/sqlite/backup.h"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "base/status/status.h"
#include "server/store/sqlite/store_file.h"
#include "tests/server/store/folder_fixture.h"
#include "tests/support/poll.h"

namespace waymark::hub {
namespace {

using testing::HasSubstr;

class BackupTest : public StoreFolderTest {
 protected:
  const std::string copy_ = In("copy");
};

TEST_F(BackupTest, ACopyHoldsEverythingAndIsOneFileOfItsOwner) {
  const auto store = OpenFullStore();
  const auto sight = BackUp(path(), copy_);
  ASSERT_TRUE(sight.ok()) << sight.status();
  EXPECT_TRUE(sight->summed);
  EXPECT_EQ(sight->rows.at("item"), static_cast<int64_t>(kCount));
  EXPECT_EQ(ModeOf(copy_), 0600U);
  for (const char* beside : {".part", ".part-journal", "-wal", "-shm", "-journal"}) {
    EXPECT_FALSE(std::filesystem::exists(copy_ + beside)) << beside;
  }
  EXPECT_EQ(RowsIn(copy_), RowsIn(path())) << "the copy itself is a store";
  EXPECT_NE(OpenAt(copy_), nullptr);
}

TEST_F(BackupTest, OfAStoreThatNobodyServesToo) {
  OpenFullStore();
  const Rows rows = RowsIn(path());
  ASSERT_TRUE(BackUp(path(), copy_).ok());
  EXPECT_EQ(RowsIn(copy_), rows);
}

// How many inquiries a store holds: the first so many, each with all that it changed, or it is no
// moment of the hub.
uint64_t InquiriesIn(const StoreFolderTest::Rows& rows) {
  const std::vector<std::string>& items = rows.at("item");
  for (size_t i = 0; i < items.size(); ++i) {
    EXPECT_NE(items[i].find(SampleId<MessageId>(i).bytes()), std::string::npos);
  }
  EXPECT_EQ(rows.at("referral").size(), items.size());
  EXPECT_EQ(rows.at("seen").size(), items.size());
  return items.size();
}

TEST_F(BackupTest, IsAsOfOneMomentWhileTheHubCommits) {
  const auto store = OpenStore();
  std::atomic<uint64_t> begun = 0;
  std::atomic<uint64_t> committed = 0;
  std::atomic<bool> enough = false;
  std::thread hub([&] {
    while (!enough) {
      std::vector<Effects> batch = {SampleInquiry(1, begun++)};
      EXPECT_TRUE(store->Commit(batch).ok());
      ++committed;
    }
  });
  std::vector<std::pair<uint64_t, uint64_t>> bounds;
  for (uint64_t round = 0; round < 5; ++round) {
    EXPECT_TRUE(Eventually([&] { return committed >= (round + 1) * 20; }));
    const uint64_t before = committed;
    const auto sight = BackUp(path(), copy_ + std::to_string(round));
    EXPECT_TRUE(sight.ok()) << sight.status();
    bounds.emplace_back(before, begun);
  }
  enough = true;
  hub.join();
  for (size_t round = 0; round < bounds.size(); ++round) {
    const uint64_t held = InquiriesIn(RowsIn(copy_ + std::to_string(round)));
    EXPECT_GE(held, bounds[round].first) << "what was confirmed before is in it";
    EXPECT_LE(held, bounds[round].second);
  }
  EXPECT_EQ(InquiriesIn(RowsIn(path())), committed.load());
}

TEST_F(BackupTest, NothingIsOverwritten) {
  const auto store = OpenFullStore();
  WriteBytes(copy_, "yesterday's");
  const auto refused = BackUp(path(), copy_);
  EXPECT_EQ(ReasonOf(refused.status()), v1::REASON_EXISTS);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr(copy_));
  EXPECT_EQ(Bytes(copy_), "yesterday's");
  EXPECT_FALSE(std::filesystem::exists(copy_ + ".part"));
  EXPECT_EQ(ReasonOf(BackUp(path(), path()).status()), v1::REASON_EXISTS) << "nor the store";
}

TEST_F(BackupTest, AFileThatAppearsMeanwhileIsKept) {
  const auto copy = PartialFile::Begin(copy_);
  ASSERT_TRUE(copy.ok());
  WriteBytes(copy_, "another's");
  EXPECT_EQ(ReasonOf((*copy)->Place(PartialFile::Existing::kKept)), v1::REASON_EXISTS);
  EXPECT_EQ(Bytes(copy_), "another's");
}

TEST_F(BackupTest, WhatAnInterruptedOneLeftIsBegunAnew) {
  { const auto store = OpenFullStore(); }
  const pid_t child = fork();
  if (child == 0) {
    auto partial = PartialFile::Begin(copy_);
    if (partial.ok()) WriteBytes((*partial)->path(), std::string(100000, 'x'));
    _exit(partial.ok() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  EXPECT_TRUE(std::filesystem::exists(copy_ + ".part"));
  EXPECT_FALSE(std::filesystem::exists(copy_)) << "half of it passes for no copy";
  ASSERT_TRUE(BackUp(path(), copy_).ok());
  EXPECT_FALSE(std::filesystem::exists(copy_ + ".part"));
  EXPECT_TRUE(VerifyStore(copy_).ok());
}

TEST_F(BackupTest, TwoDoNotMakeTheSameFile) {
  const auto store = OpenFullStore();
  {
    const auto other = PartialFile::Begin(copy_);
    ASSERT_TRUE(other.ok());
    WriteBytes((*other)->path(), "other's");
    EXPECT_EQ(ReasonOf(BackUp(path(), copy_).status()), v1::REASON_UNAVAILABLE);
    EXPECT_EQ(Bytes((*other)->path()), "other's");
  }
  EXPECT_FALSE(std::filesystem::exists(copy_ + ".part")) << "what is not placed goes";
  EXPECT_TRUE(BackUp(path(), copy_).ok());
}

TEST_F(BackupTest, WithoutRoomNothingIsLeft) {
  const auto store = OpenFullStore();
  medium_.Refuse(Refusal::kFull);
  const auto refused = BackUp(path(), copy_);
  medium_.Refuse(Refusal::kNone);
  EXPECT_EQ(ReasonOf(refused.status()), v1::REASON_QUOTA_EXCEEDED) << refused.status();
  EXPECT_FALSE(std::filesystem::exists(copy_));
  EXPECT_FALSE(std::filesystem::exists(copy_ + ".part"));
}

TEST_F(BackupTest, OfABrokenStoreThereIsNone) {
  { const auto store = OpenFullStore(); }
  std::string bytes = Bytes(path());
  const size_t message = bytes.find(SampleItem(0, 3).message.substr(0, 100));
  ASSERT_NE(message, std::string::npos);
  bytes[message] ^= 1;
  WriteBytes(path(), bytes);
  const auto refused = BackUp(path(), copy_);
  EXPECT_EQ(ReasonOf(refused.status()), v1::REASON_DATA_CORRUPT);
  EXPECT_THAT(std::string(refused.status().message()),
              testing::AllOf(HasSubstr(path() + " is broken"), HasSubstr("table item")));
  EXPECT_FALSE(std::filesystem::exists(copy_));
}

TEST_F(BackupTest, WhatCannotBeCopiedIsSaid) {
  EXPECT_EQ(ReasonOf(BackUp(path(), copy_).status()), v1::REASON_FILE_UNUSABLE) << "no store";
  EXPECT_THAT(Files(), testing::IsEmpty()) << "and none was made";
  const auto store = OpenStore();
  EXPECT_EQ(ReasonOf(BackUp(path(), In("nowhere/copy")).status()), v1::REASON_FILE_UNUSABLE);
}

}  // namespace
}  // namespace waymark::hub
