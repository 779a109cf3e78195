// How OpenSSL gets large buffers.
//
// scrypt reads its memory in an order that nobody can foresee: with pages of 4 KiB a third of its
// time is spent on translating addresses, and on faults when the pages are first touched.
#pragma once

namespace waymark {

// From now on OpenSSL's buffers of 16 MiB and more are in huge pages, where the kernel has any to
// give ("madvise" or "always" in /sys/kernel/mm/transparent_hugepage/enabled). Call it first in
// main: once OpenSSL has allocated anything, nothing changes and it returns false.
bool UseHugePagesForLargeBuffers();

}  // namespace waymark
