#include "client/mapping/sandbox/protocol.h"

#include <utility>

namespace waymark::jq {
namespace {

constexpr int kBitsPerByte = 8;

void Put(std::string& bytes, uint32_t number) {
  for (size_t i = kLengthSize; i-- > 0;) {
    bytes += static_cast<char>(number >> (i * kBitsPerByte) & 0xff);
  }
}

void Put(std::string& bytes, std::string_view text) {
  Put(bytes, static_cast<uint32_t>(text.size()));
  bytes += text;
}

std::string Framed(const std::string& body) {
  std::string frame;
  frame.reserve(kLengthSize + body.size());
  Put(frame, body);
  return frame;
}

// Takes numbers and texts off the front of a body; once something is missing, everything is.
class Taker {
 public:
  explicit Taker(std::string_view body) : rest_(body) {}

  uint32_t Number() {
    if (!Has(kLengthSize)) return 0;
    const auto number = static_cast<uint32_t>(BodySize(rest_.data()));
    rest_.remove_prefix(kLengthSize);
    return number;
  }

  uint8_t Byte() {
    if (!Has(1)) return 0;
    const auto byte = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return byte;
  }

  std::string Text() {
    const uint32_t size = Number();
    if (!Has(size)) return {};
    std::string text(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return text;
  }

  bool ok() const { return ok_; }
  bool done() const { return ok_ && rest_.empty(); }

 private:
  bool Has(size_t size) {
    ok_ = ok_ && rest_.size() >= size;
    return ok_;
  }

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace

std::string Encode(const Request& request) {
  std::string body;
  Put(body, request.program);
  Put(body, request.input);
  Put(body, request.max_output);
  Put(body, static_cast<uint32_t>(request.arguments.size()));
  for (const auto& [name, value] : request.arguments) {
    Put(body, name);
    Put(body, value);
  }
  return Framed(body);
}

std::string Encode(const Response& response) {
  std::string body(1, static_cast<char>(response.outcome));
  Put(body, response.line);
  Put(body, response.message);
  Put(body, static_cast<uint32_t>(response.outputs.size()));
  for (const std::string& output : response.outputs) Put(body, output);
  return Framed(body);
}

std::optional<Request> DecodeRequest(std::string_view body) {
  Taker taker(body);
  Request request;
  request.program = taker.Text();
  request.input = taker.Text();
  request.max_output = taker.Number();
  std::string last;
  for (uint32_t left = taker.Number(); left > 0 && taker.ok(); --left) {
    std::string name = taker.Text();
    // In the order of their names, each once: as a map is written.
    if (!request.arguments.empty() && name <= last) return std::nullopt;
    last = name;
    request.arguments.emplace(std::move(name), taker.Text());
  }
  if (!taker.done()) return std::nullopt;
  return request;
}

std::optional<Response> DecodeResponse(std::string_view body) {
  Taker taker(body);
  Response response;
  const uint8_t outcome = taker.Byte();
  if (outcome < static_cast<uint8_t>(Outcome::kOutputs) ||
      outcome > static_cast<uint8_t>(Outcome::kInputInvalid)) {
    return std::nullopt;
  }
  response.outcome = static_cast<Outcome>(outcome);
  response.line = taker.Number();
  response.message = taker.Text();
  for (uint32_t left = taker.Number(); left > 0 && taker.ok(); --left) {
    response.outputs.push_back(taker.Text());
  }
  if (!taker.done() || response.message.size() > kMaxMessage) return std::nullopt;
  if (response.outcome != Outcome::kOutputs && !response.outputs.empty()) return std::nullopt;
  return response;
}

size_t BodySize(const char* length) {
  size_t size = 0;
  for (size_t i = 0; i < kLengthSize; ++i) {
    size = size << kBitsPerByte | static_cast<unsigned char>(length[i]);
  }
  return size;
}

}  // namespace waymark::jq
