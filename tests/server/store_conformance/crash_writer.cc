#include "tests/server/store_conformance/crash_writer.h"

#include <unistd.h>

#include <cstdio>
#include <string>
#include <vector>

#include "tests/server/store_conformance/samples.h"

namespace waymark::hub {

int WriteUntilKilled(Store& store, uint64_t first) {
  for (uint64_t batch = first;; ++batch) {
    std::vector<Effects> effects;
    for (uint64_t i = 0; i < kCrashBatchItems; ++i) {
      effects.push_back(SampleInquiry(1, batch * kCrashBatchItems + i));
    }
    if (const absl::Status status = store.Commit(effects); !status.ok()) {
      std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
      return 1;
    }
    if (write(STDOUT_FILENO, &batch, sizeof(batch)) != sizeof(batch)) return 1;
  }
}

}  // namespace waymark::hub
