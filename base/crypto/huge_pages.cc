#include "base/crypto/huge_pages.h"

#include <openssl/crypto.h>
#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>

namespace waymark {
namespace {

constexpr size_t kLarge = size_t{16} << 20;
constexpr size_t kHugePage = size_t{2} << 20;

// As CRYPTO_malloc and CRYPTO_realloc: nothing for no bytes.
void* Allocate(size_t size, const char* /*file*/, int /*line*/) {
  if (size == 0) return nullptr;
  if (size < kLarge) return std::malloc(size);
  void* memory = nullptr;
  if (posix_memalign(&memory, kHugePage, size) != 0) return nullptr;
  // Advice: where it is not taken, the pages are small.
  madvise(memory, size, MADV_HUGEPAGE);
  return memory;
}

void Release(void* memory, const char* /*file*/, int /*line*/) { std::free(memory); }

void* Resize(void* memory, size_t size, const char* file, int line) {
  if (size > 0) return std::realloc(memory, size);
  Release(memory, file, line);
  return nullptr;
}

}  // namespace

bool UseHugePagesForLargeBuffers() {
  return CRYPTO_set_mem_functions(&Allocate, &Resize, &Release) == 1;
}

}  // namespace waymark
