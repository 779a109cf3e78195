// Records as rows: for each table how a record is bound and how it is read back.
//
// Bind functions bind the row number first, then the record, then the checksum; Read functions
// expect `SELECT *` of the table and fail with DATA_CORRUPT when the checksum differs. Bound
// records outlive the run of the statement. Threads: as Statement.
#pragma once

#include <cstdint>
#include <utility>

#include "absl/status/statusor.h"
#include "server/store/records.h"
#include "server/store/sqlite/statement.h"
#include "server/store/store.h"

namespace waymark::hub {

// A record and the number of its row.
template <typename Record>
struct Numbered {
  int64_t row = 0;
  Record record;
};

Statement& BindRow(Statement& statement, int64_t row, const MailboxItem& item);
Statement& BindRow(Statement& statement, int64_t row, const TokenRecord& token);
Statement& BindRow(Statement& statement, int64_t row, const ReferralRecord& referral);
Statement& BindRow(Statement& statement, int64_t row, const SeenRecord& seen);
// The routing log is kept for people and never decided on; it has no checksum.
Statement& BindRow(Statement& statement, int64_t row, const RoutingRecord& line);

absl::StatusOr<MailboxItem> ReadItem(Statement& statement);
absl::StatusOr<Numbered<TokenRecord>> ReadToken(Statement& statement);
absl::StatusOr<Numbered<ReferralRecord>> ReadReferral(Statement& statement);
absl::StatusOr<Numbered<SeenRecord>> ReadSeen(Statement& statement);
absl::StatusOr<RoutingRecord> ReadRouting(Statement& statement);

Statement& BindRow(Statement& statement, const StatementRow& row);
Statement& BindRow(Statement& statement, const InvitationRow& row);
Statement& BindRow(Statement& statement, const EnrolmentRow& row);

absl::StatusOr<StatementRow> ReadStatement(Statement& statement);
absl::StatusOr<InvitationRow> ReadInvitation(Statement& statement);
absl::StatusOr<EnrolmentRow> ReadEnrolment(Statement& statement);

}  // namespace waymark::hub
