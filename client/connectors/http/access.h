// What the configuration says of an HTTP server and of who the node is to it:
//
//   address: https://cases.example/api
//   ca: /etc/waymark/office-ca.pem            # optional: the only authorities that count
//   certificate: /etc/waymark/node.pem       # optional, with certificate_key
//   certificate_key: {credential: office-key}
//   connect_limit: 5s
//   login: {kind: bearer, token: {credential: office-token}}
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "base/config/config.h"
#include "base/secret/secret.h"
#include "client/connectors/http/transport.h"
#include "client/connectors/http/url.h"

namespace waymark::node {

struct HttpLogin {
  enum class Kind { kNone, kBearer, kBasic, kOAuth2 };
  Kind kind = Kind::kNone;
  // With kBasic and kOAuth2: the user or the client.
  std::string user;
  // The token, the password or the client's secret.
  SecretReference secret;
  // With kOAuth2.
  std::optional<HttpUrl> token_address;
  std::string scope;
  // The client's secret travels in the body, not in a header.
  bool secret_in_body = false;
};

struct HttpAccess {
  // Without a query, and without '/' at its end.
  HttpUrl address;
  HttpTrust trust;
  HttpLogin login;
};

absl::StatusOr<HttpAccess> ReadHttpAccess(ConfigSection& connector);

}  // namespace waymark::node
