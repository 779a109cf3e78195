#include "client/listing/source.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "base/crypto/hash.h"
#include "base/schema/canonical_json.h"
#include "base/status/status.h"
#include "client/csv/csv.h"
#include "client/listing/hsds_package.h"
#include "client/listing/hsds_reader.h"
#include "client/listing/json_records.h"
#include "client/listing/record_value.h"
#include "client/mapping/finding.h"
#include "client/mapping/json_text.h"

namespace waymark::node {
namespace {

namespace fs = std::filesystem;
using local::v1::RECORD_FINDING_KIND_HELD_BACK;
using local::v1::RECORD_FINDING_KIND_INVALID;

constexpr size_t kChunk = size_t{1} << 20;

absl::Status Unusable(const std::string& path) {
  return Error(v1::REASON_FILE_UNUSABLE, path + " cannot be read");
}

// Goes on from `digest` over a file, chunk by chunk.
absl::StatusOr<std::string> DigestFile(const fs::path& path, std::string digest) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return Unusable(path.string());
  std::string chunk(kChunk, '\0');
  do {
    in.read(chunk.data(), static_cast<std::streamsize>(chunk.size()));
    digest = Sha256("waymark/listing/source",
                    {digest, std::string_view(chunk).substr(0, static_cast<size_t>(in.gcount()))});
  } while (in);
  return digest;
}

// Whether the reason is about this one record; any other concerns the mapping or the machine.
bool IsAboutRecord(v1::Reason reason) {
  return reason != v1::REASON_MAPPING_INVALID && reason != v1::REASON_MAPPING_FORBIDDEN &&
         reason != v1::REASON_MAPPING_UNAVAILABLE;
}

}  // namespace

absl::StatusOr<std::string> Source::Digest() const {
  const std::string mapping = options_.runner == nullptr ? "" : options_.mapping.text;
  if (!fs::is_directory(options_.path)) return DigestFile(options_.path, mapping);
  std::vector<fs::path> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(options_.path, error)) {
    if (entry.path().extension() == ".csv") files.push_back(entry.path());
  }
  if (error) return Unusable(options_.path);
  std::sort(files.begin(), files.end());
  std::string digest = mapping;
  for (const fs::path& file : files) {
    digest = Sha256("waymark/listing/source", {digest, file.filename().string()});
    ASSIGN_OR_RETURN(digest, DigestFile(file, digest));
  }
  return digest;
}

void Source::Tell(uint64_t bytes) const {
  if (progress_) progress_(bytes, total_, records_);
}

absl::Status Source::Hand(ListingDraft draft, const Visit& visit) {
  draft.ordinal = records_;
  return records_ <= options_.skip ? absl::OkStatus() : visit(std::move(draft));
}

absl::Status Source::Read(const Visit& visit) {
  records_ = 0;
  left_behind_.clear();
  if (fs::is_directory(options_.path)) {
    if (options_.runner == nullptr) return ReadPackage(visit);
    return Error(v1::REASON_FILE_UNUSABLE, options_.path + " is a folder, a mapping needs a file");
  }
  std::error_code error;
  total_ = fs::file_size(options_.path, error);
  std::ifstream in(options_.path, std::ios::binary);
  if (error || !in) return Unusable(options_.path);
  if (!absl::EndsWithIgnoreCase(options_.path, ".csv")) return ReadJson(in, visit);
  if (options_.runner != nullptr) return ReadTable(in, visit);
  return Error(v1::REASON_FILE_UNUSABLE,
               options_.path + " is one table; HSDS needs the folder of all of them");
}

absl::Status Source::ReadPackage(const Visit& visit) {
  ASSIGN_OR_RETURN(HsdsPackage package, HsdsPackage::Open(options_.path));
  total_ = package.size();
  for (size_t i = 0; i < package.size(); ++i) {
    RETURN_IF_ERROR(TakeHsds(package.Service(i), visit));
    Tell(i + 1);
  }
  const std::set<std::string> unjoined = package.Unjoined();
  left_behind_.insert(unjoined.begin(), unjoined.end());
  return absl::OkStatus();
}

absl::Status Source::ReadTable(std::istream& in, const Visit& visit) {
  ASSIGN_OR_RETURN(CsvReader table, CsvReader::Open(in));
  while (true) {
    ASSIGN_OR_RETURN(const auto row, table.NextByName());
    if (!row) return absl::OkStatus();
    google::protobuf::Struct object;
    for (const auto& [name, cell] : *row) {
      if (!IsUtf8Text(name) || !IsUtf8Text(cell)) {
        return Error(v1::REASON_MALFORMED, options_.path + " is not UTF-8 text");
      }
      (*object.mutable_fields())[name].set_string_value(cell);
    }
    ASSIGN_OR_RETURN(const std::string text, ToJson(object));
    RETURN_IF_ERROR(TakeRecord(text, visit));
    Tell(table.position());
  }
}

absl::Status Source::ReadJson(std::istream& in, const Visit& visit) {
  JsonRecords records(in);
  while (true) {
    auto text = records.Next();
    if (!text.ok()) return Annotate(text.status(), options_.path);
    if (!text->has_value()) return absl::OkStatus();
    RETURN_IF_ERROR(TakeRecord(**text, visit));
    Tell(records.position());
  }
}

absl::Status Source::TakeHsds(const google::protobuf::Value& record, const Visit& visit) {
  if (HsdsPackage::IsTables(record)) {
    HsdsPackage package = HsdsPackage::FromTables(record);
    for (size_t i = 0; i < package.size(); ++i)
      RETURN_IF_ERROR(TakeHsds(package.Service(i), visit));
    const std::set<std::string> unjoined = package.Unjoined();
    left_behind_.insert(unjoined.begin(), unjoined.end());
    return absl::OkStatus();
  }
  for (ListingDraft& draft :
       HsdsReader(*options_.catalogue, options_.terms).Read(record, left_behind_)) {
    ++records_;
    RETURN_IF_ERROR(Hand(std::move(draft), visit));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<ListingDraft>> Source::Map(const std::string& text) const {
  std::vector<ListingDraft> drafts;
  auto outputs = options_.runner->Run(options_.mapping, text, options_.arguments);
  if (!outputs.ok()) {
    if (!IsAboutRecord(ReasonOf(outputs.status()))) return outputs.status();
    drafts.emplace_back().Add(RECORD_FINDING_KIND_INVALID, "", "the mapping failed on this record");
    return drafts;
  }
  if (outputs->empty()) drafts.emplace_back().left_out = true;
  for (const std::string& output : *outputs) {
    ListingDraft& draft = drafts.emplace_back();
    for (const MappingFinding& finding : ReadCanonical(output, draft.record)) {
      draft.Add(RECORD_FINDING_KIND_INVALID, finding.field, finding.text);
    }
  }
  return drafts;
}

absl::Status Source::TakeRecord(const std::string& text, const Visit& visit) {
  auto record = ParseRecord(text);
  if (!record.ok()) {
    ListingDraft draft;
    draft.Add(RECORD_FINDING_KIND_INVALID, "", "is not JSON, too large or too deep");
    ++records_;
    return Hand(std::move(draft), visit);
  }
  if (options_.runner == nullptr) return TakeHsds(*record, visit);
  if (++records_ <= options_.skip) return absl::OkStatus();
  ASSIGN_OR_RETURN(std::vector<ListingDraft> drafts, Map(text));
  const std::set<std::string> unneutral = UnneutralPaths(*record);
  for (ListingDraft& draft : drafts) {
    for (const std::string& path : unneutral) {
      draft.Add(RECORD_FINDING_KIND_HELD_BACK, path, "has a word to be looked at");
    }
    RETURN_IF_ERROR(Hand(std::move(draft), visit));
  }
  return absl::OkStatus();
}

}  // namespace waymark::node
