// What SQLite's writer sends to the disk: how often, and that what was put off is there in time.
#include "server/store/sqlite/joined_log.h"

#include <gmock/gmock.h>
#include <sqlite3.h>

#include <cstdint>
#include <string>

#include "base/status/status.h"
#include "server/store/sqlite/schema.h"
#include "server/store/sqlite/statement.h"
#include "server/store/sqlite/store_file.h"
#include "tests/server/store/folder_fixture.h"

namespace waymark::hub {
namespace {

// SQLite's own way to the disk, which counts what goes into a log.
struct Counted {
  int writes = 0;
  int syncs = 0;
  // Writes since the last sync.
  int unsynced = 0;
};
Counted counted;
sqlite3_vfs* real_vfs = nullptr;
const sqlite3_io_methods* real_methods = nullptr;
sqlite3_io_methods counting;

int CountedWrite(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
  ++counted.writes;
  ++counted.unsynced;
  return real_methods->xWrite(file, data, size, offset);
}

int CountedSync(sqlite3_file* file, int flags) {
  ++counted.syncs;
  counted.unsynced = 0;
  return real_methods->xSync(file, flags);
}

int CountedOpen(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  const int code = real_vfs->xOpen(real_vfs, name, file, flags, out_flags);
  if (code != SQLITE_OK || (flags & SQLITE_OPEN_WAL) == 0) return code;
  real_methods = file->pMethods;
  counting = *real_methods;
  counting.xWrite = CountedWrite;
  counting.xSync = CountedSync;
  file->pMethods = &counting;
  return code;
}

class JoinedLogTest : public StoreFolderTest {
 protected:
  JoinedLogTest() {
    real_vfs = sqlite3_vfs_find(nullptr);
    vfs_ = *real_vfs;
    vfs_.zName = "counting";
    vfs_.xOpen = CountedOpen;
    sqlite3_vfs_register(&vfs_, /*makeDflt=*/1);
    counted = {};
    EXPECT_TRUE(EnsurePrivateFile(path()).ok());
  }
  ~JoinedLogTest() override {
    sqlite3_vfs_unregister(&vfs_);
    sqlite3_vfs_register(real_vfs, /*makeDflt=*/1);
  }

  // A row of this many bytes.
  static void Insert(Connection& connection, size_t bytes) {
    auto insert = connection.Prepare("INSERT INTO t VALUES (?)");
    ASSERT_TRUE(insert.ok()) << insert.status();
    const std::string blob(bytes, 'b');
    ASSERT_TRUE(insert->Bind(blob).Run().ok());
  }
  static int64_t Count(Connection& connection) {
    auto count = connection.Prepare("SELECT count(*) FROM t");
    EXPECT_TRUE(count.ok() && count->Step().ok());
    return count->Int();
  }

  sqlite3_vfs vfs_ = {};
};

TEST_F(JoinedLogTest, ATransactionOfManyPagesIsWrittenInFewPiecesAndSyncedOnce) {
  constexpr size_t kPage = 16384;
  const auto writer = OpenWriter(path());
  ASSERT_TRUE(writer.ok()) << writer.status();
  ASSERT_TRUE((*writer)->Execute("CREATE TABLE t (x BLOB)").ok());
  counted = {};
  Insert(**writer, 40 * kPage);
  // 41 pages and more, each with a header, at most 128 KiB together.
  EXPECT_LE(counted.writes, 7);
  EXPECT_GE(counted.writes, 5);
  EXPECT_EQ(counted.syncs, 1);
  EXPECT_EQ(counted.unsynced, 0) << "nothing is shown that was not synced";
  counted = {};
  Insert(**writer, 10);
  EXPECT_EQ(counted.writes, 1);
  EXPECT_EQ(counted.syncs, 1);
}

TEST_F(JoinedLogTest, AnotherConnectionSeesWhatIsCommittedAndNothingElse) {
  const auto writer = OpenWriter(path());
  ASSERT_TRUE(writer.ok()) << writer.status();
  ASSERT_TRUE((*writer)->Execute("CREATE TABLE t (x BLOB)").ok());
  const auto reader = OpenReader(path());
  ASSERT_TRUE(reader.ok()) << reader.status();
  Insert(**writer, 100);
  EXPECT_EQ(Count(**reader), 1);
  ASSERT_TRUE((*writer)->Execute("BEGIN").ok());
  Insert(**writer, 100);
  EXPECT_EQ(Count(**reader), 1);
  EXPECT_EQ(Count(**writer), 2);
  ASSERT_TRUE((*writer)->Execute("COMMIT").ok());
  EXPECT_EQ(Count(**reader), 2);
}

TEST_F(JoinedLogTest, ATransactionBeyondTheCacheReadsItsOwnPagesBack) {
  constexpr int kRows = 400;
  const auto writer = OpenWriter(path());
  ASSERT_TRUE(writer.ok()) << writer.status();
  ASSERT_TRUE((*writer)->Execute("CREATE TABLE t (x BLOB); PRAGMA cache_size = 10").ok());
  ASSERT_TRUE((*writer)->Execute("BEGIN").ok());
  for (int row = 0; row < kRows; ++row) Insert(**writer, 5000);
  EXPECT_EQ(Count(**writer), kRows);
  ASSERT_TRUE((*writer)->Execute("UPDATE t SET x = x || 'more'").ok());
  ASSERT_TRUE((*writer)->Execute("COMMIT").ok());
  const auto reader = OpenReader(path());
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_EQ(Count(**reader), kRows);
  EXPECT_TRUE(CheckStructure(**reader).ok());
}

TEST_F(JoinedLogTest, AWriteThatFailsFailsItsTransactionAndNoOther) {
  const auto writer = OpenWriter(path());
  ASSERT_TRUE(writer.ok()) << writer.status();
  ASSERT_TRUE((*writer)->Execute("CREATE TABLE t (x BLOB)").ok());
  Insert(**writer, 100);
  medium_.Refuse(Refusal::kFull);
  const std::string blob(100'000, 'b');
  {
    auto insert = (*writer)->Prepare("INSERT INTO t VALUES (?)");
    ASSERT_TRUE(insert.ok());
    EXPECT_EQ(ReasonOf(insert->Bind(blob).Run()), v1::REASON_QUOTA_EXCEEDED);
  }
  medium_.Refuse(Refusal::kNone);
  EXPECT_EQ(Count(**writer), 1);
  Insert(**writer, 100);
  EXPECT_EQ(Count(**writer), 2);
  EXPECT_TRUE(CheckStructure(**writer).ok());
}

}  // namespace
}  // namespace waymark::hub
