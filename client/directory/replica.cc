#include "client/directory/replica.h"

#include <algorithm>
#include <utility>

#include "base/crypto/hash.h"
#include "base/directory/statement.h"
#include "base/status/status.h"
#include "client/directory/index.h"
#include "client/directory/log_tail.h"
#include "client/vault/typed.h"
#include "waymark/local/v1/directory.pb.h"

namespace waymark::node {
namespace {

constexpr char kStateSetting[] = "directory.state";
constexpr char kChangedSetting[] = "directory.changed";
constexpr size_t kHashSize = 32;
// How many revisions back a head can be compared.
constexpr size_t kRecentHashes = 1024;
constexpr size_t kMaxPeerHeads = 256;
constexpr size_t kMaxAlerts = 100;
// Bounds of one ContinueDirectory request.
constexpr int kMaxOfferedEntries = 256;
constexpr size_t kMaxOfferedBytes = 1024 * 1024 - 4096;

constexpr char kOtherHistory[] =
    "The hub shows another history of the directory than before; nothing of it was taken. Call the "
    "registry operator: if the hub was restored from an older copy, and only then, 'waymark-node "
    "accept-directory' goes on with what it has now.";
constexpr char kTailMissing[] =
    "The hub was restored from an older copy, and this node does not have all that its directory "
    "lacks. This node goes on trying. Call the registry operator: the node of another member that "
    "was connected until the hub was lost has to connect.";

// A subject has one place in the vault, whatever its version.
DocumentId PlaceOf(const CheckedStatement& statement) {
  const std::string name = PlainSha256(statement.subject).substr(0, 16);
  return DocumentId(*ServiceId::FromBytes(name));
}

// Whether the statement was refused only because another one has to come first.
bool MayWait(const absl::Status& refusal) {
  const v1::Reason reason = ReasonOf(refusal);
  return reason == v1::REASON_MEMBER_UNKNOWN || reason == v1::REASON_UNIT_NOT_OWN;
}

bool RanOut(const v1::SignedStatement& signed_statement, absl::Time now) {
  const absl::StatusOr<v1::Statement> statement = ParseStatement(signed_statement);
  return statement.ok() && absl::FromUnixSeconds(statement->valid_until_minute() * 60) <= now;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Replica>> Replica::Open(NetworkId network, VerifyingKey registry_key,
                                                       Vault& vault, Clock& clock) {
  std::unique_ptr<Replica> replica(new Replica(network, std::move(registry_key), vault, clock));
  MutexLock lock(replica->apply_mu_);
  RETURN_IF_ERROR(replica->Load());
  return replica;
}

Replica::Replica(NetworkId network, VerifyingKey registry_key, Vault& vault, Clock& clock)
    : network_(network), registry_key_(std::move(registry_key)), vault_(vault), clock_(clock) {}

Replica::~Replica() = default;

absl::Status Replica::FollowAnew(Vault& vault) {
  return vault.Write(
      [](Transaction& transaction) { return transaction.DeleteSetting(kStateSetting); });
}

// Signatures are not verified again: each was when its statement came in, and the vault gives back
// exactly what was written then. A record is encrypted with authentication under a key of its own,
// bound to its kind and id, and those keys are wrapped under the master key, which is not in the
// folder: whoever can write a record that opens holds the node's own keys anyway. An old copy of
// the whole file would show with the next contact, because the hub's chain of hashes goes on.
absl::Status Replica::Load() {
  index_ = std::make_unique<DirectoryIndex>(network_, registry_key_);
  head_.set_revision(0);
  head_.set_hash(EmptyHead());
  epoch_.clear();
  capacity_revision_ = 0;
  recent_hashes_ = {EmptyHead()};
  waiting_.clear();
  const auto load = [&](const Reader& reader)
                        ABSL_EXCLUSIVE_LOCKS_REQUIRED(apply_mu_) -> absl::Status {
    ASSIGN_OR_RETURN(const auto entries,
                     ParseAll<v1::SignedStatement>(reader.List(DocumentKind::kDirectoryEntry)));
    for (const auto& [id, entry] : entries) {
      ASSIGN_OR_RETURN(const CheckedStatement statement, DirectoryState::ReadStored(entry));
      index_->Take(statement);
    }
    ASSIGN_OR_RETURN(const auto changed,
                     GetSettingAs<local::v1::ChangedMembers>(reader, kChangedSetting));
    if (changed.has_value()) {
      for (const std::string& bytes : changed->organisation_ids()) {
        if (const auto id = OrganisationId::FromBytes(bytes)) index_->SetChanged(*id, true);
      }
    }
    ASSIGN_OR_RETURN(const auto state,
                     GetSettingAs<local::v1::ReplicaState>(reader, kStateSetting));
    if (!state.has_value()) return absl::OkStatus();
    head_ = state->head();
    epoch_ = state->epoch();
    capacity_revision_ = state->capacity_revision();
    recent_hashes_.clear();
    for (size_t at = 0; at + kHashSize <= state->recent_hashes().size(); at += kHashSize) {
      recent_hashes_.push_back(state->recent_hashes().substr(at, kHashSize));
    }
    if (recent_hashes_.empty() || recent_hashes_.back() != head_.hash()) {
      return Error(v1::REASON_DATA_CORRUPT, "the copy of the directory");
    }
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(vault_.Read(load));
  Publish();
  return absl::OkStatus();
}

std::shared_ptr<const DirectorySnapshot> Replica::snapshot() const {
  MutexLock lock(mu_);
  return snapshot_;
}

v1::WatchDirectoryRequest Replica::NextRequest() const {
  MutexLock lock(apply_mu_);
  v1::WatchDirectoryRequest request;
  request.set_after_revision(head_.revision());
  request.set_after_capacity_revision(capacity_revision_);
  request.set_epoch(epoch_);
  return request;
}

absl::Status Replica::Apply(const v1::WatchDirectoryResponse& response) {
  MutexLock lock(apply_mu_);
  std::vector<std::string> hashes;
  if (absl::Status status = CheckChain(response, hashes); !status.ok()) {
    Alert(kOtherHistory);
    return status;
  }

  const std::vector<CheckedStatement> taken = TakeIn(response);
  head_.set_revision(head_.revision() + hashes.size());
  if (!hashes.empty()) head_.set_hash(hashes.back());
  for (std::string& hash : hashes) recent_hashes_.push_back(std::move(hash));
  while (recent_hashes_.size() > kRecentHashes) recent_hashes_.pop_front();
  // Capacity revisions of another epoch count for nothing.
  if (std::exchange(epoch_, response.epoch()) != response.epoch()) capacity_revision_ = 0;
  capacity_revision_ = std::max(capacity_revision_, response.capacity_revision());
  if (absl::Status status = Save(taken, response); !status.ok()) {
    // Memory must not be ahead of the vault.
    RETURN_IF_ERROR(Load());
    return status;
  }

  Publish();
  for (auto peer = peer_heads_.begin();
       peer != peer_heads_.end() && peer->first <= head_.revision();) {
    v1::DirectoryHead head;
    head.set_revision(peer->first);
    head.set_hash(peer->second);
    Compare(head);
    peer = peer_heads_.erase(peer);
  }
  MutexLock state_lock(mu_);
  behind_alert_.clear();
  up_to_date_ = response.caught_up();
  caught_up_ = caught_up_ || up_to_date_;
  return absl::OkStatus();
}

absl::Status Replica::CheckChain(const v1::WatchDirectoryResponse& response,
                                 std::vector<std::string>& hashes) {
  const auto refused = [](std::string_view detail) {
    return Error(v1::REASON_STATEMENT_INVALID, detail);
  };
  uint64_t revision = head_.revision();
  std::string hash = head_.hash();
  for (const v1::DirectoryEntry& entry : response.entries()) {
    if (entry.revision() != ++revision) return refused("a revision of the directory is missing");
    if (entry.has_statement() && StatementDigest(entry.statement()) != entry.digest()) {
      return refused("an entry of the directory does not have its digest");
    }
    hash = NextHead(hash, entry.digest());
    hashes.push_back(hash);
  }
  const bool head_agrees = response.head().revision() == revision &&
                           (revision == 0 || ConstantTimeEquals(response.head().hash(), hash));
  return head_agrees ? absl::OkStatus()
                     : refused("the directory's head is not that of its entries");
}

std::vector<CheckedStatement> Replica::TakeIn(const v1::WatchDirectoryResponse& response) {
  std::vector<v1::SignedStatement> candidates = std::exchange(waiting_, {});
  for (const v1::DirectoryEntry& entry : response.entries()) {
    if (entry.has_statement()) candidates.push_back(entry.statement());
  }
  candidates.insert(candidates.end(), response.capacities().begin(), response.capacities().end());

  // Round after round, because a statement may make room for those before it.
  const absl::Time now = clock_.Now();
  std::vector<CheckedStatement> taken;
  bool progress = true;
  while (progress) {
    progress = false;
    std::vector<v1::SignedStatement> left;
    for (v1::SignedStatement& candidate : candidates) {
      absl::StatusOr<CheckedStatement> checked = index_->Check(candidate, now);
      if (checked.ok()) {
        progress = true;
        if (checked->repeated) continue;
        index_->Take(*checked);
        taken.push_back(*std::move(checked));
      } else if (MayWait(checked.status())) {
        left.push_back(std::move(candidate));
      } else if (!RanOut(candidate, now)) {
        Alert("An entry of the directory was left out: " + std::string(checked.status().message()));
      }
    }
    candidates = std::move(left);
  }

  if (response.caught_up()) {
    for (const v1::SignedStatement& candidate : candidates) {
      if (RanOut(candidate, now)) continue;
      Alert("An entry of the directory was left out: its organisation may not say it.");
    }
  } else {
    waiting_ = std::move(candidates);
  }
  return taken;
}

absl::Status Replica::Save(const std::vector<CheckedStatement>& taken,
                           const v1::WatchDirectoryResponse& response) {
  const auto save = [&](Transaction& transaction)
                        ABSL_EXCLUSIVE_LOCKS_REQUIRED(apply_mu_) -> absl::Status {
    for (const CheckedStatement& statement : taken) {
      RETURN_IF_ERROR(PutMessage(transaction, DocumentKind::kDirectoryEntry, PlaceOf(statement),
                                 DocumentId(), statement.signed_statement));
    }
    RETURN_IF_ERROR(WriteLogTail(transaction, response));
    local::v1::ChangedMembers changed;
    for (const OrganisationId& id : index_->changed()) changed.add_organisation_ids(id.bytes());
    RETURN_IF_ERROR(PutSettingMessage(transaction, kChangedSetting, changed));
    // What waits is read again after a restart; what was taken then counts as a repeat.
    if (!waiting_.empty()) return absl::OkStatus();
    local::v1::ReplicaState state;
    *state.mutable_head() = head_;
    state.set_epoch(epoch_);
    state.set_capacity_revision(capacity_revision_);
    for (const std::string& hash : recent_hashes_) state.mutable_recent_hashes()->append(hash);
    return PutSettingMessage(transaction, kStateSetting, state);
  };
  return vault_.Write(save);
}

void Replica::Publish() {
  index_->SetHead(head_);
  index_->SetEpoch(epoch_);
  std::shared_ptr<const DirectorySnapshot> snapshot = index_->Snapshot();
  MutexLock lock(mu_);
  snapshot_ = std::move(snapshot);
}

const std::string& Replica::HashAt(uint64_t revision) const {
  return recent_hashes_[recent_hashes_.size() - 1 - (head_.revision() - revision)];
}

bool Replica::HasHashAt(uint64_t revision) const {
  return revision <= head_.revision() && head_.revision() - revision < recent_hashes_.size();
}

absl::StatusOr<v1::ContinueDirectoryRequest> Replica::ContinuationAfter(
    const v1::DirectoryHead& head) {
  MutexLock lock(apply_mu_);
  v1::ContinueDirectoryRequest request;
  if (head.revision() >= head_.revision()) return request;
  v1::DirectoryHead reached = head;
  if (head.revision() == 0) reached.set_hash(EmptyHead());
  if (HasHashAt(head.revision()) && HashAt(head.revision()) != reached.hash()) {
    Alert(kOtherHistory);
    return Error(v1::REASON_STATEMENT_INVALID, "the hub's log is not the beginning of ours");
  }
  RETURN_IF_ERROR(ReadContinuation(reached, request));
  // What the chain leads from the hub's head to a head of ours is our history, and it was the
  // hub's.
  if (request.entries().empty() || !HasHashAt(reached.revision())) {
    AlertBehind(kTailMissing);
    return Error(v1::REASON_DIRECTORY_BEHIND, "what the hub's log lacks is not here");
  }
  return request;
}

absl::Status Replica::ReadContinuation(v1::DirectoryHead& reached,
                                       v1::ContinueDirectoryRequest& request) const {
  bool full = false;
  const auto take = [&](v1::DirectoryEntry entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(apply_mu_) -> bool {
    std::string hash = NextHead(reached.hash(), entry.digest());
    // What was read again after a restart may have been kept from another history.
    if (HasHashAt(entry.revision()) && HashAt(entry.revision()) != hash) return false;
    full = full || request.entries_size() == kMaxOfferedEntries ||
           request.ByteSizeLong() + entry.ByteSizeLong() > kMaxOfferedBytes;
    // The rest is read only as far as it takes to know that all of this is our history.
    if (full && HasHashAt(reached.revision())) return false;
    reached.set_revision(entry.revision());
    reached.set_hash(std::move(hash));
    if (!full) *request.add_entries() = std::move(entry);
    return reached.revision() < head_.revision();
  };
  return vault_.Read([&](const Reader& reader) ABSL_EXCLUSIVE_LOCKS_REQUIRED(apply_mu_) {
    return VisitLogTail(reader, reached.revision(), take);
  });
}

void Replica::OnContinuationRefused(const absl::Status& refusal) {
  const v1::Reason reason = ReasonOf(refusal);
  if (reason != v1::REASON_STATE_FORBIDS && reason != v1::REASON_STATEMENT_INVALID) return;
  AlertBehind(
      "The hub's directory lacks entries that this node has, as after a restore from an older "
      "copy, and the hub does not take them back: " +
      std::string(refusal.message()) + " This node goes on trying. Call the registry operator.");
}

HeadComparison Replica::CheckPeerHead(const v1::DirectoryHead& head) {
  MutexLock lock(apply_mu_);
  return Compare(head);
}

HeadComparison Replica::Compare(const v1::DirectoryHead& head) {
  if (head.hash().size() != kHashSize) return HeadComparison::kUndecided;
  if (head.revision() > head_.revision()) {
    if (peer_heads_.size() < kMaxPeerHeads) peer_heads_.emplace(head.revision(), head.hash());
    return HeadComparison::kUndecided;
  }
  if (!HasHashAt(head.revision())) return HeadComparison::kUndecided;
  if (HashAt(head.revision()) == head.hash()) return HeadComparison::kSame;
  Alert("A partner sees another directory than this node does. Call the registry operator.");
  return HeadComparison::kMismatch;
}

absl::Status Replica::Confirm(const OrganisationId& organisation, std::string_view fingerprint) {
  MutexLock lock(apply_mu_);
  const std::shared_ptr<const DirectorySnapshot> present = snapshot();
  const MemberEntry* member = present->FindMember(organisation);
  if (member == nullptr) {
    return Error(v1::REASON_NOT_FOUND, "organisation " + organisation.hex());
  }
  if (member->identity_key.fingerprint() != fingerprint) {
    return Error(v1::REASON_FINGERPRINT_MISMATCH, "organisation " + member->member.handle());
  }
  index_->SetChanged(organisation, false);
  if (absl::Status status = Save({}, {}); !status.ok()) {
    RETURN_IF_ERROR(Load());
    return status;
  }
  Publish();
  return absl::OkStatus();
}

bool Replica::caught_up() const {
  MutexLock lock(mu_);
  return caught_up_;
}

bool Replica::up_to_date() const {
  MutexLock lock(mu_);
  return up_to_date_;
}

void Replica::OnWatchEnded() {
  MutexLock lock(mu_);
  up_to_date_ = false;
}

std::vector<std::string> Replica::alerts() const {
  MutexLock lock(mu_);
  std::vector<std::string> alerts = alerts_;
  if (!behind_alert_.empty()) alerts.push_back(behind_alert_);
  return alerts;
}

void Replica::Alert(const std::string& alert) {
  MutexLock lock(mu_);
  if (std::find(alerts_.begin(), alerts_.end(), alert) != alerts_.end()) return;
  if (alerts_.size() < kMaxAlerts) alerts_.push_back(alert);
}

void Replica::AlertBehind(const std::string& alert) {
  MutexLock lock(mu_);
  behind_alert_ = alert;
}

}  // namespace waymark::node
