// Documents, sections and settings.
#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "base/status/status.h"
#include "client/vault/database.h"
#include "client/vault/vault.h"

namespace waymark::node {
namespace {

constexpr char kDocuments[] = "documents";
// A node reads its whole directory when it starts: one query, not one more for each key.
#define WAYMARK_DOCUMENTS_WITH_KEYS            \
  "SELECT documents.id, parent, wrapped, box " \
  "FROM documents LEFT JOIN keys ON keys.number = documents.key "
constexpr char kSections[] = "sections";
constexpr char kSettings[] = "settings";

std::string Number(int64_t value) {
  std::string bytes(8, '\0');
  for (int i = 0; i < 8; ++i) {
    bytes[i] = static_cast<char>(static_cast<uint64_t>(value) >> (56 - 8 * i));
  }
  return bytes;
}

int64_t ReadNumber(std::string_view bytes) {
  uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<uint8_t>(byte);
  return static_cast<int64_t>(value);
}

absl::StatusOr<DocumentId> StoredId(std::string_view bytes) {
  if (bytes.empty()) return DocumentId();
  const std::optional<CaseId> id = CaseId::FromBytes(bytes);
  if (!id.has_value()) return Error(v1::REASON_DATA_CORRUPT, "a document's id in the vault");
  return DocumentId(*id);
}

// A document without a parent stores no bytes for it.
std::string_view StoredParent(const DocumentId& parent) {
  return parent.empty() ? std::string_view() : parent.view();
}

// Rows of WAYMARK_DOCUMENTS_WITH_KEYS.
absl::StatusOr<std::vector<Document>> ReadDocuments(VaultDatabase& database, DocumentKind kind,
                                                    Statement rows) {
  std::vector<Document> documents;
  const std::string kind_bytes = Number(static_cast<int64_t>(kind));
  while (true) {
    ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) return documents;
    if (rows.IsNull(2)) {
      return Error(v1::REASON_DATA_CORRUPT, "a record of the vault has lost its key");
    }
    Document& document = documents.emplace_back();
    ASSIGN_OR_RETURN(document.id, StoredId(rows.Bytes(0)));
    ASSIGN_OR_RETURN(document.parent, StoredId(rows.Bytes(1)));
    ASSIGN_OR_RETURN(document.content,
                     database.UnsealWith(kDocuments, {kind_bytes, rows.Bytes(0), rows.Bytes(1)},
                                         rows.Bytes(2), rows.Bytes(3)));
  }
}

// Which section it is stands inside the box, before the content: even that says something of the
// person.
constexpr size_t kSectionPrefix = 24;

SecretBytes PackSection(const SectionRecord& section) {
  SecretBytes packed = SecretBytes::CopyOf(Number(section.section) + Number(section.index) +
                                           Number(static_cast<int64_t>(section.stage)));
  packed.Append(section.content.view());
  return packed;
}

absl::StatusOr<SectionRecord> UnpackSection(const SecretBytes& packed) {
  if (packed.size() < kSectionPrefix) {
    return Error(v1::REASON_DATA_CORRUPT, "a section in the vault");
  }
  const std::string_view bytes = packed.view();
  SectionRecord section;
  section.section = static_cast<int32_t>(ReadNumber(bytes.substr(0, 8)));
  section.index = static_cast<int32_t>(ReadNumber(bytes.substr(8, 8)));
  section.stage = static_cast<v1::Stage>(ReadNumber(bytes.substr(16, 8)));
  section.content = SecretBytes::CopyOf(bytes.substr(kSectionPrefix));
  return section;
}

// A section as it is stored.
struct StoredSection {
  std::string name;
  SectionDirection direction;
  int64_t key;
  SectionRecord record;
};

absl::StatusOr<std::vector<StoredSection>> SectionsOf(VaultDatabase& database,
                                                      const ReferralId& referral) {
  Statement rows =
      database.Prepare("SELECT name, direction, key, box FROM sections WHERE referral = ?")
          .Blob(referral.view());
  std::vector<StoredSection> sections;
  while (true) {
    ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) return sections;
    StoredSection& section = sections.emplace_back();
    section.name = rows.Bytes(0);
    section.direction = static_cast<SectionDirection>(rows.Int(1));
    section.key = rows.Int(2);
    ASSIGN_OR_RETURN(
        const SecretBytes packed,
        database.Unseal(kSections, {section.name, referral.view(), Number(rows.Int(1))},
                        section.key, rows.Bytes(3)));
    ASSIGN_OR_RETURN(section.record, UnpackSection(packed));
  }
}

absl::Status CheckSettingName(std::string_view name) {
  const bool fits =
      !name.empty() && name.size() <= 64 &&
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789._-") == std::string_view::npos;
  return fits ? absl::OkStatus() : Error(v1::REASON_INTERNAL, "a setting's name in the vault");
}

}  // namespace

absl::StatusOr<SecretBytes> Reader::Get(DocumentKind kind, const DocumentId& id) const {
  Statement rows =
      database_.Prepare(WAYMARK_DOCUMENTS_WITH_KEYS "WHERE kind = ? AND documents.id = ?")
          .Bind(static_cast<int64_t>(kind))
          .Blob(id.view());
  ASSIGN_OR_RETURN(std::vector<Document> found, ReadDocuments(database_, kind, std::move(rows)));
  if (found.empty()) return Error(v1::REASON_NOT_FOUND, "no such record in the vault");
  return std::move(found.front().content);
}

absl::StatusOr<DocumentId> Reader::ParentOf(DocumentKind kind, const DocumentId& id) const {
  Statement rows = database_.Prepare("SELECT parent FROM documents WHERE kind = ? AND id = ?")
                       .Bind(static_cast<int64_t>(kind))
                       .Blob(id.view());
  ASSIGN_OR_RETURN(const bool row, rows.Step());
  if (!row) return Error(v1::REASON_NOT_FOUND, "no such record in the vault");
  return StoredId(rows.Bytes(0));
}

absl::StatusOr<std::vector<Document>> Reader::List(DocumentKind kind) const {
  return ReadDocuments(
      database_, kind,
      database_.Prepare(WAYMARK_DOCUMENTS_WITH_KEYS "WHERE kind = ? ORDER BY documents.number")
          .Bind(static_cast<int64_t>(kind)));
}

absl::StatusOr<std::vector<Document>> Reader::List(DocumentKind kind,
                                                   const DocumentId& parent) const {
  return ReadDocuments(database_, kind,
                       database_
                           .Prepare(WAYMARK_DOCUMENTS_WITH_KEYS
                                    "WHERE kind = ? AND parent = ? ORDER BY documents.number")
                           .Bind(static_cast<int64_t>(kind))
                           .Blob(StoredParent(parent)));
}

absl::StatusOr<DocumentChanges> Reader::ChangedSince(DocumentKind kind, int64_t mark) const {
  // Each version has a key of its own, with a number above all before it.
  Statement rows = database_
                       .Prepare(
                           "SELECT id, key FROM documents WHERE kind = ? AND key > ? "
                           "ORDER BY key")
                       .Bind(static_cast<int64_t>(kind))
                       .Bind(mark);
  DocumentChanges changes = {.ids = {}, .mark = mark};
  while (true) {
    ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) return changes;
    ASSIGN_OR_RETURN(const DocumentId id, StoredId(rows.Bytes(0)));
    changes.ids.push_back(id);
    changes.mark = rows.Int(1);
  }
}

absl::Status Transaction::Put(DocumentKind kind, const DocumentId& id, const DocumentId& parent,
                              std::string_view content) {
  if (id.empty()) return Error(v1::REASON_FIELD_INVALID, "a record of the vault without an id");
  const std::string kind_bytes = Number(static_cast<int64_t>(kind));
  ASSIGN_OR_RETURN(
      const SealedRecord sealed,
      database().Seal(kDocuments, {kind_bytes, id.view(), StoredParent(parent)}, content));

  Statement old = database()
                      .Prepare("SELECT key, parent FROM documents WHERE kind = ? AND id = ?")
                      .Bind(static_cast<int64_t>(kind))
                      .Blob(id.view());
  ASSIGN_OR_RETURN(const bool replaces, old.Step());
  if (!replaces) {
    return database()
        .Prepare("INSERT INTO documents (kind, id, parent, key, box) VALUES (?, ?, ?, ?, ?)")
        .Bind(static_cast<int64_t>(kind))
        .Blob(id.view())
        .Blob(StoredParent(parent))
        .Bind(sealed.key)
        .Blob(sealed.box)
        .Run();
  }
  if (old.Bytes(1) != StoredParent(parent)) {
    return Error(v1::REASON_FIELD_INVALID, "a record of the vault cannot move to another parent");
  }
  RETURN_IF_ERROR(database().DeleteKey(old.Int(0)));
  return database()
      .Prepare("UPDATE documents SET key = ?, box = ? WHERE kind = ? AND id = ?")
      .Bind(sealed.key)
      .Blob(sealed.box)
      .Bind(static_cast<int64_t>(kind))
      .Blob(id.view())
      .Run();
}

absl::Status Transaction::Delete(DocumentKind kind, const DocumentId& id) {
  RETURN_IF_ERROR(database()
                      .Prepare("DELETE FROM keys WHERE number = "
                               "(SELECT key FROM documents WHERE kind = ? AND id = ?)")
                      .Bind(static_cast<int64_t>(kind))
                      .Blob(id.view())
                      .Run());
  database().ScrubAfterCommit();
  return database()
      .Prepare("DELETE FROM documents WHERE kind = ? AND id = ?")
      .Bind(static_cast<int64_t>(kind))
      .Blob(id.view())
      .Run();
}

absl::StatusOr<std::vector<SectionRecord>> Reader::ReadSections(const ReferralId& referral,
                                                                SectionDirection direction) const {
  ASSIGN_OR_RETURN(std::vector<StoredSection> stored, SectionsOf(database_, referral));
  std::vector<SectionRecord> sections;
  for (StoredSection& section : stored) {
    if (section.direction == direction) sections.push_back(std::move(section.record));
  }
  std::sort(sections.begin(), sections.end(), [](const SectionRecord& a, const SectionRecord& b) {
    return std::tie(a.section, a.index) < std::tie(b.section, b.index);
  });
  return sections;
}

absl::Status Transaction::PutSection(const ReferralId& referral, SectionDirection direction,
                                     const SectionRecord& section) {
  const std::string direction_bytes = Number(static_cast<int64_t>(direction));
  const std::string name = database().BlindName(
      "waymark section name",
      {referral.view(), direction_bytes, Number(section.section), Number(section.index)});
  ASSIGN_OR_RETURN(const SealedRecord sealed,
                   database().Seal(kSections, {name, referral.view(), direction_bytes},
                                   PackSection(section).view()));
  RETURN_IF_ERROR(database()
                      .Prepare("DELETE FROM keys WHERE number = "
                               "(SELECT key FROM sections WHERE name = ?)")
                      .Blob(name)
                      .Run());
  return database()
      .Prepare(
          "INSERT INTO sections (name, referral, direction, key, box) VALUES (?, ?, ?, ?, ?) "
          "ON CONFLICT (name) DO UPDATE SET key = excluded.key, box = excluded.box")
      .Blob(name)
      .Blob(referral.view())
      .Bind(static_cast<int64_t>(direction))
      .Bind(sealed.key)
      .Blob(sealed.box)
      .Run();
}

absl::StatusOr<int> Transaction::EraseSections(const ReferralId& referral,
                                               const std::vector<int32_t>& sections) {
  ASSIGN_OR_RETURN(const std::vector<StoredSection> stored, SectionsOf(database(), referral));
  int erased = 0;
  for (const StoredSection& section : stored) {
    const bool named = sections.empty() || std::find(sections.begin(), sections.end(),
                                                     section.record.section) != sections.end();
    if (!named) continue;
    RETURN_IF_ERROR(database().DeleteKey(section.key));
    RETURN_IF_ERROR(
        database().Prepare("DELETE FROM sections WHERE name = ?").Blob(section.name).Run());
    ++erased;
  }
  if (erased > 0) database().ScrubAfterCommit();
  return erased;
}

absl::StatusOr<std::optional<SecretBytes>> Reader::GetSetting(std::string_view name) const {
  Statement rows = database_.Prepare("SELECT key, box FROM settings WHERE name = ?").Text(name);
  ASSIGN_OR_RETURN(const bool row, rows.Step());
  if (!row) return std::optional<SecretBytes>();
  ASSIGN_OR_RETURN(SecretBytes value,
                   database_.Unseal(kSettings, {name}, rows.Int(0), rows.Bytes(1)));
  return std::optional<SecretBytes>(std::move(value));
}

absl::Status Transaction::PutSetting(std::string_view name, std::string_view value) {
  RETURN_IF_ERROR(CheckSettingName(name));
  ASSIGN_OR_RETURN(const SealedRecord sealed, database().Seal(kSettings, {name}, value));
  RETURN_IF_ERROR(database()
                      .Prepare("DELETE FROM keys WHERE number = "
                               "(SELECT key FROM settings WHERE name = ?)")
                      .Text(name)
                      .Run());
  return database()
      .Prepare(
          "INSERT INTO settings (name, key, box) VALUES (?, ?, ?) "
          "ON CONFLICT (name) DO UPDATE SET key = excluded.key, box = excluded.box")
      .Text(name)
      .Bind(sealed.key)
      .Blob(sealed.box)
      .Run();
}

absl::Status Transaction::DeleteSetting(std::string_view name) {
  RETURN_IF_ERROR(database()
                      .Prepare("DELETE FROM keys WHERE number = "
                               "(SELECT key FROM settings WHERE name = ?)")
                      .Text(name)
                      .Run());
  database().ScrubAfterCommit();
  return database().Prepare("DELETE FROM settings WHERE name = ?").Text(name).Run();
}

}  // namespace waymark::node
