#include "client/vault/master_key.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>
#include <utility>

#include "base/crypto/aead.h"
#include "base/crypto/hash.h"
#include "base/identity/files.h"
#include "base/status/status.h"

namespace waymark::node {
namespace {

constexpr size_t kKeyFileDigits = 2 * kAtRestKeySize;
constexpr size_t kMinPassphraseSize = 12;

std::optional<uint8_t> HexValue(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return std::nullopt;
}

absl::StatusOr<SecretBytes> ParseKeyFile(std::string_view text, const std::string& path) {
  if (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  const auto wrong = [&path] {
    return Error(v1::REASON_FILE_UNUSABLE,
                 "the master key file does not hold 64 hexadecimal digits: " + path);
  };
  if (text.size() != kKeyFileDigits) return wrong();
  SecretBytes key(kAtRestKeySize);
  for (size_t i = 0; i < kAtRestKeySize; ++i) {
    const std::optional<uint8_t> high = HexValue(text[2 * i]);
    const std::optional<uint8_t> low = HexValue(text[2 * i + 1]);
    if (!high.has_value() || !low.has_value()) return wrong();
    key.data()[i] = static_cast<uint8_t>(*high * 16 + *low);
  }
  return key;
}

}  // namespace

absl::Status MasterKey::CreateFile(const std::string& path, Random& random) {
  struct stat info;
  if (lstat(path.c_str(), &info) == 0) {
    return Error(v1::REASON_EXISTS, "the master key file " + path);
  }
  constexpr char kDigits[] = "0123456789abcdef";
  const SecretBytes key = GenerateAtRestKey(random);
  SecretBytes text(kKeyFileDigits + 1);
  for (size_t i = 0; i < key.size(); ++i) {
    text.data()[2 * i] = kDigits[key.data()[i] >> 4];
    text.data()[2 * i + 1] = kDigits[key.data()[i] & 15];
  }
  text.data()[kKeyFileDigits] = '\n';
  return WriteSecretFile(path, text);
}

absl::StatusOr<MasterKey> MasterKey::FromFile(const std::string& path) {
  ASSIGN_OR_RETURN(const SecretBytes text, ReadSecretFile(path));
  ASSIGN_OR_RETURN(SecretBytes key, ParseKeyFile(text.view(), path));
  return MasterKey(Form::kKey, std::move(key));
}

absl::StatusOr<MasterKey> MasterKey::FromCredential(const std::string& directory,
                                                    const std::string& name) {
  const std::string path = directory + "/" + name;
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    return Error(v1::REASON_FILE_UNUSABLE, "the credential cannot be read: " + path);
  }
  SecretBytes text(kKeyFileDigits + 2);
  const ssize_t size = read(file, text.data(), text.size());
  close(file);
  text.Truncate(size > 0 ? static_cast<size_t>(size) : 0);
  ASSIGN_OR_RETURN(SecretBytes key, ParseKeyFile(text.view(), path));
  return MasterKey(Form::kKey, std::move(key));
}

absl::StatusOr<MasterKey> MasterKey::FromPassphrase(SecretBytes passphrase) {
  if (passphrase.size() < kMinPassphraseSize) {
    return Error(v1::REASON_FIELD_INVALID, "the vault's passphrase is shorter than 12 characters");
  }
  return MasterKey(Form::kPassphrase, std::move(passphrase));
}

absl::StatusOr<SecretBytes> MasterKey::Derive(std::string_view salt, const ScryptCost& cost) const {
  switch (form_) {
    case Form::kKey:
      return HkdfSha256(secret_.view(), salt, "waymark vault master key", kAtRestKeySize);
    case Form::kPassphrase:
      return DeriveFromPassphrase(secret_, salt, cost, kAtRestKeySize);
  }
  return Error(v1::REASON_INTERNAL, "a master key of no form");
}

}  // namespace waymark::node
