// The node's vault on a disk that loses power: every transaction that was committed is there, whole
// and readable under its key, and one that was not is there as a whole or not at all.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/status/status.h"
#include "client/vault/vault.h"
#include "tests/client/vault/open_vault.h"
#include "tests/support/seeded_random.h"
#include "tests/torture/torn_disk.h"

namespace waymark::torture {
namespace {

using node::DocumentKind;

constexpr int kCuts = 400;
constexpr int kCutsAVault = 10;
// What is older is deleted, which also empties the log.
constexpr uint64_t kKept = 12;

template <typename IdType>
IdType Numbered(uint64_t number) {
  std::string bytes(IdType::kSize, 'n');
  for (size_t i = 0; i < sizeof(number); ++i) bytes[i] = static_cast<char>(number >> (8 * i));
  return *IdType::FromBytes(bytes);
}

std::string Content(uint64_t number) {
  return std::string(1500, static_cast<char>('a' + number % 26)) + std::to_string(number);
}

class TornVaultTest : public ::testing::Test {
 protected:
  // Step `number` stores a document and an entry of the outbox, counts, and deletes what is old.
  static absl::Status Step(node::Transaction& transaction, uint64_t number) {
    RETURN_IF_ERROR(transaction.Put(DocumentKind::kReferral, Numbered<ReferralId>(number), {},
                                    Content(number)));
    node::OutboxEntry entry;
    entry.item_id = Numbered<MessageId>(number).bytes();
    entry.referral = Numbered<ReferralId>(number);
    entry.submission = Content(number);
    RETURN_IF_ERROR(transaction.AppendOutbox(entry));
    RETURN_IF_ERROR(transaction.PutSetting("count", std::to_string(number + 1)));
    if (number < kKept) return absl::OkStatus();
    const uint64_t old = number - kKept;
    RETURN_IF_ERROR(transaction.Delete(DocumentKind::kReferral, Numbered<ReferralId>(old)));
    return transaction.MarkReceipt(Numbered<MessageId>(old));
  }

  void WriteUntilCut() {
    const auto vault = folder_->TryOpen();
    ASSERT_TRUE(vault.ok() || PowerIsCut()) << vault.status();
    if (!vault.ok()) return;
    while (!PowerIsCut()) {
      const absl::Status written = (*vault)->Write(
          [this](node::Transaction& transaction) { return Step(transaction, committed_); });
      if (!written.ok()) break;
      ++committed_;
    }
    ASSERT_TRUE(PowerIsCut()) << "the vault refused by itself";
  }

  absl::Status Look(const node::Reader& reader) {
    ASSIGN_OR_RETURN(const auto count, reader.GetSetting("count"));
    const uint64_t present = count ? std::stoull(std::string(count->view())) : 0;
    EXPECT_GE(present, committed_) << "a committed transaction is gone";
    EXPECT_LE(present, committed_ + 1) << "a transaction that nobody wrote";
    committed_ = present;
    ASSIGN_OR_RETURN(const auto documents, reader.List(DocumentKind::kReferral));
    EXPECT_EQ(documents.size(), std::min(present, kKept));
    for (uint64_t number = present - documents.size(); number < present; ++number) {
      ASSIGN_OR_RETURN(const auto content,
                       reader.Get(DocumentKind::kReferral, Numbered<ReferralId>(number)));
      EXPECT_EQ(content.view(), Content(number));
    }
    ASSIGN_OR_RETURN(const auto waiting,
                     reader.NextOutbox(absl::InfiniteFuture(), {}, SIZE_MAX, SIZE_MAX));
    EXPECT_EQ(waiting.size(), documents.size());
    for (size_t i = 0; i < waiting.size(); ++i) {
      EXPECT_EQ(waiting[i].submission, Content(present - waiting.size() + i));
    }
    return absl::OkStatus();
  }

  SeededRandom random_{2};
  std::unique_ptr<node::VaultFolder> folder_;
  uint64_t committed_ = 0;
};

TEST_F(TornVaultTest, WhatWasCommittedOutlastsEveryCut) {
  for (int cut = 0; cut < kCuts; ++cut) {
    SCOPED_TRACE("cut " + std::to_string(cut));
    if (cut % kCutsAVault == 0) {
      folder_ = std::make_unique<node::VaultFolder>();
      committed_ = 0;
    }
    PowerOn(folder_->data_path(), 1 + random_.Uniform(cut % kCutsAVault == 0 ? 60 : 400));
    ASSERT_NO_FATAL_FAILURE(WriteUntilCut());
    Settle(random_);

    PowerOn(folder_->data_path());
    const auto vault = folder_->TryOpen();
    ASSERT_TRUE(vault.ok()) << vault.status();
    const absl::Status looked =
        (*vault)->Read([this](const node::Reader& reader) { return Look(reader); });
    ASSERT_TRUE(looked.ok()) << looked;
    ASSERT_FALSE(HasFailure());
  }
}

}  // namespace
}  // namespace waymark::torture
