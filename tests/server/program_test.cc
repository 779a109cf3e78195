// The program waymark-hub as far as it comes without serving: what it reads and what it refuses.
#include "server/program.h"

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "base/crypto/signature.h"
#include "base/directory/network.h"
#include "base/directory/pem.h"
#include "base/identity/files.h"
#include "gmock/gmock.h"
#include "tests/support/test_network.h"

namespace waymark::hub {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr char kConfig[] =
    "data: data\nnetwork: network.json\ncatalogue: own\nlisten: 127.0.0.1:0\n"
    "enrolment_listen: 127.0.0.1:0\nmetrics_listen: 127.0.0.1:0\n";

class HubProgramTest : public testing::Test {
 protected:
  HubProgramTest() {
    std::string pattern = testing::TempDir() + "hub_program_XXXXXX";
    folder_ = mkdtemp(pattern.data());
    v1::Network network;
    network.set_network_id(network_.id().bytes());
    network.set_name("Sample");
    network.set_ca_certificate(*DerFromPem(kPemCertificate, network_.ca_pem()));
    network.set_registry_key(SigningKey::Generate().verifying_key().spki());
    network.add_hub_addresses("127.0.0.1:1");
    network.add_enrolment_addresses("127.0.0.1:2");
    network.set_version(1);
    Write("network.json", FormatNetwork(network));
    std::filesystem::create_directory(folder_ + "/own");
    Write("hub.yaml", kConfig);
  }
  ~HubProgramTest() override { std::filesystem::remove_all(folder_); }

  void Write(const std::string& name, const std::string& content) {
    const std::filesystem::path path = std::filesystem::path(folder_) / name;
    std::filesystem::create_directories(path.parent_path());
    ASSERT_TRUE(WritePublicFile(path.string(), content).ok());
  }

  // Runs `serve`, which is expected to fail, and returns what it says.
  std::string RefusalToServe(const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {"waymark-hub", "serve", "--config",
                                          folder_ + "/hub.yaml"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    std::vector<char*> argv;
    argv.reserve(arguments.size());
    for (std::string& argument : arguments) argv.push_back(argument.data());
    testing::internal::CaptureStderr();
    EXPECT_EQ(RunHubProgram(static_cast<int>(argv.size()), argv.data(), {.clock = &clock_}), 1);
    return testing::internal::GetCapturedStderr();
  }

  TestNetwork network_{7, absl::Now()};
  FakeClock clock_{absl::Now()};
  std::string folder_;
};

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
