// What the node and its jq child say to each other, read by either end: the first byte chooses
// which. Whatever is read is written as the same bytes again, and every output goes through the
// check that keeps anything but JSON out.
#include <cstdint>
#include <optional>
#include <string>

#include "client/mapping/json_text.h"
#include "client/mapping/sandbox/protocol.h"
#include "tests/fuzz/invariant.h"

namespace waymark::node {
namespace {

constexpr int kDepth = 64;

// What passes the check passes a laxer one too, and is text.
void CheckText(const std::string& text) {
  if (CheckJson(text, kDepth) != JsonText::kValid) return;
  HOLDS(CheckJson(text, kDepth + 1) == JsonText::kValid);
  HOLDS(IsUtf8Text(text));
}

template <typename Message>
void CheckFrame(const std::optional<Message>& message, std::string_view body) {
  if (!message.has_value()) return;
  const std::string frame = jq::Encode(*message);
  HOLDS(jq::BodySize(frame.data()) == body.size());
  HOLDS(std::string_view(frame).substr(jq::kLengthSize) == body);
}

void Check(std::string_view input) {
  if (fuzz::TakeByte(input) % 2 == 0) {
    const auto request = jq::DecodeRequest(input);
    CheckFrame(request, input);
    if (request.has_value()) CheckText(request->input);
    return;
  }
  const auto response = jq::DecodeResponse(input);
  CheckFrame(response, input);
  if (!response.has_value()) return;
  HOLDS(response->message.size() <= jq::kMaxMessage);
  for (const std::string& output : response->outputs) CheckText(output);
}

}  // namespace
}  // namespace waymark::node

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  waymark::node::Check(waymark::fuzz::View(data, size));
  return 0;
}
