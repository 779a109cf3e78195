#include "base/directory/statement.h"

#include <string>

#include "base/crypto/hash.h"
#include "base/directory/shape.h"
#include "base/status/status.h"

namespace waymark {
namespace {

constexpr std::string_view kStatementLabel = "waymark/v1/statement";
constexpr std::string_view kDigestLabel = "waymark/v1/statement-digest";
constexpr std::string_view kHeadLabel = "waymark/v1/directory-head";

constexpr absl::Duration kClockTolerance = absl::Minutes(5);

std::string Hex(std::string_view id) {
  const auto parsed = UnitId::FromBytes(id);
  return parsed ? parsed->hex() : std::string();
}

}  // namespace

v1::SignedStatement SignStatement(const v1::Statement& statement, const SigningKey& key) {
  v1::SignedStatement signed_statement;
  signed_statement.set_statement(statement.SerializeAsString());
  signed_statement.set_signature(key.Sign(kStatementLabel, {signed_statement.statement()}));
  return signed_statement;
}

absl::StatusOr<v1::Statement> ParseStatement(const v1::SignedStatement& signed_statement) {
  v1::Statement statement;
  if (signed_statement.statement().size() > kMaxStatementBytes) {
    return Error(v1::REASON_MALFORMED, "the statement is larger than 64 KiB");
  }
  if (!statement.ParseFromString(signed_statement.statement())) {
    return Error(v1::REASON_MALFORMED, "the statement does not parse");
  }
  RETURN_IF_ERROR(CheckStatementShape(statement));
  return statement;
}

absl::Status VerifySignature(const v1::SignedStatement& signed_statement, const VerifyingKey& key) {
  if (!key.Verify(kStatementLabel, {signed_statement.statement()}, signed_statement.signature())
           .ok()) {
    return Error(v1::REASON_STATEMENT_INVALID, "the statement's signature does not verify");
  }
  return absl::OkStatus();
}

absl::Status CheckValidity(const v1::Statement& statement, const NetworkId& network,
                           absl::Time now) {
  if (statement.network_id() != network.view()) {
    return Error(v1::REASON_STATEMENT_INVALID, "the statement is of another network");
  }
  const absl::Time issued = absl::UnixEpoch() + absl::Minutes(statement.issued_minute());
  const absl::Time end = absl::UnixEpoch() + absl::Minutes(statement.valid_until_minute());
  if (issued > now + kClockTolerance) {
    return Error(v1::REASON_STATEMENT_INVALID, "the statement was issued in the future");
  }
  if (end <= now) return Error(v1::REASON_STATEMENT_INVALID, "the statement's validity has ended");
  if (end - issued > kMaxStatementValidity) {
    return Error(v1::REASON_STATEMENT_INVALID, "the statement is valid for more than 8 days");
  }
  return absl::OkStatus();
}

std::string SubjectOf(const v1::Statement& statement) {
  switch (statement.content_case()) {
    case v1::Statement::kMember:
      return "member/" + Hex(statement.organisation_id());
    case v1::Statement::kProfile:
      return "profile/" + Hex(statement.organisation_id());
    case v1::Statement::kUnitKeys:
      return "unit_keys/" + Hex(statement.unit_keys().unit_id());
    case v1::Statement::kService:
      return "service/" + Hex(statement.service().service_id());
    case v1::Statement::kCapacity:
      return "capacity/" + Hex(statement.capacity().service_id());
    case v1::Statement::CONTENT_NOT_SET:
      break;
  }
  return {};
}

std::string StatementDigest(const v1::SignedStatement& signed_statement) {
  return Sha256(kDigestLabel, {signed_statement.statement(), signed_statement.signature()});
}

std::string EmptyHead() { return std::string(kSha256Size, '\0'); }

std::string NextHead(std::string_view head, std::string_view digest) {
  return Sha256(kHeadLabel, {head, digest});
}

}  // namespace waymark
