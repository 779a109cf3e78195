#include "tests/torture/cutting_proxy.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <optional>
#include <string>
#include <thread>

#include "absl/time/clock.h"
#include "tests/torture/tcp_ends.h"

namespace waymark::torture {
namespace {

class CuttingProxyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const int port = ListenAt(INADDR_LOOPBACK, server_);
    ASSERT_GT(port, 0);
    auto proxy = CuttingProxy::Start(port);
    ASSERT_TRUE(proxy.ok()) << proxy.status();
    proxy_ = *std::move(proxy);
  }

  FileDescriptor Dial() const {
    FileDescriptor fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = AddressAt(INADDR_LOOPBACK, proxy_->port());
    EXPECT_EQ(connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    SetPatience(fd);
    return fd;
  }
  FileDescriptor Answer() const { return Accept(server_); }

  const FileDescriptor server_{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  std::unique_ptr<CuttingProxy> proxy_;
};

TEST_F(CuttingProxyTest, ForwardsBothWaysAndTheEnd) {
  FileDescriptor client = Dial();
  const FileDescriptor server = Answer();
  ASSERT_TRUE(Send(client, "to the hub"));
  EXPECT_EQ(Receive(server, 10), "to the hub");
  const std::string large(3'000'000, 'x');
  std::thread sender([&] { EXPECT_TRUE(Send(server, large)); });
  EXPECT_EQ(Receive(client, large.size()), large);
  sender.join();
  client.Close();
  EXPECT_EQ(Receive(server, 1), std::nullopt);
  EXPECT_EQ(proxy_->accepted(), 1);
}

TEST_F(CuttingProxyTest, ACutEndsConnectionsAndLaterOnes) {
  const FileDescriptor client = Dial();
  const FileDescriptor server = Answer();
  proxy_->Set(Passage::kCut);
  EXPECT_EQ(Receive(client, 1), std::nullopt);
  EXPECT_EQ(Receive(server, 1), std::nullopt);
  const FileDescriptor later = Dial();
  EXPECT_EQ(Receive(later, 1), std::nullopt);

  proxy_->Set(Passage::kOpen);
  const FileDescriptor again = Dial();
  ASSERT_TRUE(Send(again, "back"));
  EXPECT_EQ(Receive(Answer(), 4), "back");
}

TEST_F(CuttingProxyTest, WhatIsSentWhileItIsStoppedArrivesLater) {
  const FileDescriptor client = Dial();
  const FileDescriptor server = Answer();
  proxy_->Set(Passage::kStopped);
  ASSERT_TRUE(Send(client, "patience"));
  SetPatience(server, 100);
  EXPECT_EQ(Receive(server, 8), std::nullopt);
  proxy_->Set(Passage::kOpen);
  SetPatience(server);
  EXPECT_EQ(Receive(server, 8), "patience");
}

TEST_F(CuttingProxyTest, OneDirectionCanBeStoppedAlone) {
  const FileDescriptor client = Dial();
  const FileDescriptor server = Answer();
  const auto stops = [&](Passage stop, const FileDescriptor& sender, const FileDescriptor& other) {
    proxy_->Set(stop);
    ASSERT_TRUE(Send(sender, "later"));
    ASSERT_TRUE(Send(other, "now"));
    EXPECT_EQ(Receive(sender, 3), "now");
    SetPatience(other, 100);
    EXPECT_EQ(Receive(other, 5), std::nullopt);
    proxy_->Set(Passage::kOpen);
    SetPatience(other);
    EXPECT_EQ(Receive(other, 5), "later");
  };
  stops(Passage::kUpStopped, client, server);
  stops(Passage::kDownStopped, server, client);
}

TEST_F(CuttingProxyTest, ADelayHoldsEveryPiece) {
  const FileDescriptor client = Dial();
  const FileDescriptor server = Answer();
  proxy_->Set(Passage::kOpen, absl::Milliseconds(50));
  const absl::Time sent = absl::Now();
  ASSERT_TRUE(Send(client, "late"));
  EXPECT_EQ(Receive(server, 4), "late");
  EXPECT_GE(absl::Now() - sent, absl::Milliseconds(49));
}

TEST_F(CuttingProxyTest, WithoutATargetNothingIsAccepted) {
  shutdown(server_.get(), SHUT_RDWR);
  const FileDescriptor client = Dial();
  EXPECT_EQ(Receive(client, 1), std::nullopt);
}

}  // namespace
}  // namespace waymark::torture
