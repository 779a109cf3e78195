// The way back from a copy of the store.
#include <gmock/gmock.h>
#include <sqlite3.h>

#include "base/status/status.h"
#include "server/store/sqlite/backup.h"
#include "tests/server/store/folder_fixture.h"

namespace waymark::hub {
namespace {

using testing::HasSubstr;

class RestoreTest : public StoreFolderTest {
 protected:
  // A copy of a full store, which goes on with one message more and is then closed.
  RestoreTest() {
    const auto store = OpenFullStore();
    content_ = RowsIn(path());
    epoch_ = store->epoch();
    EXPECT_TRUE(BackUp(path(), copy_).ok());
    std::vector<Effects> batch = {SampleInquiry(1, 1000)};
    EXPECT_TRUE(store->Commit(batch).ok());
  }

  static int64_t ItemsIn(const std::string& path) {
    const auto sight = VerifyStore(path);
    EXPECT_TRUE(sight.ok()) << sight.status();
    return sight.ok() ? sight->rows.at("item") : -1;
  }

  const std::string copy_ = In("copy");
  Rows content_;
  std::string epoch_;
};

TEST_F(RestoreTest, PutsACopyInPlaceOfAStoreThatIsLost) {
  std::filesystem::remove(path());
  const std::string copied = Bytes(copy_);
  const auto restored = Restore(copy_, path(), false);
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ(restored->aside, "");
  EXPECT_EQ(restored->sight.rows.at("item"), static_cast<int64_t>(kCount));
  EXPECT_EQ(ModeOf(path()), 0600U);
  EXPECT_EQ(Bytes(copy_), copied) << "the copy stays as it is";
  const auto sight = VerifyStore(path());
  ASSERT_TRUE(sight.ok()) << sight.status();
  EXPECT_FALSE(sight->summed) << "a store changes; a sum would not";
  EXPECT_EQ(RowsIn(path()), content_);
  const auto store = OpenStore();
  EXPECT_TRUE(store->restored_at().has_value());
  EXPECT_NE(store->epoch(), epoch_) << "nodes send again what they have no receipt for";
  EXPECT_FALSE(std::filesystem::exists(path() + ".part"));
}

TEST_F(RestoreTest, AStoreThatIsThereStaysUnlessItIsToBeReplaced) {
  const std::string before = Bytes(path());
  const auto refused = Restore(copy_, path(), false);
  EXPECT_EQ(ReasonOf(refused.status()), v1::REASON_EXISTS);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("--replace"));
  EXPECT_EQ(Bytes(path()), before);
  for (const char* number : {"1", "2"}) {
    const auto restored = Restore(copy_, path(), true);
    ASSERT_TRUE(restored.ok()) << restored.status();
    EXPECT_EQ(restored->aside, path() + ".replaced-" + number);
  }
  const int64_t count = kCount;
  EXPECT_EQ(ItemsIn(path() + ".replaced-1"), count + 1);
  EXPECT_EQ(ItemsIn(path() + ".replaced-2"), count);
  EXPECT_EQ(RowsIn(path()), content_);
}

TEST_F(RestoreTest, ALogThatAKilledHubLeftGoesAsideWithItsStore) {
  const std::string other = In("other.db");
  {
    const auto store = OpenStore();
    std::vector<Effects> batch = {SampleInquiry(1, 1001)};
    ASSERT_TRUE(store->Commit(batch).ok());
    CopyAsKilled(other);
  }
  const auto restored = Restore(copy_, other, true);
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ(ItemsIn(restored->aside), static_cast<int64_t>(kCount) + 2);
  EXPECT_FALSE(std::filesystem::exists(other + "-wal"));
  EXPECT_EQ(RowsIn(other), content_);
}

TEST_F(RestoreTest, ABrokenStoreIsKeptAsItIs) {
  WriteBytes(path(), "what is left of it");
  WriteBytes(path() + "-wal", "and of its log");
  const auto restored = Restore(copy_, path(), true);
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ(Bytes(restored->aside), "what is left of it");
  EXPECT_EQ(Bytes(restored->aside + "-wal"), "and of its log");
  EXPECT_FALSE(std::filesystem::exists(path() + "-wal"));
  EXPECT_EQ(RowsIn(path()), content_);
}

TEST_F(RestoreTest, NotWhileAHubRuns) {
  const auto store = OpenStore();
  const auto refused = Restore(copy_, path(), true);
  EXPECT_EQ(ReasonOf(refused.status()), v1::REASON_UNAVAILABLE);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("stop the hub"));
  EXPECT_FALSE(std::filesystem::exists(path() + ".replaced-1"));
}

TEST_F(RestoreTest, NotWhileSomebodyReadsTheStoreThatIsThere) {
  sqlite3* reader = nullptr;
  ASSERT_EQ(sqlite3_open(path().c_str(), &reader), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM item", nullptr, nullptr, nullptr),
            SQLITE_OK);
  EXPECT_EQ(ReasonOf(Restore(copy_, path(), true).status()), v1::REASON_UNAVAILABLE);
  sqlite3_close(reader);
  EXPECT_FALSE(std::filesystem::exists(path() + ".replaced-1"));
  EXPECT_EQ(ItemsIn(path()), static_cast<int64_t>(kCount) + 1);
}

TEST_F(RestoreTest, ABrokenCopyIsNotPutInPlace) {
  const std::string before = Bytes(path());
  std::string bytes = Bytes(copy_);
  bytes[bytes.size() / 2] ^= 1;
  WriteBytes(copy_, bytes);
  const auto refused = Restore(copy_, path(), true);
  EXPECT_EQ(ReasonOf(refused.status()), v1::REASON_DATA_CORRUPT);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr(copy_ + " is broken"));
  EXPECT_EQ(Bytes(path()), before);
  EXPECT_FALSE(std::filesystem::exists(path() + ".part"));
  EXPECT_FALSE(std::filesystem::exists(path() + ".replaced-1"));
}

TEST_F(RestoreTest, WhatIsNoCopyIsRefused) {
  EXPECT_EQ(ReasonOf(Restore(path(), path(), true).status()), v1::REASON_FIELD_INVALID);
  EXPECT_EQ(ReasonOf(Restore(In("missing"), path(), true).status()), v1::REASON_FILE_UNUSABLE);
  EXPECT_EQ(ReasonOf(Restore(copy_, In("nowhere/hub.db"), true).status()),
            v1::REASON_FILE_UNUSABLE);
}

TEST_F(RestoreTest, ASnapshotOfTheDiskBringsItsLog) {
  const std::string snapshot = In("snapshot");
  {
    const auto store = OpenStore();
    std::vector<Effects> batch = {SampleInquiry(1, 1001)};
    ASSERT_TRUE(store->Commit(batch).ok());
    CopyAsKilled(snapshot);
  }
  std::filesystem::remove(path());
  ASSERT_TRUE(Restore(snapshot, path(), false).ok());
  EXPECT_EQ(ItemsIn(path()), static_cast<int64_t>(kCount) + 2);
  EXPECT_TRUE(std::filesystem::exists(snapshot + "-wal")) << "the snapshot stays as it is";
}

}  // namespace
}  // namespace waymark::hub
