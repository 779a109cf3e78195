// Drop folders: what others do to the files meanwhile, sync clients among them.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <thread>

#include "base/status/status.h"
#include "client/connectors/json_members.h"
#include "tests/client/connectors/test_folder.h"
#include "tests/client/connectors/tried_system.h"
#include "tests/support/fake_clock.h"
#include "tests/support/process.h"

namespace waymark::node {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

constexpr absl::Duration kSettle = absl::Seconds(5);

class FilesConnectorTest : public ::testing::Test {
 protected:
  FilesConnectorTest() {
    std::filesystem::create_directory(in_);
    std::filesystem::create_directory(out_);
    Open("collected: false");
  }

  void Open(const std::string& referrals, const std::string& capacity = "") {
    auto connector =
        OpenFrom("kind: files\nreferrals: {mapping: a, folder: " + out_ + ", " + referrals +
                     "}\ncapacity: {mapping: b, folder: " + in_ + capacity + "}\n",
                 clock_);
    ASSERT_TRUE(connector.ok()) << connector.status();
    connector_ = *std::move(connector);
  }

  std::string In(const std::string& name) const { return in_ + "/" + name; }

  FeedPage Read(const std::string& cursor = "") {
    auto page = connector_->Read(Feed::kCapacity, cursor);
    EXPECT_TRUE(page.ok()) << page.status();
    return page.ok() ? *std::move(page) : FeedPage();
  }

  // What is there now and stays as it is.
  FeedPage ReadSettled(const std::string& cursor = "") {
    Read(cursor);
    clock_.Advance(kSettle);
    return Read(cursor);
  }

  TestFolder folder_;
  const std::string in_ = folder_ / "in";
  const std::string out_ = folder_ / "out";
  FakeClock clock_{absl::UnixEpoch()};
  std::unique_ptr<Connector> connector_;
};

TEST_F(FilesConnectorTest, AFileIsTakenWhenItHasStayedTheSame) {
  PutFile(In("beds.json"), R"({"free":1})");
  EXPECT_THAT(Read().items, IsEmpty()) << "seen once";
  clock_.Advance(kSettle - absl::Milliseconds(1));
  EXPECT_THAT(Read().items, IsEmpty()) << "too soon";
  PutFile(In("beds.json"), R"({"free":1,"kind":"x"})");
  clock_.Advance(kSettle);
  EXPECT_THAT(Read().items, IsEmpty()) << "it grew";
  clock_.Advance(kSettle);
  EXPECT_THAT(Read().items, ElementsAre(R"({"free":1,"kind":"x"})"));
}

TEST_F(FilesConnectorTest, WhatIsTakenMovesToDone) {
  PutFile(In("beds.json"), R"({"free":1})");
  const FeedPage page = ReadSettled();
  EXPECT_THAT(NamesIn(in_), ElementsAre("beds.json")) << "the caller does not have it yet";
  ASSERT_TRUE(connector_->Taken(Feed::kCapacity, page.cursor).ok());
  EXPECT_THAT(NamesIn(in_), ElementsAre("done"));
  PutFile(In("beds.json"), R"({"free":2})");
  const FeedPage next = ReadSettled(page.cursor);
  EXPECT_THAT(next.items, ElementsAre(R"({"free":2})"));
  ASSERT_TRUE(connector_->Taken(Feed::kCapacity, next.cursor).ok());
  EXPECT_THAT(NamesIn(in_ + "/done"), UnorderedElementsAre("beds.json", "beds.json.1"));
  EXPECT_EQ(GetFile(in_ + "/done/beds.json"), R"({"free":1})") << "nothing is overwritten";
}

TEST_F(FilesConnectorTest, WhatChangedAfterItWasReadIsReadAgain) {
  PutFile(In("beds.json"), R"({"free":1})");
  const FeedPage page = ReadSettled();
  PutFile(In("beds.json"), R"({"free":20})");
  ASSERT_TRUE(connector_->Taken(Feed::kCapacity, page.cursor).ok());
  EXPECT_THAT(NamesIn(in_), ElementsAre("beds.json"));
  EXPECT_THAT(ReadSettled(page.cursor).items, ElementsAre(R"({"free":20})"));
}

TEST_F(FilesConnectorTest, ASyncClientsUnfinishedFilesAreLeftAlone) {
  for (const char* name :
       {".beds.json", "~beds.json", "beds.json~", "beds.json.tmp", "beds.json.part",
        "beds.json.crdownload", ".syncthing.beds.json.tmp", "~$beds.csv", ".~lock.beds.csv#",
        "beds.json.filepart", ".beds.json.swp"}) {
    PutFile(In(name), R"({"free":1})");
  }
  const std::set<std::string> before = NamesIn(in_);
  const FeedPage page = ReadSettled();
  EXPECT_THAT(page.items, IsEmpty());
  EXPECT_THAT(page.notices, IsEmpty());
  std::filesystem::rename(In("beds.json.part"), In("beds.json"));
  EXPECT_THAT(ReadSettled().items, ElementsAre(R"({"free":1})"));
  EXPECT_EQ(NamesIn(in_).size(), before.size());
}

TEST_F(FilesConnectorTest, AConflictedCopyIsNamedOnceAndNotRead) {
  for (const char* name : {"beds (conflicted copy 2027-03-09 101010).json",
                           "beds.sync-conflict-20270309-101010-ABC.csv",
                           "beds_conflict-20270309.json", "beds (1).json"}) {
    PutFile(In(name), R"({"free":1})");
    const FeedPage page = Read();
    ASSERT_THAT(page.notices, ElementsAre(HasSubstr("holds a conflicted copy"))) << name;
    EXPECT_THAT(page.notices.front(), Not(HasSubstr("2027"))) << "a file's name may say too much";
    const FeedPage again = ReadSettled();
    EXPECT_THAT(again.items, IsEmpty());
    EXPECT_THAT(again.notices, IsEmpty());
  }
}

TEST_F(FilesConnectorTest, WhatDoesNotParseGetsTimeAndThenMovesToFailed) {
  PutFile(In("beds.json"), R"({"canary":)");
  PutFile(In("beds.csv"), "a,b\r\n\"canary");
  EXPECT_THAT(ReadSettled().notices, IsEmpty()) << "the transfer may only have paused";
  EXPECT_THAT(NamesIn(in_), UnorderedElementsAre("beds.json", "beds.csv"));
  PutFile(In("beds.csv"), "a,b\r\n1,2\r\n");
  EXPECT_THAT(ReadSettled().items, ElementsAre(R"({"a":"1","b":"2"})"));
  clock_.Advance(12 * kSettle);
  const FeedPage page = Read();
  ASSERT_THAT(page.notices, ElementsAre(HasSubstr("moved to failed/")));
  EXPECT_THAT(page.notices.front(), Not(HasSubstr("canary")));
  EXPECT_THAT(NamesIn(in_ + "/failed"), ElementsAre("beds.json"));
  EXPECT_THAT(Read().notices, IsEmpty());
}

TEST_F(FilesConnectorTest, OtherFilesAndTooLargeOnesAreNamed) {
  PutFile(In("beds.xlsx"), "x");
  EXPECT_THAT(Read().notices, ElementsAre(HasSubstr("neither .json nor .csv")));
  EXPECT_THAT(Read().notices, IsEmpty());
  PutFile(In("large.json"), "");
  std::filesystem::resize_file(In("large.json"), (4 << 20) + 1);
  EXPECT_THAT(ReadSettled().notices, ElementsAre(HasSubstr("larger than 4 MiB")));
  EXPECT_THAT(NamesIn(in_), UnorderedElementsAre("beds.xlsx", "failed"));
}

TEST_F(FilesConnectorTest, FollowsNoLinkAndReadsNoPipe) {
  PutFile(folder_ / "secret.json", R"({"canary":1})");
  std::filesystem::create_symlink(folder_ / "secret.json", In("link.json"));
  ASSERT_EQ(mkfifo(In("pipe.json").c_str(), 0600), 0);
  std::filesystem::create_directory(In("folder.json"));
  EXPECT_THAT(ReadSettled().items, IsEmpty());
  std::filesystem::create_directory_symlink(folder_ / "", In("done"));
  PutFile(In("beds.json"), R"({"free":1})");
  const FeedPage page = ReadSettled();
  EXPECT_EQ(ReasonOf(connector_->Taken(Feed::kCapacity, page.cursor)),
            v1::REASON_LOCAL_SYSTEM_REFUSED);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "beds.json"));
}

TEST_F(FilesConnectorTest, AListOrACsvWithAMarkIsManyItems) {
  PutFile(In("1.json"), "\xef\xbb\xbf[{\"a\":1}, {\"a\":2}]");
  PutFile(In("2.CSV"), "\xef\xbb\xbf\"a\";b\r\n1;\"x;y\"\r\n");
  Open("collected: false", ", separator: ;");
  EXPECT_THAT(ReadSettled().items,
              UnorderedElementsAre(R"({"a":1})", R"({"a":2})", R"({"a":"1","b":"x;y"})"));
}

TEST_F(FilesConnectorTest, AFileMayBeOneItem) {
  Open("collected: false", ", whole: true");
  PutFile(In("1.csv"), "a,b\r\n1,x\r\n2,y\r\n");
  PutFile(In("2.json"), "[]");
  EXPECT_THAT(
      ReadSettled().items,
      UnorderedElementsAre(R"({"rows":[{"a":"1","b":"x"},{"a":"2","b":"y"}]})", R"({"rows":[]})"));
}

// Another process rewrites a file in place for as long as it is read: whatever is taken is whole.
TEST_F(FilesConnectorTest, AFileThatAnotherProcessRewritesIsTakenWholeOrNot) {
  const auto writer = testing::Process::Start(
      {.command = {"/bin/sh", "-c",
                   "while :; do printf '{\"a\":\"%0100000d\",' 1 > " + In("beds.json") +
                       "; printf '\"end\":1}' >> " + In("beds.json") + "; done"},
       .output = folder_ / "writer.log"});
  ASSERT_TRUE(writer.ok()) << writer.status();
  for (int i = 0; i < 300; ++i) {
    for (const std::string& item : Read().items) {
      EXPECT_TRUE(ReadJsonObject(item).has_value());
      EXPECT_THAT(item, HasSubstr("\"end\":1}"));
    }
    clock_.Advance(kSettle);
  }
  (*writer)->Kill();
  PutFile(In("beds.json"), R"({"end":2})");
  EXPECT_THAT(ReadSettled().items, ElementsAre(R"({"end":2})"));
}

// --- Out

TEST_F(FilesConnectorTest, AReaderSeesWholeFilesOnly) {
  const std::string first = R"({"note":")" + std::string(200000, 'a') + R"("})";
  const std::string second = R"({"note":")" + std::string(300000, 'b') + R"("})";
  ASSERT_EQ(connector_->Write({.key = "k", .json = first}).outcome, WriteOutcome::kDone);
  std::atomic<bool> done = false;
  std::thread reader([&] {
    while (!done) {
      const std::string seen = GetFile(out_ + "/k.json");
      EXPECT_TRUE(seen == first + "\n" || seen == second + "\n");
      for (const std::string& name : NamesIn(out_)) {
        EXPECT_TRUE(name == "k.json" || name.front() == '.') << name;
      }
    }
  });
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(connector_->Write({.key = "k", .json = i % 2 == 0 ? second : first}).outcome,
              WriteOutcome::kDone);
  }
  done = true;
  reader.join();
  EXPECT_THAT(NamesIn(out_), ElementsAre("k.json"));
  struct stat info;
  ASSERT_EQ(stat((out_ + "/k.json").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0007, 0U) << "not for everybody";
}

TEST_F(FilesConnectorTest, WhatACrashOrAnAttackerLeftIsNotWrittenThrough) {
  PutFile(folder_ / "other", "untouched");
  std::filesystem::create_symlink(folder_ / "other", out_ + "/.k.json.tmp");
  std::filesystem::create_symlink(folder_ / "other", out_ + "/k.json");
  EXPECT_EQ(connector_->Write({.key = "k", .json = "{}"}).outcome, WriteOutcome::kDone);
  EXPECT_EQ(GetFile(folder_ / "other"), "untouched");
  EXPECT_FALSE(std::filesystem::is_symlink(out_ + "/k.json"));
}

TEST_F(FilesConnectorTest, AFileThatWasCollectedCannotBeErased) {
  Open("collected: true");
  EXPECT_FALSE(connector_->keyed());
  EXPECT_EQ(connector_->Write({.key = "k", .json = "{}"}).outcome, WriteOutcome::kDone);
  EXPECT_EQ(connector_->Erase("k").outcome, WriteOutcome::kDone) << "not yet collected";
  EXPECT_EQ(connector_->Write({.key = "k", .json = "{}"}).outcome, WriteOutcome::kDone);
  std::filesystem::remove(out_ + "/k.json");
  const WriteResult gone = connector_->Erase("k");
  EXPECT_EQ(gone.outcome, WriteOutcome::kUnsupported);
  EXPECT_THAT(gone.detail, HasSubstr("taken away"));
}

}  // namespace
}  // namespace waymark::node
