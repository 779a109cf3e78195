#include "client/directory/own_statements.h"

#include <utility>

#include "base/crypto/hash.h"
#include "base/directory/statement.h"
#include "base/status/status.h"
#include "client/vault/typed.h"

namespace waymark::node {
namespace {

DocumentId PlaceOf(const std::string& subject) {
  return DocumentId(*ServiceId::FromBytes(PlainSha256(subject).substr(0, ServiceId::kSize)));
}

}  // namespace

absl::StatusOr<local::v1::OwnStatement> ReadOwn(const Reader& reader, const std::string& subject) {
  absl::StatusOr<local::v1::OwnStatement> own =
      GetAs<local::v1::OwnStatement>(reader, DocumentKind::kOwnStatement, PlaceOf(subject));
  if (ReasonOf(own.status()) == v1::REASON_NOT_FOUND) return local::v1::OwnStatement();
  return own;
}

absl::Status WriteOwn(Transaction& transaction, const std::string& subject,
                      const local::v1::OwnStatement& own) {
  return PutMessage(transaction, DocumentKind::kOwnStatement, PlaceOf(subject), DocumentId(), own);
}

absl::StatusOr<std::optional<v1::Statement>> LastSaid(const local::v1::OwnStatement& own) {
  if (!own.has_pending() && !own.has_in_force()) return std::optional<v1::Statement>();
  ASSIGN_OR_RETURN(v1::Statement statement,
                   ParseStatement(own.has_pending() ? own.pending() : own.in_force()));
  return std::optional<v1::Statement>(std::move(statement));
}

absl::StatusOr<std::optional<v1::Service>> OwnService(const Reader& reader,
                                                      const std::string& service_id) {
  v1::Statement named;
  named.mutable_service()->set_service_id(service_id);
  ASSIGN_OR_RETURN(const local::v1::OwnStatement own, ReadOwn(reader, SubjectOf(named)));
  ASSIGN_OR_RETURN(const std::optional<v1::Statement> said, LastSaid(own));
  if (!said.has_value()) return std::optional<v1::Service>();
  return std::optional<v1::Service>(said->service());
}

}  // namespace waymark::node
