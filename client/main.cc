#include "base/crypto/huge_pages.h"
#include "base/time/clock.h"
#include "client/program.h"

int main(int argc, char** argv) {
  // A login is a third shorter.
  waymark::UseHugePagesForLargeBuffers();
  return waymark::node::RunNodeProgram(argc, argv, {.clock = &waymark::SystemClock()});
}
