#include "base/crypto/secret.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace waymark {

SecretBytes::SecretBytes(size_t size)
    : data_(std::make_unique<uint8_t[]>(size)), size_(size), capacity_(size) {}

SecretBytes::~SecretBytes() { Reset(); }

SecretBytes::SecretBytes(SecretBytes&& other) noexcept
    : data_(std::move(other.data_)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)) {}

SecretBytes& SecretBytes::operator=(SecretBytes&& other) noexcept {
  if (this != &other) {
    Reset();
    data_ = std::move(other.data_);
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
  }
  return *this;
}

SecretBytes SecretBytes::CopyOf(std::string_view bytes) {
  SecretBytes copy(bytes.size());
  if (!bytes.empty()) std::memcpy(copy.data(), bytes.data(), bytes.size());
  return copy;
}

SecretBytes SecretBytes::TakeFrom(std::string& bytes) {
  SecretBytes taken = CopyOf(bytes);
  Wipe(bytes);
  return taken;
}

void SecretBytes::Append(std::string_view bytes) {
  if (bytes.empty()) return;
  if (size_ + bytes.size() > capacity_) {
    // The old block is wiped when `grown`, which holds it after the swap, goes.
    SecretBytes grown(std::max(2 * capacity_, size_ + bytes.size()));
    if (size_ > 0) std::memcpy(grown.data(), data(), size_);
    std::swap(data_, grown.data_);
    std::swap(capacity_, grown.capacity_);
  }
  std::memcpy(data() + size_, bytes.data(), bytes.size());
  size_ += bytes.size();
}

void SecretBytes::Truncate(size_t size) {
  if (size >= size_) return;
  OPENSSL_cleanse(data() + size, size_ - size);
  size_ = size;
}

std::string_view SecretBytes::view() const {
  return {reinterpret_cast<const char*>(data()), size_};
}

void SecretBytes::Reset() {
  if (data_ != nullptr) OPENSSL_cleanse(data_.get(), capacity_);
  data_.reset();
  size_ = 0;
  capacity_ = 0;
}

void Wipe(std::string& bytes) {
  OPENSSL_cleanse(bytes.data(), bytes.size());
  bytes.clear();
}

}  // namespace waymark
