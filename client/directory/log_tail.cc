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

absl::Status VisitLogTail(const Reader& reader, uint64_t revision,
                          absl::FunctionRef<bool(v1::DirectoryEntry)> visit) {
  while (true) {
    absl::StatusOr<v1::DirectoryEntry> entry =
        GetAs<v1::DirectoryEntry>(reader, DocumentKind::kLogEntry, TailPlace(++revision));
    if (ReasonOf(entry.status()) == v1::REASON_NOT_FOUND) return absl::OkStatus();
    RETURN_IF_ERROR(entry.status());
    // An older one stands in the place of an entry that came without its statement.
    if (entry->revision() != revision || !visit(*std::move(entry))) return absl::OkStatus();
  }
}

}  // namespace waymark::node
