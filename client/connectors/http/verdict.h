// What an exchange with an HTTP server means for what was asked of it. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "client/connectors/connector.h"
#include "client/connectors/http/transport.h"

namespace waymark::node {

struct HttpVerdict {
  // OK: the server has done it, and the answer's body is empty or whole JSON. Otherwise
  // LOCAL_SYSTEM_UNAVAILABLE or LOCAL_SYSTEM_REFUSED.
  absl::Status status = {};
  // With an error: the server may have done it all the same.
  bool uncertain = false;
  // No attempt before so many seconds have passed, at most a day; 0 when the server did not say.
  int64_t retry_after_seconds = 0;
};

// 429, 503 and other passing refusals: not done. 3xx and the other 4xx: refused. Other 5xx and
// answers that are lost or make no sense: uncertain. Nothing of a body or a query is said.
HttpVerdict Judge(const HttpUrl& asked, const HttpExchange& exchange);

// What Retry-After says, in seconds or as a date, which is held against the server's own Date; at
// most a day, 0 when it says nothing that is understood.
int64_t RetryAfterSeconds(std::string_view retry_after, std::string_view date);

// What a verdict about a write means; `keyed`: it is safely made again.
WriteResult ResultOf(const HttpVerdict& verdict, bool keyed);

}  // namespace waymark::node
