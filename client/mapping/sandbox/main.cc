// `waymark-jq`: the child in which the node runs mappings. Not for people.
//
// Shuts itself in, then answers requests from standard input on standard output until that closes.
// It ends without a word when something is wrong: its parent reads the exit status.
#include <unistd.h>

#include <cstdlib>
#include <new>
#include <string>

#include "client/mapping/sandbox/interpreter.h"
#include "client/mapping/sandbox/protocol.h"
#include "client/mapping/sandbox/sandbox.h"

namespace waymark::jq {
namespace {

enum ExitCode { kDone = 0, kUsage = 2, kNotShutIn = 3, kBadRequest = 4, kOutOfMemory = 5 };

bool Read(char* buffer, size_t size) {
  while (size > 0) {
    const ssize_t got = read(STDIN_FILENO, buffer, size);
    if (got <= 0) return false;
    buffer += got;
    size -= static_cast<size_t>(got);
  }
  return true;
}

void Write(const std::string& frame) {
  const char* rest = frame.data();
  size_t size = frame.size();
  while (size > 0) {
    const ssize_t written = write(STDOUT_FILENO, rest, size);
    if (written <= 0) _exit(kDone);
    rest += written;
    size -= static_cast<size_t>(written);
  }
}

// Made while there is memory.
const std::string& OutOfMemoryFrame() {
  static const std::string kFrame = Encode(Response{.outcome = Outcome::kOutOfMemory});
  return kFrame;
}

void OutOfMemory(void* /*data*/) {
  Write(OutOfMemoryFrame());
  _exit(kOutOfMemory);
}

[[noreturn]] void Serve() {
  Interpreter interpreter(OutOfMemory);
  char length[kLengthSize];
  std::string body;
  while (Read(length, kLengthSize)) {
    const size_t size = BodySize(length);
    if (size > kMaxRequest) _exit(kBadRequest);
    body.resize(size);
    if (!Read(body.data(), size)) break;
    const auto request = DecodeRequest(body);
    if (!request.has_value()) _exit(kBadRequest);
    Write(Encode(interpreter.Run(*request)));
  }
  _exit(kDone);
}

// waymark-jq MEMORY_BYTES PARENT_PID
int Main(int argc, char** argv) {
  if (argc != 3) return kUsage;
  const size_t memory = std::strtoull(argv[1], nullptr, 10);
  const auto parent = static_cast<pid_t>(std::strtol(argv[2], nullptr, 10));
  if (Prepare(memory, parent) != nullptr || Enter() != nullptr) return kNotShutIn;
  try {
    OutOfMemoryFrame();
    Serve();
  } catch (const std::bad_alloc&) {
    OutOfMemory(nullptr);
  }
  return kOutOfMemory;
}

}  // namespace
}  // namespace waymark::jq

int main(int argc, char** argv) { return waymark::jq::Main(argc, argv); }
