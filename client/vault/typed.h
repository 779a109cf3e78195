// Documents and settings as protobuf messages.
//
//   ASSIGN_OR_RETURN(const v1::CaseRecord record, GetAs<v1::CaseRecord>(reader,
//   DocumentKind::kCase, id));
//
// Codes as for Reader and Transaction; REASON_DATA_CORRUPT also when the content does not parse.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/crypto/secret.h"
#include "base/status/status.h"
#include "client/vault/vault.h"

namespace waymark::node {

template <typename Message>
absl::StatusOr<Message> ParseStored(const SecretBytes& content) {
  Message message;
  if (!message.ParseFromArray(content.data(), static_cast<int>(content.size()))) {
    return Error(v1::REASON_DATA_CORRUPT, "a document of the vault does not parse");
  }
  return message;
}

template <typename Message>
absl::StatusOr<Message> GetAs(const Reader& reader, DocumentKind kind, const DocumentId& id) {
  ASSIGN_OR_RETURN(const SecretBytes content, reader.Get(kind, id));
  return ParseStored<Message>(content);
}

// Turns what List returned into pairs of id and message.
template <typename Message>
absl::StatusOr<std::vector<std::pair<DocumentId, Message>>> ParseAll(
    absl::StatusOr<std::vector<Document>> documents) {
  if (!documents.ok()) return documents.status();
  std::vector<std::pair<DocumentId, Message>> messages;
  messages.reserve(documents->size());
  for (const Document& document : *documents) {
    ASSIGN_OR_RETURN(Message message, ParseStored<Message>(document.content));
    messages.emplace_back(document.id, std::move(message));
  }
  return messages;
}

template <typename Message>
absl::StatusOr<std::optional<Message>> GetSettingAs(const Reader& reader, std::string_view name) {
  ASSIGN_OR_RETURN(const std::optional<SecretBytes> content, reader.GetSetting(name));
  if (!content.has_value()) return std::optional<Message>();
  ASSIGN_OR_RETURN(Message message, ParseStored<Message>(*content));
  return std::optional<Message>(std::move(message));
}

// Stores the message; its serialised copy is wiped.
template <typename Message>
absl::Status PutMessage(Transaction& transaction, DocumentKind kind, const DocumentId& id,
                        const DocumentId& parent, const Message& message) {
  std::string bytes = message.SerializeAsString();
  const SecretBytes content = SecretBytes::TakeFrom(bytes);
  return transaction.Put(kind, id, parent, content.view());
}

template <typename Message>
absl::Status PutSettingMessage(Transaction& transaction, std::string_view name,
                               const Message& message) {
  std::string bytes = message.SerializeAsString();
  const SecretBytes content = SecretBytes::TakeFrom(bytes);
  return transaction.PutSetting(name, content.view());
}

}  // namespace waymark::node
