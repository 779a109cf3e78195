// What is particular to the SQLite backend: the file, its guards and its traces.
#include "server/store/sqlite/sqlite_store.h"

#include <gmock/gmock.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "base/status/status.h"
#include "tests/server/store/sqlite_medium.h"
#include "tests/server/store_conformance/samples.h"
#include "tests/support/poll.h"

namespace waymark::hub {
namespace {

using testing::HasSubstr;

constexpr size_t kMany = 100000;
constexpr size_t kBytes = size_t{1} << 30;

class SqliteStoreTest : public testing::Test {
 protected:
  std::unique_ptr<Store> Open() {
    auto store = medium_.Open();
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }

  void WriteFile(const std::string& bytes) {
    std::ofstream(medium_.path(), std::ios::binary | std::ios::trunc) << bytes;
  }

  std::string ReadFile(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  // Everything in the store's folder.
  std::string Traces() {
    std::string bytes;
    for (const auto& entry : std::filesystem::directory_iterator(medium_.folder())) {
      bytes += ReadFile(entry.path());
    }
    return bytes;
  }

  void Execute(const std::string& sql) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(medium_.path().c_str(), &db), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(db);
  }

  // A store with something in every table.
  void Fill() {
    auto store = Open();
    std::vector<Effects> batch;
    for (uint64_t i = 0; i < 60; ++i) {
      batch.push_back(SampleInquiry(i % 3, i));
      batch.back().put_tokens = {SampleToken(i)};
    }
    ASSERT_TRUE(store->Commit(batch).ok());
    std::vector<StatementRow> rows = {SampleStatement("service/1", 1),
                                      SampleStatement("capacity/1", 1, true)};
    ASSERT_TRUE(store->AppendStatements(rows, 0).ok());
    ASSERT_TRUE(store->PutInvitation(SampleInvitation(1)).ok());
    ASSERT_TRUE(store->PutEnrolment(SampleEnrolment(1)).ok());
  }

  SqliteMedium medium_;
};

TEST_F(SqliteStoreTest, FilesAreTheOwnersAlone) {
  auto store = Open();
  std::vector<Effects> batch = {SampleInquiry(1, 1)};
  ASSERT_TRUE(store->Commit(batch).ok());
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(medium_.folder())) {
    struct stat status;
    ASSERT_EQ(stat(entry.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u) << entry.path();
    ++files;
  }
  EXPECT_GE(files, 3u) << "the database, its log and its lock";
}

TEST_F(SqliteStoreTest, IsOpenOnce) {
  auto store = Open();
  const auto second = medium_.Open();
  EXPECT_EQ(ReasonOf(second.status()), v1::REASON_UNAVAILABLE);
  EXPECT_THAT(std::string(second.status().message()), HasSubstr("another hub process"));
  store.reset();
  EXPECT_TRUE(medium_.Open().ok());
}

TEST_F(SqliteStoreTest, RefusesAFolderThatIsNotThere) {
  const auto store =
      SqliteStore::Open({.path = medium_.folder() + "/missing/hub.db", .random = &SystemRandom()});
  EXPECT_EQ(ReasonOf(store.status()), v1::REASON_FILE_UNUSABLE);
}

TEST_F(SqliteStoreTest, RefusesANewerSchema) {
  Open();
  Execute("PRAGMA user_version = 7");
  const auto store = medium_.Open();
  EXPECT_EQ(ReasonOf(store.status()), v1::REASON_VERSION_UNSUPPORTED);
  const std::string message(store.status().message());
  EXPECT_THAT(message, HasSubstr("version 7"));
  EXPECT_THAT(message, HasSubstr("version " + std::to_string(kSchemaVersion)));
  EXPECT_THAT(message, HasSubstr(medium_.path() + ".before-7"));
}

TEST_F(SqliteStoreTest, RefusesTheDatabaseOfAnotherProgram) {
  Execute("CREATE TABLE theirs (a)");
  EXPECT_EQ(ReasonOf(medium_.Open().status()), v1::REASON_FILE_UNUSABLE);
}

TEST_F(SqliteStoreTest, AFileThatIsNoDatabaseIsCorrupt) {
  WriteFile(std::string(100000, 'x'));
  EXPECT_EQ(ReasonOf(medium_.Open().status()), v1::REASON_DATA_CORRUPT);
}

TEST_F(SqliteStoreTest, ATruncatedFileIsCorrupt) {
  Fill();
  const std::string whole = ReadFile(medium_.path());
  for (size_t kept = 16384; kept < whole.size(); kept += 16384) {
    WriteFile(whole.substr(0, kept));
    EXPECT_EQ(ReasonOf(medium_.Open().status()), v1::REASON_DATA_CORRUPT) << kept << " bytes";
  }
}

// Reads everything that Fill wrote. Returns the first error; what is read without one is as it was
// written.
absl::Status ReadEverything(Store& store) {
  StateKeys keys;
  for (uint64_t i = 0; i < 60; ++i) {
    keys.token_hashes.push_back(SampleHash(i));
    keys.referrals.push_back(SampleId<ReferralId>(i));
    keys.messages.push_back(SampleId<MessageId>(i));
  }
  ASSIGN_OR_RETURN(const LoadedState state, store.Load(keys));
  EXPECT_EQ(state.tokens.size(), 60u);
  EXPECT_EQ(state.referrals.size(), 60u);
  EXPECT_EQ(state.seen.size(), 60u);
  for (uint64_t mailbox = 0; mailbox < 3; ++mailbox) {
    ASSIGN_OR_RETURN(const MailboxPage page,
                     store.ReadMailbox(SampleId<OrganisationId>(mailbox), MailboxView::kAll, 0,
                                       kMany, kBytes, SampleTime()));
    EXPECT_EQ(page.items.size(), 20u);
    for (size_t i = 0; i < page.items.size(); ++i) {
      MailboxItem expected = SampleItem(mailbox, 3 * i + mailbox);
      expected.sequence = page.items[i].sequence;
      EXPECT_EQ(page.items[i], expected);
    }
  }
  for (const bool capacity : {false, true}) {
    ASSIGN_OR_RETURN(const auto rows, store.ReadStatements(capacity, 0, kBytes));
    EXPECT_EQ(rows.size(), 1u);
    if (!rows.empty()) {
      EXPECT_EQ(rows[0].statement,
                SampleStatement(capacity ? "capacity/1" : "service/1", 1, capacity).statement);
    }
  }
  ASSIGN_OR_RETURN(const auto invitation, store.FindInvitation(SampleInvitation(1).hash));
  EXPECT_TRUE(invitation.has_value());
  if (invitation) {
    EXPECT_EQ(invitation->organisation, SampleInvitation(1).organisation);
  }
  ASSIGN_OR_RETURN(const auto enrolments, store.ListEnrolments(true));
  EXPECT_EQ(enrolments.size(), 1u);
  if (!enrolments.empty()) {
    EXPECT_EQ(enrolments[0].request, SampleEnrolment(1).request);
  }
  return absl::OkStatus();
}

TEST_F(SqliteStoreTest, AFlippedBitIsNeverServed) {
  Fill();
  const std::string whole = ReadFile(medium_.path());
  std::mt19937_64 random(20261122);
  int found = 0;
  for (int round = 0; round < 150; ++round) {
    const size_t byte = random() % whole.size();
    const int bit = static_cast<int>(random() % 8);
    SCOPED_TRACE("byte " + std::to_string(byte) + " bit " + std::to_string(bit));
    std::string flipped = whole;
    flipped[byte] = static_cast<char>(flipped[byte] ^ (1 << bit));
    WriteFile(flipped);
    auto store = medium_.Open();
    const absl::Status status = store.ok() ? ReadEverything(**store) : store.status();
    if (status.ok()) continue;
    ++found;
    // The header's own fields have errors of their own.
    if (byte >= 100) {
      EXPECT_EQ(ReasonOf(status), v1::REASON_DATA_CORRUPT) << status;
    }
  }
  EXPECT_GT(found, 40) << "a third of the file is rows, the rest is free";
}

TEST_F(SqliteStoreTest, AcknowledgedBytesAreGoneFromTheDisk) {
  constexpr char kCanary[] = "canary-of-a-sealed-box";
  auto store = Open();
  std::vector<Effects> batch(1);
  batch[0].deliver = {SampleItem(1, 1), SampleItem(1, 2)};
  for (int i = 0; i < 500; ++i) batch[0].deliver[0].message += kCanary;
  ASSERT_TRUE(store->Commit(batch).ok());
  EXPECT_THAT(Traces(), HasSubstr(kCanary));
  ASSERT_TRUE(
      store->Ack(SampleId<OrganisationId>(1), MailboxView::kAll, batch[0].deliver[0].sequence)
          .ok());
  // The store's own thread does it, in its own time.
  EXPECT_TRUE(Eventually([&] { return Traces().find(kCanary) == std::string::npos; }));
  const auto page = store->ReadMailbox(SampleId<OrganisationId>(1), MailboxView::kAll, 0, kMany,
                                       kBytes, SampleTime());
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(page->items.size(), 1u);
}

}  // namespace
}  // namespace waymark::hub
