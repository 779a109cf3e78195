#include "client/connectors/http/url.h"

#include <curl/curl.h>

#include <memory>

#include "absl/strings/ascii.h"
#include "client/connectors/loopback.h"

namespace waymark::node {
namespace {

using UrlHandle = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

// A part of the address; empty when it has none.
std::string PartOf(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return "";
  std::string copy = text;
  curl_free(text);
  return copy;
}

}  // namespace

std::optional<HttpUrl> HttpUrl::Parse(const std::string& text) {
  const UrlHandle url(curl_url(), &curl_url_cleanup);
  if (url == nullptr ||
      curl_url_set(url.get(), CURLUPART_URL, text.c_str(), CURLU_DISALLOW_USER) != CURLUE_OK) {
    return std::nullopt;
  }
  HttpUrl parsed;
  parsed.scheme_ = absl::AsciiStrToLower(PartOf(url.get(), CURLUPART_SCHEME));
  parsed.host_ = absl::AsciiStrToLower(PartOf(url.get(), CURLUPART_HOST));
  if (parsed.scheme_ != "http" && parsed.scheme_ != "https") return std::nullopt;
  if (parsed.host_.empty() || !PartOf(url.get(), CURLUPART_FRAGMENT).empty()) return std::nullopt;
  parsed.origin_ = parsed.scheme_ + "://" + parsed.host_ + ":" + PartOf(url.get(), CURLUPART_PORT);
  parsed.text_ = parsed.origin_ + PartOf(url.get(), CURLUPART_PATH);
  const std::string query = PartOf(url.get(), CURLUPART_QUERY);
  if (!query.empty()) parsed.text_ += "?" + query;
  return parsed;
}

std::optional<HttpUrl> HttpUrl::Resolve(const std::string& reference) const {
  const UrlHandle url(curl_url(), &curl_url_cleanup);
  if (url == nullptr || curl_url_set(url.get(), CURLUPART_URL, text_.c_str(), 0) != CURLUE_OK ||
      curl_url_set(url.get(), CURLUPART_URL, reference.c_str(), CURLU_DISALLOW_USER) != CURLUE_OK) {
    return std::nullopt;
  }
  return Parse(PartOf(url.get(), CURLUPART_URL));
}

bool HttpUrl::IsPrivate() const { return scheme_ == "https" || IsLoopback(host_); }

std::string PercentEncode(std::string_view text) {
  constexpr char kHexDigits[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || c == '-' || c == '.' || c == '_' || c == '~') {
      encoded += c;
    } else {
      encoded += '%';
      encoded += kHexDigits[byte >> 4];
      encoded += kHexDigits[byte & 15];
    }
  }
  return encoded;
}

}  // namespace waymark::node
