#include "client/directory/log_tail.h"

#include "base/status/status.h"
#include "gmock/gmock.h"
#include "tests/client/vault/open_vault.h"

namespace waymark::node {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class LogTailTest : public ::testing::Test {
 protected:
  // A response with the entries from `first` to `last`, each with a statement of its own.
  static v1::WatchDirectoryResponse Response(uint64_t first, uint64_t last) {
    v1::WatchDirectoryResponse response;
    for (uint64_t revision = first; revision <= last; ++revision) {
      v1::DirectoryEntry& entry = *response.add_entries();
      entry.set_revision(revision);
      entry.mutable_statement()->set_statement("statement " + std::to_string(revision));
    }
    response.mutable_head()->set_revision(last);
    return response;
  }

  void Write(const v1::WatchDirectoryResponse& response) {
    const absl::Status written = vault_->Write(
        [&](Transaction& transaction) { return WriteLogTail(transaction, response); });
    ASSERT_TRUE(written.ok()) << written;
  }

  std::vector<uint64_t> Read(uint64_t revision, size_t most = 2 * kLogTailEntries) {
    std::vector<uint64_t> revisions;
    const absl::Status read = vault_->Read([&](const Reader& reader) {
      return VisitLogTail(reader, revision, [&](const v1::DirectoryEntry& entry) {
        EXPECT_EQ(entry.statement().statement(), "statement " + std::to_string(entry.revision()));
        revisions.push_back(entry.revision());
        return revisions.size() < most;
      });
    });
    EXPECT_TRUE(read.ok()) << read;
    return revisions;
  }

  VaultFolder folder_;
  std::unique_ptr<Vault> vault_ = folder_.Open();
};

TEST_F(LogTailTest, ReadsWhatFollowsARevision) {
  EXPECT_THAT(Read(0), IsEmpty());
  Write(Response(1, 3));
  Write(Response(4, 5));
  EXPECT_THAT(Read(2), ElementsAre(3, 4, 5));
  EXPECT_THAT(Read(2, 2), ElementsAre(3, 4));
  EXPECT_THAT(Read(5), IsEmpty());
}

TEST_F(LogTailTest, EndsAtAnEntryThatCameWithoutItsStatement) {
  v1::WatchDirectoryResponse response = Response(1, 4);
  response.mutable_entries(2)->clear_statement();
  Write(response);
  EXPECT_THAT(Read(0), ElementsAre(1, 2));
  EXPECT_THAT(Read(2), IsEmpty());
  EXPECT_THAT(Read(3), ElementsAre(4));
}

TEST_F(LogTailTest, KeepsAStatementThatIsNoLongerSent) {
  Write(Response(1, 3));
  v1::WatchDirectoryResponse again = Response(1, 3);
  again.mutable_entries(1)->clear_statement();
  Write(again);
  EXPECT_THAT(Read(0), ElementsAre(1, 2, 3));
}

TEST_F(LogTailTest, KeepsTheNewestInAsManyDocuments) {
  Write(Response(1, 10));
  Write(Response(11, kLogTailEntries + 7));
  EXPECT_THAT(Read(6), IsEmpty()) << "another has its place";
  EXPECT_THAT(Read(7), SizeIs(kLogTailEntries));
  const absl::Status counted = vault_->Read([&](const Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(const auto documents, reader.List(DocumentKind::kLogEntry));
    EXPECT_EQ(documents.size(), kLogTailEntries);
    return absl::OkStatus();
  });
  EXPECT_TRUE(counted.ok()) << counted;
}

TEST_F(LogTailTest, DoesNotWriteWhatANewerEntryOfTheSameResponseReplaces) {
  v1::WatchDirectoryResponse response = Response(1, 3);
  *response.mutable_entries() = Response(kLogTailEntries + 1, kLogTailEntries + 2).entries();
  response.mutable_entries()->MergeFrom(Response(1, 3).entries());
  response.mutable_head()->set_revision(kLogTailEntries + 2);
  Write(response);
  EXPECT_THAT(Read(kLogTailEntries), ElementsAre(kLogTailEntries + 1, kLogTailEntries + 2));
  EXPECT_THAT(Read(2), ElementsAre(3));
}

}  // namespace
}  // namespace waymark::node
