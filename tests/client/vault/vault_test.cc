#include "client/vault/vault.h"

#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/status/status.h"
#include "gmock/gmock.h"
#include "tests/client/vault/open_vault.h"

namespace waymark::node {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kCanary[] = "CANARY-label-orchid-7741";

std::string FileContent(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

bool FolderContains(const std::string& folder, std::string_view bytes) {
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (FileContent(entry.path().string()).find(bytes) != std::string::npos) return true;
  }
  return false;
}

// Runs one statement on the closed vault's file behind its back, with `blobs` as parameters;
// returns the first column of the last row.
std::string Tamper(const std::string& path, const std::string& sql,
                   const std::vector<std::string>& blobs = {}) {
  sqlite3* handle = nullptr;
  EXPECT_EQ(sqlite3_open(path.c_str(), &handle), SQLITE_OK);
  sqlite3_stmt* statement = nullptr;
  EXPECT_EQ(sqlite3_prepare_v2(handle, sql.c_str(), -1, &statement, nullptr), SQLITE_OK)
      << sqlite3_errmsg(handle);
  for (size_t i = 0; i < blobs.size(); ++i) {
    sqlite3_bind_blob(statement, static_cast<int>(i + 1), blobs[i].data(),
                      static_cast<int>(blobs[i].size()), SQLITE_STATIC);
  }
  std::string column;
  while (sqlite3_step(statement) == SQLITE_ROW) {
    column.assign(static_cast<const char*>(sqlite3_column_blob(statement, 0)),
                  static_cast<size_t>(sqlite3_column_bytes(statement, 0)));
  }
  EXPECT_EQ(sqlite3_finalize(statement), SQLITE_OK);
  EXPECT_EQ(sqlite3_close(handle), SQLITE_OK);
  return column;
}

class VaultTest : public ::testing::Test {
 protected:
  VaultTest() : vault_(folder_.Open()) {}

  void Reopen() {
    vault_.reset();
    vault_ = folder_.Open();
  }

  absl::Status PutCase(const CaseId& id, std::string_view content) {
    return vault_->Write(
        [&](Transaction& t) { return t.Put(DocumentKind::kCase, id, {}, content); });
  }

  absl::StatusOr<std::string> GetCase(const CaseId& id) {
    std::string content;
    const absl::Status status = vault_->Read([&](const Reader& r) -> absl::Status {
      ASSIGN_OR_RETURN(const SecretBytes bytes, r.Get(DocumentKind::kCase, id));
      content = bytes.view();
      return absl::OkStatus();
    });
    if (!status.ok()) return status;
    return content;
  }

  absl::Status PutSection(const ReferralId& referral, int32_t section, int32_t index,
                          std::string_view content) {
    return vault_->Write([&](Transaction& t) {
      SectionRecord record{section, index, v1::STAGE_INQUIRY, SecretBytes::CopyOf(content)};
      return t.PutSection(referral, SectionDirection::kReceived, record);
    });
  }

  std::vector<std::string> Sections(const ReferralId& referral, SectionDirection direction) {
    std::vector<std::string> contents;
    EXPECT_TRUE(vault_
                    ->Read([&](const Reader& r) -> absl::Status {
                      ASSIGN_OR_RETURN(const std::vector<SectionRecord> sections,
                                       r.ReadSections(referral, direction));
                      for (const SectionRecord& section : sections) {
                        contents.push_back(std::to_string(section.section) + "." +
                                           std::to_string(section.index) + "=" +
                                           std::string(section.content.view()));
                      }
                      return absl::OkStatus();
                    })
                    .ok());
    return contents;
  }

  VaultFolder folder_;
  std::unique_ptr<Vault> vault_;
  CaseId case_ = CaseId::Generate(SystemRandom());
};

TEST_F(VaultTest, FindsTheParentOfADocumentWithoutOpeningIt) {
  const auto message = MessageId::Generate(SystemRandom());
  const auto referral = ReferralId::Generate(SystemRandom());
  const auto parent_of = [&](const DocumentId& id) {
    absl::StatusOr<DocumentId> parent;
    (void)vault_->Read([&](const Reader& r) -> absl::Status {
      parent = r.ParentOf(DocumentKind::kSentMessage, id);
      return absl::OkStatus();
    });
    return parent;
  };
  ASSERT_TRUE(vault_
                  ->Write([&](Transaction& t) -> absl::Status {
                    RETURN_IF_ERROR(t.Put(DocumentKind::kSentMessage, message, referral, ""));
                    return t.Put(DocumentKind::kSentMessage, case_, {}, "");
                  })
                  .ok());
  Reopen();
  ASSERT_TRUE(parent_of(message).ok());
  EXPECT_EQ(parent_of(message)->As<ReferralId>(), referral);
  EXPECT_TRUE(parent_of(case_)->empty());
  EXPECT_EQ(ReasonOf(parent_of(referral).status()), v1::REASON_NOT_FOUND);
}

TEST_F(VaultTest, KeepsDocumentsAcrossReopening) {
  ASSERT_TRUE(PutCase(case_, "first").ok());
  ASSERT_TRUE(PutCase(case_, "second").ok());
  Reopen();
  EXPECT_EQ(*GetCase(case_), "second");
}

TEST_F(VaultTest, NamesWhatIsMissing) {
  EXPECT_EQ(ReasonOf(GetCase(case_).status()), v1::REASON_NOT_FOUND);
}

TEST_F(VaultTest, ListsChildrenInTheOrderOfTheirMaking) {
  const NeedId first = NeedId::Generate(SystemRandom());
  const NeedId second = NeedId::Generate(SystemRandom());
  ASSERT_TRUE(vault_
                  ->Write([&](Transaction& t) -> absl::Status {
                    RETURN_IF_ERROR(t.Put(DocumentKind::kNeed, first, case_, "1"));
                    RETURN_IF_ERROR(t.Put(DocumentKind::kNeed, second, case_, "2"));
                    RETURN_IF_ERROR(t.Put(DocumentKind::kNeed, NeedId::Generate(SystemRandom()),
                                          CaseId::Generate(SystemRandom()), "3"));
                    return t.Put(DocumentKind::kNeed, first, case_, "1 again");
                  })
                  .ok());
  ASSERT_TRUE(vault_
                  ->Read([&](const Reader& r) -> absl::Status {
                    ASSIGN_OR_RETURN(const std::vector<Document> needs,
                                     r.List(DocumentKind::kNeed, case_));
                    EXPECT_THAT(needs, SizeIs(2));
                    EXPECT_EQ(needs.at(0).id.As<NeedId>(), first);
                    EXPECT_EQ(needs.at(0).parent.As<CaseId>(), case_);
                    EXPECT_EQ(needs.at(0).content.view(), "1 again");
                    EXPECT_EQ(needs.at(1).id.As<NeedId>(), second);
                    ASSIGN_OR_RETURN(const std::vector<Document> all, r.List(DocumentKind::kNeed));
                    EXPECT_THAT(all, SizeIs(3));
                    return absl::OkStatus();
                  })
                  .ok());
}

TEST_F(VaultTest, RefusesToMoveADocumentToAnotherParent) {
  const NeedId need = NeedId::Generate(SystemRandom());
  const auto put = [&](const CaseId& parent) {
    return vault_->Write(
        [&](Transaction& t) { return t.Put(DocumentKind::kNeed, need, parent, "x"); });
  };
  ASSERT_TRUE(put(case_).ok());
  EXPECT_EQ(ReasonOf(put(CaseId::Generate(SystemRandom()))), v1::REASON_FIELD_INVALID);
}

TEST_F(VaultTest, RollsBackEverythingWhenTheChangeFails) {
  ASSERT_TRUE(PutCase(case_, "before").ok());
  const absl::Status status = vault_->Write([&](Transaction& t) -> absl::Status {
    RETURN_IF_ERROR(t.Put(DocumentKind::kCase, case_, {}, "after"));
    RETURN_IF_ERROR(t.PutSetting("name", "after"));
    RETURN_IF_ERROR(t.AppendInbox("after", absl::UnixEpoch()).status());
    return Error(v1::REASON_STATE_FORBIDS, "test");
  });
  EXPECT_EQ(ReasonOf(status), v1::REASON_STATE_FORBIDS);
  EXPECT_EQ(*GetCase(case_), "before");
  ASSERT_TRUE(vault_
                  ->Read([](const Reader& r) -> absl::Status {
                    ASSIGN_OR_RETURN(const std::optional<SecretBytes> setting,
                                     r.GetSetting("name"));
                    EXPECT_FALSE(setting.has_value());
                    EXPECT_EQ(*r.CountInbox(), 0);
                    return absl::OkStatus();
                  })
                  .ok());
}

TEST_F(VaultTest, KeepsSettings) {
  ASSERT_TRUE(vault_
                  ->Write([](Transaction& t) -> absl::Status {
                    RETURN_IF_ERROR(t.PutSetting("kept", "1"));
                    RETURN_IF_ERROR(t.PutSetting("kept", "2"));
                    RETURN_IF_ERROR(t.PutSetting("dropped", "3"));
                    return t.DeleteSetting("dropped");
                  })
                  .ok());
  Reopen();
  ASSERT_TRUE(vault_
                  ->Read([](const Reader& r) -> absl::Status {
                    EXPECT_EQ((*r.GetSetting("kept"))->view(), "2");
                    EXPECT_FALSE(r.GetSetting("dropped")->has_value());
                    return absl::OkStatus();
                  })
                  .ok());
  EXPECT_FALSE(
      vault_->Write([](Transaction& t) { return t.PutSetting("A person's name", ""); }).ok());
}

TEST_F(VaultTest, ReadsSectionsInOrderAndByDirection) {
  const ReferralId referral = ReferralId::Generate(SystemRandom());
  ASSERT_TRUE(PutSection(referral, 14, 1, "second").ok());
  ASSERT_TRUE(PutSection(referral, 14, 0, "first").ok());
  ASSERT_TRUE(PutSection(referral, 2, 0, "old").ok());
  ASSERT_TRUE(PutSection(referral, 2, 0, "new").ok());
  ASSERT_TRUE(PutSection(ReferralId::Generate(SystemRandom()), 2, 0, "other referral").ok());
  EXPECT_THAT(Sections(referral, SectionDirection::kReceived),
              ElementsAre("2.0=new", "14.0=first", "14.1=second"));
  EXPECT_THAT(Sections(referral, SectionDirection::kSent), IsEmpty());
}

TEST_F(VaultTest, ErasesNamedSectionsOrAll) {
  const ReferralId referral = ReferralId::Generate(SystemRandom());
  ASSERT_TRUE(PutSection(referral, 2, 0, "need").ok());
  ASSERT_TRUE(PutSection(referral, 14, 0, "one").ok());
  ASSERT_TRUE(PutSection(referral, 14, 1, "two").ok());
  const auto erase = [&](const std::vector<int32_t>& sections) {
    int erased = 0;
    EXPECT_TRUE(vault_
                    ->Write([&](Transaction& t) -> absl::Status {
                      ASSIGN_OR_RETURN(erased, t.EraseSections(referral, sections));
                      return absl::OkStatus();
                    })
                    .ok());
    return erased;
  };
  EXPECT_EQ(erase({14}), 2);
  EXPECT_THAT(Sections(referral, SectionDirection::kReceived), ElementsAre("2.0=need"));
  EXPECT_EQ(erase({}), 1);
  EXPECT_THAT(Sections(referral, SectionDirection::kReceived), IsEmpty());
}

TEST_F(VaultTest, NoFileHoldsWhatWasStored) {
  const ReferralId referral = ReferralId::Generate(SystemRandom());
  ASSERT_TRUE(PutCase(case_, kCanary).ok());
  ASSERT_TRUE(PutSection(referral, 3, 0, kCanary).ok());
  ASSERT_TRUE(vault_
                  ->Write([&](Transaction& t) -> absl::Status {
                    RETURN_IF_ERROR(t.PutSetting("setting", kCanary));
                    RETURN_IF_ERROR(t.AppendInbox(kCanary, absl::UnixEpoch()).status());
                    OutboxEntry entry;
                    entry.item_id = std::string(16, 'i');
                    entry.referral = referral;
                    entry.submission = kCanary;
                    return t.AppendOutbox(entry);
                  })
                  .ok());
  EXPECT_FALSE(FolderContains(folder_.data_path(), kCanary)) << "while open";
  vault_.reset();
  EXPECT_FALSE(FolderContains(folder_.data_path(), kCanary)) << "after closing";
  vault_ = folder_.Open();
  EXPECT_EQ(*GetCase(case_), kCanary);
}

TEST_F(VaultTest, NoFileTellsWhichSectionsAReferralHas) {
  const ReferralId first = ReferralId::Generate(SystemRandom());
  ASSERT_TRUE(PutSection(first, 12, 0, "health").ok());
  vault_.reset();
  const std::string box = Tamper(folder_.vault_path(), "SELECT box FROM sections");
  const std::string name = Tamper(folder_.vault_path(), "SELECT name FROM sections");
  EXPECT_EQ(name.size(), 16u);
  EXPECT_EQ(box.size(), 24 + 6 + 28u) << "number, index and stage are inside the box";
}

TEST_F(VaultTest, FilesAreForTheOwnerAlone) {
  ASSERT_TRUE(PutCase(case_, "x").ok());
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.data_path())) {
    struct stat info;
    ASSERT_EQ(stat(entry.path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u) << entry.path();
    ++files;
  }
  EXPECT_GE(files, 2);
}

TEST_F(VaultTest, AnotherMasterKeyIsRecognised) {
  vault_.reset();
  VaultFolder other;
  absl::StatusOr<MasterKey> key = MasterKey::FromFile(other.key_path());
  ASSERT_TRUE(key.ok());
  EXPECT_EQ(ReasonOf(Vault::Open({folder_.vault_path(), {}}, *key, SystemRandom()).status()),
            v1::REASON_VAULT_LOCKED);
}

TEST_F(VaultTest, ASecondProcessIsRefused) {
  EXPECT_EQ(ReasonOf(folder_.TryOpen().status()), v1::REASON_FILE_UNUSABLE);
}

TEST_F(VaultTest, ANewerSchemaIsRefused) {
  vault_.reset();
  Tamper(folder_.vault_path(), "PRAGMA user_version = 99");
  EXPECT_EQ(ReasonOf(folder_.TryOpen().status()), v1::REASON_VERSION_UNSUPPORTED);
}

TEST_F(VaultTest, AFileThatIsNoVaultIsRefused) {
  VaultFolder other;
  std::ofstream(other.vault_path()) << std::string(8192, 'x');
  EXPECT_EQ(ReasonOf(other.TryOpen().status()), v1::REASON_DATA_CORRUPT);
}

TEST_F(VaultTest, SwappedRowsDoNotOpen) {
  const CaseId other = CaseId::Generate(SystemRandom());
  ASSERT_TRUE(PutCase(case_, "one").ok());
  ASSERT_TRUE(PutCase(other, "two").ok());
  vault_.reset();
  Tamper(folder_.vault_path(),
         "UPDATE documents SET box = (SELECT box FROM documents WHERE number = 2), "
         "key = (SELECT key FROM documents WHERE number = 2) WHERE number = 1");
  vault_ = folder_.Open();
  EXPECT_EQ(ReasonOf(GetCase(case_).status()), v1::REASON_DATA_CORRUPT);
  EXPECT_EQ(*GetCase(other), "two");
}

TEST_F(VaultTest, ADocumentOfAnotherKindDoesNotOpen) {
  ASSERT_TRUE(PutCase(case_, "one").ok());
  vault_.reset();
  Tamper(folder_.vault_path(),
         "UPDATE documents SET kind = " + std::to_string(static_cast<int>(DocumentKind::kNeed)) +
             " WHERE number = 1");
  vault_ = folder_.Open();
  EXPECT_EQ(ReasonOf(vault_->Read(
                [&](const Reader& r) { return r.Get(DocumentKind::kNeed, case_).status(); })),
            v1::REASON_DATA_CORRUPT);
}

TEST_F(VaultTest, AChangedBoxDoesNotOpen) {
  ASSERT_TRUE(PutCase(case_, "one").ok());
  vault_.reset();
  Tamper(folder_.vault_path(), "UPDATE documents SET box = box || x'00'");
  vault_ = folder_.Open();
  EXPECT_EQ(ReasonOf(GetCase(case_).status()), v1::REASON_DATA_CORRUPT);
}

TEST_F(VaultTest, AnErasedSectionStaysClosedEvenWithACopyOfItsRow) {
  const ReferralId referral = ReferralId::Generate(SystemRandom());
  ASSERT_TRUE(PutSection(referral, 12, 0, "health").ok());
  vault_.reset();
  const std::string path = folder_.vault_path();
  const std::string name = Tamper(path, "SELECT name FROM sections");
  const std::string key = Tamper(path, "SELECT key FROM sections");
  const std::string box = Tamper(path, "SELECT box FROM sections");
  const std::string wrapped = Tamper(path, "SELECT wrapped FROM keys WHERE number = " + key);
  ASSERT_TRUE(FolderContains(folder_.data_path(), wrapped));

  vault_ = folder_.Open();
  ASSERT_TRUE(
      vault_->Write([&](Transaction& t) { return t.EraseSections(referral).status(); }).ok());
  EXPECT_FALSE(FolderContains(folder_.data_path(), wrapped)) << "the key is still in a file";
  EXPECT_FALSE(FolderContains(folder_.data_path(), box)) << "the box is still in a file";

  vault_.reset();
  Tamper(
      path,
      "INSERT INTO sections (name, referral, direction, key, box) VALUES (?, ?, 1, " + key + ", ?)",
      {name, referral.bytes(), box});
  vault_ = folder_.Open();
  EXPECT_EQ(ReasonOf(vault_->Read([&](const Reader& r) {
              return r.ReadSections(referral, SectionDirection::kReceived).status();
            })),
            v1::REASON_DATA_CORRUPT);
}

TEST_F(VaultTest, AReplacedDocumentsOldContentIsGone) {
  ASSERT_TRUE(PutCase(case_, "old").ok());
  vault_.reset();
  const std::string old_key = Tamper(folder_.vault_path(), "SELECT key FROM documents");
  const std::string old_box = Tamper(folder_.vault_path(), "SELECT box FROM documents");
  vault_ = folder_.Open();
  ASSERT_TRUE(PutCase(case_, "new").ok());
  vault_.reset();
  Tamper(folder_.vault_path(), "UPDATE documents SET box = ?, key = " + old_key, {old_box});
  vault_ = folder_.Open();
  EXPECT_EQ(ReasonOf(GetCase(case_).status()), v1::REASON_DATA_CORRUPT);
}

// A child writes and reports each confirmed write through a pipe until it is killed.
TEST_F(VaultTest, AKilledProcessKeepsWhatWasConfirmed) {
  vault_.reset();
  int pipes[2];
  ASSERT_EQ(pipe(pipes), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const std::unique_ptr<Vault> vault = folder_.Open();
    for (uint32_t i = 0;; ++i) {
      const absl::Status status = vault->Write([i](Transaction& t) -> absl::Status {
        RETURN_IF_ERROR(t.AppendInbox("message " + std::to_string(i), absl::UnixEpoch()).status());
        return t.SetPosition({std::string(16, 'e'), i + 1});
      });
      if (!status.ok() || write(pipes[1], &i, sizeof(i)) != sizeof(i)) _exit(1);
    }
  }
  close(pipes[1]);
  uint32_t confirmed = 0;
  while (confirmed < 50 && read(pipes[0], &confirmed, sizeof(confirmed)) == sizeof(confirmed)) {
  }
  ASSERT_EQ(kill(child, SIGKILL), 0);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  // What the child confirmed before it died, the rest of the pipe included.
  while (read(pipes[0], &confirmed, sizeof(confirmed)) == sizeof(confirmed)) {
  }
  close(pipes[0]);

  vault_ = folder_.Open();
  ASSERT_TRUE(vault_
                  ->Read([&](const Reader& r) -> absl::Status {
                    ASSIGN_OR_RETURN(const std::vector<InboxItem> items, r.NextInbox(0, 100000));
                    EXPECT_GE(items.size(), confirmed + 1u);
                    ASSIGN_OR_RETURN(const MailboxPosition position, r.Position());
                    EXPECT_EQ(position.cursor, items.size()) << "rows and cursor moved together";
                    for (size_t i = 0; i < items.size(); ++i) {
                      EXPECT_EQ(items[i].message, "message " + std::to_string(i));
                    }
                    return absl::OkStatus();
                  })
                  .ok());
}

TEST(MasterKeyTest, FilesAreCheckedBeforeUse) {
  TempFolder folder;
  const std::string path = folder.File("key");
  ASSERT_TRUE(MasterKey::CreateFile(path, SystemRandom()).ok());
  EXPECT_EQ(ReasonOf(MasterKey::CreateFile(path, SystemRandom())), v1::REASON_EXISTS);
  EXPECT_TRUE(MasterKey::FromFile(path).ok());
  ASSERT_EQ(chmod(path.c_str(), 0640), 0);
  EXPECT_EQ(ReasonOf(MasterKey::FromFile(path).status()), v1::REASON_FILE_UNUSABLE);
  EXPECT_TRUE(MasterKey::FromCredential(folder.path(), "key").ok());
  EXPECT_EQ(ReasonOf(MasterKey::FromCredential(folder.path(), "absent").status()),
            v1::REASON_FILE_UNUSABLE);
  std::ofstream(folder.File("short")) << "0123";
  EXPECT_EQ(ReasonOf(MasterKey::FromCredential(folder.path(), "short").status()),
            v1::REASON_FILE_UNUSABLE);
}

TEST(MasterKeyTest, APassphraseOpensItsVaultAtTheStoredCost) {
  TempFolder folder;
  const auto open = [&](std::string_view passphrase, uint64_t n) -> absl::Status {
    ASSIGN_OR_RETURN(const MasterKey key,
                     MasterKey::FromPassphrase(SecretBytes::CopyOf(passphrase)));
    return Vault::Open({folder.File("vault.db"), {n, 8, 1}}, key, SystemRandom()).status();
  };
  ASSERT_TRUE(open("correct horse battery", 1 << 10).ok());
  EXPECT_TRUE(open("correct horse battery", 1 << 11).ok()) << "the vault's own cost counts";
  EXPECT_EQ(ReasonOf(open("another passphrase", 1 << 10)), v1::REASON_VAULT_LOCKED);
  EXPECT_EQ(ReasonOf(open("short", 1 << 10)), v1::REASON_FIELD_INVALID);
}

}  // namespace
}  // namespace waymark::node
