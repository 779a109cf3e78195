// Shuts the calling process in: what it can reach afterwards is its memory, standard input and
// standard output.
//
// For small single-threaded programs of our own that run what we do not trust. First Prepare, then
// whatever must still be opened or loaded, then Enter; there is no way back. Both are called once,
// from the only thread. Only the standard library and libseccomp are used here.
#pragma once

#include <sys/types.h>

#include <cstddef>

namespace waymark::jq {

// Empties the environment but for the zone (UTC), closes every descriptor above standard output,
// asks the kernel to end this process with its parent, and sets the limits: `memory_bytes` of
// address space, no new files, no core dump, nobody may look into its memory. Returns what failed,
// nullptr if nothing did; `parent` gone already is a failure too.
const char* Prepare(size_t memory_bytes, pid_t parent);

// Leaves the system calls that reading standard input, writing standard output, memory, randomness
// and ending need; any other ends the process with SIGSYS. Writing to other descriptors fails with
// EBADF. Returns what failed, nullptr if nothing did.
const char* Enter();

}  // namespace waymark::jq
