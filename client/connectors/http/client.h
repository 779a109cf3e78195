// An HTTP server that takes and gives JSON, as the node reaches it: who it is asked as, and what
// its answers mean.
//
//   HttpClient client(access, steady);
//   const HttpReply reply = client.Send({.method = "GET", .path = "/rooms"}, deadline);
//   RETURN_IF_ERROR(reply.verdict.status);
//
// A token of OAuth2 is fetched when needed, kept until shortly before its end, and fetched anew
// once when the server does not take it. Not thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/crypto/secret.h"
#include "base/time/clock.h"
#include "client/connectors/http/access.h"
#include "client/connectors/http/transport.h"
#include "client/connectors/http/verdict.h"

namespace waymark::node {

struct HttpCall {
  std::string method;
  // Below the address, from the '/', percent-encoded; with its query.
  std::string path;
  // JSON.
  std::optional<std::string> body = std::nullopt;
  std::string type = "application/json";
  // Lines "Name: value".
  std::vector<std::string> headers = {};
  bool repeatable = false;
};

struct HttpReply {
  HttpVerdict verdict;
  // Without one, its code is 0.
  HttpAnswer answer;
};

class HttpClient {
 public:
  // `steady` outlives it.
  HttpClient(HttpAccess access, Clock& steady);

  // Whether the secrets can be read that are needed to ask. LOCAL_SYSTEM_REFUSED otherwise.
  absl::Status CheckSecrets() const;

  // Asks the server; returns at the deadline (of SteadyClock) at the latest.
  HttpReply Send(const HttpCall& call, absl::Time deadline);

  // The path of a link that the server gave in the answer to `asked`. LOCAL_SYSTEM_REFUSED: it
  // leads elsewhere.
  absl::StatusOr<std::string> FollowLink(const std::string& asked, const std::string& link) const;

  // LOCAL_SYSTEM_UNAVAILABLE: the server has asked to be left alone for longer (Retry-After).
  absl::Status MayRead() const;

 private:
  HttpReply SendOnce(const HttpCall& call, absl::Time deadline);
  // The line "Authorization: ..."; empty when the server asks for none.
  absl::StatusOr<SecretBytes> Authorization(absl::Time deadline);
  absl::Status FetchToken(absl::Time deadline);
  absl::Status KeepToken(const HttpAnswer& answer);

  const HttpAccess access_;
  // The address as paths are put behind it.
  const std::string base_;
  Clock& steady_;
  HttpTransport transport_;
  SecretBytes token_;
  absl::Time token_ends_ = absl::InfinitePast();
  absl::Time left_alone_until_ = absl::InfinitePast();
};

}  // namespace waymark::node
