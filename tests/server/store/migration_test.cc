// A store of an older schema is brought to a newer one, and the way back stays open. The newer
// schemas are made up.
#include "server/store/sqlite/migration.h"

#include <sys/stat.h>

#include <array>
#include <filesystem>

#include "base/random/random.h"
#include "base/status/status.h"
#include "gtest/gtest.h"
#include "server/store/sqlite/schema.h"
#include "server/store/sqlite/sqlite_store.h"
#include "tests/server/store/sqlite_medium.h"
#include "tests/server/store_conformance/samples.h"

namespace waymark::hub {
namespace {

constexpr MigrationStep kAddNote = {kSchemaVersion + 1, [](Connection& connection) {
                                      return connection.Execute(
                                          "CREATE TABLE note (row INTEGER PRIMARY KEY) STRICT;"
                                          "INSERT INTO note VALUES (7);");
                                    }};
constexpr MigrationStep kMoveNote = {kSchemaVersion + 2, [](Connection& connection) {
                                       return connection.Execute(
                                           "CREATE TABLE remark AS SELECT * FROM note;"
                                           "DROP TABLE note;");
                                     }};
constexpr MigrationStep kFails = {kSchemaVersion + 2, [](Connection& connection) {
                                    return connection.Execute("DROP TABLE item; DROP TABLE none;");
                                  }};

class MigrationTest : public testing::Test {
 protected:
  // A store of today, with mail in it, closed again.
  MigrationTest() {
    auto store = *medium_.Open();
    std::vector<Effects> batch = {SampleInquiry(1, 1), SampleInquiry(1, 2)};
    EXPECT_TRUE(store->Commit(batch).ok());
  }

  template <size_t kSize>
  absl::Status Run(const std::array<MigrationStep, kSize>& steps, int from = kSchemaVersion) {
    auto connection = OpenWriter(medium_.path());
    if (!connection.ok()) return connection.status();
    return Migrate(**connection, medium_.path(), from, steps);
  }

  static int64_t Number(const std::string& path, const char* sql) {
    auto connection = OpenReader(path);
    EXPECT_TRUE(connection.ok());
    auto query = (*connection)->Prepare(sql);
    if (!query.ok() || !query->Step().ok()) return -1;
    return query->Int();
  }
  int64_t Version() { return Number(medium_.path(), "PRAGMA user_version"); }

  SqliteMedium medium_;
};

TEST_F(MigrationTest, EveryStepIsTakenInOrder) {
  ASSERT_TRUE(Run(std::array{kAddNote, kMoveNote}).ok());
  EXPECT_EQ(Version(), kSchemaVersion + 2);
  EXPECT_EQ(Number(medium_.path(), "SELECT row FROM remark"), 7);
  EXPECT_EQ(Number(medium_.path(), "SELECT count(*) FROM item"), 2) << "the mail stays";
}

TEST_F(MigrationTest, StepsThatWereTakenAreNotTakenAgain) {
  ASSERT_TRUE(Run(std::array{kAddNote}).ok());
  ASSERT_TRUE(Run(std::array{kAddNote, kMoveNote}, kSchemaVersion + 1).ok());
  EXPECT_EQ(Version(), kSchemaVersion + 2);
  EXPECT_EQ(Number(medium_.path(), "SELECT row FROM remark"), 7);
}

TEST_F(MigrationTest, AStepThatFailsChangesNothing) {
  EXPECT_FALSE(Run(std::array{kAddNote, kFails}).ok());
  EXPECT_EQ(Version(), kSchemaVersion);
  EXPECT_EQ(Number(medium_.path(), "SELECT count(*) FROM sqlite_schema WHERE name = 'note'"), 0);
  EXPECT_EQ(Number(medium_.path(), "SELECT count(*) FROM item"), 2);
  EXPECT_TRUE(medium_.Open().ok()) << "the older program goes on";
}

TEST_F(MigrationTest, AGapBetweenTheStepsIsRefused) {
  EXPECT_EQ(ReasonOf(Run(std::array{kMoveNote})), v1::REASON_INTERNAL);
  EXPECT_EQ(Version(), kSchemaVersion);
}

TEST_F(MigrationTest, TheOlderProgramGoesOnFromTheCopy) {
  const std::string epoch = (*medium_.Open())->epoch();
  ASSERT_TRUE(Run(std::array{kAddNote, kMoveNote}).ok());
  EXPECT_EQ(ReasonOf(medium_.Open().status()), v1::REASON_VERSION_UNSUPPORTED)
      << "this program is the older one";
  const std::string copy = CopyBefore(medium_.path(), kSchemaVersion + 2);
  EXPECT_EQ(copy, medium_.path() + ".before-" + std::to_string(kSchemaVersion + 2));
  struct stat file = {};
  ASSERT_EQ(stat(copy.c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777, 0600U);
  EXPECT_EQ(Number(copy, "SELECT count(*) FROM item"), 2);

  std::filesystem::rename(copy, medium_.path());
  for (const char* beside : {"-wal", "-shm"}) std::filesystem::remove(medium_.path() + beside);
  const auto store = medium_.Open();
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_TRUE((*store)->restored_at().has_value());
  EXPECT_NE((*store)->epoch(), epoch) << "nodes submit again what they have no receipt for";
}

TEST_F(MigrationTest, ACopyOfAnEarlierAttemptIsReplaced) {
  EXPECT_FALSE(Run(std::array{kAddNote, kFails}).ok());
  const std::string copy = CopyBefore(medium_.path(), kSchemaVersion + 2);
  ASSERT_TRUE(std::filesystem::exists(copy));
  {
    auto store = *medium_.Open();
    std::vector<Effects> batch = {SampleInquiry(1, 3)};
    ASSERT_TRUE(store->Commit(batch).ok());
  }
  ASSERT_TRUE(Run(std::array{kAddNote, kMoveNote}).ok());
  EXPECT_EQ(Number(copy, "SELECT count(*) FROM item"), 3);
  EXPECT_FALSE(std::filesystem::exists(copy + ".part"));
}

TEST_F(MigrationTest, WithoutACopyNothingChanges) {
  std::filesystem::create_directory(CopyBefore(medium_.path(), kSchemaVersion + 1));
  EXPECT_EQ(ReasonOf(Run(std::array{kAddNote})), v1::REASON_FILE_UNUSABLE);
  EXPECT_FALSE(std::filesystem::exists(CopyBefore(medium_.path(), kSchemaVersion + 1) + ".part"));
  EXPECT_EQ(Version(), kSchemaVersion);
}

// Makes the store what version 2 wrote: it marked the urgent messages whose sender had not been
// told.
absl::Status ToSecondVersion(Connection& connection) {
  return connection.Execute(
      "CREATE TABLE urgent (sequence INTEGER PRIMARY KEY, stored_at INTEGER NOT NULL) STRICT;"
      "INSERT INTO urgent SELECT sequence, stored_at FROM item WHERE urgency <= 2 AND sequence NOT "
      "IN (SELECT sequence FROM told); DROP TABLE told; PRAGMA user_version = 2");
}

TEST_F(MigrationTest, WhoWasToldInTheSecondVersionIsNotToldAgain) {
  const absl::Time later = SampleTime() + absl::Hours(1);
  {
    const auto store = *medium_.Open();
    std::vector<Effects> batch = {SampleInquiry(1, 3), SampleInquiry(1, 4), SampleInquiry(1, 5)};
    for (Effects& effects : batch) effects.deliver.front().urgency = v1::URGENCY_U1;
    ASSERT_TRUE(store->Commit(batch).ok());
    ASSERT_EQ(store->TakeOfflineNotices(later, 1)->size(), 1U);
  }
  ASSERT_TRUE(ToSecondVersion(**OpenWriter(medium_.path())).ok());
  ASSERT_EQ(Number(medium_.path(), "SELECT count(*) FROM urgent"), 2);

  const auto store = medium_.Open();
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_EQ(Version(), kSchemaVersion);
  const auto notices = *(*store)->TakeOfflineNotices(later, 9);
  ASSERT_EQ(notices.size(), 2U);
  EXPECT_EQ(notices[0].message_id, SampleItem(1, 4).message_id);
  EXPECT_EQ(notices[1].message_id, SampleItem(1, 5).message_id);
}

// The store as version 1 wrote it: its identity had no moment of a restore.
TEST_F(MigrationTest, AStoreOfTheFirstVersionGoesOnAsItWas) {
  const std::string epoch = (*medium_.Open())->epoch();
  {
    auto connection = *OpenWriter(medium_.path());
    ASSERT_TRUE(ToSecondVersion(*connection).ok());
    auto read = *connection->Prepare("SELECT epoch, file_mark, reserved FROM meta");
    ASSERT_TRUE(*read.Step());
    const std::string stored = read.Bytes();
    const int64_t mark = read.Int();
    const int64_t reserved = read.Int();
    read.Reset();
    ASSERT_TRUE(connection
                    ->Execute("DROP TABLE meta; CREATE TABLE meta (id INTEGER PRIMARY KEY CHECK "
                              "(id = 1), epoch BLOB NOT NULL, file_mark INTEGER NOT NULL, "
                              "reserved INTEGER NOT NULL, sum BLOB NOT NULL) STRICT; PRAGMA "
                              "user_version = 1")
                    .ok());
    auto write = *connection->Prepare("INSERT INTO meta VALUES (1, ?, ?, ?, ?)");
    ASSERT_TRUE(write.Bind(stored).Bind(mark).Bind(reserved).BindSum().Run().ok());
  }
  {
    const auto store = medium_.Open();
    ASSERT_TRUE(store.ok()) << store.status();
    EXPECT_EQ((*store)->epoch(), epoch);
    EXPECT_EQ((*store)->restored_at(), std::nullopt);
  }
  EXPECT_EQ(Version(), kSchemaVersion);
  EXPECT_TRUE(std::filesystem::exists(CopyBefore(medium_.path(), kSchemaVersion)));
}

}  // namespace
}  // namespace waymark::hub
