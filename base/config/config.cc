#include "base/config/config.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <sstream>
#include <utility>

#include "base/config/address.h"
#include "base/config/node.h"
#include "base/status/status.h"

namespace waymark {
namespace {

constexpr uintmax_t kMaxFileBytes = 1024 * 1024;

absl::Status InvalidAt(const ConfigNode& node, std::string_view detail) {
  return Error(v1::REASON_CONFIG_INVALID, *node.file + ":" + std::to_string(node.line) + ": " +
                                              node.name + ": " + std::string(detail));
}

std::string ChildName(const ConfigNode& parent, std::string_view key) {
  return parent.name.empty() ? std::string(key) : parent.name + "." + std::string(key);
}

std::string_view KindName(ConfigNode::Kind kind) {
  switch (kind) {
    case ConfigNode::Kind::kAbsent:
      return "nothing";
    case ConfigNode::Kind::kScalar:
      return "a single value";
    case ConfigNode::Kind::kList:
      return "a list";
    case ConfigNode::Kind::kMapping:
      return "a section";
  }
  return "something else";
}

template <typename Number>
std::optional<Number> ParseNumber(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Splits "30s" into its number and its unit.
std::pair<std::string_view, std::string_view> SplitUnit(std::string_view text) {
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  return {text.substr(0, digits), text.substr(digits)};
}

std::optional<absl::Duration> ParseDuration(std::string_view text) {
  const auto [digits, unit] = SplitUnit(text);
  const auto number = ParseNumber<int64_t>(digits);
  if (!number) return std::nullopt;
  if (unit == "ms") return absl::Milliseconds(*number);
  if (unit == "s") return absl::Seconds(*number);
  if (unit == "m") return absl::Minutes(*number);
  if (unit == "h") return absl::Hours(*number);
  if (unit == "d") return absl::Hours(24) * *number;
  return std::nullopt;
}

std::optional<uint64_t> ParseSize(std::string_view text) {
  const auto [digits, unit] = SplitUnit(text);
  const auto number = ParseNumber<uint64_t>(digits);
  if (!number) return std::nullopt;
  int shift = 0;
  if (unit == "KiB") {
    shift = 10;
  } else if (unit == "MiB") {
    shift = 20;
  } else if (unit == "GiB") {
    shift = 30;
  } else if (!unit.empty() && unit != "B") {
    return std::nullopt;
  }
  if (*number > (UINT64_MAX >> shift)) return std::nullopt;
  return *number << shift;
}

std::optional<std::string> ParseAddress(std::string_view text) {
  if (!PortOf(text)) return std::nullopt;
  return std::string(text);
}

std::optional<bool> ParseBool(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return std::nullopt;
}

size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substitute = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, substitute}));
    }
  }
  return row.back();
}

std::string Proposal(const std::set<std::string, std::less<>>& known, std::string_view key) {
  std::string_view best;
  size_t best_distance = 4;
  for (const std::string& candidate : known) {
    const size_t distance = EditDistance(candidate, key);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  if (!best.empty()) return "; did you mean '" + std::string(best) + "'?";
  std::string all;
  for (const std::string& candidate : known) all += (all.empty() ? "" : ", ") + candidate;
  return all.empty() ? "" : "; known here are: " + all;
}

absl::Status RefuseUnknown(const ConfigNode& node) {
  for (const auto& [key, child] : node.mapping) {
    if (!node.asked.contains(key)) {
      return InvalidAt(*child, "there is no such key" + Proposal(node.asked, key));
    }
    RETURN_IF_ERROR(RefuseUnknown(*child));
  }
  for (const auto& child : node.list) RETURN_IF_ERROR(RefuseUnknown(*child));
  return absl::OkStatus();
}

std::string OneOf(std::initializer_list<std::string_view> allowed) {
  std::string text = "one of";
  for (std::string_view choice : allowed) {
    text += (choice == *allowed.begin() ? " " : ", ") + std::string(choice);
  }
  return text;
}

std::string Range(int64_t minimum, int64_t maximum) {
  return "a whole number from " + std::to_string(minimum) + " to " + std::to_string(maximum);
}

constexpr std::string_view kDurationForm = "a time such as 500ms, 30s, 10m, 24h or 7d";
constexpr std::string_view kSizeForm = "a size such as 4096, 64KiB or 1GiB";

auto ChoiceParser(std::initializer_list<std::string_view> allowed) {
  return [allowed](std::string_view text) -> std::optional<std::string> {
    if (std::find(allowed.begin(), allowed.end(), text) == allowed.end()) return std::nullopt;
    return std::string(text);
  };
}

auto IntegerParser(int64_t minimum, int64_t maximum) {
  return [minimum, maximum](std::string_view text) -> std::optional<int64_t> {
    const auto number = ParseNumber<int64_t>(text);
    if (!number || *number < minimum || *number > maximum) return std::nullopt;
    return number;
  };
}

std::optional<std::string> ParseText(std::string_view text) {
  if (text.empty()) return std::nullopt;
  return std::string(text);
}

auto PathParser(const std::string& file) {
  return [&file](std::string_view text) -> std::optional<std::string> {
    if (text.empty()) return std::nullopt;
    const std::filesystem::path folder = std::filesystem::path(file).parent_path();
    return (folder / std::filesystem::path(text)).lexically_normal().string();
  };
}

}  // namespace

ConfigNode* ConfigSection::Find(std::string_view key) {
  node_->asked.emplace(key);
  for (auto& [name, child] : node_->mapping) {
    if (name == key) return child.get();
  }
  return nullptr;
}

bool ConfigSection::Has(std::string_view key) { return Find(key) != nullptr; }

absl::StatusOr<std::optional<std::string>> ConfigSection::Scalar(std::string_view key,
                                                                 std::string_view expected) {
  const ConfigNode* node = Find(key);
  if (node == nullptr) return std::optional<std::string>();
  if (node->kind != ConfigNode::Kind::kScalar) {
    return InvalidAt(*node, "expected " + std::string(expected) + ", found " +
                                std::string(KindName(node->kind)));
  }
  return std::optional<std::string>(node->scalar);
}

template <typename T, typename Parse>
absl::StatusOr<T> ConfigSection::Read(std::string_view key, std::string_view expected, Parse parse,
                                      std::optional<T> fallback) {
  ASSIGN_OR_RETURN(const std::optional<std::string> text, Scalar(key, expected));
  if (!text) {
    if (fallback) return *std::move(fallback);
    return Invalid(key, "is missing; expected " + std::string(expected));
  }
  std::optional<T> value = parse(std::string_view(*text));
  if (!value) return Invalid(key, "expected " + std::string(expected));
  return *std::move(value);
}

absl::StatusOr<std::string> ConfigSection::String(std::string_view key) {
  return Read<std::string>(key, "a text", ParseText, std::nullopt);
}

absl::StatusOr<std::string> ConfigSection::String(std::string_view key, std::string_view fallback) {
  return Read<std::string>(key, "a text", ParseText, std::string(fallback));
}

absl::StatusOr<std::string> ConfigSection::Path(std::string_view key) {
  return Read<std::string>(key, "a path", PathParser(*node_->file), std::nullopt);
}

absl::StatusOr<std::string> ConfigSection::Path(std::string_view key, std::string_view fallback) {
  return Read<std::string>(key, "a path", PathParser(*node_->file), std::string(fallback));
}

absl::StatusOr<std::string> ConfigSection::Address(std::string_view key) {
  return Read<std::string>(key, kAddressForm, ParseAddress, std::nullopt);
}

absl::StatusOr<std::string> ConfigSection::Address(std::string_view key,
                                                   std::string_view fallback) {
  return Read<std::string>(key, kAddressForm, ParseAddress, std::string(fallback));
}

absl::StatusOr<std::vector<std::string>> ConfigSection::PeerAddresses(std::string_view key) {
  ASSIGN_OR_RETURN(std::vector<std::string> addresses, Strings(key));
  for (size_t i = 0; i < addresses.size(); ++i) {
    if (IsPeerAddress(addresses[i])) continue;
    return InvalidAt(*Find(key)->list[i], "expected " + std::string(kPeerAddressForm));
  }
  return addresses;
}

absl::StatusOr<std::string> ConfigSection::Choice(std::string_view key,
                                                  std::initializer_list<std::string_view> allowed) {
  return Read<std::string>(key, OneOf(allowed), ChoiceParser(allowed), std::nullopt);
}

absl::StatusOr<std::string> ConfigSection::Choice(std::string_view key,
                                                  std::initializer_list<std::string_view> allowed,
                                                  std::string_view fallback) {
  return Read<std::string>(key, OneOf(allowed), ChoiceParser(allowed), std::string(fallback));
}

absl::StatusOr<int64_t> ConfigSection::Integer(std::string_view key, int64_t minimum,
                                               int64_t maximum) {
  return Read<int64_t>(key, Range(minimum, maximum), IntegerParser(minimum, maximum), std::nullopt);
}

absl::StatusOr<int64_t> ConfigSection::Integer(std::string_view key, int64_t minimum,
                                               int64_t maximum, int64_t fallback) {
  return Read<int64_t>(key, Range(minimum, maximum), IntegerParser(minimum, maximum), fallback);
}

absl::StatusOr<bool> ConfigSection::Bool(std::string_view key) {
  return Read<bool>(key, "true or false", ParseBool, std::nullopt);
}

absl::StatusOr<bool> ConfigSection::Bool(std::string_view key, bool fallback) {
  return Read<bool>(key, "true or false", ParseBool, fallback);
}

absl::StatusOr<absl::Duration> ConfigSection::Duration(std::string_view key) {
  return Read<absl::Duration>(key, kDurationForm, ParseDuration, std::nullopt);
}

absl::StatusOr<absl::Duration> ConfigSection::Duration(std::string_view key,
                                                       absl::Duration fallback) {
  return Read<absl::Duration>(key, kDurationForm, ParseDuration, fallback);
}

absl::StatusOr<absl::Duration> ConfigSection::Duration(std::string_view key,
                                                       absl::Duration shortest,
                                                       absl::Duration longest,
                                                       absl::Duration fallback) {
  ASSIGN_OR_RETURN(const absl::Duration read, Duration(key, fallback));
  if (read >= shortest && read <= longest) return read;
  return Invalid(
      key, "expected " + absl::FormatDuration(shortest) + " to " + absl::FormatDuration(longest));
}

absl::StatusOr<uint64_t> ConfigSection::Size(std::string_view key) {
  return Read<uint64_t>(key, kSizeForm, ParseSize, std::nullopt);
}

absl::StatusOr<uint64_t> ConfigSection::Size(std::string_view key, uint64_t fallback) {
  return Read<uint64_t>(key, kSizeForm, ParseSize, fallback);
}

absl::StatusOr<std::vector<std::string>> ConfigSection::Strings(std::string_view key) {
  std::vector<std::string> values;
  const ConfigNode* node = Find(key);
  if (node == nullptr) return values;
  if (node->kind != ConfigNode::Kind::kList) return InvalidAt(*node, "expected a list of texts");
  for (const auto& item : node->list) {
    if (item->kind != ConfigNode::Kind::kScalar || item->scalar.empty()) {
      return InvalidAt(*item, "expected a text");
    }
    values.push_back(item->scalar);
  }
  return values;
}

absl::StatusOr<ConfigSection> ConfigSection::Section(std::string_view key) {
  ConfigNode* node = Find(key);
  if (node == nullptr) {
    auto absent = std::make_unique<ConfigNode>();
    absent->file = node_->file;
    absent->line = node_->line;
    absent->name = ChildName(*node_, key);
    node_->absent.push_back(std::move(absent));
    return ConfigSection(node_->absent.back().get());
  }
  if (node->kind != ConfigNode::Kind::kMapping && node->kind != ConfigNode::Kind::kAbsent) {
    return InvalidAt(*node, "expected a section of 'key: value' lines");
  }
  return ConfigSection(node);
}

absl::StatusOr<std::vector<ConfigSection>> ConfigSection::Sections(std::string_view key) {
  std::vector<ConfigSection> sections;
  ConfigNode* node = Find(key);
  if (node == nullptr) return sections;
  if (node->kind != ConfigNode::Kind::kList) return InvalidAt(*node, "expected a list of sections");
  for (const auto& item : node->list) {
    if (item->kind != ConfigNode::Kind::kMapping) {
      return InvalidAt(*item, "expected a section of 'key: value' lines");
    }
    sections.push_back(ConfigSection(item.get()));
  }
  return sections;
}

absl::Status ConfigSection::Invalid(std::string_view key, std::string_view detail) const {
  int line = node_->line;
  for (const auto& [name, child] : node_->mapping) {
    if (name == key) line = child->line;
  }
  return Error(v1::REASON_CONFIG_INVALID, *node_->file + ":" + std::to_string(line) + ": " +
                                              ChildName(*node_, key) + ": " + std::string(detail));
}

ConfigFile::ConfigFile(std::unique_ptr<ConfigNode> root) : root_(std::move(root)) {}
ConfigFile::~ConfigFile() = default;
ConfigFile::ConfigFile(ConfigFile&&) noexcept = default;
ConfigFile& ConfigFile::operator=(ConfigFile&&) noexcept = default;

absl::StatusOr<ConfigFile> ConfigFile::Load(const std::string& path) {
  std::error_code error;
  const uintmax_t size = std::filesystem::file_size(path, error);
  std::ifstream file(path, std::ios::binary);
  if (!error && !file) error = std::error_code(errno, std::generic_category());
  if (error) {
    return Error(v1::REASON_FILE_UNUSABLE, path + " cannot be read: " + error.message());
  }
  if (size > kMaxFileBytes) {
    return Error(v1::REASON_FILE_UNUSABLE, path + " is larger than 1 MiB");
  }
  std::ostringstream text;
  text << file.rdbuf();
  return Parse(text.str(), path);
}

absl::StatusOr<ConfigFile> ConfigFile::Parse(const std::string& text, const std::string& path) {
  ASSIGN_OR_RETURN(auto root, ParseYaml(text, path));
  return ConfigFile(std::move(root));
}

ConfigSection ConfigFile::root() { return ConfigSection(root_.get()); }

absl::Status ConfigFile::Finish() const { return RefuseUnknown(*root_); }

}  // namespace waymark
