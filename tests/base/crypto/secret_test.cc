#include "base/crypto/secret.h"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <type_traits>
#include <utility>

#include "gtest/gtest.h"

namespace {

// The block that a test watches, and what its last free found in it.
uint8_t* g_watched = nullptr;
size_t g_watched_size = 0;
enum class Found { kNotFreed, kWiped, kLeft } g_found = Found::kNotFreed;

}  // namespace

// Replaced for this program, so that a test can look at a block in the moment it is given back.
void* operator new[](size_t size) {
  void* block = std::malloc(size);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}
void operator delete[](void* block) noexcept {
  if (block != nullptr && block == g_watched) {
    const bool wiped =
        std::all_of(g_watched, g_watched + g_watched_size, [](uint8_t byte) { return byte == 0; });
    g_found = wiped ? Found::kWiped : Found::kLeft;
    g_watched = nullptr;
  }
  std::free(block);
}
void operator delete[](void* block, size_t) noexcept { operator delete[](block); }

namespace waymark {
namespace {

void Watch(SecretBytes& secret) {
  g_watched = secret.data();
  g_watched_size = secret.size();
  g_found = Found::kNotFreed;
}

static_assert(!std::is_copy_constructible_v<SecretBytes>);
static_assert(!std::is_copy_assignable_v<SecretBytes>);
static_assert(std::is_nothrow_move_constructible_v<SecretBytes>);

template <typename T>
concept Printable = requires(std::ostream& out, const T& value) {
  out << value;
};
static_assert(!Printable<SecretBytes>);

TEST(SecretBytesTest, IsWipedWhenDestroyed) {
  {
    SecretBytes secret = SecretBytes::CopyOf("a sealing key of lin.family");
    Watch(secret);
  }
  EXPECT_EQ(g_found, Found::kWiped);
}

TEST(SecretBytesTest, IsWipedWhenAssignedOver) {
  SecretBytes secret = SecretBytes::CopyOf("first");
  Watch(secret);
  secret = SecretBytes::CopyOf("second");
  EXPECT_EQ(g_found, Found::kWiped);
  EXPECT_EQ(secret.view(), "second");
}

TEST(SecretBytesTest, IsWipedWhenItGrows) {
  SecretBytes secret = SecretBytes::CopyOf("first");
  Watch(secret);
  secret.Append(" and second");
  EXPECT_EQ(g_found, Found::kWiped);
  EXPECT_EQ(secret.view(), "first and second");
}

TEST(SecretBytesTest, TruncationWipesTheTailInPlace) {
  SecretBytes secret = SecretBytes::CopyOf("keep-drop");
  const uint8_t* tail = secret.data() + 4;
  secret.Truncate(4);
  EXPECT_EQ(secret.view(), "keep");
  EXPECT_TRUE(std::all_of(tail, tail + 5, [](uint8_t byte) { return byte == 0; }));
  secret.Truncate(9);
  EXPECT_EQ(secret.size(), 4u);
}

TEST(SecretBytesTest, TakingEmptiesTheSource) {
  std::string source = "passphrase";
  const SecretBytes secret = SecretBytes::TakeFrom(source);
  EXPECT_EQ(secret.view(), "passphrase");
  EXPECT_TRUE(source.empty());
}

TEST(SecretBytesTest, MovingLeavesNothingBehind) {
  SecretBytes source = SecretBytes::CopyOf("key");
  const uint8_t* block = source.data();
  const SecretBytes moved = std::move(source);
  EXPECT_EQ(moved.data(), block);
  // What moving leaves is the test. NOLINTNEXTLINE(bugprone-use-after-move,clang-analyzer-*)
  EXPECT_EQ(source.view(), "");
}

TEST(SecretBytesTest, AppendsAcrossManyGrowths) {
  SecretBytes secret;
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    const std::string piece(static_cast<size_t>(i % 7), static_cast<char>('a' + i % 26));
    secret.Append(piece);
    expected += piece;
  }
  EXPECT_EQ(secret.view(), expected);
}

}  // namespace
}  // namespace waymark
