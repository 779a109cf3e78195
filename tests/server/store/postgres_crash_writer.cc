// Usage: postgres_crash_writer URL FIRST. See crash_writer.h.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/random/random.h"
#include "server/store/postgres/postgres_store.h"
#include "tests/server/store_conformance/crash_writer.h"

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  auto store = waymark::hub::PostgresStore::Open(
      {.target = {.url = argv[1]}, .random = &waymark::SystemRandom()});
  if (!store.ok()) {
    std::fprintf(stderr, "%s\n", std::string(store.status().message()).c_str());
    return 1;
  }
  return waymark::hub::WriteUntilKilled(**store, std::strtoull(argv[2], nullptr, 10));
}
