// Ends of TCP connections, for the tests of what lies between them.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>

#include "base/file/descriptor.h"

namespace waymark::torture {

// `host` is one of INADDR_LOOPBACK and its like.
inline sockaddr_in AddressAt(in_addr_t host, int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(host);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

// Gives up after a while, so that a test that fails ends.
inline void SetPatience(const FileDescriptor& fd, int64_t milliseconds = 20'000) {
  const timeval patience = {.tv_sec = milliseconds / 1000, .tv_usec = milliseconds % 1000 * 1000};
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
}

// Has the socket listen and returns the port, 0 when it cannot.
inline int ListenAt(in_addr_t host, const FileDescriptor& fd) {
  sockaddr_in address = AddressAt(host, 0);
  socklen_t size = sizeof(address);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  const bool listens = bind(fd.get(), generic, size) == 0 && listen(fd.get(), 8) == 0 &&
                       getsockname(fd.get(), generic, &size) == 0;
  SetPatience(fd);
  return listens ? ntohs(address.sin_port) : 0;
}

// The next connection to a socket that listens.
inline FileDescriptor Accept(const FileDescriptor& listener) {
  FileDescriptor fd(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  SetPatience(fd);
  return fd;
}

inline bool Send(const FileDescriptor& fd, const std::string& text) {
  return send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(text.size());
}

// The next `size` bytes; nullopt when the connection ends or nothing comes.
inline std::optional<std::string> Receive(const FileDescriptor& fd, size_t size) {
  std::string text(size, '\0');
  const ssize_t got = recv(fd.get(), text.data(), size, MSG_WAITALL);
  if (got != static_cast<ssize_t>(size)) return std::nullopt;
  return text;
}

}  // namespace waymark::torture
