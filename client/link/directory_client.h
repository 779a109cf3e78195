// The directory over gRPC: publishing to it, and keeping the replica up to date.
//
// Both use the node's channel to the hub, which outlives them, as does the replica.
#pragma once

#include <functional>
#include <memory>
#include <thread>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/random/random.h"
#include "base/sync/sync.h"
#include "client/directory/replica.h"
#include "client/link/backoff.h"
#include "client/link/hub_channel.h"
#include "grpcpp/client_context.h"
#include "waymark/v1/directory_service.pb.h"

namespace waymark::node {

// Publishes statements. Blocks for at most 20 seconds. The RPC's errors; UNAVAILABLE when the hub
// cannot be reached, PEER_STALLED when it does not answer.
absl::StatusOr<v1::PublishStatementsResponse> PublishStatements(
    HubChannel& hub, const v1::PublishStatementsRequest& request);

// Follows the directory on a thread of its own; when the watch breaks, it starts again after a
// jittered, growing pause. A hub whose log ends before the replica's is first given what it lacks.
// Public methods are thread-safe.
class DirectoryWatch {
 public:
  struct Options {
    absl::Duration min_backoff = absl::Milliseconds(500);
    absl::Duration max_backoff = absl::Minutes(2);
  };

  // `on_change` is called on the watch's thread after the replica took something in; it must not
  // stop the watch. `random` outlives it.
  DirectoryWatch(const Options& options, HubChannel& hub, Replica& replica, Random& random,
                 std::function<void()> on_change);
  // Stops.
  ~DirectoryWatch();

  DirectoryWatch(const DirectoryWatch&) = delete;
  DirectoryWatch& operator=(const DirectoryWatch&) = delete;

  // Once.
  void Start();
  // Starts again at once instead of at the end of a pause: the hub is back.
  void Wake();
  // Ends the call and joins the thread. Idempotent.
  void Stop();

 private:
  void Run();
  absl::Status RunOnce();
  // Gives the hub the entries that it lacks, page by page. The RPC's errors and those of
  // Replica::ContinuationAfter.
  absl::Status BringForward();
  absl::StatusOr<v1::DirectoryHead> Offer(const v1::ContinueDirectoryRequest& request);
  // Registers the call that Stop is to end; false once stopping.
  bool Enter(grpc::ClientContext* call);
  void Leave();
  void Rest(absl::Duration pause);

  HubChannel& hub_;
  Replica& replica_;
  const std::function<void()> on_change_;
  // Used by the thread alone.
  Backoff backoff_;

  Mutex mu_;
  CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  bool resting_ ABSL_GUARDED_BY(mu_) = false;
  grpc::ClientContext* call_ ABSL_GUARDED_BY(mu_) = nullptr;
  std::thread thread_;
};

}  // namespace waymark::node
