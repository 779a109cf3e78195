#include "tests/torture/cutting_proxy.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <list>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "base/status/status.h"

namespace waymark::torture {
namespace {

// Read at once, and held for each direction before reading stops.
constexpr size_t kPiece = 16 * 1024;
constexpr size_t kHeld = 256 * 1024;

sockaddr_in Loopback(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

FileDescriptor Connect(int port) {
  FileDescriptor fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = Loopback(port);
  if (!fd.ok() ||
      connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return FileDescriptor(-1);
  }
  fcntl(fd.get(), F_SETFL, O_NONBLOCK);
  return fd;
}

// Closing sends a reset: the other side learns at once that nothing comes any more.
void ResetOnClose(const FileDescriptor& fd) {
  const linger now = {.l_onoff = 1, .l_linger = 0};
  setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

}  // namespace

// One direction of a connection.
struct ProxiedWay {
  const FileDescriptor* from;
  const FileDescriptor* to;
  // The passage in which this direction alone is stopped.
  Passage stop;
  struct Piece {
    absl::Time due;
    std::string bytes;
  };
  std::deque<Piece> held;
  size_t held_bytes = 0;
  // The sender has said that nothing more comes, and that was passed on.
  bool ended = false;
  bool end_passed = false;

  bool Moves(Passage passage) const {
    return passage != Passage::kCut && passage != Passage::kStopped && passage != stop;
  }

  // Takes in what there is. False: the connection is broken.
  bool Read(absl::Time due) {
    std::array<char, kPiece> buffer;
    const ssize_t got = recv(from->get(), buffer.data(), buffer.size(), 0);
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    if (got == 0) {
      ended = true;
      return true;
    }
    held.push_back({due, std::string(buffer.data(), static_cast<size_t>(got))});
    held_bytes += static_cast<size_t>(got);
    return true;
  }

  // Hands on what is due. False: the connection is broken.
  bool Write(absl::Time now) {
    while (!held.empty() && held.front().due <= now) {
      std::string& bytes = held.front().bytes;
      const ssize_t sent = send(to->get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0) return errno == EAGAIN || errno == EINTR;
      held_bytes -= static_cast<size_t>(sent);
      bytes.erase(0, static_cast<size_t>(sent));
      if (bytes.empty()) held.pop_front();
    }
    if (ended && held.empty() && !std::exchange(end_passed, true)) {
      shutdown(to->get(), SHUT_WR);
    }
    return true;
  }
};

struct ProxiedConnection {
  ProxiedConnection(FileDescriptor from_client, FileDescriptor from_server)
      : client(std::move(from_client)), server(std::move(from_server)) {
    ResetOnClose(client);
    ResetOnClose(server);
  }

  FileDescriptor client;
  FileDescriptor server;
  ProxiedWay up = {.from = &client, .to = &server, .stop = Passage::kUpStopped};
  ProxiedWay down = {.from = &server, .to = &client, .stop = Passage::kDownStopped};
};

// What the thread does: connections, and one round of waiting and moving after the other.
class CuttingProxy::Mover {
 public:
  explicit Mover(CuttingProxy& proxy) : proxy_(proxy) {}

  void Run() {
    Settings settings;
    while (!settings.ends) {
      Wait(settings);
      // As they are now, and not as they were before the wait.
      settings = proxy_.settings();
      if (settings.passage == Passage::kCut) connections_.clear();
      Accept(settings);
      Move(settings);
    }
  }

 private:
  void Wait(const Settings& settings) {
    std::vector<pollfd> waited = {{proxy_.listener_.get(), POLLIN, 0},
                                  {proxy_.wake_read_.get(), POLLIN, 0}};
    absl::Duration until = absl::Seconds(1);
    for (const ProxiedConnection& connection : connections_) {
      for (const ProxiedWay* pipe : {&connection.up, &connection.down}) {
        if (!pipe->Moves(settings.passage)) continue;
        if (!pipe->ended && pipe->held_bytes < kHeld) {
          waited.push_back({pipe->from->get(), POLLIN, 0});
        }
        if (pipe->held.empty()) continue;
        const absl::Duration left = pipe->held.front().due - absl::Now();
        if (left <= absl::ZeroDuration()) waited.push_back({pipe->to->get(), POLLOUT, 0});
        if (left > absl::ZeroDuration()) until = std::min(until, left);
      }
    }
    poll(waited.data(), waited.size(),
         static_cast<int>(absl::ToInt64Milliseconds(absl::Ceil(until, absl::Milliseconds(1)))));
    std::array<char, kPiece> ignored;
    while (read(proxy_.wake_read_.get(), ignored.data(), ignored.size()) > 0) continue;
  }

  void Accept(const Settings& settings) {
    while (true) {
      FileDescriptor client(
          accept4(proxy_.listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!client.ok()) return;
      ++proxy_.accepted_;
      ResetOnClose(client);
      if (settings.passage == Passage::kCut) continue;
      // A target that is not there refuses at once on loopback.
      FileDescriptor server = Connect(proxy_.target_);
      if (server.ok()) connections_.emplace_back(std::move(client), std::move(server));
    }
  }

  void Move(const Settings& settings) {
    const absl::Time now = absl::Now();
    connections_.remove_if([&](ProxiedConnection& connection) {
      for (ProxiedWay* pipe : {&connection.up, &connection.down}) {
        if (!pipe->Moves(settings.passage)) continue;
        const bool room = !pipe->ended && pipe->held_bytes < kHeld;
        if (room && !pipe->Read(now + settings.delay)) return true;
        if (!pipe->Write(now)) return true;
      }
      return connection.up.end_passed && connection.down.end_passed;
    });
  }

  CuttingProxy& proxy_;
  // A list, because pipes point to the descriptors of their connection.
  std::list<ProxiedConnection> connections_;
};

absl::StatusOr<std::unique_ptr<CuttingProxy>> CuttingProxy::Start(int target) {
  FileDescriptor listener(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  int ends[2] = {-1, -1};
  if (!listener.ok() || bind(listener.get(), generic, sizeof(address)) != 0 ||
      listen(listener.get(), SOMAXCONN) != 0 || getsockname(listener.get(), generic, &size) != 0 ||
      pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) {
    return Error(v1::REASON_UNAVAILABLE, "no port to listen on");
  }
  return std::unique_ptr<CuttingProxy>(
      new CuttingProxy(std::move(listener), FileDescriptor(ends[0]), FileDescriptor(ends[1]),
                       ntohs(address.sin_port), target));
}

CuttingProxy::CuttingProxy(FileDescriptor listener, FileDescriptor wake_read,
                           FileDescriptor wake_write, int port, int target)
    : listener_(std::move(listener)),
      wake_read_(std::move(wake_read)),
      wake_write_(std::move(wake_write)),
      port_(port),
      target_(target),
      thread_([this] { Mover(*this).Run(); }) {}

CuttingProxy::~CuttingProxy() {
  {
    MutexLock lock(mu_);
    settings_.ends = true;
  }
  Wake();
  thread_.join();
}

void CuttingProxy::Set(Passage passage, absl::Duration delay) {
  MutexLock lock(mu_);
  settings_.passage = passage;
  settings_.delay = delay;
  const int version = ++settings_.version;
  Wake();
  while (taken_ < version) taken_changed_.Wait(mu_);
}

CuttingProxy::Settings CuttingProxy::settings() {
  MutexLock lock(mu_);
  taken_ = settings_.version;
  taken_changed_.SignalAll();
  return settings_;
}

void CuttingProxy::Wake() {
  // A full pipe wakes as well.
  static_cast<void>(WriteAll(wake_write_.get(), "w"));
}

}  // namespace waymark::torture
