// Carries one HTTP request to its answer; the one place that knows libcurl.
//
// What holds for every request: TLS 1.2 or later with a certificate that vouches for the host, no
// redirect followed, no proxy and nothing else of the environment, HTTP/1.1, no compression, and
// limits on time and size. Connections are kept for later requests. Not thread-safe.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/secret/secret.h"
#include "client/connectors/http/url.h"

namespace waymark::node {

// By whose word servers are known, and how the node proves itself to them.
struct HttpTrust {
  // A PEM file with the only authorities that count; empty: those of the machine.
  std::string ca;
  // A PEM file with the node's own certificate and what leads to it, and its private key; empty:
  // none.
  std::string certificate;
  SecretReference certificate_key;
  // How long it may take until a connection is there.
  absl::Duration connect_limit;
};

struct HttpRequest {
  std::string method;
  HttpUrl url;
  // Lines "Name: value".
  std::vector<std::string> headers = {};
  // Sent with `content_type`; nullopt: no body.
  std::optional<std::string> body = std::nullopt;
  std::string content_type = {};
  // Whether making it twice is harmless. Only then a kept connection is used, which may prove dead
  // when the request is under way.
  bool repeatable = false;
};

struct HttpAnswer {
  // 0: there is none.
  int code = 0;
  // In lower case, without parameters.
  std::string content_type;
  std::string body;
  // What the server said in Retry-After, Date, Location, Link and ETag, by names in lower case.
  std::map<std::string, std::string, std::less<>> headers;

  // Empty when the server did not say it.
  std::string header(std::string_view name) const;
};

struct HttpExchange {
  // OK: there is an answer, whatever it says. Otherwise LOCAL_SYSTEM_UNAVAILABLE or
  // LOCAL_SYSTEM_REFUSED.
  absl::Status status = {};
  // Without an answer: the server may have the request all the same.
  bool sent = false;
  HttpAnswer answer = {};
};

class HttpTransport {
 public:
  explicit HttpTransport(HttpTrust trust);
  ~HttpTransport();
  HttpTransport(const HttpTransport&) = delete;
  HttpTransport& operator=(const HttpTransport&) = delete;

  // Returns at the deadline (of SteadyClock) at the latest. An answer larger than kMaxPageBytes is
  // none.
  HttpExchange Send(const HttpRequest& request, absl::Time deadline);

 private:
  struct Transfer;
  class Options;

  absl::Status Prepare(const HttpRequest& request, Transfer& transfer, absl::Duration limit);
  HttpExchange Conclude(int code, Transfer& transfer);

  const HttpTrust trust_;
  // libcurl's easy handle.
  std::unique_ptr<void, void (*)(void*)> handle_;
};

}  // namespace waymark::node
