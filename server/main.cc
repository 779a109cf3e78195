#include "base/time/clock.h"
#include "server/program.h"

int main(int argc, char** argv) {
  return waymark::hub::RunHubProgram(argc, argv, {.clock = &waymark::SystemClock()});
}
