// The node's own copy of the directory: verified, persisted, searched locally.
//
// Nobody learns what a node looks for, because it asks for everything. Every statement is checked
// before it counts: a member statement by the registry's key, everything else by the identity key
// of the member that it is about; network, validity and increasing versions besides. The log is a
// chain of hashes; a hub that sends another history than it sent before is refused, and one that
// tells another node another history is found out by comparing heads in sealed messages
// (CheckPeerHead). What failed stays visible as an alert until the node restarts.
//
// A hub that was restored from an older copy has a shorter log than this one. It gets back from
// here what it lacks (ContinuationAfter): the newest entries are kept with their statements, also
// those that later ones have replaced (log_tail.h).
//
// A rotation of sealing keys under the same identity key is ordinary. A new identity key of a
// member already known marks it as changed; nothing is sealed to it until Confirm.
//
// Threads: thread-safe. Apply and Confirm write the vault and are serialised; snapshots are handed
// out without waiting for them. The vault and the clock outlive the replica.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/crypto/signature.h"
#include "base/directory/state.h"
#include "base/ids/ids.h"
#include "base/sync/sync.h"
#include "base/time/clock.h"
#include "client/directory/snapshot.h"
#include "client/vault/vault.h"
#include "waymark/v1/directory_service.pb.h"

namespace waymark::node {

class DirectoryIndex;

// How a peer's head compares with our copy.
enum class HeadComparison {
  // Same history.
  kSame,
  // The peer is ahead of us, or so far behind that we no longer keep that revision.
  kUndecided,
  // Another history: the hub shows two faces. An alert is raised.
  kMismatch,
};

class Replica {
 public:
  // Loads what the vault holds. REASON_DATA_CORRUPT: it does not read back as written.
  static absl::StatusOr<std::unique_ptr<Replica>> Open(NetworkId network, VerifyingKey registry_key,
                                                       Vault& vault, Clock& clock);
  ~Replica();

  // Lets the next Open follow the hub's log from its beginning, whatever it was before: a person
  // has heard from the registry operator that it goes on otherwise since a restore. What is in
  // force here stays so until its speaker says something newer. The vault's codes. Not while a
  // replica is open.
  static absl::Status FollowAnew(Vault& vault);

  // The present state; never null. Shared, because readers keep it while newer ones replace it.
  std::shared_ptr<const DirectorySnapshot> snapshot() const;

  // Where a watch should resume.
  v1::WatchDirectoryRequest NextRequest() const;

  // Takes in one response of the watch: stores it durably, then shows it. A statement that fails
  // its check is left out and alerted, the rest counts. REASON_STATEMENT_INVALID: the chain does
  // not continue ours; nothing of the response counts and an alert is raised.
  absl::Status Apply(const v1::WatchDirectoryResponse& response);

  // Returns what to offer a hub whose log ends at `head`: the entries of ours that follow it, as
  // many as fit into one request; none when it lacks nothing. REASON_STATEMENT_INVALID: its log is
  // not the beginning of ours. REASON_DIRECTORY_BEHIND: the next entry is not kept here, or came
  // without its statement, or too little is kept to know that its log is the beginning of ours.
  // Both raise an alert; the latter's goes with the next Apply. The vault's codes.
  absl::StatusOr<v1::ContinueDirectoryRequest> ContinuationAfter(const v1::DirectoryHead& head);
  // The hub has answered `refusal` to what ContinuationAfter returned. Raises an alert that goes
  // with the next Apply if it says that the hub does not take it; anything else may pass.
  void OnContinuationRefused(const absl::Status& refusal);

  // Compares a head that a peer sent in a sealed message. A head that is ahead of ours is kept and
  // compared when Apply reaches it.
  HeadComparison CheckPeerHead(const v1::DirectoryHead& head);

  // Accepts the changed identity key of a member, after a person compared `fingerprint` with it.
  // REASON_NOT_FOUND: no such member. REASON_FINGERPRINT_MISMATCH: its key has another fingerprint.
  absl::Status Confirm(const OrganisationId& organisation, std::string_view fingerprint);

  // True once a watch has caught up since the node started.
  bool caught_up() const;
  // True while a watch that has caught up goes on.
  bool up_to_date() const;
  // The watch has ended: what the hub has published since is not known here.
  void OnWatchEnded();

  // What went wrong with the directory since the node started, oldest first, at most 100, without
  // repeats, and what keeps the hub behind now; for a person to read.
  std::vector<std::string> alerts() const;

 private:
  Replica(NetworkId network, VerifyingKey registry_key, Vault& vault, Clock& clock);

  absl::Status Load() ABSL_EXCLUSIVE_LOCKS_REQUIRED(apply_mu_);
  absl::Status CheckChain(const v1::WatchDirectoryResponse& response,
                          std::vector<std::string>& hashes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(apply_mu_);
  std::vector<CheckedStatement> TakeIn(const v1::WatchDirectoryResponse& response)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(apply_mu_);
  absl::Status Save(const std::vector<CheckedStatement>& taken,
                    const v1::WatchDirectoryResponse& response)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(apply_mu_);
  // Reads what follows `reached`, a head of the hub's, into `request`; then `reached` is where the
  // chain of what was read leads, which is a head of ours if that is recent.
  absl::Status ReadContinuation(v1::DirectoryHead& reached,
                                v1::ContinueDirectoryRequest& request) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(apply_mu_);
  // Whether recent_hashes_ reaches the revision, and its hash then.
  bool HasHashAt(uint64_t revision) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(apply_mu_);
  const std::string& HashAt(uint64_t revision) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(apply_mu_);
  void Publish() ABSL_EXCLUSIVE_LOCKS_REQUIRED(apply_mu_);
  HeadComparison Compare(const v1::DirectoryHead& head) ABSL_EXCLUSIVE_LOCKS_REQUIRED(apply_mu_);
  void Alert(const std::string& alert);
  void AlertBehind(const std::string& alert);

  const NetworkId network_;
  const VerifyingKey registry_key_;
  Vault& vault_;
  Clock& clock_;

  // Held while a response is taken in, the vault's commit included: responses are an ordered log.
  mutable Mutex apply_mu_;
  std::unique_ptr<DirectoryIndex> index_ ABSL_GUARDED_BY(apply_mu_);
  v1::DirectoryHead head_ ABSL_GUARDED_BY(apply_mu_);
  // The hub's epoch, in which the capacity revision counts.
  std::string epoch_ ABSL_GUARDED_BY(apply_mu_);
  uint64_t capacity_revision_ ABSL_GUARDED_BY(apply_mu_) = 0;
  // Hashes of the log up to the head's, oldest first.
  std::deque<std::string> recent_hashes_ ABSL_GUARDED_BY(apply_mu_);
  // Statements whose member, unit or service has not come yet: its newest statement may stand later
  // in the log. What was read is not saved as read while one waits.
  std::vector<v1::SignedStatement> waiting_ ABSL_GUARDED_BY(apply_mu_);
  // Heads of peers who were ahead of us, by revision.
  std::map<uint64_t, std::string> peer_heads_ ABSL_GUARDED_BY(apply_mu_);

  mutable Mutex mu_;
  std::shared_ptr<const DirectorySnapshot> snapshot_ ABSL_GUARDED_BY(mu_);
  bool caught_up_ ABSL_GUARDED_BY(mu_) = false;
  bool up_to_date_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::string> alerts_ ABSL_GUARDED_BY(mu_);
  // Why a hub that is behind is not brought forward; empty when none is known to be.
  std::string behind_alert_ ABSL_GUARDED_BY(mu_);
};

}  // namespace waymark::node
