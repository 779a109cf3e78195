// The program waymark-hub as far as it comes without serving: what it reads and what it refuses.
#include "server/program.h"

#include <string>

#include "gmock/gmock.h"
#include "tests/server/program_fixture.h"

namespace waymark::hub {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST_F(HubProgramTest, TheCatalogueIsAFolderBesideTheConfiguration) {
  Write("own/policy_packs.json", R"({"version": 1, "moods": []})");
  EXPECT_THAT(RefusalToServe(),
              AllOf(HasSubstr(folder_ + "/own/policy_packs.json"), HasSubstr("moods")));
}

TEST_F(HubProgramTest, ACertificateThatHasEndedIsSaidAtTheStart) {
  const KeyAndCertificate keys = network_.IssueHub(absl::Hours(24));
  Write("data/hub.crt", keys.certificate_pem);
  ASSERT_TRUE(WriteSecretFile(folder_ + "/data/hub.key", keys.key_pem).ok());
  clock_.Advance(absl::Hours(25));
  EXPECT_THAT(RefusalToServe(), AllOf(HasSubstr("/data/hub.crt: the certificate ended at "),
                                      HasSubstr("waymark registry sign-hub")));
}

TEST_F(HubProgramTest, ADatabaseThatIsAwayIsSaidAtTheStart) {
  constexpr char kAway[] = "postgresql://waymark@/waymark?host=/nowhere";
  EXPECT_THAT(RefusalToServe({"--store", kAway}),
              AllOf(HasSubstr("/nowhere"), HasSubstr("UNAVAILABLE")));
  Write("hub.yaml", std::string(kConfig) + "store: " + kAway + "\n");
  EXPECT_THAT(RefusalToServe(), AllOf(HasSubstr("/nowhere"), HasSubstr("UNAVAILABLE")));
}

TEST_F(HubProgramTest, APasswordStandsNeitherInTheUrlNorInTheFile) {
  Write("hub.yaml",
        std::string(kConfig) + "store: postgresql://waymark:hunter2@db.example/waymark\n");
  EXPECT_THAT(RefusalToServe(), AllOf(HasSubstr("hub.yaml:7: store: a password does not stand"),
                                      Not(HasSubstr("hunter2"))));
  EXPECT_THAT(RefusalToServe({"--store", "postgresql://waymark:hunter2@db.example/waymark"}),
              Not(HasSubstr("hunter2")));
  Write("hub.yaml",
        std::string(kConfig) + "store: postgresql://waymark@/waymark\nstore_password: hunter2\n");
  EXPECT_THAT(RefusalToServe(),
              AllOf(HasSubstr("hub.yaml:8: store_password: a secret does not stand"),
                    Not(HasSubstr("hunter2"))));
}

}  // namespace
}  // namespace waymark::hub
