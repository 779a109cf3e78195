#include "tests/torture/history.h"

#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace waymark::torture {
namespace {

constexpr std::array<std::string_view, 7> kNames = {
    "submitted", "confirmed", "refused", "delivered", "acknowledged", "returned", "seen"};

}  // namespace

std::string_view Name(What what) { return kNames.at(static_cast<size_t>(what)); }

std::string Format(const Event& event) {
  const std::string kind = v1::Kind_Name(event.kind);
  std::string text =
      absl::StrCat(std::string(Name(event.what)), " ", event.party, " ", event.referral);
  if (!event.message.empty()) {
    absl::StrAppend(&text, " ", event.message, " ", absl::StripPrefix(kind, "KIND_"));
  }
  if (!event.detail.empty()) absl::StrAppend(&text, " ", event.detail);
  return text;
}

}  // namespace waymark::torture
