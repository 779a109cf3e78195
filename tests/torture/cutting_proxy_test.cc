#include "tests/torture/cutting_proxy.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>
#include <string>

#include "absl/time/clock.h"
#include "tests/support/poll.h"

namespace waymark::torture {
namespace {

sockaddr_in At(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

// Gives up after a while, so that a test that fails ends.
void SetPatience(const FileDescriptor& fd, int64_t milliseconds = 20'000) {
  const timeval patience = {.tv_sec = milliseconds / 1000, .tv_usec = milliseconds % 1000 * 1000};
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
}

class CuttingProxyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    sockaddr_in address = At(0);
    socklen_t size = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    ASSERT_EQ(bind(server_.get(), generic, sizeof(address)), 0);
    ASSERT_EQ(listen(server_.get(), 8), 0);
    ASSERT_EQ(getsockname(server_.get(), generic, &size), 0);
    SetPatience(server_);
    auto proxy = CuttingProxy::Start(ntohs(address.sin_port));
    ASSERT_TRUE(proxy.ok()) << proxy.status();
    proxy_ = *std::move(proxy);
  }

  FileDescriptor Dial() const {
    FileDescriptor fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = At(proxy_->port());
    EXPECT_EQ(connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    SetPatience(fd);
    return fd;
  }
  FileDescriptor Answer() const {
    FileDescriptor fd(accept4(server_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    EXPECT_TRUE(fd.ok());
    SetPatience(fd);
    return fd;
  }

  static bool Send(const FileDescriptor& fd, const std::string& text) {
    return send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(text.size());
  }
  // The next `size` bytes; nullopt when the connection ends or nothing comes.
  static std::optional<std::string> Receive(const FileDescriptor& fd, size_t size) {
    std::string text(size, '\0');
    const ssize_t got = recv(fd.get(), text.data(), size, MSG_WAITALL);
    if (got != static_cast<ssize_t>(size)) return std::nullopt;
    return text;
  }

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
  proxy_->Set(Way::kCut);
  EXPECT_EQ(Receive(client, 1), std::nullopt);
  EXPECT_EQ(Receive(server, 1), std::nullopt);
  const FileDescriptor later = Dial();
  EXPECT_EQ(Receive(later, 1), std::nullopt);

  proxy_->Set(Way::kOpen);
  const FileDescriptor again = Dial();
  ASSERT_TRUE(Send(again, "back"));
  EXPECT_EQ(Receive(Answer(), 4), "back");
}

TEST_F(CuttingProxyTest, WhatIsSentWhileItIsStoppedArrivesLater) {
  const FileDescriptor client = Dial();
  const FileDescriptor server = Answer();
  proxy_->Set(Way::kStopped);
  ASSERT_TRUE(Send(client, "patience"));
  SetPatience(server, 100);
  EXPECT_EQ(Receive(server, 8), std::nullopt);
  proxy_->Set(Way::kOpen);
  SetPatience(server);
  EXPECT_EQ(Receive(server, 8), "patience");
}

TEST_F(CuttingProxyTest, ADelayHoldsEveryPiece) {
  const FileDescriptor client = Dial();
  const FileDescriptor server = Answer();
  proxy_->SetDelay(absl::Milliseconds(50));
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
