// What the configuration says of drop folders.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/config/config.h"
#include "client/connectors/connector.h"

namespace waymark::node {

enum class FileFormat { kJson, kCsv };

// Where records are written, a file each.
struct OutFolder {
  std::string folder;
  FileFormat format = FileFormat::kJson;
  // Of a CSV file, in their order.
  std::vector<std::string> columns;
  char separator = ',';
  // Another program takes the files away.
  bool collected = false;
  bool keyed = true;
};

// Where files are read.
struct InFolder {
  std::string folder;
  char separator = ',';
  // How long a file must have stayed the same.
  absl::Duration settle;
  // A file is one item with all its rows, and not each row one.
  bool whole = false;
};

struct FilesSettings {
  std::optional<OutFolder> referrals;
  std::optional<InFolder> capacity;
  std::optional<InFolder> updates;

  const std::optional<InFolder>& feed(Feed feed) const {
    return feed == Feed::kCapacity ? capacity : updates;
  }
};

absl::StatusOr<FilesSettings> ReadFilesSettings(ConfigSection& connector);

}  // namespace waymark::node
