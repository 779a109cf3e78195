// What is told from a store that is whole: everything else.
#include "server/store/sqlite/verify.h"

#include <gmock/gmock.h>
#include <sqlite3.h>

#include <algorithm>
#include <optional>
#include <random>

#include "base/status/status.h"
#include "base/time/clock.h"
#include "server/store/sqlite/backup.h"
#include "server/store/sqlite/schema.h"
#include "tests/server/store/folder_fixture.h"

namespace waymark::hub {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr size_t kPageSize = 16384;
// A copy ends with a mark and the sum after it.
constexpr size_t kSumSize = 48;

class VerifyTest : public StoreFolderTest {
 protected:
  // Makes hub.db, closed, and a copy of it.
  void MakeCopy() {
    const auto store = OpenFullStore();
    ASSERT_TRUE(BackUp(path(), copy_).ok());
  }

  static absl::Status Verify(const std::string& path) { return VerifyStore(path).status(); }

  static void Execute(const std::string& path, const std::string& sql) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(db);
  }

  const std::string copy_ = In("copy");
};

TEST_F(VerifyTest, SaysWhatACopyHolds) {
  MakeCopy();
  const auto sight = VerifyStore(copy_);
  ASSERT_TRUE(sight.ok()) << sight.status();
  EXPECT_EQ(sight->version, kSchemaVersion);
  EXPECT_TRUE(sight->summed);
  EXPECT_EQ(sight->bytes, static_cast<int64_t>(std::filesystem::file_size(copy_)));
  const auto count = static_cast<int64_t>(kCount);
  EXPECT_EQ(sight->rows, (std::map<std::string, int64_t>{{"meta", 1},
                                                         {"item", count},
                                                         {"told", count / 15},
                                                         {"token", count},
                                                         {"referral", count},
                                                         {"seen", count},
                                                         {"routing", count},
                                                         {"statement", 9},
                                                         {"invitation", 4},
                                                         {"enrolment", 4}}));
  EXPECT_EQ(sight->youngest, FloorMinute(SampleTime()) + absl::Minutes((count - 1) / 3));
}

TEST_F(VerifyTest, ChangesNothing) {
  MakeCopy();
  const std::string killed = In("killed");
  const auto store = OpenStore();
  std::vector<Effects> batch = {SampleInquiry(1, 1000)};
  ASSERT_TRUE(store->Commit(batch).ok());
  CopyAsKilled(killed);
  ASSERT_GT(std::filesystem::file_size(killed + "-wal"), 0U);
  const auto before = Files();
  EXPECT_TRUE(VerifyStore(copy_).ok());
  const auto sight = VerifyStore(killed);
  ASSERT_TRUE(sight.ok()) << sight.status();
  EXPECT_EQ(sight->rows.at("item"), static_cast<int64_t>(kCount) + 1) << "with its log";
  const auto after = Files();
  for (const std::string& file : {copy_, killed, killed + "-wal"}) {
    EXPECT_EQ(before.at(file), after.at(file)) << file;
  }
  EXPECT_EQ(before.size(), after.size());
}

TEST_F(VerifyTest, AStoreInUseIsNotLookedAt) {
  const auto store = OpenFullStore();
  const absl::Status refused = Verify(path());
  EXPECT_EQ(ReasonOf(refused), v1::REASON_UNAVAILABLE);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("waymark-hub backup"));
}

TEST_F(VerifyTest, AStoreThatWasClosedIsOneToo) {
  { const auto store = OpenFullStore(); }
  const auto sight = VerifyStore(path());
  ASSERT_TRUE(sight.ok()) << sight.status();
  EXPECT_FALSE(sight->summed) << "only copies have a sum";
}

TEST_F(VerifyTest, WhatIsNoStoreIsSaid) {
  EXPECT_EQ(ReasonOf(Verify(In("missing"))), v1::REASON_FILE_UNUSABLE);
  EXPECT_EQ(ReasonOf(Verify(medium_.folder())), v1::REASON_FILE_UNUSABLE);
  WriteBytes(In("empty"), "");
  EXPECT_EQ(ReasonOf(Verify(In("empty"))), v1::REASON_DATA_CORRUPT);
  WriteBytes(In("text"), std::string(100000, 'x'));
  EXPECT_EQ(ReasonOf(Verify(In("text"))), v1::REASON_FILE_UNUSABLE);
  Execute(In("theirs"), "CREATE TABLE theirs (a)");
  const absl::Status theirs = Verify(In("theirs"));
  EXPECT_EQ(ReasonOf(theirs), v1::REASON_FILE_UNUSABLE);
  EXPECT_THAT(std::string(theirs.message()), HasSubstr("another program"));
}

TEST_F(VerifyTest, ANewerSchemaIsSaid) {
  { const auto store = OpenFullStore(); }
  Execute(path(), "PRAGMA user_version = " + std::to_string(kSchemaVersion + 1));
  const absl::Status newer = Verify(path());
  EXPECT_EQ(ReasonOf(newer), v1::REASON_VERSION_UNSUPPORTED);
  EXPECT_THAT(std::string(newer.message()), HasSubstr(std::to_string(kSchemaVersion + 1)));
}

TEST_F(VerifyTest, OtherTablesAreNoStore) {
  { const auto store = OpenFullStore(); }
  Execute(path(), "CREATE TABLE more (a INTEGER) STRICT");
  EXPECT_EQ(ReasonOf(Verify(path())), v1::REASON_DATA_CORRUPT);
  Execute(path(), "DROP TABLE more; DROP INDEX statement_by_subject");
  EXPECT_EQ(ReasonOf(Verify(path())), v1::REASON_DATA_CORRUPT);
}

TEST_F(VerifyTest, ARowThatIsNotAsItWasWrittenIsNamed) {
  for (const char* table : {"meta", "item", "told", "token", "referral", "seen", "statement",
                            "invitation", "enrolment"}) {
    { const auto store = OpenFullStore(); }
    Execute(path(), std::string("UPDATE ") + table +
                        " SET sum = zeroblob(8) WHERE rowid = (SELECT "
                        "max(rowid) FROM " +
                        table + ")");
    const absl::Status broken = Verify(path());
    EXPECT_EQ(ReasonOf(broken), v1::REASON_DATA_CORRUPT) << table;
    EXPECT_THAT(std::string(broken.message()),
                AllOf(HasSubstr(path()), HasSubstr(std::string("table ") + table)));
    EXPECT_EQ(ReasonOf(medium_.Open().status()), v1::REASON_DATA_CORRUPT) << "a hub refuses it";
    std::filesystem::remove(path());
  }
}

TEST_F(VerifyTest, AMarkWithoutItsMessageIsNamed) {
  { const auto store = OpenFullStore(); }
  Execute(path(), "DELETE FROM item WHERE sequence = (SELECT max(sequence) FROM told)");
  EXPECT_THAT(std::string(Verify(path()).message()), HasSubstr("table told"));
}

TEST_F(VerifyTest, AMarkGoesWithItsMessage) {
  std::vector<Effects> batch = {SampleInquiry(1, 1), SampleInquiry(2, 2), SampleInquiry(3, 3)};
  for (Effects& effects : batch) effects.deliver.front().urgency = v1::URGENCY_U0;
  {
    const auto store = OpenStore();
    ASSERT_TRUE(store->Commit(batch).ok());
    ASSERT_EQ(store->TakeOfflineNotices(SampleTime() + absl::Hours(1), 9)->size(), 3U);
    const uint64_t sequence = batch[0].deliver.front().sequence;
    ASSERT_TRUE(store->Ack(SampleId<OrganisationId>(1), MailboxView::kAll, sequence).ok());
    std::vector<Effects> withdrawal(1);
    withdrawal.front().drop.push_back({SampleHash(2)});
    ASSERT_TRUE(store->Commit(withdrawal).ok());
  }
  const auto sight = VerifyStore(path());
  ASSERT_TRUE(sight.ok()) << sight.status();
  EXPECT_EQ(sight->rows.at("item"), 1);
  EXPECT_EQ(sight->rows.at("told"), 1);
}

TEST_F(VerifyTest, AFileThatEndsTooEarlyIsBroken) {
  MakeCopy();
  const std::string whole = Bytes(copy_);
  for (size_t kept = 1; kept < whole.size() - kSumSize; kept += kPageSize / 2) {
    WriteBytes(copy_, whole.substr(0, kept));
    EXPECT_FALSE(Verify(copy_).ok()) << kept << " of " << whole.size() << " bytes";
  }
}

// Every row of every table that rests on its own checksum, as SQLite reads it; nullopt when it
// does not.
std::optional<std::string> Dump(const std::string& path) {
  sqlite3* db = nullptr;
  const std::string uri = "file:" + path + "?mode=ro&immutable=1";
  std::string dump;
  bool fine = sqlite3_open_v2(uri.c_str(), &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, nullptr) ==
              SQLITE_OK;
  for (const char* table : {"meta", "item", "told", "token", "referral", "seen", "statement",
                            "invitation", "enrolment"}) {
    sqlite3_stmt* rows = nullptr;
    const std::string sql = std::string("SELECT * FROM ") + table + " ORDER BY 1";
    fine = fine && sqlite3_prepare_v2(db, sql.c_str(), -1, &rows, nullptr) == SQLITE_OK;
    int code = SQLITE_DONE;
    while (fine && (code = sqlite3_step(rows)) == SQLITE_ROW) {
      for (int column = 0; column < sqlite3_column_count(rows); ++column) {
        const auto* data = static_cast<const char*>(sqlite3_column_blob(rows, column));
        const auto size = static_cast<size_t>(sqlite3_column_bytes(rows, column));
        if (data != nullptr) dump.append(data, size);
        dump += '|';
      }
    }
    fine = fine && code == SQLITE_DONE;
    sqlite3_finalize(rows);
  }
  sqlite3_close(db);
  return fine ? std::optional(dump) : std::nullopt;
}

// Flips one bit of a file, and back at the end.
class Flip {
 public:
  Flip(const std::string& path, size_t byte, int bit)
      : file_(path, std::ios::in | std::ios::out | std::ios::binary), byte_(byte) {
    file_.seekg(static_cast<std::streamoff>(byte));
    was_ = static_cast<char>(file_.get());
    Put(static_cast<char>(was_ ^ (1 << bit)));
  }
  ~Flip() { Put(was_); }
  Flip(const Flip&) = delete;
  Flip& operator=(const Flip&) = delete;

 private:
  void Put(char byte) {
    file_.seekp(static_cast<std::streamoff>(byte_));
    file_.put(byte);
    file_.flush();
  }

  std::fstream file_;
  const size_t byte_;
  char was_ = 0;
};

struct Place {
  size_t byte = 0;
  int bit = 0;
};

// Every bit that says what is where: the heads of the file and of each page; and some anywhere.
std::vector<Place> PlacesIn(size_t size) {
  constexpr size_t kFileHead = 100;
  constexpr size_t kPageHead = 8;
  constexpr int kBits = 8;
  constexpr int kAnywhere = 600;
  std::vector<Place> places;
  for (size_t page = 0; page < size; page += kPageSize) {
    const size_t head = page == 0 ? kFileHead + kPageHead : kPageHead;
    for (size_t byte = page; byte < std::min(page + head, size); ++byte) {
      for (int bit = 0; bit < kBits; ++bit) places.push_back({byte, bit});
    }
  }
  std::mt19937_64 random(20261127);
  for (int i = 0; i < kAnywhere; ++i) {
    const size_t byte = std::uniform_int_distribution<size_t>(0, size - 1)(random);
    places.push_back({byte, static_cast<int>(random() % kBits)});
  }
  return places;
}

TEST_F(VerifyTest, AFlippedBitIsSaidOrChangesNothing) {
  { const auto store = OpenFullStore(); }
  const std::optional<std::string> whole = Dump(path());
  ASSERT_TRUE(whole.has_value());
  int said = 0;
  for (const auto& [byte, bit] : PlacesIn(std::filesystem::file_size(path()))) {
    const Flip flip(path(), byte, bit);
    if (!Verify(path()).ok()) {
      ++said;
    } else {
      EXPECT_EQ(Dump(path()), whole) << "byte " << byte << " bit " << bit;
    }
  }
  EXPECT_GT(said, 800);
  EXPECT_TRUE(Verify(path()).ok()) << "all were flipped back";
}

TEST_F(VerifyTest, AFlippedBitAnywhereInACopyIsSaid) {
  MakeCopy();
  const size_t size = std::filesystem::file_size(copy_);
  for (const auto& [byte, bit] : PlacesIn(size - kSumSize)) {
    const Flip flip(copy_, byte, bit);
    EXPECT_FALSE(Verify(copy_).ok()) << "byte " << byte << " bit " << bit;
  }
  for (size_t byte = size - kSumSize; byte < size; ++byte) {
    const Flip flip(copy_, byte, 3);
    const auto sight = VerifyStore(copy_);
    EXPECT_FALSE(sight.ok() && sight->summed) << "byte " << byte;
  }
}

}  // namespace
}  // namespace waymark::hub
