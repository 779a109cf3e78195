// The loop of a process that is going to be killed.
//
// A backend's crash writer opens its store and calls this; durability_conformance.cc starts it,
// kills it and checks. Batch b of the run delivers kCrashBatchItems inquiries, numbered from b *
// kCrashBatchItems, to mailbox 1. Once a batch is committed, its number goes to standard output as
// 8 bytes.
#pragma once

#include <cstdint>

#include "server/store/store.h"

namespace waymark::hub {

inline constexpr uint64_t kCrashBatchItems = 5;

// Commits batches from `first` on until the process is killed or the store or the pipe fails;
// returns the exit code.
int WriteUntilKilled(Store& store, uint64_t first);

}  // namespace waymark::hub
