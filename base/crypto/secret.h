// Bytes that must not outlive their use: keys, opened payloads, passphrases.
//
// SecretBytes owns its memory, moves but does not copy, and wipes every byte it held when it is
// destroyed, assigned over or grown. It cannot be printed. Not thread-safe; const access from
// several threads is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>

namespace waymark {

class SecretBytes {
 public:
  // No bytes.
  SecretBytes() = default;
  // `size` zero bytes, to be filled through data().
  explicit SecretBytes(size_t size);
  ~SecretBytes();

  SecretBytes(SecretBytes&& other) noexcept;
  SecretBytes& operator=(SecretBytes&& other) noexcept;
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;

  // Copies `bytes`; the caller's copy stays as it is.
  static SecretBytes CopyOf(std::string_view bytes);
  // Copies `bytes`, then wipes and empties the string.
  static SecretBytes TakeFrom(std::string& bytes);

  void Append(std::string_view bytes);
  // Drops everything after the first `size` bytes, wiping it; `size` is at most size().
  void Truncate(size_t size);

  // Valid until the next non-const call.
  std::string_view view() const;
  const uint8_t* data() const { return data_.get(); }
  uint8_t* data() { return data_.get(); }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  friend std::ostream& operator<<(std::ostream&, const SecretBytes&) = delete;

 private:
  void Reset();

  std::unique_ptr<uint8_t[]> data_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

// Overwrites `bytes` with zeros in a way that the compiler keeps, then empties it.
void Wipe(std::string& bytes);

}  // namespace waymark
