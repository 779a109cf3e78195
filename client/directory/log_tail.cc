#include "client/directory/log_tail.h"

#include <string>
#include <utility>

#include "base/crypto/hash.h"
#include "base/status/status.h"
#include "client/vault/typed.h"

namespace waymark::node {
namespace {

DocumentId TailPlace(uint64_t revision) {
  const std::string name = "log/" + std::to_string(revision % kLogTailEntries);
  return DocumentId(*ServiceId::FromBytes(PlainSha256(name).substr(0, ServiceId::kSize)));
}

}  // namespace

absl::Status WriteLogTail(Transaction& transaction, const v1::WatchDirectoryResponse& response) {
  const uint64_t last = response.head().revision();
  for (const v1::DirectoryEntry& entry : response.entries()) {
    if (!entry.has_statement() || entry.revision() + kLogTailEntries <= last) continue;
    RETURN_IF_ERROR(PutMessage(transaction, DocumentKind::kLogEntry, TailPlace(entry.revision()),
                               DocumentId(), entry));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<v1::DirectoryEntry>> ReadLogTail(const Reader& reader, uint64_t revision,
                                                            size_t most) {
  std::vector<v1::DirectoryEntry> entries;
  while (entries.size() < most) {
    absl::StatusOr<v1::DirectoryEntry> entry = GetAs<v1::DirectoryEntry>(
        reader, DocumentKind::kLogEntry, TailPlace(revision + entries.size() + 1));
    if (ReasonOf(entry.status()) == v1::REASON_NOT_FOUND) break;
    if (!entry.ok()) return entry.status();
    if (entry->revision() != revision + entries.size() + 1) break;
    entries.push_back(*std::move(entry));
  }
  return entries;
}

}  // namespace waymark::node
