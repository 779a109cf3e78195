// What the vault tells of its documents' changes, and that it opens none to do so.
#include <sqlite3.h>

#include <memory>
#include <string>
#include <vector>

#include "base/status/status.h"
#include "client/vault/vault.h"
#include "gmock/gmock.h"
#include "tests/client/vault/open_vault.h"

namespace waymark::node {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class VaultChangesTest : public ::testing::Test {
 protected:
  void Put(const CaseId& id) {
    const absl::Status put = vault_->Write(
        [&](Transaction& t) { return t.Put(DocumentKind::kCase, id, {}, "content"); });
    EXPECT_TRUE(put.ok()) << put;
  }
  // The cases that have changed since the last look.
  std::vector<DocumentId> Changed() {
    DocumentChanges changes;
    const absl::Status read = vault_->Read([&](const Reader& r) -> absl::Status {
      ASSIGN_OR_RETURN(changes, r.ChangedSince(DocumentKind::kCase, mark_));
      return absl::OkStatus();
    });
    EXPECT_TRUE(read.ok()) << read;
    mark_ = changes.mark;
    return changes.ids;
  }
  // Runs statements on the closed vault's file behind its back.
  int Execute(const std::string& sql) {
    sqlite3* handle = nullptr;
    EXPECT_EQ(sqlite3_open(folder_.vault_path().c_str(), &handle), SQLITE_OK);
    const int code = sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr);
    EXPECT_EQ(sqlite3_close(handle), SQLITE_OK);
    return code;
  }

  VaultFolder folder_;
  std::unique_ptr<Vault> vault_ = folder_.Open();
  int64_t mark_ = 0;
  const CaseId first_ = CaseId::Generate(SystemRandom());
  const CaseId second_ = CaseId::Generate(SystemRandom());
};

TEST_F(VaultChangesTest, TellsWhatIsNewOrReplacedAndOpensNothing) {
  Put(first_);
  Put(second_);
  EXPECT_THAT(Changed(), ElementsAre(DocumentId(first_), DocumentId(second_)));
  EXPECT_THAT(Changed(), IsEmpty());
  Put(first_);
  Put(first_);
  EXPECT_THAT(Changed(), ElementsAre(DocumentId(first_))) << "once";
  EXPECT_EQ(vault_->records_opened(), 0);
  ASSERT_TRUE(
      vault_->Read([&](const Reader& r) { return r.Get(DocumentKind::kCase, first_).status(); })
          .ok());
  EXPECT_EQ(vault_->records_opened(), 1);
}

TEST_F(VaultChangesTest, ADocumentOfAnotherKindIsNotTold) {
  const absl::Status put = vault_->Write([&](Transaction& t) {
    return t.Put(DocumentKind::kNeed, NeedId::Generate(SystemRandom()), first_, "content");
  });
  EXPECT_TRUE(put.ok()) << put;
  EXPECT_THAT(Changed(), IsEmpty());
}

TEST_F(VaultChangesTest, AChangeThatFailedIsNone) {
  Put(first_);
  EXPECT_THAT(Changed(), ElementsAre(DocumentId(first_)));
  const absl::Status failed = vault_->Write([&](Transaction& t) -> absl::Status {
    RETURN_IF_ERROR(t.Put(DocumentKind::kCase, first_, {}, "never"));
    return Error(v1::REASON_INTERNAL, "after all not");
  });
  EXPECT_FALSE(failed.ok());
  EXPECT_THAT(Changed(), IsEmpty());
  Put(second_);
  EXPECT_THAT(Changed(), ElementsAre(DocumentId(second_)));
}

TEST_F(VaultChangesTest, TheMarkHoldsAfterDeletionsAndRestarts) {
  Put(first_);
  Put(second_);
  EXPECT_THAT(Changed(), ElementsAre(DocumentId(first_), DocumentId(second_)));
  // The newest, so that its number would be free again if numbers were.
  const absl::Status deleted =
      vault_->Write([&](Transaction& t) { return t.Delete(DocumentKind::kCase, second_); });
  EXPECT_TRUE(deleted.ok()) << deleted;
  vault_.reset();
  vault_ = folder_.Open();
  EXPECT_THAT(Changed(), IsEmpty());
  Put(first_);
  EXPECT_THAT(Changed(), ElementsAre(DocumentId(first_)));
}

TEST_F(VaultChangesTest, AVaultThatIsOlderThanTheIndexGetsIt) {
  Put(first_);
  vault_.reset();
  ASSERT_EQ(Execute("DROP INDEX documents_by_key"), SQLITE_OK);
  vault_ = folder_.Open();
  EXPECT_THAT(Changed(), ElementsAre(DocumentId(first_)));
  vault_.reset();
  EXPECT_EQ(Execute("DROP INDEX documents_by_key"), SQLITE_OK) << "it is there again";
}

}  // namespace
}  // namespace waymark::node
