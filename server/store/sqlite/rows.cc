#include "server/store/sqlite/rows.h"

#include "base/status/status.h"

namespace waymark::hub {
namespace {

template <typename Enum>
int64_t Number(Enum value) {
  return static_cast<int64_t>(value);
}

template <typename Enum>
Enum ReadEnum(Statement& statement) {
  return static_cast<Enum>(statement.Int());
}

uint64_t ReadUnsigned(Statement& statement) { return static_cast<uint64_t>(statement.Int()); }

bool ReadBool(Statement& statement) { return statement.Int() != 0; }

}  // namespace

Statement& BindRow(Statement& statement, int64_t row, const MailboxItem& item) {
  return statement.Bind(row)
      .Bind(item.mailbox)
      .Bind(item.message_id)
      .Bind(item.referral)
      .Bind(item.sender)
      .Bind(Number(item.kind))
      .Bind(Number(item.urgency))
      .Bind(item.token_hash)
      .Bind(item.stored_at)
      .Bind(item.expires_at)
      .Bind(item.message)
      .BindSum();
}

absl::StatusOr<MailboxItem> ReadItem(Statement& statement) {
  MailboxItem item;
  item.sequence = ReadUnsigned(statement);
  item.mailbox = statement.Read<OrganisationId>();
  item.message_id = statement.Read<MessageId>();
  item.referral = statement.Read<ReferralId>();
  item.sender = statement.Read<OrganisationId>();
  item.kind = ReadEnum<v1::Kind>(statement);
  item.urgency = ReadEnum<v1::Urgency>(statement);
  item.token_hash = statement.Bytes();
  item.stored_at = statement.Time();
  item.expires_at = statement.Time();
  item.message = statement.Bytes();
  RETURN_IF_ERROR(statement.CheckSum());
  return item;
}

Statement& BindRow(Statement& statement, int64_t row, const TokenRecord& token) {
  return statement.Bind(row)
      .Bind(token.hash)
      .Bind(token.issuer)
      .Bind(token.presenter)
      .Bind(token.recipient)
      .Bind(Number(token.ceiling))
      .Bind(token.valid_until)
      .Bind(int64_t{token.separate_release})
      .Bind(token.revocation_lock)
      .Bind(token.registered_at)
      .Bind(int64_t{token.revoked})
      .BindSum();
}

absl::StatusOr<Numbered<TokenRecord>> ReadToken(Statement& statement) {
  Numbered<TokenRecord> token;
  token.row = statement.Int();
  token.record.hash = statement.Bytes();
  token.record.issuer = statement.Read<UnitId>();
  token.record.presenter = statement.Read<UnitId>();
  token.record.recipient = statement.Read<UnitId>();
  token.record.ceiling = ReadEnum<v1::Stage>(statement);
  token.record.valid_until = statement.Time();
  token.record.separate_release = ReadBool(statement);
  token.record.revocation_lock = statement.Bytes();
  token.record.registered_at = statement.Time();
  token.record.revoked = ReadBool(statement);
  RETURN_IF_ERROR(statement.CheckSum());
  return token;
}

Statement& BindRow(Statement& statement, int64_t row, const ReferralRecord& referral) {
  return statement.Bind(row)
      .Bind(referral.id)
      .Bind(referral.origin)
      .Bind(referral.provider)
      .Bind(Number(referral.state))
      .Bind(Number(referral.urgency))
      .Bind(referral.token_hash)
      .Bind(referral.state_until)
      .Bind(referral.forget_at)
      .BindSum();
}

absl::StatusOr<Numbered<ReferralRecord>> ReadReferral(Statement& statement) {
  Numbered<ReferralRecord> referral;
  referral.row = statement.Int();
  referral.record.id = statement.Read<ReferralId>();
  referral.record.origin = statement.Read<UnitId>();
  referral.record.provider = statement.Read<UnitId>();
  referral.record.state = ReadEnum<HubState>(statement);
  referral.record.urgency = ReadEnum<v1::Urgency>(statement);
  referral.record.token_hash = statement.Bytes();
  referral.record.state_until = statement.Time();
  referral.record.forget_at = statement.Time();
  RETURN_IF_ERROR(statement.CheckSum());
  return referral;
}

Statement& BindRow(Statement& statement, int64_t row, const SeenRecord& seen) {
  return statement.Bind(row)
      .Bind(seen.id)
      .Bind(seen.digest)
      .Bind(Number(seen.answer))
      .Bind(seen.remember_until)
      .BindSum();
}

absl::StatusOr<Numbered<SeenRecord>> ReadSeen(Statement& statement) {
  Numbered<SeenRecord> seen;
  seen.row = statement.Int();
  seen.record.id = statement.Read<MessageId>();
  seen.record.digest = statement.Bytes();
  seen.record.answer = ReadEnum<v1::Reason>(statement);
  seen.record.remember_until = statement.Time();
  RETURN_IF_ERROR(statement.CheckSum());
  return seen;
}

Statement& BindRow(Statement& statement, int64_t row, const RoutingRecord& line) {
  return statement.Bind(row)
      .Bind(line.minute)
      .Bind(line.message_id)
      .Bind(line.referral)
      .Bind(line.sender)
      .Bind(line.recipient)
      .Bind(Number(line.kind))
      .Bind(Number(line.stage))
      .Bind(Number(line.urgency));
}

absl::StatusOr<RoutingRecord> ReadRouting(Statement& statement) {
  RoutingRecord line;
  statement.Int();  // The row's number.
  line.minute = statement.Time();
  line.message_id = statement.Read<MessageId>();
  line.referral = statement.Read<ReferralId>();
  line.sender = statement.Read<UnitId>();
  line.recipient = statement.Read<UnitId>();
  line.kind = ReadEnum<v1::Kind>(statement);
  line.stage = ReadEnum<v1::Stage>(statement);
  line.urgency = ReadEnum<v1::Urgency>(statement);
  return line;
}

Statement& BindRow(Statement& statement, const StatementRow& row) {
  return statement.Bind(int64_t{row.capacity})
      .Bind(static_cast<int64_t>(row.revision))
      .Bind(row.subject)
      .Bind(row.organisation)
      .Bind(static_cast<int64_t>(row.version))
      .Bind(row.statement)
      .Bind(row.digest)
      .Bind(row.head)
      .BindSum();
}

absl::StatusOr<StatementRow> ReadStatement(Statement& statement) {
  StatementRow row;
  row.capacity = ReadBool(statement);
  row.revision = ReadUnsigned(statement);
  row.subject = statement.Bytes();
  row.organisation = statement.Read<OrganisationId>();
  row.version = ReadUnsigned(statement);
  row.statement = statement.Bytes();
  row.digest = statement.Bytes();
  row.head = statement.Bytes();
  RETURN_IF_ERROR(statement.CheckSum());
  return row;
}

Statement& BindRow(Statement& statement, const InvitationRow& row) {
  return statement.Bind(row.hash)
      .Bind(row.organisation)
      .Bind(row.expires_at)
      .Bind(row.used_by)
      .BindSum();
}

absl::StatusOr<InvitationRow> ReadInvitation(Statement& statement) {
  InvitationRow row;
  row.hash = statement.Bytes();
  row.organisation = statement.Read<OrganisationId>();
  row.expires_at = statement.Time();
  row.used_by = statement.Bytes();
  RETURN_IF_ERROR(statement.CheckSum());
  return row;
}

Statement& BindRow(Statement& statement, const EnrolmentRow& row) {
  return statement.Bind(row.request_id)
      .Bind(row.organisation)
      .Bind(row.invitation_hash)
      .Bind(int64_t{row.renewal})
      .Bind(int64_t{row.state})
      .Bind(row.requested_at)
      .Bind(row.request)
      .Bind(row.response)
      .BindSum();
}

absl::StatusOr<EnrolmentRow> ReadEnrolment(Statement& statement) {
  EnrolmentRow row;
  row.request_id = statement.Bytes();
  row.organisation = statement.Read<OrganisationId>();
  row.invitation_hash = statement.Bytes();
  row.renewal = ReadBool(statement);
  row.state = static_cast<int>(statement.Int());
  row.requested_at = statement.Time();
  row.request = statement.Bytes();
  row.response = statement.Bytes();
  RETURN_IF_ERROR(statement.CheckSum());
  return row;
}

}  // namespace waymark::hub
