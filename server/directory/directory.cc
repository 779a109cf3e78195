#include "server/directory/directory.h"

#include <iterator>
#include <utility>

#include "base/directory/statement.h"
#include "base/log/log.h"
#include "base/status/status.h"
#include "server/directory/continuation.h"

namespace waymark::hub {
namespace {

// Of the 1 MiB of a response, half for the log and half for capacities.
constexpr size_t kPageBytes = size_t{1} << 19;
constexpr size_t kLoadBytes = size_t{4} << 20;

MemberRecord RecordOf(const OrganisationId& organisation, const v1::Member& member) {
  MemberRecord record;
  record.organisation = organisation;
  record.organisation_class = member.organisation_class();
  record.status = member.status();
  for (const v1::Unit& unit : member.units()) {
    record.units.push_back(UnitId::FromBytes(unit.unit_id()).value());
  }
  return record;
}

// Makes the row of `checked`; `head` is the log's before it, and then after it.
StatementRow RowOf(const CheckedStatement& checked, std::string& head) {
  StatementRow row;
  row.subject = checked.subject;
  row.organisation = checked.organisation;
  row.version = checked.content.version();
  row.capacity = checked.content.has_capacity();
  row.statement = checked.signed_statement.SerializeAsString();
  row.digest = checked.digest;
  if (!row.capacity) {
    head = NextHead(head, checked.digest);
    row.head = head;
  }
  return row;
}

}  // namespace

Directory::Directory(Store* store, Clock* clock, const NetworkId& network,
                     const VerifyingKey& registry_key, absl::Duration publication_pause)
    : store_(store),
      clock_(clock),
      network_(network),
      registry_key_(registry_key),
      publication_pause_(publication_pause),
      membership_(std::make_shared<const Membership>()) {}

absl::StatusOr<std::unique_ptr<Directory>> Directory::Open(Store* store, Clock* clock,
                                                           const NetworkId& network,
                                                           const VerifyingKey& registry_key,
                                                           absl::Duration publication_pause) {
  auto directory = std::unique_ptr<Directory>(
      new Directory(store, clock, network, registry_key, publication_pause));
  RETURN_IF_ERROR(directory->Load());
  const std::optional<absl::Time> restored = store->restored_at();
  if (restored && clock->Now() < *restored + publication_pause) {
    directory->paused_until_ = absl::InfiniteFuture();
  }
  return directory;
}

absl::Status Directory::Load() {
  const std::pair before(revision_, capacity_revision_);
  state_ = std::make_unique<DirectoryState>(network_, registry_key_);
  revision_ = 0;
  capacity_revision_ = 0;
  head_ = EmptyHead();
  RETURN_IF_ERROR(LoadRows(false));
  RETURN_IF_ERROR(LoadRows(true));
  UpdateMembership();
  stale_ = false;
  if (std::pair(revision_, capacity_revision_) != before) TellWatchers();
  return absl::OkStatus();
}

absl::Status Directory::LoadRows(bool capacity) {
  uint64_t& last = capacity ? capacity_revision_ : revision_;
  while (true) {
    ASSIGN_OR_RETURN(const std::vector<StatementRow> rows,
                     store_->ReadStatements(capacity, last, kLoadBytes));
    if (rows.empty()) return absl::OkStatus();
    for (const StatementRow& row : rows) {
      last = row.revision;
      if (!capacity) head_ = row.head;
      if (row.statement.empty()) continue;
      v1::SignedStatement signed_statement;
      absl::StatusOr<CheckedStatement> read;
      if (signed_statement.ParseFromString(row.statement)) {
        read = DirectoryState::ReadStored(signed_statement);
      }
      if (!read.ok()) return Error(v1::REASON_DATA_CORRUPT, "statement " + row.subject);
      state_->Apply(*read);
    }
  }
}

absl::Status Directory::EnsureFresh() { return stale_ ? Load() : absl::OkStatus(); }

absl::Status Directory::Refresh() {
  if (stale_) return Load();
  const std::pair before(revision_, capacity_revision_);
  absl::Status read = LoadRows(false);
  if (read.ok()) read = LoadRows(true);
  if (revision_ != before.first) UpdateMembership();
  if (std::pair(revision_, capacity_revision_) != before) TellWatchers();
  return read;
}

StatementRow Directory::Take(const CheckedStatement& checked) {
  state_->Apply(checked);
  return RowOf(checked, head_);
}

absl::Status Directory::Append(std::vector<StatementRow> rows) {
  if (rows.empty()) return absl::OkStatus();
  const absl::Status appended = store_->AppendStatements(rows, revision_);
  if (!appended.ok()) {
    stale_ = true;
    // All were judged to fit what is known here: the store knows more.
    const bool outrun = ReasonOf(appended) == v1::REASON_STATEMENT_INVALID;
    return outrun ? Error(v1::REASON_CONFLICT, "the directory has changed") : appended;
  }
  for (const StatementRow& row : rows) {
    uint64_t& last = row.capacity ? capacity_revision_ : revision_;
    // What another process appended in between has yet to be read.
    if (row.revision == last + 1) last = row.revision;
  }
  TellWatchers();
  return absl::OkStatus();
}

absl::StatusOr<v1::PublishStatementsResponse> Directory::Publish(
    const OrganisationId& organisation, const v1::PublishStatementsRequest& request) {
  if (request.statements().empty()) {
    return Error(v1::REASON_FIELD_INVALID, "statements: expected at least one");
  }
  if (request.statements_size() > kMaxStatements || request.ByteSizeLong() > kMaxRequestBytes) {
    return Error(v1::REASON_FRAME_TOO_LARGE, "more than 256 statements or 1 MiB");
  }
  RETURN_IF_ERROR(CheckWhole());
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    auto published = TryPublish(organisation, request);
    if (ReasonOf(published.status()) != v1::REASON_CONFLICT) return published;
  }
  return Error(v1::REASON_UNAVAILABLE, "the directory keeps changing");
}

absl::StatusOr<v1::PublishStatementsResponse> Directory::TryPublish(
    const OrganisationId& organisation, const v1::PublishStatementsRequest& request) {
  RETURN_IF_ERROR(EnsureFresh());
  v1::PublishStatementsResponse response;
  std::vector<StatementRow> rows;
  for (const v1::SignedStatement& statement : request.statements()) {
    const auto checked = state_->Check(statement, clock_->Now());
    v1::Reason reason = ReasonOf(checked.status());
    if (checked.ok() && checked->content.has_member()) {
      reason = v1::REASON_REGISTRY_ONLY;
    } else if (checked.ok() && checked->organisation != organisation) {
      reason = v1::REASON_STATEMENT_INVALID;
    } else if (checked.ok() && !checked->repeated) {
      rows.push_back(Take(*checked));
    }
    response.add_results(reason);
  }
  RETURN_IF_ERROR(Append(std::move(rows)));
  response.mutable_head()->set_revision(revision_);
  response.mutable_head()->set_hash(head_);
  return response;
}

absl::StatusOr<CheckedStatement> Directory::CheckMember(const v1::SignedStatement& statement) {
  RETURN_IF_ERROR(EnsureFresh());
  ASSIGN_OR_RETURN(CheckedStatement checked, state_->Check(statement, clock_->Now()));
  if (!checked.content.has_member()) {
    return Error(v1::REASON_STATEMENT_INVALID, "the statement is not about a member");
  }
  return checked;
}

absl::Status Directory::PublishMember(const v1::SignedStatement& statement) {
  RETURN_IF_ERROR(CheckWhole());
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    absl::Status published = TryPublishMember(statement);
    if (ReasonOf(published) != v1::REASON_CONFLICT) return published;
  }
  return Error(v1::REASON_UNAVAILABLE, "the directory keeps changing");
}

absl::Status Directory::TryPublishMember(const v1::SignedStatement& statement) {
  ASSIGN_OR_RETURN(const CheckedStatement checked, CheckMember(statement));
  if (checked.repeated) return absl::OkStatus();
  RETURN_IF_ERROR(Append({Take(checked)}));
  UpdateMembership();
  return absl::OkStatus();
}

void Directory::NoteCall() {
  if (paused_until_ == absl::InfiniteFuture()) paused_until_ = clock_->Now() + publication_pause_;
}

absl::Status Directory::CheckWhole() {
  NoteCall();
  if (clock_->Now() >= paused_until_) return absl::OkStatus();
  return Error(
      v1::REASON_UNAVAILABLE,
      "the hub was restored from a copy and waits for the members' nodes to bring back "
      "what its directory lacks; it publishes again in " +
          absl::FormatDuration(absl::Ceil(paused_until_ - clock_->Now(), absl::Seconds(1))));
}

absl::StatusOr<v1::ContinueDirectoryResponse> Directory::Continue(
    const OrganisationId& organisation, const v1::ContinueDirectoryRequest& request) {
  NoteCall();
  if (request.entries_size() > kMaxStatements || request.ByteSizeLong() > kMaxRequestBytes) {
    return Error(v1::REASON_FRAME_TOO_LARGE, "more than 256 entries or 1 MiB");
  }
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    const absl::Status continued = TryContinue(organisation, request);
    if (ReasonOf(continued) == v1::REASON_CONFLICT) continue;
    RETURN_IF_ERROR(continued);
    v1::ContinueDirectoryResponse response;
    response.mutable_head()->set_revision(revision_);
    response.mutable_head()->set_hash(head_);
    return response;
  }
  return Error(v1::REASON_UNAVAILABLE, "the directory keeps changing");
}

absl::Status Directory::TryContinue(const OrganisationId& organisation,
                                    const v1::ContinueDirectoryRequest& request) {
  RETURN_IF_ERROR(Refresh());
  if (request.entries().empty()) return absl::OkStatus();
  RETURN_IF_ERROR(CheckMayContinue(organisation));
  ASSIGN_OR_RETURN(const int known, CountKnown(request));
  if (known == request.entries_size()) return absl::OkStatus();
  // Judged on a copy: what comes before a bad entry does not count either.
  auto state = std::make_unique<DirectoryState>(*state_);
  ASSIGN_OR_RETURN(const std::vector<CheckedStatement> taken,
                   TakeContinuation(request, known, revision_, clock_->Now(), *state));
  state_ = std::move(state);
  std::vector<StatementRow> rows;
  rows.reserve(taken.size());
  for (const CheckedStatement& statement : taken) rows.push_back(RowOf(statement, head_));
  RETURN_IF_ERROR(Append(std::move(rows)));
  UpdateMembership();
  Log(LogLevel::kInfo, "directory_continued", {{"entries", taken.size()}, {"revision", revision_}});
  return absl::OkStatus();
}

absl::Status Directory::CheckMayContinue(const OrganisationId& organisation) const {
  const std::optional<absl::Time> restored = store_->restored_at();
  if (!restored || clock_->Now() >= *restored + kRecoveryPeriod) {
    return Error(v1::REASON_STATE_FORBIDS,
                 "the hub takes back entries of its directory for 31 days after it was restored "
                 "from a copy, and at no other time");
  }
  const DirectoryState::Member* member = state_->FindMember(organisation);
  if (member == nullptr || member->member.status() == v1::MEMBER_STATUS_SUSPENDED) {
    return Error(v1::REASON_MEMBER_SUSPENDED, "organisation " + organisation.hex());
  }
  return absl::OkStatus();
}

absl::StatusOr<int> Directory::CountKnown(const v1::ContinueDirectoryRequest& request) {
  const uint64_t first = request.entries(0).revision();
  if (first == 0 || first > revision_ + 1) return RefuseEntry(first, "the log does not reach it");
  int known = 0;
  while (known < request.entries_size() && first + known <= revision_) {
    ASSIGN_OR_RETURN(const std::vector<StatementRow> rows,
                     store_->ReadStatements(false, first + known - 1, kPageBytes));
    if (rows.empty()) return Error(v1::REASON_DATA_CORRUPT, "the log of the directory");
    for (const StatementRow& row : rows) {
      if (known == request.entries_size() || row.revision > revision_) break;
      const v1::DirectoryEntry& entry = request.entries(known);
      if (entry.revision() != row.revision) return RefuseEntry(entry.revision(), "a gap");
      if (entry.digest() != row.digest) return RefuseEntry(row.revision, "the log differs");
      ++known;
    }
  }
  return known;
}

absl::StatusOr<v1::WatchDirectoryResponse> Directory::ReadAfter(uint64_t revision,
                                                                uint64_t capacity_revision) {
  NoteCall();
  RETURN_IF_ERROR(EnsureFresh());
  // A node that comes from another process may have seen more than this one.
  if (revision > revision_ || capacity_revision > capacity_revision_) RETURN_IF_ERROR(Refresh());
  if (revision > revision_) {
    return Error(v1::REASON_DIRECTORY_BEHIND,
                 "the directory's log ends at revision " + std::to_string(revision_));
  }
  if (capacity_revision > capacity_revision_) {
    return Error(v1::REASON_FIELD_INVALID, "after_capacity_revision: there are not so many");
  }
  v1::WatchDirectoryResponse response;
  response.set_epoch(epoch());
  ASSIGN_OR_RETURN(std::vector<StatementRow> rows,
                   store_->ReadStatements(false, revision, kPageBytes));
  for (StatementRow& row : rows) {
    v1::DirectoryEntry& entry = *response.add_entries();
    entry.set_revision(row.revision);
    entry.set_digest(row.digest);
    if (!row.statement.empty() && !entry.mutable_statement()->ParseFromString(row.statement)) {
      return Error(v1::REASON_DATA_CORRUPT, "statement " + row.subject);
    }
    response.mutable_head()->set_revision(row.revision);
    response.mutable_head()->set_hash(row.head);
  }
  ASSIGN_OR_RETURN(rows, store_->ReadStatements(true, capacity_revision, kPageBytes));
  response.set_capacity_revision(capacity_revision);
  for (const StatementRow& row : rows) {
    if (!response.add_capacities()->ParseFromString(row.statement)) {
      return Error(v1::REASON_DATA_CORRUPT, "statement " + row.subject);
    }
    response.set_capacity_revision(row.revision);
  }
  if (!response.has_head() && revision == revision_) {
    response.mutable_head()->set_revision(revision_);
    response.mutable_head()->set_hash(head_);
  }
  // The pages may have brought what another process appended a moment ago.
  if (response.head().revision() > revision_ || response.capacity_revision() > capacity_revision_) {
    RETURN_IF_ERROR(Refresh());
  }
  response.set_caught_up(response.head().revision() == revision_ &&
                         response.capacity_revision() == capacity_revision_);
  return response;
}

absl::Status Directory::Watch(std::weak_ptr<DirectoryWatcher> watcher) {
  std::erase_if(watchers_, [](const auto& known) { return known.expired(); });
  if (watchers_.size() >= kMaxWatchers) {
    return Error(v1::REASON_QUOTA_EXCEEDED, "watchers of the directory");
  }
  watchers_.push_back(std::move(watcher));
  return absl::OkStatus();
}

absl::StatusOr<Directory::MemberPage> Directory::MemberStatements(
    const std::optional<OrganisationId>& after, size_t max_bytes) {
  RETURN_IF_ERROR(EnsureFresh());
  const auto& members = state_->members();
  MemberPage page;
  size_t bytes = 0;
  for (auto member = after ? members.upper_bound(*after) : members.begin(); member != members.end();
       ++member) {
    const OrganisationId& organisation = member->first;
    ASSIGN_OR_RETURN(const auto row, store_->FindStatement("member/" + organisation.hex()));
    v1::SignedStatement statement;
    if (!row || !statement.ParseFromString(row->statement)) {
      return Error(v1::REASON_DATA_CORRUPT, "statement member/" + organisation.hex());
    }
    bytes += row->statement.size();
    if (bytes > max_bytes && !page.statements.empty()) {
      page.next = std::prev(member)->first;
      break;
    }
    page.statements.push_back(std::move(statement));
  }
  return page;
}

std::shared_ptr<const Membership> Directory::membership() const {
  MutexLock lock(mu_);
  return membership_;
}

void Directory::UpdateMembership() {
  std::vector<MemberRecord> records;
  for (const auto& [organisation, member] : state_->members()) {
    records.push_back(RecordOf(organisation, member.member));
  }
  const auto next = std::make_shared<const Membership>(std::move(records));
  const std::shared_ptr<const Membership> before = membership();
  {
    MutexLock lock(mu_);
    membership_ = next;
  }
  if (listener_ == nullptr || next->members() == before->members()) return;
  listener_->OnMembership(next);
  for (const MemberRecord& member : next->members()) {
    const MemberRecord* known = before->Find(member.organisation);
    if (known == nullptr || known->status != member.status) {
      listener_->OnStanding(member.organisation, member.status);
    }
  }
}

void Directory::TellWatchers() {
  for (const auto& weak : watchers_) {
    if (const auto watcher = weak.lock()) watcher->OnDirectoryChanged();
  }
}

}  // namespace waymark::hub
