// Runs jq programs through libjq.
//
// A program sees its input, $args and jq's functions, without those that would reach outside: each
// of them raises "a mapping has no NAME" instead. Nothing is kept from one run to the next but
// compiled programs. For one thread. libjq may abort, loop or take all memory: only a child that
// may die runs this.
#pragma once

#include <list>
#include <memory>
#include <string>

#include "client/mapping/sandbox/protocol.h"

extern "C" {
#include <jq.h>
}

namespace waymark::jq {

class Interpreter {
 public:
  // `out_of_memory` is called when libjq finds no memory; it must not return.
  explicit Interpreter(void (*out_of_memory)(void*)) : out_of_memory_(out_of_memory) {}

  Response Run(const Request& request);

 private:
  struct Teardown {
    void operator()(jq_state* state) const { jq_teardown(&state); }
  };
  using State = std::unique_ptr<jq_state, Teardown>;
  struct Compiled {
    std::string program;
    State state;
  };

  // The compiled program, nullptr when it does not compile; `response` then says why.
  jq_state* Find(const std::string& program, Response& response);

  void (*const out_of_memory_)(void*);
  // The latest used first.
  std::list<Compiled> compiled_;
};

}  // namespace waymark::jq
