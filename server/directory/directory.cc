#include "server/directory/directory.h"

#include <utility>

#include "base/directory/statement.h"
#include "base/status/status.h"

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

}  // namespace

Directory::Directory(Store* store, Clock* clock, const NetworkId& network,
                     const VerifyingKey& registry_key)
    : store_(store),
      clock_(clock),
      network_(network),
      registry_key_(registry_key),
      membership_(std::make_shared<const Membership>()) {}

absl::StatusOr<std::unique_ptr<Directory>> Directory::Open(Store* store, Clock* clock,
                                                           const NetworkId& network,
                                                           const VerifyingKey& registry_key) {
  auto directory = std::unique_ptr<Directory>(new Directory(store, clock, network, registry_key));
  RETURN_IF_ERROR(directory->Load());
  return directory;
}

absl::Status Directory::Load() {
  state_ = std::make_unique<DirectoryState>(network_, registry_key_);
  revision_ = 0;
  capacity_revision_ = 0;
  head_ = EmptyHead();
  RETURN_IF_ERROR(LoadRows(false));
  RETURN_IF_ERROR(LoadRows(true));
  UpdateMembership();
  stale_ = false;
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

StatementRow Directory::Take(const CheckedStatement& checked) {
  state_->Apply(checked);
  StatementRow row;
  row.subject = checked.subject;
  row.organisation = checked.organisation;
  row.version = checked.content.version();
  row.capacity = checked.content.has_capacity();
  row.statement = checked.signed_statement.SerializeAsString();
  row.digest = checked.digest;
  if (!row.capacity) {
    head_ = NextHead(head_, checked.digest);
    row.head = head_;
  }
  return row;
}

absl::Status Directory::Append(std::vector<StatementRow> rows) {
  if (rows.empty()) return absl::OkStatus();
  const absl::Status appended = store_->AppendStatements(rows, revision_);
  if (!appended.ok()) {
    stale_ = true;
    return appended;
  }
  for (const StatementRow& row : rows) {
    (row.capacity ? capacity_revision_ : revision_) = row.revision;
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
  ASSIGN_OR_RETURN(const CheckedStatement checked, CheckMember(statement));
  if (checked.repeated) return absl::OkStatus();
  const DirectoryState::Member* before = state_->FindMember(checked.organisation);
  const v1::MemberStatus status_before =
      before == nullptr ? v1::MEMBER_STATUS_UNSPECIFIED : before->member.status();
  RETURN_IF_ERROR(Append({Take(checked)}));
  UpdateMembership();
  const v1::MemberStatus status = checked.content.member().status();
  if (listener_ == nullptr) return absl::OkStatus();
  listener_->OnMembership(membership());
  if (status != status_before) listener_->OnStanding(checked.organisation, status);
  return absl::OkStatus();
}

absl::StatusOr<v1::WatchDirectoryResponse> Directory::ReadAfter(uint64_t revision,
                                                                uint64_t capacity_revision) {
  RETURN_IF_ERROR(EnsureFresh());
  if (revision > revision_ || capacity_revision > capacity_revision_) {
    return Error(v1::REASON_FIELD_INVALID, "the revision is beyond the directory's log");
  }
  v1::WatchDirectoryResponse response;
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

absl::StatusOr<std::vector<v1::SignedStatement>> Directory::MemberStatements() {
  RETURN_IF_ERROR(EnsureFresh());
  std::vector<v1::SignedStatement> statements;
  for (const auto& [organisation, member] : state_->members()) {
    ASSIGN_OR_RETURN(const auto row, store_->FindStatement("member/" + organisation.hex()));
    v1::SignedStatement statement;
    if (!row || !statement.ParseFromString(row->statement)) {
      return Error(v1::REASON_DATA_CORRUPT, "statement member/" + organisation.hex());
    }
    statements.push_back(std::move(statement));
  }
  return statements;
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
  auto membership = std::make_shared<const Membership>(std::move(records));
  MutexLock lock(mu_);
  membership_ = std::move(membership);
}

void Directory::TellWatchers() {
  for (const auto& weak : watchers_) {
    if (const auto watcher = weak.lock()) watcher->OnDirectoryChanged();
  }
}

}  // namespace waymark::hub
