// The loopback listener: GET /metrics and GET /healthz, nothing else.
//
// Plain HTTP, so it listens on a loopback address only. Threads: its own, two; both
// functions are called on them. Lifetime: what they look at outlives it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/statusor.h"

namespace waymark::hub {

class WebServer {
 public:
  // Listens on `address`, "host:port"; port 0 takes a free one. REASON_CONFIG_INVALID: the host is
  // not 127.0.0.1, [::1] or localhost, or the port is taken.
  static absl::StatusOr<std::unique_ptr<WebServer>> Start(const std::string& address,
                                                          std::function<std::string()> metrics,
                                                          std::function<bool()> healthy);
  // Stops and joins.
  ~WebServer();
  WebServer(const WebServer&) = delete;
  WebServer& operator=(const WebServer&) = delete;

  int port() const { return port_; }

 private:
  class Http;
  WebServer(std::unique_ptr<Http> http, int port);

  const std::unique_ptr<Http> http_;
  const int port_;
  std::thread thread_;
};

}  // namespace waymark::hub
