// The real waymark-node, asked what is wrong with its configuration.
#include <gmock/gmock.h>

#include "base/random/random.h"
#include "base/status/status.h"
#include "client/enrolment/data_folder.h"
#include "client/enrolment/join.h"
#include "client/vault/master_key.h"
#include "client/vault/vault.h"
#include "tests/client/connectors/test_folder.h"
#include "tests/client/enrolment/fake_desk.h"
#include "tests/support/process.h"

namespace waymark::node {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr ScryptCost kCheap{.n = 16, .r = 1, .p = 1};

// A member whose node does not run.
class CheckTest : public ::testing::Test {
 protected:
  CheckTest() {
    EXPECT_TRUE(MasterKey::CreateFile(root_ / "key", SystemRandom()).ok());
    const auto join =
        Join::Open(desk_.Invitation(), folder_, Key(), kCheap, desk_.clock(), SystemRandom());
    EXPECT_TRUE((*join)->Advance(desk_).ok());
    desk_.Approve();
    EXPECT_TRUE((*join)->Advance(desk_).ok());
    PutFile(root_ / "out.jq", ".");
  }

  MasterKey Key() const { return *MasterKey::FromFile(root_ / "key"); }

  // What the program says of a configuration, ending with `status`.
  std::string Check(const std::string& units, int status) const {
    PutFile(root_ / "node.yaml",
            "data: data\n"
            "master_key: {file: key}\n"
            "connectors:\n"
            "  - name: exchange\n"
            "    kind: files\n"
            "    units: [" +
                units +
                "]\n"
                "    referrals: {mapping: out.jq, folder: out, collected: false}\n");
    std::filesystem::remove(root_ / "output");
    const absl::Status ran = waymark::testing::RunToEnd(
        {.command = {WAYMARK_NODE, "check", "--config", root_ / "node.yaml"},
         .environment = {},
         .output = root_ / "output"},
        status);
    EXPECT_TRUE(ran.ok()) << ran;
    return GetFile(root_ / "output");
  }

  TestFolder root_;
  const DataFolder folder_{root_ / "data"};
  FakeDesk desk_{absl::FromUnixSeconds(1'800'000'000)};
};

TEST_F(CheckTest, SaysThatAllIsInOrder) {
  EXPECT_THAT(Check("lin.family", 0), HasSubstr("node.yaml is in order; 1 connector\n"));
}

TEST_F(CheckTest, SaysAllThatIsWrong) {
  PutFile(root_ / "out.jq", "{a: ");
  EXPECT_THAT(Check("lin.nobody", 1),
              AllOf(HasSubstr("connector 'exchange': units: this organisation has no unit"),
                    HasSubstr("connector 'exchange': referrals.mapping: "),
                    HasSubstr("[CONFIG_INVALID]"), Not(HasSubstr("in order"))));
}

TEST_F(CheckTest, SaysWhatItCannotSeeWhileTheNodeRuns) {
  const auto vault = Vault::Open({.path = folder_.vault()}, Key(), SystemRandom());
  ASSERT_TRUE(vault.ok()) << vault.status();
  EXPECT_THAT(Check("lin.nobody", 0),
              AllOf(HasSubstr("units of connectors were not looked up"), HasSubstr("in order")));
}

}  // namespace
}  // namespace waymark::node
