#include "server/store/postgres/postgres_store.h"

#include <iterator>
#include <utility>

#include "base/log/log.h"
#include "base/status/status.h"

namespace waymark::hub {
namespace {

constexpr absl::Duration kBetweenQuestions = absl::Milliseconds(200);
// So many tokens, and referrals: some 5 MiB.
constexpr size_t kRemembered = 8192;
// A wrong assumption costs a transaction that comes to nothing, and seldom comes alone: nodes that
// come back send again what they had no answer to.
constexpr absl::Duration kDoubt = absl::Seconds(1);

int64_t RandomNumber(Random& random) {
  // 0 stands for a record that was not there.
  return 1 + static_cast<int64_t>(random.Uniform(uint64_t{1} << 62));
}

template <typename Record>
void TakeRecords(const PgRows& rows, std::vector<Record>& records,
                 std::map<std::string, int64_t>& versions) {
  for (int i = 0; i < rows.size(); ++i) {
    PgRow row = rows[i];
    const int64_t version = row.Int();
    ReadRow(row, records.emplace_back());
    versions[KeyOf(records.back())] = version;
  }
}

template <typename Record>
void Append(std::vector<Record> records, std::vector<Record>& to) {
  to.insert(to.end(), std::make_move_iterator(records.begin()),
            std::make_move_iterator(records.end()));
}

PgCommand LoadOf(const RecordStatements& statements,
                 const std::map<std::string, int64_t>& versions) {
  PgArray keys = PgArray::OfBytes();
  for (const auto& [key, version] : versions) keys.Add(std::string_view(key));
  return {statements.load.c_str(), std::move(PgParams().Add(std::move(keys)))};
}

}  // namespace

// Opening and closing -----------------------------------------------------------------------------

absl::StatusOr<std::unique_ptr<PostgresStore>> PostgresStore::Open(const Options& options) {
  RETURN_IF_ERROR(CheckPgUrl(options.target.url));
  ASSIGN_OR_RETURN(const auto connection, PgConnection::Connect(options.target));
  RETURN_IF_ERROR(PreparePgSchema(*connection));
  ASSIGN_OR_RETURN(PgEpoch epoch, PrepareEpoch(*connection, *options.random, options.clock->Now()));
  ASSIGN_OR_RETURN(const std::string weakness, WeaknessOf(*connection));
  if (!weakness.empty()) Log(LogLevel::kWarning, "database_weak", {{"reason", weakness}});
  auto store = std::unique_ptr<PostgresStore>(new PostgresStore(options, std::move(epoch)));
  {
    MutexLock writer(store->writer_mu_);
    RETURN_IF_ERROR(store->Enrol(store->writer_));
  }
  {
    MutexLock office(store->office_mu_);
    RETURN_IF_ERROR(store->Enrol(store->office_));
  }
  store->ack_thread_ = std::thread([raw = store.get()] { raw->RunAcks(); });
  return store;
}

PostgresStore::PostgresStore(const Options& options, PgEpoch epoch)
    : epoch_(std::move(epoch.id)),
      restored_at_(epoch.restored_at),
      ack_delay_(options.ack_delay),
      random_(options.random),
      clock_(options.clock),
      writer_{PgLink(LinkOptions(options), epoch_), {}},
      recollection_(kRemembered),
      reader_(LinkOptions(options), epoch_),
      office_{PgLink(LinkOptions(options), epoch_), {}},
      news_(std::make_unique<News>(News::Options{
          .link = LinkOptions(options), .epoch = epoch_, .poll_interval = options.poll_interval})) {
}

PgLink::Options PostgresStore::LinkOptions(const Options& options) {
  return {.target = options.target,
          .first_pause = options.first_pause,
          .longest_pause = options.longest_pause,
          .random = options.random,
          .interruption = &interruption_};
}

PostgresStore::~PostgresStore() {
  {
    MutexLock lock(acks_mu_);
    stopping_ = true;
    acks_changed_.Signal();
  }
  if (ack_thread_.joinable()) ack_thread_.join();
  interruption_.Interrupt();
}

// Durable transactions ----------------------------------------------------------------------------

absl::Status PostgresStore::Enrol(Pen& pen) {
  pen.mark = {.writer = random_->Bytes(16), .last = RandomNumber(*random_)};
  const PgCommand add = AddWriter(pen.mark, clock_->Now());
  return pen.link.Run(std::span(&add, 1)).status;
}

void PostgresStore::Number(Pen& pen) { pen.mark.next = RandomNumber(*random_); }

PgReply PostgresStore::RunDurably(Pen& pen, PgConnection* connection,
                                  std::span<const PgCommand> commands,
                                  std::vector<int64_t>& lasts) {
  PgReply reply =
      connection == nullptr ? pen.link.Run(commands) : connection->Run(commands, kPgLimit);
  const bool answered = !reply.lost && !(reply.status.ok() && reply.warned);
  if (answered) {
    if (reply.status.ok()) pen.mark.last = pen.mark.next;
    return reply;
  }
  reply.rows.clear();
  const absl::StatusOr<bool> committed = Settle(pen, lasts);
  if (committed.ok() && *committed) reply.status = absl::OkStatus();
  if (committed.ok() && !*committed) {
    reply.status = Error(v1::REASON_UNAVAILABLE, "the connection to the database was lost");
  }
  if (!committed.ok()) reply.status = committed.status();
  return reply;
}

absl::StatusOr<bool> PostgresStore::Settle(Pen& pen, std::vector<int64_t>& lasts) {
  const int64_t given_up = RandomNumber(*random_);
  const PgCommand ask = SettleBatch(pen.mark, given_up, clock_->Now());
  Log(LogLevel::kWarning, "commit_unanswered");
  while (true) {
    ASSIGN_OR_RETURN(PgConnection* const connection, pen.link.Await());
    const PgReply reply = connection->Run(ask, kPgLimit);
    if (reply.status.ok() && !reply.warned && reply.rows[0].size() == 1) {
      PgRow row = reply.rows[0][0];
      pen.mark.last = row.Int();
      lasts = row.Ints();
      const bool committed = pen.mark.last == pen.mark.next;
      Log(LogLevel::kWarning, "commit_settled", {{"committed", committed}});
      return committed;
    }
    if (reply.status.ok() && !reply.warned) Log(LogLevel::kError, "commit_writer_unknown");
    if (!interruption_.Pause(kBetweenQuestions)) {
      return Error(v1::REASON_UNAVAILABLE, "the hub ends before the database has answered");
    }
  }
}

absl::Status PostgresStore::WriteDurably(PgCommand command) {
  Number(office_);
  std::vector<PgCommand> commands;
  commands.push_back({kPgBegin, {}});
  commands.push_back(std::move(command));
  commands.push_back(MarkBatch(office_.mark, clock_->Now()));
  commands.push_back({kPgCommit, {}});
  std::vector<int64_t> lasts;
  return RunDurably(office_, nullptr, commands, lasts).status;
}

// Loading and committing --------------------------------------------------------------------------

absl::StatusOr<LoadedState> PostgresStore::Load(const StateKeys& keys) {
  MutexLock writer(writer_mu_);
  loaded_ = {};
  for (const std::string& hash : keys.token_hashes) loaded_.tokens[hash] = 0;
  for (const ReferralId& id : keys.referrals) loaded_.referrals[id.bytes()] = 0;
  for (const MessageId& id : keys.messages) loaded_.seen[id.bytes()] = 0;
  LoadedState assumed;
  if (news_->accompanied()) recollection_.ForgetReferrals();
  const bool assume = keys.may_assume && SteadyClock().Now() >= doubt_until_;
  const LoadedVersions unknown = assume ? recollection_.Recall(keys, loaded_, assumed) : loaded_;
  LoadedState read;
  if (absl::Status done = ReadState(unknown, read); !done.ok()) {
    loaded_ = {};
    return done;
  }
  recollection_.Keep(read, loaded_);
  Append(std::move(assumed.tokens), read.tokens);
  Append(std::move(assumed.referrals), read.referrals);
  read.assumed = assumed.assumed;
  return read;
}

absl::Status PostgresStore::ReadState(const LoadedVersions& keys, LoadedState& state) {
  std::vector<PgCommand> commands;
  const auto look = [&](const RecordStatements& statements, const auto& versions) {
    if (!versions.empty()) commands.push_back(LoadOf(statements, versions));
  };
  look(TokenStatements(), keys.tokens);
  look(ReferralStatements(), keys.referrals);
  look(SeenStatements(), keys.seen);
  if (commands.empty()) return absl::OkStatus();
  const PgReply reply = writer_.link.Read(commands);
  RETURN_IF_ERROR(reply.status);
  size_t next = 0;
  if (!keys.tokens.empty()) TakeRecords(reply.rows[next++], state.tokens, loaded_.tokens);
  if (!keys.referrals.empty()) {
    TakeRecords(reply.rows[next++], state.referrals, loaded_.referrals);
  }
  if (!keys.seen.empty()) TakeRecords(reply.rows[next++], state.seen, loaded_.seen);
  return absl::OkStatus();
}

absl::Status PostgresStore::Commit(std::span<Effects> batch) {
  MutexLock writer(writer_mu_);
  Number(writer_);
  const CommitPlan plan =
      PlanCommit(batch, std::exchange(loaded_, {}), writer_.mark, clock_->Now());
  std::vector<int64_t> lasts;
  const PgReply reply = RunDurably(writer_, nullptr, plan.commands, lasts);
  if (!reply.status.ok()) recollection_.Forget();
  if (ReasonOf(reply.status) == v1::REASON_CONFLICT) {
    doubt_until_ = SteadyClock().Now() + kDoubt;
    return Error(v1::REASON_CONFLICT, "another hub changed what the batch rests on");
  }
  RETURN_IF_ERROR(reply.status);
  if (!reply.rows.empty()) lasts = reply.rows[plan.mark_command][0].Ints();
  RETURN_IF_ERROR(AssignSequences(plan, lasts, batch));
  recollection_.Keep(batch, writer_.mark.last);
  TellCommitted(plan, lasts);
  return absl::OkStatus();
}

void PostgresStore::TellCommitted(const CommitPlan& plan, const std::vector<int64_t>& lasts) {
  std::vector<News::Growth> growths;
  for (const auto& [organisation, growth] : plan.mailboxes) {
    growths.push_back({organisation, lasts[growths.size()], growth.sequences});
  }
  news_->Delivered(growths);
  news_->Dropped(plan.dropped);
}

// Sessions ----------------------------------------------------------------------------------------

absl::StatusOr<uint64_t> PostgresStore::ClaimSession(const OrganisationId& organisation) {
  static constexpr char kClaim[] =
      "INSERT INTO session AS s VALUES ($1::bytea, nextval('claim')) ON CONFLICT (organisation) DO "
      "UPDATE SET claim = nextval('claim') RETURNING claim";
  int64_t claim = 0;
  {
    MutexLock reader(reader_mu_);
    // Claimed twice, if the first answer was lost, the greater number counts.
    const PgReply reply = reader_.Read({kClaim, std::move(PgParams().Add(organisation))});
    RETURN_IF_ERROR(reply.status);
    claim = reply.rows[0][0].Int();
  }
  news_->Claimed(organisation, claim);
  return static_cast<uint64_t>(claim);
}

absl::Status PostgresStore::SendNotices(std::span<const OfflineNotice> notices) {
  news_->Notices(notices);
  return absl::OkStatus();
}

}  // namespace waymark::hub
