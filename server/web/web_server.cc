#include "server/web/web_server.h"

#include <utility>

#include "base/status/status.h"
#include "httplib.h"

namespace waymark::hub {
namespace {

constexpr char kMetricsType[] = "text/plain; version=0.0.4; charset=utf-8";
constexpr char kTextType[] = "text/plain; charset=utf-8";

}  // namespace

class WebServer::Http : public httplib::Server {};

absl::StatusOr<std::unique_ptr<WebServer>> WebServer::Start(const std::string& address,
                                                            std::function<std::string()> metrics,
                                                            std::function<bool()> healthy) {
  const size_t colon = address.rfind(':');
  const std::string host = address.substr(0, colon);
  if (host != "127.0.0.1" && host != "localhost" && host != "[::1]") {
    return Error(v1::REASON_CONFIG_INVALID,
                 "metrics_listen " + address + " is not a loopback address");
  }
  auto http = std::make_unique<Http>();
  http->new_task_queue = [] { return new httplib::ThreadPool(2); };
  // Without SO_REUSEPORT, which the library sets by default: a taken port is an error.
  http->set_socket_options([](socket_t socket) {
    const int yes = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  });
  http->Get("/metrics",
            [metrics = std::move(metrics)](const httplib::Request&, httplib::Response& response) {
              response.set_content(metrics(), kMetricsType);
            });
  http->Get("/healthz",
            [healthy = std::move(healthy)](const httplib::Request&, httplib::Response& response) {
              const bool ok = healthy();
              response.status = ok ? 200 : 503;
              response.set_content(ok ? "ok\n" : "stopping\n", kTextType);
            });
  const std::string bare = host == "[::1]" ? "::1" : host;
  int port = std::stoi(address.substr(colon + 1));
  if (port == 0) {
    port = http->bind_to_any_port(bare);
  } else if (!http->bind_to_port(bare, port)) {
    port = -1;
  }
  if (port < 0) {
    return Error(v1::REASON_CONFIG_INVALID, "cannot listen on metrics_listen " + address);
  }
  return std::unique_ptr<WebServer>(new WebServer(std::move(http), port));
}

WebServer::WebServer(std::unique_ptr<Http> http, int port) : http_(std::move(http)), port_(port) {
  thread_ = std::thread([this] { http_->listen_after_bind(); });
  // stop() before the thread listens would be lost.
  while (!http_->is_running()) std::this_thread::yield();
}

WebServer::~WebServer() {
  http_->stop();
  thread_.join();
}

}  // namespace waymark::hub
