#include "client/connectors/http/client.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"
#include "base/status/status.h"
#include "client/connectors/json_pointer.h"
#include "client/connectors/result.h"

namespace waymark::node {
namespace {

// When the server does not say how long a token is good.
constexpr int64_t kTokenSeconds = 300;
constexpr int64_t kLongestTokenSeconds = 86400;
constexpr absl::Duration kTokenMargin = absl::Seconds(30);

// What a header may hold of a secret: no line may begin in it.
bool FitsHeader(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= ' ' && byte < 0x7f;
  });
}

absl::StatusOr<SecretBytes> NeededSecret(const SecretReference& reference) {
  absl::StatusOr<SecretBytes> secret = ReadSecret(reference);
  if (!secret.ok()) return SystemRefused(std::string(secret.status().message()));
  return secret;
}

SecretBytes BasicLine(std::string_view user, std::string_view password) {
  std::string pair = std::string(user) + ":" + std::string(password);
  std::string line = "Authorization: Basic " + absl::Base64Escape(pair);
  Wipe(pair);
  return SecretBytes::TakeFrom(line);
}

}  // namespace

HttpClient::HttpClient(HttpAccess access, Clock& steady)
    : access_(std::move(access)),
      base_(absl::StripSuffix(access_.address.text(), "/")),
      steady_(steady),
      transport_(access_.trust) {}

absl::Status HttpClient::CheckSecrets() const {
  RETURN_IF_ERROR(NeededSecret(access_.login.secret).status());
  return NeededSecret(access_.trust.certificate_key).status();
}

absl::Status HttpClient::KeepToken(const HttpAnswer& answer) {
  const auto type = JsonAt(answer.body, "/token_type");
  auto token = JsonAt(answer.body, "/access_token");
  if (!type || !absl::EqualsIgnoreCase(type->text, "bearer") || !token || token->text.empty() ||
      !FitsHeader(token->text)) {
    return SystemRefused("the server of `token_address` gave no bearer token");
  }
  int64_t seconds = kTokenSeconds;
  const auto lasts = JsonAt(answer.body, "/expires_in");
  if (lasts && !absl::SimpleAtoi(lasts->text, &seconds)) seconds = kTokenSeconds;
  seconds = std::clamp<int64_t>(seconds, 0, kLongestTokenSeconds);
  token_ends_ = steady_.Now() + absl::Seconds(seconds) - kTokenMargin;
  token_ = SecretBytes::TakeFrom(token->text);
  return absl::OkStatus();
}

absl::Status HttpClient::FetchToken(absl::Time deadline) {
  const HttpLogin& login = access_.login;
  ASSIGN_OR_RETURN(const SecretBytes secret, NeededSecret(login.secret));
  HttpRequest request = {.method = "POST",
                         .url = *login.token_address,
                         .headers = {"Accept: application/json"},
                         .body = "grant_type=client_credentials",
                         .content_type = "application/x-www-form-urlencoded",
                         .repeatable = true};
  if (!login.scope.empty()) *request.body += "&scope=" + PercentEncode(login.scope);
  std::string encoded = PercentEncode(secret.view());
  if (login.secret_in_body) {
    *request.body += "&client_id=" + PercentEncode(login.user) + "&client_secret=" + encoded;
  } else {
    request.headers.emplace_back(BasicLine(PercentEncode(login.user), encoded).view());
  }
  Wipe(encoded);
  HttpExchange exchange = transport_.Send(request, deadline);
  Wipe(*request.body);
  Wipe(request.headers.back());
  absl::Status status = Judge(request.url, exchange).status;
  if (status.ok()) status = KeepToken(exchange.answer);
  Wipe(exchange.answer.body);
  return status.ok() ? status : Annotate(status, "at `token_address`");
}

absl::StatusOr<SecretBytes> HttpClient::Authorization(absl::Time deadline) {
  const HttpLogin& login = access_.login;
  if (login.kind == HttpLogin::Kind::kNone) return SecretBytes();
  if (login.kind == HttpLogin::Kind::kOAuth2) {
    if (steady_.Now() >= token_ends_) RETURN_IF_ERROR(FetchToken(deadline));
    SecretBytes line = SecretBytes::CopyOf("Authorization: Bearer ");
    line.Append(token_.view());
    return line;
  }
  ASSIGN_OR_RETURN(const SecretBytes secret, NeededSecret(login.secret));
  if (login.kind == HttpLogin::Kind::kBasic) return BasicLine(login.user, secret.view());
  if (secret.empty() || !FitsHeader(secret.view())) {
    return SystemRefused("the token of `login` is empty or holds what no token holds");
  }
  SecretBytes line = SecretBytes::CopyOf("Authorization: Bearer ");
  line.Append(secret.view());
  return line;
}

HttpReply HttpClient::SendOnce(const HttpCall& call, absl::Time deadline) {
  HttpReply reply;
  const std::optional<HttpUrl> url = HttpUrl::Parse(base_ + call.path);
  if (!url || !url->SameOrigin(access_.address)) {
    reply.verdict.status = SystemRefused("the path below `address` is none");
    return reply;
  }
  const absl::StatusOr<SecretBytes> authorization = Authorization(deadline);
  if (!authorization.ok()) {
    reply.verdict.status = authorization.status();
    return reply;
  }
  HttpRequest request = {.method = call.method,
                         .url = *url,
                         .headers = call.headers,
                         .body = call.body,
                         .content_type = call.type,
                         .repeatable = call.repeatable};
  request.headers.push_back("Accept: " + call.type);
  request.headers.emplace_back(authorization->view());
  if (authorization->empty()) request.headers.pop_back();
  HttpExchange exchange = transport_.Send(request, deadline);
  if (!authorization->empty()) Wipe(request.headers.back());
  reply.verdict = Judge(*url, exchange);
  reply.answer = std::move(exchange.answer);
  return reply;
}

HttpReply HttpClient::Send(const HttpCall& call, absl::Time deadline) {
  HttpReply reply = SendOnce(call, deadline);
  if (reply.answer.code == 401 && access_.login.kind == HttpLogin::Kind::kOAuth2) {
    // It was not taken for want of a good token: a new one, once.
    token_ends_ = absl::InfinitePast();
    reply = SendOnce(call, deadline);
  }
  if (reply.verdict.retry_after_seconds > 0) {
    left_alone_until_ = steady_.Now() + absl::Seconds(reply.verdict.retry_after_seconds);
  }
  return reply;
}

absl::StatusOr<std::string> HttpClient::FollowLink(const std::string& asked,
                                                   const std::string& link) const {
  const std::optional<HttpUrl> from = HttpUrl::Parse(base_ + asked);
  const std::optional<HttpUrl> to = from ? from->Resolve(link) : std::nullopt;
  if (!to) return SystemRefused("the server's link to the next page is no address");
  if (absl::StartsWith(to->text(), base_)) {
    std::string path = to->text().substr(base_.size());
    if (!path.empty() && (path.front() == '/' || path.front() == '?')) return path;
  }
  return SystemRefused(
      "the server's link to the next page leads elsewhere than `address`, to the "
      "host " +
      to->host());
}

absl::Status HttpClient::MayRead() const {
  if (steady_.Now() >= left_alone_until_) return absl::OkStatus();
  return SystemUnavailable("the server asked to be left alone for a while");
}

}  // namespace waymark::node
