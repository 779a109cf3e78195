#include "tests/torture/namespace_network.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/support/poll.h"
#include "tests/support/process.h"
#include "tests/torture/tcp_ends.h"

namespace waymark::torture {
namespace {

using ::waymark::testing::Process;

// A client in a node's namespace sends back what it gets, and keeps it in a file.
class NamespaceNetworkTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto network = NamespaceNetwork::Enter();
    ASSERT_TRUE(network.ok()) << network.status();
    network_ = *std::move(network);
    server_.emplace(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int port = ListenAt(INADDR_ANY, *server_);
    ASSERT_GT(port, 0);
    auto way = network_->MakeWay({port});
    ASSERT_TRUE(way.ok()) << way.status();
    way_ = *std::move(way);
    client_ = Dial(*way_);
    connection_.emplace(Accept(*server_));
    ASSERT_TRUE(connection_->ok());
  }

  void TearDown() override {
    client_ = nullptr;
    for (const char* suffix : {"", ".out"}) std::filesystem::remove(kept() + suffix);
  }

  static std::unique_ptr<Process> Dial(const Way& way) {
    std::string address = way.hubs().front();
    address.replace(address.find(':'), 1, "/");
    std::vector<std::string> command = way.entrance();
    command.insert(command.end(), {"/bin/bash", "-c",
                                   absl::StrCat("exec 3<>/dev/tcp/", address, " && exec tee ",
                                                kept(), " <&3 >&3")});
    auto process = Process::Start({.command = std::move(command), .output = kept() + ".out"});
    EXPECT_TRUE(process.ok()) << process.status();
    return process.ok() ? *std::move(process) : nullptr;
  }

  static std::string kept() {
    return absl::StrCat(::testing::TempDir(), "namespace_network_test.", getpid());
  }
  static std::string Kept() {
    std::ifstream file(kept());
    return std::string(std::istreambuf_iterator<char>(file), {});
  }

  void SetPassage(Passage passage, absl::Duration delay = absl::ZeroDuration()) {
    const absl::Status set = way_->Set(passage, delay);
    ASSERT_TRUE(set.ok()) << set;
  }
  // Nothing comes back from the client for a while.
  void ExpectSilence() {
    SetPatience(*connection_, 300);
    EXPECT_EQ(Receive(*connection_, 1), std::nullopt);
    SetPatience(*connection_);
  }

  std::unique_ptr<NamespaceNetwork> network_;
  std::unique_ptr<Way> way_;
  std::optional<FileDescriptor> server_;
  std::unique_ptr<Process> client_;
  std::optional<FileDescriptor> connection_;
};

TEST_F(NamespaceNetworkTest, AnOpenWayLeadsBothWays) {
  ASSERT_TRUE(Send(*connection_, "to the node"));
  EXPECT_EQ(Receive(*connection_, 11), "to the node");
}

TEST_F(NamespaceNetworkTest, ACutHoldsConnectionsAndRefusesOthers) {
  SetPassage(Passage::kCut);
  ASSERT_TRUE(Send(*connection_, "patience"));
  ExpectSilence();
  EXPECT_EQ(Kept(), "");
  const auto refused = Dial(*way_);
  ASSERT_NE(refused, nullptr);
  EXPECT_NE(refused->Wait(absl::Seconds(60)).value_or(0), 0) << "a link that is down has no route";

  SetPassage(Passage::kOpen);
  EXPECT_EQ(Receive(*connection_, 8), "patience");
}

TEST_F(NamespaceNetworkTest, WhatIsSentWhileItIsStoppedArrivesLater) {
  SetPassage(Passage::kStopped);
  ASSERT_TRUE(Send(*connection_, "patience"));
  ExpectSilence();
  EXPECT_EQ(Kept(), "");
  SetPassage(Passage::kOpen);
  EXPECT_EQ(Receive(*connection_, 8), "patience");
}

TEST_F(NamespaceNetworkTest, OneDirectionCanBeStoppedAlone) {
  SetPassage(Passage::kUpStopped);
  ASSERT_TRUE(Send(*connection_, "one"));
  EXPECT_TRUE(Eventually([] { return Kept() == "one"; }));
  ExpectSilence();

  SetPassage(Passage::kOpen);
  EXPECT_EQ(Receive(*connection_, 3), "one");

  SetPassage(Passage::kDownStopped);
  ASSERT_TRUE(Send(*connection_, "two"));
  ExpectSilence();
  EXPECT_EQ(Kept(), "one");
  SetPassage(Passage::kOpen);
  EXPECT_EQ(Receive(*connection_, 3), "two");
}

TEST_F(NamespaceNetworkTest, ASlowWayTakesItsTimeForEveryPacket) {
  SetPassage(Passage::kOpen, absl::Milliseconds(20));
  // Ten packets, of which the first goes at once.
  const std::string text(15'000, 'x');
  const absl::Time sent = absl::Now();
  ASSERT_TRUE(Send(*connection_, text));
  EXPECT_EQ(Receive(*connection_, text.size()), text);
  EXPECT_GE(absl::Now() - sent, absl::Milliseconds(150));
}

TEST_F(NamespaceNetworkTest, EachNodeHasAWayOfItsOwn) {
  auto second = network_->MakeWay({1});
  ASSERT_TRUE(second.ok()) << second.status();
  ASSERT_TRUE((*second)->Set(Passage::kCut, absl::ZeroDuration()).ok());
  ASSERT_TRUE(Send(*connection_, "unhindered"));
  EXPECT_EQ(Receive(*connection_, 10), "unhindered");
}

TEST_F(NamespaceNetworkTest, AProcessIsKilledAndNotItsEntrance) {
  ASSERT_TRUE(Send(*connection_, "x"));
  ASSERT_EQ(Receive(*connection_, 1), "x");
  client_->Kill();
  EXPECT_EQ(Receive(*connection_, 1), std::nullopt) << "the connection ends with the process";
}

}  // namespace
}  // namespace waymark::torture
