// Addresses of HTTP servers and the paths below them.
//
// Values; all functions are pure and thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace waymark::node {

// An absolute address with the scheme http or https, without a user and without a fragment.
class HttpUrl {
 public:
  // nullopt: it is none.
  static std::optional<HttpUrl> Parse(const std::string& text);

  // The address that `reference`, absolute or relative, means where this one was asked.
  std::optional<HttpUrl> Resolve(const std::string& reference) const;

  const std::string& text() const { return text_; }
  const std::string& host() const { return host_; }
  // Path and query, from the '/'.
  std::string path_and_query() const { return text_.substr(origin_.size()); }
  bool has_query() const { return text_.find('?') != std::string::npos; }
  bool SameOrigin(const HttpUrl& other) const { return origin_ == other.origin_; }
  // Whether what is sent there stays secret: by TLS, or because it stays on this machine.
  bool IsPrivate() const;

 private:
  HttpUrl() = default;

  std::string text_;
  // Scheme, host and port as they begin the text.
  std::string origin_;
  std::string scheme_;
  std::string host_;
};

// The text with everything but letters, digits, '-', '.', '_' and '~' as %XX.
std::string PercentEncode(std::string_view text);

}  // namespace waymark::node
