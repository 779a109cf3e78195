#include "base/doctor/look.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>

#include "base/identity/certificate.h"
#include "base/identity/files.h"
#include "base/status/status.h"

namespace waymark {
namespace {

absl::Status Unreachable(int code) {
  return absl::UnavailableError(code == ETIMEDOUT ? "no answer" : strerror(code));
}

// The error of a connection that was begun, once it is made or refused.
int Outcome(int socket, absl::Duration limit) {
  pollfd waiting = {.fd = socket, .events = POLLOUT, .revents = 0};
  if (poll(&waiting, 1, static_cast<int>(absl::ToInt64Milliseconds(limit))) != 1) return ETIMEDOUT;
  int error = 0;
  socklen_t size = sizeof(error);
  return getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

absl::Status Connect(const addrinfo& to, absl::Duration limit) {
  const int fd = socket(to.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, to.ai_protocol);
  if (fd < 0) return Unreachable(errno);
  int error = connect(fd, to.ai_addr, to.ai_addrlen) == 0 ? 0 : errno;
  if (error == EINPROGRESS) error = Outcome(fd, limit);
  close(fd);
  return error == 0 ? absl::OkStatus() : Unreachable(error);
}

}  // namespace

PrivateFacts LookAtPrivate(const std::string& path) {
  PrivateFacts facts{.path = path};
  struct stat file = {};
  if (stat(path.c_str(), &file) != 0) return facts;
  facts.exists = true;
  facts.folder = S_ISDIR(file.st_mode);
  facts.mode = file.st_mode & 07777U;
  facts.own = file.st_uid == geteuid();
  return facts;
}

ClockSync LookAtClock() {
  timex clock = {};
  const int state = adjtimex(&clock);
  if (state < 0) return ClockSync::kUnknown;
  const bool unsynchronised = state == TIME_ERROR || (clock.status & STA_UNSYNC) != 0;
  return unsynchronised ? ClockSync::kNotSynchronised : ClockSync::kSynchronised;
}

CertificateFacts LookAtCertificate(const TlsFiles& files, absl::Time now) {
  CertificateFacts facts{.path = files.certificate_path, .usable = CheckTlsFiles(files, now)};
  const auto pem = ReadPublicFile(files.certificate_path);
  if (!pem.ok()) return facts;
  const auto certificate = Certificate::FromPem(*pem);
  if (certificate.ok()) facts.end = certificate->not_after();
  return facts;
}

std::optional<int64_t> LookAtSchema(const std::string& path) {
  // Where the header of the format has the user version, in four bytes, the highest first.
  constexpr std::streamoff kUserVersion = 60;
  std::ifstream file(path, std::ios::binary);
  std::array<unsigned char, 4> bytes = {};
  if (!file.seekg(kUserVersion) ||
      !file.read(reinterpret_cast<char*>(bytes.data()), bytes.size())) {
    return std::nullopt;
  }
  int64_t version = 0;
  for (const unsigned char byte : bytes) version = version * 256 + byte;
  return version == 0 ? std::nullopt : std::optional(version);
}

ReachFacts Reach(const std::string& address, absl::Duration limit) {
  ReachFacts facts{.address = address};
  const size_t colon = address.rfind(':');
  std::string host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  addrinfo wanted = {};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int looked = getaddrinfo(host.c_str(), address.substr(colon + 1).c_str(), &wanted, &found);
  if (looked != 0) {
    facts.reached = absl::UnavailableError(gai_strerror(looked));
    return facts;
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, freeaddrinfo);
  for (const addrinfo* to = found; to != nullptr; to = to->ai_next) {
    facts.reached = Connect(*to, limit);
    if (facts.reached.ok()) break;
  }
  return facts;
}

}  // namespace waymark
