#include "server/store/postgres/commit_plan.h"

#include <set>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "base/status/status.h"

namespace waymark::hub {
namespace {

// Mailboxes are locked in order of organisation, by everybody, so that nobody waits in a circle.
constexpr char kLockMailboxes[] =
    "SELECT 1 FROM mailbox WHERE organisation = ANY($1::bytea[]) OR organisation IN (SELECT "
    "mailbox "
    "FROM item WHERE token_key = ANY($2::bigint[])) ORDER BY organisation FOR NO KEY UPDATE";
constexpr char kDrop[] =
    "WITH gone AS (DELETE FROM item WHERE token_key = ANY($1::bigint[]) AND token_hash = "
    "ANY($2::bytea[]) RETURNING mailbox, octet_length(message) AS bytes) UPDATE mailbox AS m SET "
    "messages = m.messages - g.messages, bytes = m.bytes - g.bytes FROM (SELECT mailbox, count(*) "
    "AS "
    "messages, sum(bytes) AS bytes FROM gone GROUP BY mailbox) AS g WHERE m.organisation = "
    "g.mailbox";
constexpr char kNoteWithdrawals[] =
    "INSERT INTO withdrawal (token_hash, written_at) SELECT hash, $2::bigint FROM "
    "unnest($1::bytea[]) AS n(hash)";
// Gives out sequences, marks the batch and stores the items, whose place says which of the
// mailboxes is theirs (0: it is not stored). In one statement, because a mailbox that grows all the
// time has many versions, and is looked for once here.
std::string DeliverText(RowForm form) {
  const std::vector<PgColumn> mailboxes = {
      {"organisation", false}, {"sequences"}, {"messages"}, {"bytes"}};
  const std::vector<PgColumn> items = {{"mailbox", false},
                                       {"place"},
                                       {"back"},
                                       {"stored_at"},
                                       {"expires_at"},
                                       {"token_key"},
                                       {"kind"},
                                       {"urgency"},
                                       {"notice"},
                                       {"message_id", false},
                                       {"referral", false},
                                       {"sender", false},
                                       {"token_hash", false},
                                       {"message", false}};
  return absl::StrCat(
      "WITH grown AS (INSERT INTO mailbox AS m (organisation, last, acked, messages, bytes) SELECT "
      "n.organisation, n.sequences, 0, n.messages, n.bytes FROM ",
      RowsFrom(mailboxes, 1, form),
      " ON CONFLICT (organisation) DO UPDATE SET last = m.last + excluded.last, messages = "
      "m.messages + excluded.messages, bytes = m.bytes + excluded.bytes RETURNING m.organisation, "
      "m.last), given AS MATERIALIZED (SELECT array_agg(last ORDER BY organisation) AS lasts FROM "
      "grown), done AS (UPDATE writer SET batch = $7::bigint, written_at = $8::bigint, lasts = "
      "given.lasts FROM given WHERE id = $5::bytea AND batch = $6::bigint RETURNING given.lasts), "
      "stored AS (INSERT INTO item (mailbox, sequence, stored_at, expires_at, token_key, kind, "
      "urgency, notice, message_id, referral, sender, token_hash, message) SELECT n.mailbox, "
      "given.lasts[n.place] - n.back, n.stored_at, n.expires_at, n.token_key, n.kind, n.urgency, "
      "n.notice, n.message_id, n.referral, n.sender, n.token_hash, n.message FROM given CROSS "
      "JOIN ",
      RowsFrom(items, 9, form),
      " WHERE n.place > 0) SELECT (SELECT lasts FROM done), 1 / (SELECT count(*) FROM "
      "done)::integer");
}
constexpr char kMark[] =
    "WITH done AS (UPDATE writer SET batch = $3::bigint, written_at = $4::bigint, lasts = '{}' "
    "WHERE "
    "id = $1::bytea AND batch = $2::bigint RETURNING lasts) SELECT (SELECT lasts FROM done), 1 / "
    "(SELECT count(*) FROM done)::integer";
constexpr char kAddWriter[] =
    "INSERT INTO writer (id, batch, written_at, lasts) VALUES ($1::bytea, $2::bigint, $3::bigint, "
    "'{}')";
constexpr char kSettle[] =
    "UPDATE writer SET batch = CASE WHEN batch = $2::bigint THEN batch ELSE $3::bigint END, "
    "written_at = $4::bigint WHERE id = $1::bytea RETURNING batch, lasts";

constexpr char kInsertLines[] =
    "INSERT INTO routing (minute, message_id, referral, sender, recipient, kind, stage, urgency) "
    "SELECT n.* FROM ";

const RowStatement& InsertLines() {
  static const auto& statement =
      *new RowStatement({{"minute"},
                         {"message_id", false},
                         {"referral", false},
                         {"sender", false},
                         {"recipient", false},
                         {"kind"},
                         {"stage"},
                         {"urgency"}},
                        [](const std::string& rows) { return kInsertLines + rows; });
  return statement;
}

// An item, and whether the batch drops it again.
struct PlannedItem {
  const MailboxItem* item;
  // How many sequences of its mailbox the batch gives out after it.
  int64_t back = 0;
  bool dropped = false;
};

class Planner {
 public:
  Planner(std::span<const Effects> batch, const LoadedVersions& loaded, const BatchMark& mark,
          absl::Time now)
      : loaded_(loaded), mark_(mark), now_(now) {
    for (const Effects& effects : batch) Collect(effects);
  }

  CommitPlan Make() {
    std::vector<PgCommand> records;
    PlanRecords(TokenStatements(), tokens_, loaded_.tokens, /*shared=*/true, records);
    PlanRecords(ReferralStatements(), referrals_, loaded_.referrals, /*shared=*/false, records);
    PlanRecords(SeenStatements(), seen_, loaded_.seen, /*shared=*/true, records);
    plan_.commands.push_back({kPgBegin, {}});
    plan_.commands.push_back({alone_ ? kPgLockAlone : kPgLockWithOthers, {}});
    for (PgCommand& command : records) plan_.commands.push_back(std::move(command));
    if (lines_.rows() > 0) plan_.commands.push_back(InsertLines().Over(std::move(lines_)));
    // From here on mailboxes are locked, and other processes wait.
    if (!dropped_.empty()) PlanDrop();
    plan_.mark_command = plan_.commands.size();
    plan_.commands.push_back(plan_.mailboxes.empty() ? MarkBatch(mark_, now_) : Deliver());
    plan_.commands.push_back({kPgCommit, {}});
    plan_.dropped.assign(dropped_.begin(), dropped_.end());
    return std::move(plan_);
  }

 private:
  void Collect(const Effects& effects) {
    for (const TokenRecord& token : effects.put_tokens) tokens_[KeyOf(token)] = &token;
    for (const ReferralRecord& referral : effects.put_referrals) {
      referrals_[KeyOf(referral)] = &referral;
    }
    for (const SeenRecord& seen : effects.put_seen) seen_[KeyOf(seen)] = &seen;
    for (const DropUndelivered& drop : effects.drop) {
      dropped_.insert(drop.token_hash);
      for (PlannedItem& planned : items_) {
        const bool under = planned.item->token_hash == drop.token_hash;
        if (under && !OutlivesItsToken(*planned.item)) planned.dropped = true;
      }
    }
    for (const MailboxItem& item : effects.deliver) {
      // For now how many come before it.
      items_.push_back({&item, plan_.mailboxes[item.mailbox].sequences++});
    }
    for (const RoutingRecord& line : effects.log) AddRow(line, lines_);
  }

  template <typename Record>
  void PlanRecords(const RecordStatements& statements,
                   const std::map<std::string, const Record*>& records,
                   const std::map<std::string, int64_t>& loaded, bool shared,
                   std::vector<PgCommand>& commands) {
    PlanChecks(statements, records, loaded, commands);
    PgColumns added;
    PgColumns changed;
    PgArray changed_from;
    PgColumns put;
    for (const auto& [key, record] : records) {
      const auto known = loaded.find(key);
      if (known == loaded.end()) {
        AddRow(*record, put);
        alone_ = alone_ || shared;
      } else if (known->second == 0) {
        AddRow(*record, added);
      } else {
        AddRow(*record, changed);
        changed_from.Add(known->second);
        alone_ = alone_ || shared;
      }
    }
    Write(statements.insert, std::move(added), commands);
    Write(statements.put, std::move(put), commands);
    const int64_t count = changed.rows();
    if (count == 0) return;
    changed.AddColumn(std::move(changed_from));
    commands.push_back(statements.update.Over(std::move(changed)));
    commands.back().params.Add(mark_.next).Add(count);
  }

  // Of what was loaded and is not written.
  template <typename Record>
  void PlanChecks(const RecordStatements& statements,
                  const std::map<std::string, const Record*>& records,
                  const std::map<std::string, int64_t>& loaded, std::vector<PgCommand>& commands) {
    PgColumns present;
    PgArray absent;
    for (const auto& [key, version] : loaded) {
      if (records.contains(key)) continue;
      if (version == 0) {
        absent.Add(std::string_view(key));
      } else {
        present.Add(std::string_view(key)).Add(version);
        present.EndRow();
      }
    }
    if (const int64_t count = present.rows(); count > 0) {
      commands.push_back(statements.check_present.Over(std::move(present)));
      commands.back().params.Add(count);
    }
    if (absent.size() > 0) {
      alone_ = true;
      commands.push_back(
          {statements.check_absent.c_str(), std::move(PgParams().Add(std::move(absent)))});
    }
  }

  void Write(const RowStatement& statement, PgColumns rows,
             std::vector<PgCommand>& commands) const {
    if (rows.rows() == 0) return;
    commands.push_back(statement.Over(std::move(rows)));
    commands.back().params.Add(mark_.next);
  }

  void PlanDrop() {
    PgArray growing = PgArray::OfBytes();
    for (const auto& [organisation, growth] : plan_.mailboxes) growing.Add(organisation);
    PgArray lock_keys;
    PgArray keys;
    PgArray hashes;
    PgArray noted;
    for (const std::string& hash : dropped_) {
      lock_keys.Add(TokenKey(hash));
      keys.Add(TokenKey(hash));
      hashes.Add(std::string_view(hash));
      noted.Add(std::string_view(hash));
    }
    PgParams lock;
    lock.Add(std::move(growing)).Add(std::move(lock_keys));
    plan_.commands.push_back({kLockMailboxes, std::move(lock)});
    PgParams drop;
    drop.Add(std::move(keys)).Add(std::move(hashes));
    plan_.commands.push_back({kDrop, std::move(drop)});
    PgParams note;
    note.Add(std::move(noted)).Add(now_);
    plan_.commands.push_back({kNoteWithdrawals, std::move(note)});
  }

  PgCommand Deliver() {
    for (PlannedItem& planned : items_) {
      MailboxGrowth& growth = plan_.mailboxes[planned.item->mailbox];
      planned.back = growth.sequences - 1 - planned.back;
      if (planned.dropped) continue;
      ++growth.messages;
      growth.bytes += static_cast<int64_t>(planned.item->message.size());
    }
    PgColumns rows;
    absl::flat_hash_map<OrganisationId, int64_t> places;
    for (const auto& [organisation, growth] : plan_.mailboxes) {
      rows.Add(organisation).Add(growth.sequences).Add(growth.messages).Add(growth.bytes);
      rows.EndRow();
      places.emplace(organisation, rows.rows());
    }
    static const auto& arrays = *new std::string(DeliverText(RowForm::kArrays));
    static const auto& values = *new std::string(DeliverText(RowForm::kValues));
    const RowForm form = items_.size() == 1 ? RowForm::kValues : RowForm::kArrays;
    PgCommand deliver{form == RowForm::kValues ? values.c_str() : arrays.c_str(), {}};
    std::move(rows).MoveTo(deliver.params, form);
    deliver.params.Add(mark_.writer).Add(mark_.last).Add(mark_.next).Add(now_);
    ItemColumns(places).MoveTo(deliver.params, form);
    return deliver;
  }

  // Each with the place of its mailbox among those that grow, from 1; 0 for what is dropped again.
  PgColumns ItemColumns(const absl::flat_hash_map<OrganisationId, int64_t>& places) const {
    PgColumns rows;
    for (const PlannedItem& planned : items_) {
      const MailboxItem& item = *planned.item;
      rows.Add(item.mailbox)
          .Add(planned.dropped ? 0 : places.at(item.mailbox))
          .Add(planned.back)
          .Add(item.stored_at)
          .Add(item.expires_at)
          .AddNumberOrNull(TokenKey(item.token_hash), OutlivesItsToken(item))
          .Add(static_cast<int64_t>(item.kind))
          .Add(static_cast<int64_t>(item.urgency))
          .Add(int64_t{IsUrgent(item.urgency)})
          .Add(item.message_id)
          .Add(item.referral)
          .Add(item.sender)
          .Add(item.token_hash)
          .Add(planned.dropped ? std::string_view() : item.message);
      rows.EndRow();
    }
    return rows;
  }

  const LoadedVersions& loaded_;
  const BatchMark& mark_;
  const absl::Time now_;
  CommitPlan plan_;
  std::map<std::string, const TokenRecord*> tokens_;
  std::map<std::string, const ReferralRecord*> referrals_;
  std::map<std::string, const SeenRecord*> seen_;
  std::set<std::string> dropped_;
  std::vector<PlannedItem> items_;
  PgColumns lines_;
  // Whether the batch needs the store's lock for itself.
  bool alone_ = false;
};

}  // namespace

CommitPlan PlanCommit(std::span<const Effects> batch, const LoadedVersions& loaded,
                      const BatchMark& mark, absl::Time now) {
  Planner planner(batch, loaded, mark, now);
  return planner.Make();
}

absl::Status AssignSequences(const CommitPlan& plan, const std::vector<int64_t>& lasts,
                             std::span<Effects> batch) {
  if (lasts.size() != plan.mailboxes.size()) {
    return Error(v1::REASON_DATA_CORRUPT, "the row of a writer does not name its mailboxes");
  }
  std::map<OrganisationId, int64_t> next;
  size_t at = 0;
  for (const auto& [organisation, growth] : plan.mailboxes) {
    next[organisation] = lasts[at++] - growth.sequences + 1;
  }
  for (Effects& effects : batch) {
    for (MailboxItem& item : effects.deliver) {
      item.sequence = static_cast<uint64_t>(next[item.mailbox]++);
    }
  }
  return absl::OkStatus();
}

PgCommand AddWriter(const BatchMark& mark, absl::Time now) {
  return {kAddWriter, std::move(PgParams().Add(mark.writer).Add(mark.last).Add(now))};
}

PgCommand MarkBatch(const BatchMark& mark, absl::Time now) {
  PgParams params;
  params.Add(mark.writer).Add(mark.last).Add(mark.next).Add(now);
  return {kMark, std::move(params)};
}

PgCommand SettleBatch(const BatchMark& mark, int64_t given_up, absl::Time now) {
  PgParams params;
  params.Add(mark.writer).Add(mark.next).Add(given_up).Add(now);
  return {kSettle, std::move(params)};
}

}  // namespace waymark::hub
