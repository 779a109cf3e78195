// What a batch becomes in the database: pure, without a connection.
//
// A batch is one transaction of some ten statements that are sent together. Whoever commits holds
// the store's lock (an advisory one of PostgreSQL) with others; a batch holds it alone if it
// changes a token or an answer that is there, withdraws, or rests on something that was not there.
// So what others have loaded and do not write themselves cannot change under them between their
// check and their commit, and everybody else may commit at once.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "server/store/postgres/connection.h"
#include "server/store/postgres/rows.h"
#include "server/store/store.h"

namespace waymark::hub {

// The versions of the keys that were loaded, by kind of record; 0 for a key that was not there.
struct LoadedVersions {
  std::map<std::string, int64_t> tokens;
  std::map<std::string, int64_t> referrals;
  std::map<std::string, int64_t> seen;
};

// How a mailbox grows in a batch.
struct MailboxGrowth {
  // Sequences that are given out, those of items included that the batch itself drops again.
  int64_t sequences = 0;
  int64_t messages = 0;
  int64_t bytes = 0;
};

struct CommitPlan {
  // Everything from BEGIN to COMMIT.
  std::vector<PgCommand> commands;
  // Which of `commands` marks the batch. It returns the last sequence of each mailbox that grows,
  // in order of organisation.
  size_t mark_command = 0;
  std::map<OrganisationId, MailboxGrowth> mailboxes;
  // Tokens that are withdrawn.
  std::vector<std::string> dropped;
};

// What tells whether a batch was committed: the row of its writer, of which there is one for each
// connection that commits durably, holds the number of the writer's latest batch. Numbers are
// random.
struct BatchMark {
  // 16 random bytes.
  std::string writer;
  // The number that the row has, and the one that the batch gives it; they are never 0.
  int64_t last = 0;
  int64_t next = 0;
};

CommitPlan PlanCommit(std::span<const Effects> batch, const LoadedVersions& loaded,
                      const BatchMark& mark, absl::Time now);

// Gives the items of `batch` their sequences from what the writer's row returned.
absl::Status AssignSequences(const CommitPlan& plan, const std::vector<int64_t>& lasts,
                             std::span<Effects> batch);

// Makes the row of a writer.
PgCommand AddWriter(const BatchMark& mark, absl::Time now);
// Marks a transaction that delivers nothing. Returns no sequences; fails with SQLSTATE 22012 when
// the batch was given up.
PgCommand MarkBatch(const BatchMark& mark, absl::Time now);
// Asks for the batch `mark.next`, waiting while its transaction is open, and gives it up for ever
// if it is not there: the row then holds `given_up`. Returns the number in the row and the
// sequences.
PgCommand SettleBatch(const BatchMark& mark, int64_t given_up, absl::Time now);

// ($1 mailboxes, $2 sequences): the offline notices of these items have been taken.
inline constexpr char kPgTakeNotices[] =
    "UPDATE item AS i SET notice = 0 FROM unnest($1::bytea[], $2::bigint[]) AS n(mailbox, "
    "sequence) WHERE i.mailbox = n.mailbox AND i.sequence = n.sequence";

inline constexpr char kPgBegin[] = "BEGIN";
inline constexpr char kPgCommit[] = "COMMIT";
inline constexpr char kPgRollBack[] = "ROLLBACK";
// The store's lock ("WYMK", 2), alone or with others, until the transaction ends.
inline constexpr char kPgLockAlone[] = "SELECT pg_advisory_xact_lock(1465470283, 2)";
inline constexpr char kPgLockWithOthers[] = "SELECT pg_advisory_xact_lock_shared(1465470283, 2)";

}  // namespace waymark::hub
