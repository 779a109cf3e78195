#include "base/directory/pem.h"

#include "absl/strings/escaping.h"
#include "base/status/status.h"

namespace waymark {
namespace {

constexpr size_t kLineLength = 64;

std::string Marker(std::string_view word, std::string_view kind) {
  return "-----" + std::string(word) + " " + std::string(kind) + "-----";
}

}  // namespace

std::string PemFromDer(std::string_view kind, std::string_view der) {
  const std::string base64 = absl::Base64Escape(absl::string_view(der.data(), der.size()));
  std::string pem = Marker("BEGIN", kind) + "\n";
  for (size_t at = 0; at < base64.size(); at += kLineLength) {
    pem += base64.substr(at, kLineLength) + "\n";
  }
  return pem + Marker("END", kind) + "\n";
}

absl::StatusOr<std::string> DerFromPem(std::string_view kind, std::string_view pem) {
  const std::string begin = Marker("BEGIN", kind);
  const size_t start = pem.find(begin);
  const size_t end = start == std::string_view::npos ? start : pem.find(Marker("END", kind), start);
  std::string der;
  if (end != std::string_view::npos) {
    const std::string_view body = pem.substr(start + begin.size(), end - start - begin.size());
    if (absl::Base64Unescape(absl::string_view(body.data(), body.size()), &der) && !der.empty()) {
      return der;
    }
  }
  return Error(v1::REASON_FIELD_INVALID, "there is no PEM block " + std::string(kind));
}

}  // namespace waymark
