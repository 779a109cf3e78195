#include "base/time/clock.h"
#include "client/program.h"

int main(int argc, char** argv) {
  return waymark::node::RunNodeProgram(argc, argv, {.clock = &waymark::SystemClock()});
}
