// How the hub's records lie in PostgreSQL: their columns, and the statements over many of them.
//
// A record that decisions rest on (token, referral, answer) carries a version: a random number of
// the batch that wrote it. Whoever has loaded a version finds out at commit whether it still is the
// one. Stateless; thread-safe.
#pragma once

#include <string>

#include "server/store/postgres/row_statement.h"
#include "server/store/postgres/values.h"
#include "server/store/store.h"

namespace waymark::hub {

// The statements over one table of such records. `n` are the records of the batch, key first. Those
// that check fail with SQLSTATE 22012 when a record is not what was loaded.
struct RecordStatements {
  // ($1 keys): version, key and the columns of each that there is.
  std::string load;
  // (rows of columns, then the version to write): of keys that were found absent.
  RowStatement insert;
  // (rows of columns and the version that was loaded, then the version to write, how many there
  // are).
  RowStatement update;
  // As insert, of keys that were not loaded.
  RowStatement put;
  // (rows of a key and its version, then how many): of keys that were loaded and are not written;
  // nobody else writes them until the commit.
  RowStatement check_present;
  // ($1 keys): of keys that were found absent and are not written.
  std::string check_absent;
  // ($1 key, $2 how many): as load, of what follows the key, in order.
  std::string page;
};

const RecordStatements& TokenStatements();
const RecordStatements& ReferralStatements();
const RecordStatements& SeenStatements();

const std::string& KeyOf(const TokenRecord& token);
std::string KeyOf(const ReferralRecord& referral);
std::string KeyOf(const SeenRecord& seen);

// Add one row.
void AddRow(const TokenRecord& token, PgColumns& columns);
void AddRow(const ReferralRecord& referral, PgColumns& columns);
void AddRow(const SeenRecord& seen, PgColumns& columns);
void AddRow(const RoutingRecord& line, PgColumns& columns);

// Read what follows the version.
void ReadRow(PgRow& row, TokenRecord& token);
void ReadRow(PgRow& row, ReferralRecord& referral);
void ReadRow(PgRow& row, SeenRecord& seen);

RoutingRecord ReadLineRow(PgRow& row);

// The columns of an item, in the order in which ReadItemRow reads them.
inline constexpr char kItemColumns[] =
    "sequence, stored_at, expires_at, kind, urgency, mailbox, message_id, referral, sender, "
    "token_hash, message";
MailboxItem ReadItemRow(PgRow& row);

// Whether the item outlives the withdrawal of its token.
bool OutlivesItsToken(const MailboxItem& item);
// By what the items under a token are found: equal hashes have equal keys.
int64_t TokenKey(const std::string& token_hash);

StatementRow ReadStatementRow(PgRow& row);
InvitationRow ReadInvitationRow(PgRow& row);
EnrolmentRow ReadEnrolmentRow(PgRow& row);

}  // namespace waymark::hub
