#include "client/connectors/http/access.h"

#include <utility>

#include "base/status/status.h"

namespace waymark::node {
namespace {

constexpr absl::Duration kConnectLimit = absl::Seconds(5);
constexpr absl::Duration kLongestConnectLimit = absl::Minutes(1);

absl::StatusOr<HttpUrl> ReadAddress(ConfigSection& section, std::string_view key) {
  ASSIGN_OR_RETURN(std::string text, section.String(key));
  while (!text.empty() && text.back() == '/') text.pop_back();
  std::optional<HttpUrl> url = HttpUrl::Parse(text);
  if (!url || url->has_query()) {
    return section.Invalid(key, "expected https://HOST[:PORT][/PATH], without a user or a query");
  }
  if (url->IsPrivate()) return *std::move(url);
  return section.Invalid(key,
                         "must begin with https://; http:// is only for a server on this machine "
                         "(localhost, 127.0.0.1 or [::1])");
}

absl::StatusOr<SecretReference> ReadNeededSecret(ConfigSection& section, std::string_view key) {
  ASSIGN_OR_RETURN(SecretReference secret, ReadSecretReference(section, key));
  if (secret.kind != SecretReference::Kind::kNone) return secret;
  return section.Invalid(key,
                         "is missing; say where the secret is, for example {credential: NAME}");
}

absl::Status ReadClient(ConfigSection& section, HttpLogin& login) {
  login.kind = HttpLogin::Kind::kOAuth2;
  ASSIGN_OR_RETURN(login.token_address, ReadAddress(section, "token_address"));
  ASSIGN_OR_RETURN(login.user, section.String("client_id"));
  ASSIGN_OR_RETURN(login.secret, ReadNeededSecret(section, "client_secret"));
  ASSIGN_OR_RETURN(login.scope, section.String("scope", ""));
  ASSIGN_OR_RETURN(const std::string sent,
                   section.Choice("secret_in", {"header", "body"}, "header"));
  login.secret_in_body = sent == "body";
  return absl::OkStatus();
}

absl::StatusOr<HttpLogin> ReadLogin(ConfigSection& connector) {
  HttpLogin login;
  if (!connector.Has("login")) return login;
  ASSIGN_OR_RETURN(ConfigSection section, connector.Section("login"));
  ASSIGN_OR_RETURN(const std::string kind, section.Choice("kind", {"bearer", "basic", "oauth2"}));
  if (kind == "bearer") {
    login.kind = HttpLogin::Kind::kBearer;
    ASSIGN_OR_RETURN(login.secret, ReadNeededSecret(section, "token"));
  } else if (kind == "basic") {
    login.kind = HttpLogin::Kind::kBasic;
    ASSIGN_OR_RETURN(login.user, section.String("user"));
    if (login.user.find(':') != std::string::npos) {
      return section.Invalid("user", "a user's name has no ':' with basic");
    }
    ASSIGN_OR_RETURN(login.secret, ReadNeededSecret(section, "password"));
  } else {
    RETURN_IF_ERROR(ReadClient(section, login));
  }
  return login;
}

}  // namespace

absl::StatusOr<HttpAccess> ReadHttpAccess(ConfigSection& connector) {
  ASSIGN_OR_RETURN(HttpUrl address, ReadAddress(connector, "address"));
  HttpTrust trust;
  ASSIGN_OR_RETURN(trust.ca, connector.Path("ca", ""));
  ASSIGN_OR_RETURN(trust.certificate, connector.Path("certificate", ""));
  ASSIGN_OR_RETURN(trust.certificate_key, ReadSecretReference(connector, "certificate_key"));
  if (trust.certificate.empty() != (trust.certificate_key.kind == SecretReference::Kind::kNone)) {
    return connector.Invalid("certificate", "needs certificate_key, and the other way round");
  }
  ASSIGN_OR_RETURN(trust.connect_limit, connector.Duration("connect_limit", kConnectLimit));
  if (trust.connect_limit < absl::Seconds(1) || trust.connect_limit > kLongestConnectLimit) {
    return connector.Invalid("connect_limit", "expected 1s to 1m");
  }
  ASSIGN_OR_RETURN(HttpLogin login, ReadLogin(connector));
  return HttpAccess{std::move(address), std::move(trust), std::move(login)};
}

}  // namespace waymark::node
