// The hub's directory: takes in signed statements, keeps them as a log and tells who watches.
//
// Collaborators: DirectoryState (base) says who may publish what; Store keeps the log; Membership
// (server/routing) is derived from the member statements. The hub signs nothing itself.
//
// After the store was restored from an older copy, nodes hold a part of the log that the hub has
// forgotten. For kRecoveryPeriod the hub takes it back (Continue), and at first it takes nothing
// else (Options::publication_pause), so that the log goes on as everybody knows it:
// docs/adr/0011-the-nodes-bring-the-directory-back.md.
//
// Other hub processes on the same store append to the same log. What they took in is in force here
// once Refresh has read it; a statement that is published here on a state that they have changed is
// judged again on the new one.
//
// Threads: everything runs on the hub's desk thread, one call at a time, and may block on the
// store; membership() alone may be called from any thread. Lifetime: store and clock outlive it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/crypto/signature.h"
#include "base/directory/state.h"
#include "base/ids/ids.h"
#include "base/sync/sync.h"
#include "base/time/clock.h"
#include "server/routing/membership.h"
#include "server/store/store.h"
#include "waymark/v1/directory_service.pb.h"

namespace waymark::hub {

// Learns that there is something new to read. Must not block.
class DirectoryWatcher {
 public:
  virtual ~DirectoryWatcher() = default;
  virtual void OnDirectoryChanged() = 0;
};

// Learns of the members, wherever their statements were taken in. Called on the desk thread; must
// not block.
class MembershipListener {
 public:
  virtual ~MembershipListener() = default;
  // `membership` replaces the one before.
  virtual void OnMembership(std::shared_ptr<const Membership> membership) = 0;
  // A member's status is another one than before; OnMembership has been called.
  virtual void OnStanding(const OrganisationId& organisation, v1::MemberStatus status) = 0;
};

class Directory {
 public:
  static constexpr int kMaxStatements = 256;
  static constexpr size_t kMaxRequestBytes = size_t{1} << 20;
  static constexpr size_t kMaxWatchers = 4096;
  // How often a statement is judged again because other processes were faster.
  static constexpr int kMaxAttempts = 8;
  // Every node that runs is back by then: the longest pause between its attempts is 2 minutes.
  static constexpr absl::Duration kPublicationPause = absl::Minutes(10);

  // Reads the log back. `publication_pause`: for how long nothing is published after the store was
  // restored. It counts from the first call of anybody, because a hub may have begun before anybody
  // could reach it; one that begins when it is over, counted from the restore, does not pause. The
  // store's codes; REASON_DATA_CORRUPT: a statement does not read back.
  static absl::StatusOr<std::unique_ptr<Directory>> Open(
      Store* store, Clock* clock, const NetworkId& network, const VerifyingKey& registry_key,
      absl::Duration publication_pause = kPublicationPause);

  // Publishes what `organisation` says, each statement for itself; results are in the response.
  // Fails as a whole with REASON_FRAME_TOO_LARGE, REASON_FIELD_INVALID (no statement),
  // REASON_UNAVAILABLE (the pause after a restore; other processes were faster each time) or the
  // store's codes, and then nothing was published.
  absl::StatusOr<v1::PublishStatementsResponse> Publish(
      const OrganisationId& organisation, const v1::PublishStatementsRequest& request);

  // Returns what the registry's statement says, if it may be published now.
  absl::StatusOr<CheckedStatement> CheckMember(const v1::SignedStatement& statement);

  // Publishes the registry's statement about a member; a change of standing is in force, and the
  // listener told, when it returns. REASON_UNAVAILABLE as for Publish.
  absl::Status PublishMember(const v1::SignedStatement& statement);

  // Appends what a node of `organisation` holds of the log and this store, restored from an older
  // copy, does not; returns the head afterwards. Entries that the log has are skipped. Without
  // entries it only tells the head. All or nothing: REASON_FRAME_TOO_LARGE;
  // REASON_STATE_FORBIDS: the store was not restored within kRecoveryPeriod;
  // REASON_MEMBER_SUSPENDED: the organisation is; REASON_STATEMENT_INVALID: an entry is not the
  // next of the log, was never rightly published (continuation.h), or the log went on otherwise;
  // REASON_UNAVAILABLE: other processes were faster each time; the store's codes. Standings are in
  // force, and the listener told, when it returns.
  absl::StatusOr<v1::ContinueDirectoryResponse> Continue(
      const OrganisationId& organisation, const v1::ContinueDirectoryRequest& request);

  // Takes in what other processes have appended; members, watchers and listener learn of it when
  // it returns. On the store's codes a part may be missing: call it again.
  absl::Status Refresh();

  // Returns what follows the two revisions, about 1 MiB at most. REASON_DIRECTORY_BEHIND: the log
  // ends before `revision`. REASON_FIELD_INVALID: `capacity_revision` is beyond the last.
  absl::StatusOr<v1::WatchDirectoryResponse> ReadAfter(uint64_t revision,
                                                       uint64_t capacity_revision);

  // The store's epoch, in which capacity revisions count. From any thread.
  std::string epoch() const { return store_->epoch(); }

  // Adds one that is told of every change from now on until it is gone. REASON_QUOTA_EXCEEDED:
  // there are kMaxWatchers.
  absl::Status Watch(std::weak_ptr<DirectoryWatcher> watcher);

  // Not owned; outlives the directory. Learns of changes from now on.
  void set_listener(MembershipListener* listener) { listener_ = listener; }

  struct MemberPage {
    std::vector<v1::SignedStatement> statements;
    // The last of these members, if more follow.
    std::optional<OrganisationId> next;
  };
  // The newest statements of the members that follow `after` (nullopt: of all), in order of
  // organisation id, at most `max_bytes` of them but at least one.
  absl::StatusOr<MemberPage> MemberStatements(const std::optional<OrganisationId>& after,
                                              size_t max_bytes);

  const DirectoryState& state() const { return *state_; }

  // Who the members are now. From any thread.
  std::shared_ptr<const Membership> membership() const;

 private:
  Directory(Store* store, Clock* clock, const NetworkId& network, const VerifyingKey& registry_key,
            absl::Duration publication_pause);

  absl::Status Load();
  // Takes in the rows after the last that is known.
  absl::Status LoadRows(bool capacity);
  // Loads again after a failed append, which left the state ahead of the store.
  absl::Status EnsureFresh();
  // Judges every statement on the present state and appends what may be published. CONFLICT:
  // another process has changed that state.
  absl::StatusOr<v1::PublishStatementsResponse> TryPublish(
      const OrganisationId& organisation, const v1::PublishStatementsRequest& request);
  absl::Status TryPublishMember(const v1::SignedStatement& statement);
  absl::Status TryContinue(const OrganisationId& organisation,
                           const v1::ContinueDirectoryRequest& request);
  // Whether the store was restored within kRecoveryPeriod, and the organisation is in good
  // standing.
  absl::Status CheckMayContinue(const OrganisationId& organisation) const;
  // Returns how many of the entries the log has already. STATEMENT_INVALID: it has another one in
  // the place of one, or ends before the first.
  absl::StatusOr<int> CountKnown(const v1::ContinueDirectoryRequest& request);
  // The pause after a restore begins now, if it has not.
  void NoteCall();
  // OK once nodes have had the time to bring the log forward.
  absl::Status CheckWhole();
  // Takes `checked` into the state and makes its row.
  StatementRow Take(const CheckedStatement& checked);
  absl::Status Append(std::vector<StatementRow> rows);
  // Derives the membership from the state and tells the listener what has changed.
  void UpdateMembership();
  void TellWatchers();

  Store* const store_;
  Clock* const clock_;
  const NetworkId network_;
  const VerifyingKey registry_key_;
  const absl::Duration publication_pause_;

  // On the desk thread only.
  std::unique_ptr<DirectoryState> state_;
  bool stale_ = false;
  uint64_t revision_ = 0;
  uint64_t capacity_revision_ = 0;
  std::string head_;
  std::vector<std::weak_ptr<DirectoryWatcher>> watchers_;
  MembershipListener* listener_ = nullptr;
  // When the pause after a restore ends; InfiniteFuture before its first call.
  absl::Time paused_until_ = absl::InfinitePast();

  mutable Mutex mu_;
  // Shared with the batches that the committer is deciding: they keep the membership they began
  // with.
  std::shared_ptr<const Membership> membership_ ABSL_GUARDED_BY(mu_);
};

}  // namespace waymark::hub
