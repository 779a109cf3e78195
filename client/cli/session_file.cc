#include "client/cli/session_file.h"

#include <cstdlib>
#include <filesystem>

#include "absl/strings/escaping.h"
#include "base/crypto/hash.h"
#include "base/identity/files.h"
#include "base/status/status.h"

namespace waymark::node {
namespace {

constexpr std::string_view kLabel = "waymark/v1/session-file";
constexpr size_t kNameDigits = 16;

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

std::string SessionPath(const std::string& socket) {
  if (std::string chosen = Environment("WAYMARK_SESSION"); !chosen.empty()) return chosen;
  const std::string runtime = Environment("XDG_RUNTIME_DIR");
  const std::filesystem::path folder = runtime.empty()
                                           ? std::filesystem::path(Environment("HOME")) / ".config"
                                           : std::filesystem::path(runtime);
  const std::string name = absl::BytesToHexString(Sha256(kLabel, {socket})).substr(0, kNameDigits);
  return (folder / "waymark" / ("session-" + name)).string();
}

absl::StatusOr<std::string> ReadSession(const std::string& path) {
  std::error_code failed;
  if (!std::filesystem::exists(path, failed)) return std::string();
  ASSIGN_OR_RETURN(const SecretBytes token, ReadSecretFile(path));
  return std::string(token.view());
}

absl::Status WriteSession(const std::string& path, const std::string& token) {
  std::error_code failed;
  const auto folder = std::filesystem::path(path).parent_path();
  if (!folder.empty() && !std::filesystem::exists(folder, failed)) {
    std::filesystem::create_directories(folder, failed);
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, failed);
  }
  return WriteSecretFile(path, SecretBytes::CopyOf(token));
}

absl::Status RemoveSession(const std::string& path) {
  std::error_code failed;
  std::filesystem::remove(path, failed);
  if (!failed) return absl::OkStatus();
  return Error(v1::REASON_FILE_UNUSABLE, "the session file " + path + " cannot be removed");
}

}  // namespace waymark::node
