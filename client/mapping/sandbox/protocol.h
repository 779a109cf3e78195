// What the node and its jq child say to each other: one request, one response, and again.
//
// A frame is a length (4 bytes, big-endian) and a body of that many bytes. Inside a body, numbers
// are big-endian and texts follow their length (4 bytes). Both ends treat the other's bytes as
// untrusted: a decoder takes exactly what an encoder writes, and nothing else.
//
// Only the standard library is used here, because the child links nothing else of ours. Pure
// functions; thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace waymark::jq {

// The bytes of a frame's length.
inline constexpr size_t kLengthSize = 4;
// The largest body of a request that the child reads.
inline constexpr size_t kMaxRequest = size_t{64} << 20;
// What a response adds to the texts that it carries, at most.
inline constexpr size_t kResponseOverhead = 16;
// What a response adds to each output.
inline constexpr size_t kOutputOverhead = kLengthSize;
// The longest message of an error.
inline constexpr size_t kMaxMessage = 1024;

struct Request {
  std::string program;
  // A JSON text.
  std::string input;
  // Named texts, which the program sees as $args.
  std::map<std::string, std::string> arguments;
  // How many bytes the outputs may have, kOutputOverhead each included.
  uint32_t max_output = 0;

  friend bool operator==(const Request&, const Request&) = default;
};

enum class Outcome : uint8_t {
  // The program ran to its end.
  kOutputs = 1,
  // The program does not compile: `message` and `line` are jq's.
  kInvalid = 2,
  // The program raised an error: `message` is jq's or the program's, and may repeat a value.
  kRaised = 3,
  // The outputs have more than max_output bytes.
  kOutputTooLarge = 4,
  // The memory limit was reached. The child ends after this response.
  kOutOfMemory = 5,
  // The input is not JSON that jq takes.
  kInputInvalid = 6,
};

struct Response {
  Outcome outcome = Outcome::kOutputs;
  // JSON texts; only with kOutputs.
  std::vector<std::string> outputs;
  // Counted from 1; 0 where there is none.
  uint32_t line = 0;
  std::string message;

  friend bool operator==(const Response&, const Response&) = default;
};

// Return a whole frame.
std::string Encode(const Request& request);
std::string Encode(const Response& response);

// Return what a body says, nullopt unless it is exactly one request or response.
std::optional<Request> DecodeRequest(std::string_view body);
std::optional<Response> DecodeResponse(std::string_view body);

// Returns the length of the body that follows these kLengthSize bytes.
size_t BodySize(const char* length);

}  // namespace waymark::jq
