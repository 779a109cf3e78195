// Configuration files: YAML read into typed values, with errors that name file, line and key.
//
// A program asks for every key it knows and then calls Finish(), which refuses the keys that nobody
// asked for and proposes the nearest known one. Example:
//
//   ASSIGN_OR_RETURN(ConfigFile file, ConfigFile::Load("/etc/waymark/hub.yaml"));
//   ConfigSection root = file.root();
//   ASSIGN_OR_RETURN(options.listen, root.Address("listen"));
//   ASSIGN_OR_RETURN(ConfigSection log, root.Section("log"));
//   ASSIGN_OR_RETURN(options.format, log.Choice("format", {"text", "json"}, "text"));
//   RETURN_IF_ERROR(file.Finish());
//
// Every failure but that of reading the file is REASON_CONFIG_INVALID; messages name the key and
// what is expected, never the value, which may be a secret. Each method exists twice: without a
// fallback the key is required, with one it is optional. Not thread-safe. A ConfigSection refers to
// its ConfigFile, which outlives it.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace waymark {

struct ConfigNode;

// A mapping of the file; an absent section reads like an empty one.
class ConfigSection {
 public:
  // Whether the file has `key`; counts as asking for it.
  bool Has(std::string_view key);

  // A single value that is not empty.
  absl::StatusOr<std::string> String(std::string_view key);
  absl::StatusOr<std::string> String(std::string_view key, std::string_view fallback);

  // A path; one that is not absolute is taken relative to the folder of the file. A fallback is
  // returned as it is.
  absl::StatusOr<std::string> Path(std::string_view key);
  absl::StatusOr<std::string> Path(std::string_view key, std::string_view fallback);

  // "host:port" with a port of 0 to 65535; an IPv6 host stands in brackets.
  absl::StatusOr<std::string> Address(std::string_view key);
  absl::StatusOr<std::string> Address(std::string_view key, std::string_view fallback);

  // A list of addresses that one can connect to, empty when absent: "host:port" with a port from 1.
  absl::StatusOr<std::vector<std::string>> PeerAddresses(std::string_view key);

  // One of `allowed`.
  absl::StatusOr<std::string> Choice(std::string_view key,
                                     std::initializer_list<std::string_view> allowed);
  absl::StatusOr<std::string> Choice(std::string_view key,
                                     std::initializer_list<std::string_view> allowed,
                                     std::string_view fallback);

  // A whole number from `minimum` to `maximum`.
  absl::StatusOr<int64_t> Integer(std::string_view key, int64_t minimum, int64_t maximum);
  absl::StatusOr<int64_t> Integer(std::string_view key, int64_t minimum, int64_t maximum,
                                  int64_t fallback);

  // true or false.
  absl::StatusOr<bool> Bool(std::string_view key);
  absl::StatusOr<bool> Bool(std::string_view key, bool fallback);

  // A number and a unit, not negative: "500ms", "30s", "10m", "24h", "7d".
  absl::StatusOr<absl::Duration> Duration(std::string_view key);
  absl::StatusOr<absl::Duration> Duration(std::string_view key, absl::Duration fallback);
  absl::StatusOr<absl::Duration> Duration(std::string_view key, absl::Duration shortest,
                                          absl::Duration longest, absl::Duration fallback);

  // Bytes: a whole number, alone or with B, KiB, MiB or GiB.
  absl::StatusOr<uint64_t> Size(std::string_view key);
  absl::StatusOr<uint64_t> Size(std::string_view key, uint64_t fallback);

  // A list of single values, empty when absent.
  absl::StatusOr<std::vector<std::string>> Strings(std::string_view key);

  // A nested mapping.
  absl::StatusOr<ConfigSection> Section(std::string_view key);

  // A list of nested mappings, empty when absent.
  absl::StatusOr<std::vector<ConfigSection>> Sections(std::string_view key);

  // An error about `key`, for a rule that only the caller knows: "<file>:<line>: <key>: <detail>".
  absl::Status Invalid(std::string_view key, std::string_view detail) const;

 private:
  friend class ConfigFile;
  explicit ConfigSection(ConfigNode* node) : node_(node) {}

  // The node of `key`, nullptr when absent; remembers that it was asked for.
  ConfigNode* Find(std::string_view key);
  // The text of `key`, nullopt when absent.
  absl::StatusOr<std::optional<std::string>> Scalar(std::string_view key,
                                                    std::string_view expected);
  template <typename T, typename Parse>
  absl::StatusOr<T> Read(std::string_view key, std::string_view expected, Parse parse,
                         std::optional<T> fallback);

  ConfigNode* node_;
};

class ConfigFile {
 public:
  // Reads the file at `path`: at most 1 MiB of YAML whose top level is a mapping.
  // REASON_FILE_UNUSABLE: it cannot be read. REASON_CONFIG_INVALID: it does not parse, or repeats a
  // key.
  static absl::StatusOr<ConfigFile> Load(const std::string& path);

  // The same from memory; `path` stands in messages and gives the folder for relative paths.
  static absl::StatusOr<ConfigFile> Parse(const std::string& text, const std::string& path);

  ~ConfigFile();
  ConfigFile(ConfigFile&&) noexcept;
  ConfigFile& operator=(ConfigFile&&) noexcept;

  ConfigSection root();

  // OK if every key of the file was asked for. REASON_CONFIG_INVALID names the first that was not,
  // and the nearest that was.
  absl::Status Finish() const;

 private:
  explicit ConfigFile(std::unique_ptr<ConfigNode> root);

  std::unique_ptr<ConfigNode> root_;
};

}  // namespace waymark
