// The program waymark-hub in this process, with a configuration in a folder of its own.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "base/crypto/signature.h"
#include "base/directory/network.h"
#include "base/directory/pem.h"
#include "base/identity/files.h"
#include "server/program.h"
#include "tests/support/test_network.h"

namespace waymark::hub {

class HubProgramTest : public ::testing::Test {
 protected:
  static constexpr char kConfig[] =
      "data: data\nnetwork: network.json\ncatalogue: own\nlisten: 127.0.0.1:0\n"
      "enrolment_listen: 127.0.0.1:0\nmetrics_listen: 127.0.0.1:0\n";

  HubProgramTest() {
    std::string pattern = ::testing::TempDir() + "hub_program_XXXXXX";
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

  std::string config() const { return folder_ + "/hub.yaml"; }

  struct Outcome {
    int status = 0;
    std::string out;
    std::string error;
  };

  // Runs the program with these words after its name.
  Outcome Run(std::vector<std::string> words) {
    words.insert(words.begin(), "waymark-hub");
    std::vector<char*> argv;
    argv.reserve(words.size());
    for (std::string& word : words) argv.push_back(word.data());
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    Outcome outcome;
    outcome.status = RunHubProgram(static_cast<int>(argv.size()), argv.data(), {.clock = &clock_});
    outcome.out = ::testing::internal::GetCapturedStdout();
    outcome.error = ::testing::internal::GetCapturedStderr();
    return outcome;
  }

  // Runs `serve`, which is expected to fail, and returns what it says.
  std::string RefusalToServe(const std::vector<std::string>& more = {}) {
    std::vector<std::string> words = {"serve", "--config", config()};
    words.insert(words.end(), more.begin(), more.end());
    const Outcome outcome = Run(words);
    EXPECT_EQ(outcome.status, 1);
    return outcome.error;
  }

  TestNetwork network_{7, absl::Now()};
  FakeClock clock_{absl::Now()};
  std::string folder_;
};

}  // namespace waymark::hub
