#include "client/connectors/files/files_connector.h"

#include <utility>

#include "base/status/status.h"
#include "client/connectors/files/folder.h"
#include "client/connectors/files/record_csv.h"
#include "client/connectors/json_members.h"
#include "client/connectors/result.h"

namespace waymark::node {
namespace {

constexpr absl::Duration kSettle = absl::Seconds(5);

absl::StatusOr<char> ReadSeparator(ConfigSection& section) {
  ASSIGN_OR_RETURN(const std::string separator, section.Choice("separator", {",", ";"}, ","));
  return separator.front();
}

absl::StatusOr<OutFolder> ReadOut(ConfigSection section) {
  OutFolder out;
  ASSIGN_OR_RETURN(out.folder, section.Path("folder"));
  ASSIGN_OR_RETURN(const std::string format, section.Choice("format", {"json", "csv"}, "json"));
  out.format = format == "csv" ? FileFormat::kCsv : FileFormat::kJson;
  ASSIGN_OR_RETURN(out.columns, section.Strings("columns"));
  if (out.columns.empty() == (out.format == FileFormat::kCsv)) {
    return section.Invalid("columns",
                           "expected with format: csv, and only there: the columns of a "
                           "file in their order");
  }
  ASSIGN_OR_RETURN(out.separator, ReadSeparator(section));
  ASSIGN_OR_RETURN(out.collected, section.Bool("collected"));
  // A file that stays is told by its name; of one that is taken away only the taker knows.
  ASSIGN_OR_RETURN(out.keyed, section.Bool("keyed", !out.collected));
  if (!out.collected && !out.keyed) {
    return section.Invalid("keyed", "files that stay are always told by their names");
  }
  return out;
}

absl::StatusOr<std::optional<InFolder>> ReadIn(ConfigSection& connector, std::string_view use) {
  if (!connector.Has(use)) return std::optional<InFolder>();
  ASSIGN_OR_RETURN(ConfigSection section, connector.Section(use));
  InFolder in;
  ASSIGN_OR_RETURN(in.folder, section.Path("folder"));
  ASSIGN_OR_RETURN(in.separator, ReadSeparator(section));
  ASSIGN_OR_RETURN(in.settle, section.Duration("settle", kSettle));
  if (in.settle < absl::Seconds(1) || in.settle > absl::Hours(1)) {
    return section.Invalid("settle", "expected 1s to 1h");
  }
  ASSIGN_OR_RETURN(in.whole, section.Bool("whole", false));
  return std::optional<InFolder>(std::move(in));
}

}  // namespace

absl::StatusOr<FilesSettings> ReadFilesSettings(ConfigSection& connector) {
  FilesSettings settings;
  if (connector.Has("referrals")) {
    ASSIGN_OR_RETURN(const ConfigSection referrals, connector.Section("referrals"));
    ASSIGN_OR_RETURN(settings.referrals, ReadOut(referrals));
  }
  ASSIGN_OR_RETURN(settings.capacity, ReadIn(connector, "capacity"));
  ASSIGN_OR_RETURN(settings.updates, ReadIn(connector, "updates"));
  const bool shared = (settings.capacity && settings.updates &&
                       settings.capacity->folder == settings.updates->folder) ||
                      (settings.referrals && settings.capacity &&
                       settings.referrals->folder == settings.capacity->folder) ||
                      (settings.referrals && settings.updates &&
                       settings.referrals->folder == settings.updates->folder);
  if (shared) return connector.Invalid("name", "two of its uses share a folder; give each its own");
  return settings;
}

FilesConnector::FilesConnector(const FilesSettings& settings, Clock& steady)
    : out_(settings.referrals) {
  if (settings.capacity) capacity_.emplace(*settings.capacity, steady);
  if (settings.updates) updates_.emplace(*settings.updates, steady);
}

std::string FilesConnector::NameOf(std::string_view key) const {
  return std::string(key) + (out_->format == FileFormat::kCsv ? ".csv" : ".json");
}

absl::Status FilesConnector::Put(const LocalRecord& record) const {
  if (!out_) return NoReferrals();
  RETURN_IF_ERROR(CheckKey(record.key));
  std::string content = record.json + "\n";
  if (out_->format == FileFormat::kCsv) {
    ASSIGN_OR_RETURN(content, RecordToCsv(record, out_->columns, out_->separator));
  } else if (!ReadJsonObject(record.json)) {
    return SystemRefused("the mapping returned what is no JSON object");
  }
  ASSIGN_OR_RETURN(const Folder folder, Folder::Open(out_->folder));
  return folder.Write(NameOf(record.key), content);
}

WriteResult FilesConnector::Write(const LocalRecord& record) { return ResultOf(Put(record)); }

WriteResult FilesConnector::Erase(std::string_view key) {
  if (!out_) return ResultOf(NoReferrals());
  const absl::Status valid = CheckKey(key);
  if (!valid.ok()) return ResultOf(valid);
  const absl::StatusOr<Folder> folder = Folder::Open(out_->folder);
  if (!folder.ok()) return ResultOf(folder.status());
  const absl::StatusOr<bool> removed = folder->Remove(NameOf(key));
  if (!removed.ok()) return ResultOf(removed.status());
  if (*removed || !out_->collected) return {};
  return {.outcome = WriteOutcome::kUnsupported,
          .detail = "the file has been taken away; erase the record in the system that took it"};
}

absl::StatusOr<FeedPage> FilesConnector::Read(Feed feed, std::string_view cursor) {
  if (in(feed)) return in(feed)->Read(cursor);
  return NoSuchFeed();
}

absl::Status FilesConnector::Taken(Feed feed, std::string_view cursor) {
  if (in(feed)) return in(feed)->Taken(cursor);
  return NoSuchFeed();
}

}  // namespace waymark::node
