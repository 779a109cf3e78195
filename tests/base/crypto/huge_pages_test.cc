#include "base/crypto/huge_pages.h"

#include <openssl/crypto.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <ios>
#include <sstream>
#include <string>

#include "gtest/gtest.h"

namespace waymark {
namespace {

// What the kernel says of the mapping that holds `address`, the flags that it was given.
std::string FlagsOf(const void* address) {
  std::ifstream maps("/proc/self/smaps");
  const auto wanted = reinterpret_cast<uintptr_t>(address);
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    uintptr_t begin = 0;
    uintptr_t end = 0;
    char dash = 0;
    std::istringstream words(line);
    if (words >> std::hex >> begin >> dash >> end && dash == '-') {
      inside = begin <= wanted && wanted < end;
    } else if (inside && line.rfind("VmFlags:", 0) == 0) {
      return line + " ";
    }
  }
  return "";
}

TEST(HugePagesTest, ComeTooLateOnceOpenSslAllocates) {
  const auto too_late = [] {
    OPENSSL_free(OPENSSL_malloc(1));
    std::exit(UseHugePagesForLargeBuffers() ? 1 : 0);
  };
  EXPECT_EXIT(too_late(), ::testing::ExitedWithCode(0), "");
}

// The last test of its program: before it, OpenSSL has allocated nothing.
TEST(HugePagesTest, LargeBuffersAskForThem) {
  ASSERT_TRUE(UseHugePagesForLargeBuffers());
  constexpr size_t kSize = size_t{32} << 20;
  void* large = OPENSSL_malloc(kSize);
  void* small = OPENSSL_malloc(100);
  ASSERT_NE(large, nullptr);
  ASSERT_NE(small, nullptr);
  const std::string flags = FlagsOf(large);
  EXPECT_NE(flags.find(" hg "), std::string::npos) << flags;
  EXPECT_EQ(FlagsOf(small).find(" hg "), std::string::npos);

  static_cast<char*>(large)[0] = 'a';
  large = OPENSSL_realloc(large, 2 * kSize);
  ASSERT_NE(large, nullptr);
  EXPECT_EQ(static_cast<char*>(large)[0], 'a');
  static_cast<char*>(large)[2 * kSize - 1] = 'z';
  OPENSSL_free(large);
  EXPECT_EQ(OPENSSL_realloc(small, 0), nullptr);
  EXPECT_EQ(OPENSSL_malloc(0), nullptr);
}

}  // namespace
}  // namespace waymark
