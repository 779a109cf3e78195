// Takes the whole content of another store into a database that holds none: all of it, or nothing.
//
// One transaction, which holds the store's identity: no hub can open the database until it ends,
// and whatever ends it early leaves the database as it was. What was taken in is read back and
// compared before it counts. The store gets a new epoch when a hub first opens it, because its
// sequences are new ones.
//
// Begin, the Take functions in any order, Finish. Not thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/ids/ids.h"
#include "base/random/random.h"
#include "base/time/clock.h"
#include "server/store/postgres/commit_plan.h"
#include "server/store/postgres/connection.h"
#include "server/store/postgres/tally.h"
#include "server/store/store.h"

namespace waymark::hub {

// An item, and whether its sender has yet to be told that it waits for long.
struct WaitingItem {
  MailboxItem item;
  bool notice = false;
};

class PgIntake {
 public:
  // Connects, and makes the tables or brings them forward. EXISTS: the database holds something
  // already; UNAVAILABLE: a hub uses it, or it is away; PostgresStore::Open's other codes. The two
  // pointers are not owned and outlive the intake.
  static absl::StatusOr<std::unique_ptr<PgIntake>> Begin(const PgTarget& target, Random* random,
                                                         Clock* clock);

  // Notes that the store recovers from a restore, as Store::restored_at.
  absl::Status TakeRestore(std::optional<absl::Time> restored_at);

  // Add rows. After an error nothing of the whole will be in the database.
  absl::Status Take(std::vector<TokenRecord> tokens);
  absl::Status Take(std::vector<ReferralRecord> referrals);
  absl::Status Take(std::vector<SeenRecord> seen);
  absl::Status Take(std::vector<RoutingRecord> lines);
  // Those of a mailbox in their order; they are numbered anew.
  absl::Status Take(std::vector<WaitingItem> items);
  // With their revisions as they are.
  absl::Status Take(const std::vector<StatementRow>& statements);
  absl::Status Take(const std::vector<InvitationRow>& invitations);
  absl::Status Take(const std::vector<EnrolmentRow>& enrolments);

  // Reads everything back, compares and commits; returns what was taken. INTERNAL: something does
  // not read back as it was given. UNAVAILABLE: the database went away, and says whether it may
  // have been committed.
  absl::StatusOr<Tally> Finish();

 private:
  PgIntake(std::unique_ptr<PgConnection> connection, Random* random, Clock* clock)
      : connection_(std::move(connection)), random_(random), clock_(clock) {}

  // Opens the transaction and makes sure that nothing is there.
  absl::Status Open();
  // Writes as a hub would, within the transaction.
  absl::Status Write(Effects effects);
  absl::Status Run(std::span<const PgCommand> commands);
  // Runs a statement over the rows, if there are any.
  absl::Status Insert(const char* sql, PgColumns rows);

  absl::Status CountRecords(Tally& tally);
  absl::Status CountItems(Tally& tally);
  absl::Status CountLines(Tally& tally);
  absl::Status CountDocuments(Tally& tally);
  absl::StatusOr<PgRows> Read(const char* sql, PgParams params);
  template <typename Record>
  absl::Status CountPages(const std::string& sql, const char* kind, Tally& tally);

  const std::unique_ptr<PgConnection> connection_;
  Random* const random_;
  Clock* const clock_;
  BatchMark mark_;
  // The last sequence of each mailbox.
  absl::flat_hash_map<OrganisationId, uint64_t> lasts_;
  Tally taken_;
};

}  // namespace waymark::hub
