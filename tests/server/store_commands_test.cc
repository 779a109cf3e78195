// The commands backup, verify, restore and move as their users see them.
#include "server/store_commands.h"

#include <filesystem>

#include "base/random/random.h"
#include "gmock/gmock.h"
#include "server/store/sqlite/sqlite_store.h"
#include "tests/server/program_fixture.h"
#include "tests/server/store/postgres_medium.h"
#include "tests/server/store_conformance/samples.h"

namespace waymark::hub {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr uint64_t kCount = 30;

class StoreCommandsTest : public HubProgramTest {
 protected:
  StoreCommandsTest() {
    std::filesystem::create_directory(folder_ + "/data");
    const auto store = OpenStore();
    EXPECT_TRUE(FillStore(*store, kCount).ok());
  }

  std::unique_ptr<Store> OpenStore() {
    auto store = SqliteStore::Open({.path = store_, .random = &SystemRandom()});
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }

  Outcome Backup() { return Run({"backup", "--config", config(), "--to", copy_}); }
  Outcome Restore(const std::vector<std::string>& more = {}) {
    std::vector<std::string> words = {"restore", "--config", config(), "--from", copy_};
    words.insert(words.end(), more.begin(), more.end());
    return Run(words);
  }

  const std::string store_ = folder_ + "/data/hub.sqlite";
  const std::string copy_ = folder_ + "/copy.sqlite";
};

TEST_F(StoreCommandsTest, ThereAndBack) {
  const Outcome made = Backup();
  EXPECT_EQ(made.status, 0) << made.error;
  EXPECT_THAT(made.out, AllOf(HasSubstr("Made " + copy_), HasSubstr("within 7 days")));
  EXPECT_EQ(Backup().status, 1) << "nothing is overwritten";
  EXPECT_THAT(Backup().error, HasSubstr("[EXISTS]"));

  const Outcome verified = Run({"verify", copy_});
  EXPECT_EQ(verified.status, 0) << verified.error;
  EXPECT_THAT(verified.out,
              AllOf(HasSubstr("messages that wait          30\n"),
                    HasSubstr("statements of the directory 9\n"), HasSubstr("youngest record"),
                    HasSubstr("sum over the whole file     holds\n")));

  EXPECT_THAT(Restore().error, AllOf(HasSubstr("--replace"), HasSubstr("[EXISTS]")));
  const Outcome restored = Restore({"--replace"});
  EXPECT_EQ(restored.status, 0) << restored.error;
  EXPECT_THAT(restored.out, AllOf(HasSubstr(store_ + ".replaced-1"), HasSubstr("new epoch")));
  EXPECT_TRUE(OpenStore()->restored_at().has_value());
}

TEST_F(StoreCommandsTest, ABrokenCopyIsSaidWithWhatToDo) {
  ASSERT_EQ(Backup().status, 0);
  std::filesystem::resize_file(copy_, std::filesystem::file_size(copy_) / 2);
  const Outcome verified = Run({"verify", copy_});
  EXPECT_EQ(verified.status, 1);
  EXPECT_THAT(verified.error, AllOf(HasSubstr(copy_ + " is broken"), HasSubstr("[DATA_CORRUPT]")));
  EXPECT_THAT(verified.out, HasSubstr("take another copy"));
  EXPECT_EQ(Restore({"--replace"}).status, 1);
  EXPECT_FALSE(std::filesystem::exists(store_ + ".replaced-1"));
}

TEST_F(StoreCommandsTest, NotBesideAHubThatRuns) {
  const auto hub = OpenStore();
  EXPECT_EQ(Backup().status, 0) << "a backup is";
  EXPECT_THAT(Restore({"--replace"}).error,
              AllOf(HasSubstr("stop the hub"), HasSubstr("[UNAVAILABLE]")));
  EXPECT_THAT(Run({"move", "--config", config(), "--to", "postgresql:///x?host=/nowhere"}).error,
              HasSubstr("stop the hub"));
}

TEST_F(StoreCommandsTest, AHubInPostgresIsToldOfItsOwnTools) {
  Write("hub.yaml", std::string(kConfig) + "store: postgresql://waymark@/waymark?host=/nowhere\n");
  EXPECT_THAT(Backup().error, HasSubstr("pg_dump"));
  EXPECT_THAT(Restore().error, HasSubstr("pg_restore"));
  EXPECT_THAT(Run({"move", "--config", config(), "--to", "postgresql:///x"}).error,
              HasSubstr("stores in PostgreSQL"));
}

TEST_F(StoreCommandsTest, MovingSaysWhatToChange) {
  PostgresMedium database;
  setenv("WAYMARK_TEST_MOVE_PASSWORD", "unused", 1);
  const Outcome moved = Run({"move", "--config", config(), "--to", database.url(), "--to-password",
                             "env:WAYMARK_TEST_MOVE_PASSWORD"});
  EXPECT_EQ(moved.status, 0) << moved.error;
  EXPECT_THAT(moved.out, AllOf(HasSubstr("messages                    30\n"),
                               HasSubstr("  store: " + database.url() + "\n"),
                               HasSubstr("  store_password: {env: WAYMARK_TEST_MOVE_PASSWORD}\n"),
                               HasSubstr("within 7 days")));
  const auto store = database.Open();
  ASSERT_TRUE(store.ok()) << store.status();
  const auto content = ContentOf(**store, kCount);
  const auto before = ContentOf(*OpenStore(), kCount);
  ASSERT_TRUE(content.ok() && before.ok());
  EXPECT_EQ(*content, *before);
}

TEST_F(StoreCommandsTest, APasswordStandsNotInTheCommand) {
  for (const std::string password : {"hunter2", "env:", "word:hunter2"}) {
    const Outcome refused =
        Run({"move", "--config", config(), "--to", "postgresql:///x", "--to-password", password});
    EXPECT_EQ(refused.status, 1);
    EXPECT_THAT(refused.error, HasSubstr("--to-password says where the password is"));
  }
}

TEST_F(StoreCommandsTest, WrongUseIsSaid) {
  EXPECT_EQ(Run({"backup", "--to", copy_}).status, 2);
  EXPECT_EQ(Run({"verify"}).status, 2);
  const Outcome help = Run({"restore", "--help"});
  EXPECT_EQ(help.status, 0);
  EXPECT_THAT(help.out, HasSubstr("--replace"));
}

}  // namespace
}  // namespace waymark::hub
