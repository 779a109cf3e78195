#include "client/connectors/http/transport.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "base/crypto/secret.h"
#include "base/status/status.h"
#include "base/time/clock.h"
#include "client/connectors/limits.h"
#include "client/connectors/result.h"

namespace waymark::node {
namespace {

using HeaderList = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

constexpr std::array<std::string_view, 5> kKeptHeaders = {"retry-after", "date", "location", "link",
                                                          "etag"};
constexpr size_t kMaxHeaderValue = 8192;

bool StartCurl() {
  static const bool kStarted = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return kStarted;
}

// The handle without what the last request left in it; its connections stay.
CURL* Cleared(void* handle) {
  curl_easy_reset(handle);
  return handle;
}

bool AddHeader(HeaderList& list, const std::string& line) {
  curl_slist* longer = curl_slist_append(list.get(), line.c_str());
  if (longer == nullptr) return false;
  static_cast<void>(list.release());
  list.reset(longer);
  return true;
}

struct CurlFault {
  CURLcode code;
  bool passing;
  const char* text;
};

constexpr CurlFault kCurlFaults[] = {
    {CURLE_COULDNT_RESOLVE_HOST, true, "the server's name is not known"},
    {CURLE_COULDNT_CONNECT, true, "the server cannot be reached"},
    {CURLE_SSL_CONNECT_ERROR, true, "the server did not agree on TLS 1.2 or later"},
    {CURLE_PEER_FAILED_VERIFICATION, false,
     "the server has no valid certificate for its name from an authority that counts; look at "
     "`address`, `ca` and the server's certificate"},
    {CURLE_SSL_CACERT_BADFILE, false, "the file of `ca` cannot be read or holds no certificate"},
    {CURLE_SSL_CERTPROBLEM, false,
     "the files of `certificate` and `certificate_key` cannot be used together"},
    {CURLE_OPERATION_TIMEDOUT, true, "the server did not answer in time"},
    {CURLE_PARTIAL_FILE, true, "the server's answer broke off"},
    {CURLE_GOT_NOTHING, true, "the server closed the connection without an answer"},
    {CURLE_WEIRD_SERVER_REPLY, false, "the server did not answer with HTTP"},
    {CURLE_UNSUPPORTED_PROTOCOL, false, "the server did not answer with HTTP/1.1"},
};

absl::Status FromCurl(CURLcode code) {
  const auto* found = std::find_if(std::begin(kCurlFaults), std::end(kCurlFaults),
                                   [&](const CurlFault& fault) { return fault.code == code; });
  if (found == std::end(kCurlFaults)) {
    return SystemUnavailable("the connection to the server was lost (libcurl's code " +
                             std::to_string(code) + ")");
  }
  return found->passing ? SystemUnavailable(found->text) : SystemRefused(found->text);
}

}  // namespace

std::string HttpAnswer::header(std::string_view name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

// What one request needs while it is under way.
struct HttpTransport::Transfer {
  HeaderList headers{nullptr, &curl_slist_free_all};
  SecretBytes key;
  HttpAnswer answer;
  bool too_large = false;

  static size_t TakeBody(char* data, size_t size, size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    const size_t bytes = size * count;
    if (transfer.answer.body.size() + bytes > kMaxPageBytes) {
      transfer.too_large = true;
      return 0;
    }
    transfer.answer.body.append(data, bytes);
    return bytes;
  }

  static size_t TakeHeader(char* data, size_t size, size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    const std::string_view line(data, size * count);
    // A later status line begins the headers anew (100 Continue).
    if (line.substr(0, 5) == "HTTP/") transfer.answer.headers.clear();
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || line.size() > kMaxHeaderValue) return line.size();
    const std::string name = absl::AsciiStrToLower({line.data(), colon});
    if (std::find(kKeptHeaders.begin(), kKeptHeaders.end(), name) == kKeptHeaders.end()) {
      return line.size();
    }
    const std::string_view value = line.substr(colon + 1);
    transfer.answer.headers[name] =
        std::string(absl::StripAsciiWhitespace({value.data(), value.size()}));
    return line.size();
  }
};

// Sets options and remembers whether one was not taken: a request without it must not leave.
class HttpTransport::Options {
 public:
  explicit Options(CURL* curl) : curl_(curl) {}

  template <typename T>
  void Set(CURLoption option, T value) {
    whole_ = curl_easy_setopt(curl_, option, value) == CURLE_OK && whole_;
  }
  void Set(CURLoption option, const std::string& value) { Set(option, value.c_str()); }
  bool whole() const { return whole_; }

 private:
  CURL* const curl_;
  bool whole_ = true;
};

HttpTransport::HttpTransport(HttpTrust trust)
    : trust_(std::move(trust)),
      handle_(StartCurl() ? curl_easy_init() : nullptr, &curl_easy_cleanup) {}

HttpTransport::~HttpTransport() = default;

absl::Status HttpTransport::Prepare(const HttpRequest& request, Transfer& transfer,
                                    absl::Duration limit) {
  Options options(Cleared(handle_.get()));
  options.Set(CURLOPT_NOSIGNAL, 1L);
  options.Set(CURLOPT_PROXY, "");
  options.Set(CURLOPT_FOLLOWLOCATION, 0L);
  options.Set(CURLOPT_PROTOCOLS_STR, request.url.IsPrivate() ? "http,https" : "https");
  options.Set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  options.Set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  options.Set(CURLOPT_SSL_VERIFYPEER, 1L);
  options.Set(CURLOPT_SSL_VERIFYHOST, 2L);
  if (!trust_.ca.empty()) {
    options.Set(CURLOPT_CAINFO, trust_.ca);
    options.Set(CURLOPT_CAPATH, static_cast<char*>(nullptr));
  }
  if (!trust_.certificate.empty()) {
    absl::StatusOr<SecretBytes> key = ReadSecret(trust_.certificate_key);
    if (!key.ok()) return SystemRefused(std::string(key.status().message()));
    transfer.key = *std::move(key);
    curl_blob blob = {
        .data = transfer.key.data(), .len = transfer.key.size(), .flags = CURL_BLOB_COPY};
    options.Set(CURLOPT_SSLCERT, trust_.certificate);
    options.Set(CURLOPT_SSLKEY_BLOB, &blob);
  }
  const absl::Duration connect = std::min(trust_.connect_limit, limit);
  options.Set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(absl::ToInt64Milliseconds(connect)));
  options.Set(CURLOPT_TIMEOUT_MS, static_cast<long>(absl::ToInt64Milliseconds(limit)));
  options.Set(CURLOPT_FRESH_CONNECT, request.repeatable ? 0L : 1L);

  options.Set(CURLOPT_URL, request.url.text());
  // Before the method, as it would set another one.
  if (request.body) {
    options.Set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body->size()));
    options.Set(CURLOPT_POSTFIELDS, *request.body);
  }
  options.Set(CURLOPT_CUSTOMREQUEST, request.method);
  bool headers = AddHeader(transfer.headers, "Expect:");
  if (request.body) headers &= AddHeader(transfer.headers, "Content-Type: " + request.content_type);
  for (const std::string& line : request.headers) headers &= AddHeader(transfer.headers, line);
  options.Set(CURLOPT_HTTPHEADER, transfer.headers.get());
  options.Set(CURLOPT_HEADERFUNCTION, &Transfer::TakeHeader);
  options.Set(CURLOPT_HEADERDATA, &transfer);
  options.Set(CURLOPT_WRITEFUNCTION, &Transfer::TakeBody);
  options.Set(CURLOPT_WRITEDATA, &transfer);
  if (headers && options.whole()) return absl::OkStatus();
  return SystemRefused("libcurl does not take what a request needs; it must be 7.85 or later");
}

HttpExchange HttpTransport::Send(const HttpRequest& request, absl::Time deadline) {
  if (handle_ == nullptr) return {.status = SystemUnavailable("libcurl cannot be started")};
  const absl::Duration limit = deadline - SteadyClock().Now();
  if (limit < absl::Milliseconds(1)) {
    return {.status = SystemUnavailable("no time was left to ask the server")};
  }
  Transfer transfer;
  absl::Status prepared = Prepare(request, transfer, limit);
  if (!prepared.ok()) return {.status = std::move(prepared)};
  return Conclude(curl_easy_perform(handle_.get()), transfer);
}

HttpExchange HttpTransport::Conclude(int code, Transfer& transfer) {
  HttpExchange exchange;
  long status = 0;
  curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &status);
  char* type = nullptr;
  curl_easy_getinfo(handle_.get(), CURLINFO_CONTENT_TYPE, &type);
  if (type != nullptr) {
    const std::string whole = absl::AsciiStrToLower(type);
    exchange.answer.content_type =
        std::string(absl::StripAsciiWhitespace(whole.substr(0, whole.find(';'))));
  }
  exchange.answer.headers = std::move(transfer.answer.headers);
  // A refusal that breaks off is a refusal; a success that breaks off is not known to be one.
  if (code == CURLE_OK || status >= 300) {
    exchange.answer.code = static_cast<int>(status);
    if (code == CURLE_OK) exchange.answer.body = std::move(transfer.answer.body);
    exchange.sent = true;
    return exchange;
  }
  long sent = 0;
  curl_easy_getinfo(handle_.get(), CURLINFO_REQUEST_SIZE, &sent);
  exchange.sent = sent > 0;
  exchange.status = transfer.too_large
                        ? SystemRefused("the server's answer is larger than 8 MiB; ask it for less")
                        : FromCurl(static_cast<CURLcode>(code));
  return exchange;
}

}  // namespace waymark::node
