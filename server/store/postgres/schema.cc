#include "server/store/postgres/schema.h"

#include <array>

#include "absl/strings/str_cat.h"
#include "base/log/log.h"
#include "base/status/status.h"

namespace waymark::hub {
namespace {

// Making indexes on what is there may take its time.
constexpr absl::Duration kMigrationLimit = absl::Hours(1);
constexpr absl::Duration kAnswerLimit = absl::Seconds(20);

// One for each version after the first, in order.
constexpr std::array<PgMigrationStep, kPgSchemaVersion - 1> kPgSteps = {
    // As Store::restored_at; NULL for never.
    "ALTER TABLE waymark.meta ADD COLUMN restored_at bigint",
};

// "WYMK": the lock that hubs take while they look at the schema.
constexpr char kLock[] = "SELECT pg_advisory_xact_lock(1465470283, 1)";

constexpr char kMakeTables[] = R"sql(
CREATE SCHEMA waymark;
CREATE TABLE waymark.meta (
  id smallint PRIMARY KEY CHECK (id = 1),
  version integer NOT NULL,
  epoch bytea NOT NULL,
  -- The cluster and database that the epoch belongs to.
  place text NOT NULL
);
INSERT INTO waymark.meta VALUES (1, 1, '', '');
-- One row for each connection that commits: the number of its latest batch, by which is found out
-- what became of a commit whose answer was lost, and the sequences that the batch gave out. A start
-- of a hub adds two; none is deleted, because nobody knows when the last question was asked.
CREATE TABLE waymark.writer (
  id bytea PRIMARY KEY,
  batch bigint NOT NULL,
  written_at bigint NOT NULL,
  lasts bigint[] NOT NULL
) WITH (fillfactor = 20);
CREATE TABLE waymark.mailbox (
  organisation bytea PRIMARY KEY,
  last bigint NOT NULL,
  acked bigint NOT NULL,
  messages bigint NOT NULL,
  bytes bigint NOT NULL
) WITH (fillfactor = 40);
CREATE TABLE waymark.item (
  sequence bigint NOT NULL,
  stored_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  -- The first bytes of the hash of the token whose withdrawal drops the item.
  token_key bigint,
  kind smallint NOT NULL,
  urgency smallint NOT NULL,
  -- 1 for U0 and U1 until the offline notice was taken.
  notice smallint NOT NULL,
  mailbox bytea NOT NULL,
  message_id bytea NOT NULL,
  referral bytea NOT NULL,
  sender bytea NOT NULL,
  token_hash bytea NOT NULL,
  message bytea NOT NULL,
  PRIMARY KEY (mailbox, sequence)
) WITH (toast_tuple_target = 8160, autovacuum_vacuum_scale_factor = 0.05,
        autovacuum_vacuum_threshold = 2000);
ALTER TABLE waymark.item ALTER message SET STORAGE EXTERNAL;
CREATE INDEX item_by_token ON waymark.item (token_key) WHERE token_key IS NOT NULL;
CREATE INDEX item_by_expiry ON waymark.item (expires_at);
CREATE INDEX item_by_notice ON waymark.item (stored_at) WHERE notice = 1;
CREATE TABLE waymark.token (
  hash bytea PRIMARY KEY,
  version bigint NOT NULL,
  issuer bytea NOT NULL,
  presenter bytea NOT NULL,
  recipient bytea NOT NULL,
  ceiling smallint NOT NULL,
  valid_until bigint NOT NULL,
  separate_release smallint NOT NULL,
  revocation_lock bytea NOT NULL,
  registered_at bigint NOT NULL,
  revoked smallint NOT NULL
);
CREATE INDEX token_by_end ON waymark.token (valid_until);
CREATE TABLE waymark.referral (
  id bytea PRIMARY KEY,
  version bigint NOT NULL,
  origin bytea NOT NULL,
  provider bytea NOT NULL,
  state smallint NOT NULL,
  urgency smallint NOT NULL,
  token_hash bytea NOT NULL,
  state_until bigint NOT NULL,
  forget_at bigint NOT NULL,
  -- The earlier of the two.
  due bigint NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX referral_by_due ON waymark.referral (due);
CREATE TABLE waymark.seen (
  id bytea PRIMARY KEY,
  version bigint NOT NULL,
  digest bytea NOT NULL,
  answer smallint NOT NULL,
  remember_until bigint NOT NULL
);
CREATE INDEX seen_by_end ON waymark.seen (remember_until);
CREATE TABLE waymark.routing (
  minute bigint NOT NULL,
  message_id bytea NOT NULL,
  referral bytea NOT NULL,
  sender bytea NOT NULL,
  recipient bytea NOT NULL,
  kind smallint NOT NULL,
  stage smallint NOT NULL,
  urgency smallint NOT NULL
);
CREATE INDEX routing_by_minute ON waymark.routing (minute);
-- Tokens withdrawn in the last hour, for hubs that have not heard of it.
CREATE TABLE waymark.withdrawal (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  token_hash bytea NOT NULL,
  written_at bigint NOT NULL
);
CREATE SEQUENCE waymark.claim;
CREATE TABLE waymark.session (
  organisation bytea PRIMARY KEY,
  claim bigint NOT NULL
) WITH (fillfactor = 60);
CREATE TABLE waymark.statement (
  capacity smallint NOT NULL,
  revision bigint NOT NULL,
  subject bytea NOT NULL,
  organisation bytea NOT NULL,
  version bigint NOT NULL,
  statement bytea NOT NULL,
  digest bytea NOT NULL,
  head bytea NOT NULL,
  PRIMARY KEY (capacity, revision)
);
CREATE INDEX statement_by_subject ON waymark.statement (subject, revision);
CREATE TABLE waymark.invitation (
  hash bytea PRIMARY KEY,
  organisation bytea NOT NULL,
  expires_at bigint NOT NULL,
  used_by bytea NOT NULL
);
CREATE TABLE waymark.enrolment (
  request_id bytea PRIMARY KEY,
  organisation bytea NOT NULL,
  invitation_hash bytea NOT NULL,
  renewal smallint NOT NULL,
  state smallint NOT NULL,
  requested_at bigint NOT NULL,
  request bytea NOT NULL,
  response bytea NOT NULL
);
)sql";

// Whether there is a schema of this name, and whether it is ours.
constexpr char kFindSchema[] =
    "SELECT (SELECT count(*) FROM pg_catalog.pg_namespace WHERE nspname = 'waymark'), "
    "pg_catalog.to_regclass('waymark.meta') IS NOT NULL";
constexpr char kReadVersion[] = "SELECT version FROM waymark.meta";
constexpr char kReadEpoch[] = "SELECT epoch, version FROM waymark.meta";
// A dump that was restored is in another database or cluster.
constexpr char kReadPlace[] =
    "SELECT m.epoch, m.place = here.place, m.restored_at FROM waymark.meta m, (SELECT "
    "system_identifier || '/' || oid AS place FROM pg_catalog.pg_control_system(), "
    "pg_catalog.pg_database WHERE datname = "
    "pg_catalog.current_database()) here FOR UPDATE OF m";
constexpr char kWriteEpoch[] =
    "UPDATE waymark.meta SET epoch = $1::bytea, restored_at = nullif($2::bigint, 0), place = "
    "(SELECT system_identifier || '/' || oid "
    "FROM pg_catalog.pg_control_system(), pg_catalog.pg_database WHERE datname = "
    "pg_catalog.current_database())";
// What Store::restored_at says is let go of. What outlives a withdrawal has no token key, and stays
// with the mail without a token: it is whole, and comes again at the worst.
constexpr char kForgetReferrals[] = "DELETE FROM waymark.referral";
constexpr char kForgetAnswers[] = "DELETE FROM waymark.seen";
constexpr char kForgetTokens[] = "DELETE FROM waymark.token WHERE revoked = 0";
constexpr char kForgetMail[] =
    "WITH gone AS (DELETE FROM waymark.item WHERE token_key IS NOT NULL RETURNING mailbox, "
    "octet_length(message) AS bytes) UPDATE waymark.mailbox AS m SET messages = m.messages - "
    "g.messages, bytes = m.bytes - g.bytes FROM (SELECT mailbox, count(*) AS messages, sum(bytes) "
    "AS bytes FROM gone GROUP BY mailbox) AS g WHERE m.organisation = g.mailbox";
constexpr char kReadSettings[] =
    "SELECT current_setting('fsync') = 'on', current_setting('full_page_writes') = 'on', "
    "current_setting('synchronous_commit') = 'on', current_setting('data_checksums') = 'on'";
constexpr char kBegin[] = "BEGIN";
constexpr char kCommit[] = "COMMIT";

absl::Status TooNew(int version, int known) {
  return Error(
      v1::REASON_VERSION_UNSUPPORTED,
      absl::StrCat("the database has schema version ", version, " and this program reads version ",
                   known, "; install the program that wrote it, on every hub of this database"));
}

// With the lock held, in a transaction that is open.
absl::StatusOr<int> FindVersion(PgConnection& connection) {
  PgReply found = connection.Run({kFindSchema, {}}, kAnswerLimit);
  RETURN_IF_ERROR(found.status);
  PgRow row = found.rows[0][0];
  const bool schema = row.Int() != 0;
  const bool ours = row.Int() != 0;
  if (!schema) return 0;
  if (!ours) {
    return Error(v1::REASON_FILE_UNUSABLE,
                 "the database has a schema `waymark` that another program made");
  }
  PgReply version = connection.Run({kReadVersion, {}}, kAnswerLimit);
  RETURN_IF_ERROR(version.status);
  return static_cast<int>(version.rows[0][0].Int());
}

absl::Status BringForward(PgConnection& connection, std::span<const PgMigrationStep> steps) {
  const int wanted = 1 + static_cast<int>(steps.size());
  ASSIGN_OR_RETURN(const int found, FindVersion(connection));
  if (found > wanted) return TooNew(found, wanted);
  if (found == wanted) return absl::OkStatus();
  if (found == 0) RETURN_IF_ERROR(connection.Execute(kMakeTables, kMigrationLimit));
  for (int version = std::max(found, 1); version < wanted; ++version) {
    RETURN_IF_ERROR(connection.Execute(steps[version - 1], kMigrationLimit));
  }
  RETURN_IF_ERROR(
      connection.Execute(absl::StrCat("UPDATE waymark.meta SET version = ", wanted), kAnswerLimit));
  if (found > 0) Log(LogLevel::kInfo, "store_migrated", {{"from", found}, {"to", wanted}});
  return absl::OkStatus();
}

}  // namespace

absl::Status PreparePgSchema(PgConnection& connection, std::span<const PgMigrationStep> steps) {
  const PgCommand begin[] = {{kBegin, {}}, {kLock, {}}};
  RETURN_IF_ERROR(connection.Run(begin, kMigrationLimit).status);
  absl::Status done = BringForward(connection, steps);
  if (done.ok()) return connection.Run({kCommit, {}}, kAnswerLimit).status;
  if (!connection.broken()) connection.Execute("ROLLBACK", kAnswerLimit).IgnoreError();
  return done;
}

absl::Status PreparePgSchema(PgConnection& connection) {
  return PreparePgSchema(connection, kPgSteps);
}

absl::StatusOr<int> ReadPgVersion(PgConnection& connection) { return FindVersion(connection); }

absl::StatusOr<PgEpoch> PrepareEpoch(PgConnection& connection, Random& random, absl::Time now) {
  const PgCommand read[] = {{kBegin, {}}, {kReadPlace, {}}};
  PgReply stored = connection.Run(read, kAnswerLimit);
  RETURN_IF_ERROR(stored.status);
  PgRow row = stored.rows[1][0];
  PgEpoch epoch = {.id = row.Bytes()};
  const bool same_place = row.Int() != 0;
  if (const int64_t restored_at = row.Int(); restored_at != 0) {
    epoch.restored_at = PgTime(restored_at);
  }
  std::vector<PgCommand> write;
  const bool restored = !epoch.id.empty() && !same_place;
  if (restored) {
    epoch.restored_at = now;
    for (const char* forget : {kForgetReferrals, kForgetAnswers, kForgetTokens, kForgetMail}) {
      write.push_back({forget, {}});
    }
  }
  if (epoch.id.empty() || restored) {
    epoch.id = random.Bytes(16);
    PgParams params;
    params.Add(std::string_view(epoch.id));
    params.Add(restored ? PgMicros(now) : 0);
    write.push_back({kWriteEpoch, std::move(params)});
  }
  write.push_back({kCommit, {}});
  RETURN_IF_ERROR(connection.Run(write, restored ? kMigrationLimit : kAnswerLimit).status);
  if (restored) Log(LogLevel::kWarning, "store_restored");
  return epoch;
}

absl::StatusOr<std::string> ReadEpoch(PgConnection& connection) {
  PgReply stored = connection.Run({kReadEpoch, {}}, kAnswerLimit);
  RETURN_IF_ERROR(stored.status);
  if (stored.rows[0].size() != 1) return Error(v1::REASON_DATA_CORRUPT, "the store's identity");
  PgRow row = stored.rows[0][0];
  std::string epoch = row.Bytes();
  const int version = static_cast<int>(row.Int());
  return version > kPgSchemaVersion ? absl::StatusOr<std::string>(TooNew(version, kPgSchemaVersion))
                                    : std::move(epoch);
}

absl::StatusOr<std::string> WeaknessOf(PgConnection& connection) {
  PgReply settings = connection.Run({kReadSettings, {}}, kAnswerLimit);
  RETURN_IF_ERROR(settings.status);
  PgRow row = settings.rows[0][0];
  if (row.Int() == 0) return "fsync is off: a power cut may lose what was confirmed";
  if (row.Int() == 0) return "full_page_writes is off: a power cut may tear pages";
  if (row.Int() == 0) return "synchronous_commit cannot be switched on";
  if (row.Int() == 0)
    return "data_checksums is off: a page that changed on the disk is not noticed";
  return "";
}

}  // namespace waymark::hub
