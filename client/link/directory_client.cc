#include "client/link/directory_client.h"

#include <chrono>
#include <utility>

#include "base/log/log.h"
#include "base/rpc/status_mapping.h"
#include "base/status/status.h"
#include "base/time/clock.h"
#include "waymark/v1/directory_service.grpc.pb.h"

namespace waymark::node {

absl::StatusOr<v1::PublishStatementsResponse> PublishStatements(
    HubChannel& hub, const v1::PublishStatementsRequest& request) {
  const std::shared_ptr<grpc::Channel> channel = hub.Get();
  const auto stub = v1::DirectoryService::NewStub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kCallPatience);
  v1::PublishStatementsResponse response;
  const absl::Status status = FromGrpc(stub->PublishStatements(&context, request, &response));
  if (!status.ok()) return status;
  return response;
}

DirectoryWatch::DirectoryWatch(const Options& options, HubChannel& hub, Replica& replica,
                               Random& random, std::function<void()> on_change)
    : hub_(hub),
      replica_(replica),
      on_change_(std::move(on_change)),
      backoff_(options.min_backoff, options.max_backoff, random) {}

DirectoryWatch::~DirectoryWatch() { Stop(); }

void DirectoryWatch::Start() {
  thread_ = std::thread([this] { Run(); });
}

void DirectoryWatch::Stop() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
    if (call_ != nullptr) call_->TryCancel();
  }
  changed_.SignalAll();
  if (thread_.joinable()) thread_.join();
}

void DirectoryWatch::Wake() {
  {
    MutexLock lock(mu_);
    resting_ = false;
  }
  changed_.SignalAll();
}

bool DirectoryWatch::Enter(grpc::ClientContext* call) {
  MutexLock lock(mu_);
  if (stopping_) return false;
  call_ = call;
  return true;
}

void DirectoryWatch::Leave() {
  MutexLock lock(mu_);
  call_ = nullptr;
}

void DirectoryWatch::Rest(absl::Duration pause) {
  const absl::Time end = SteadyClock().Now() + pause;
  MutexLock lock(mu_);
  resting_ = true;
  while (!stopping_ && resting_) {
    const absl::Duration left = end - SteadyClock().Now();
    if (left <= absl::ZeroDuration()) return;
    changed_.WaitFor(mu_, left);
  }
}

void DirectoryWatch::Run() {
  while (true) {
    absl::Status status = RunOnce();
    if (ReasonOf(status) == v1::REASON_DIRECTORY_BEHIND) status = BringForward();
    {
      MutexLock lock(mu_);
      if (stopping_) return;
    }
    Log(LogLevel::kInfo, "directory_watch_ended", {{"reason", status}});
    Rest(backoff_.Next());
  }
}

absl::Status DirectoryWatch::BringForward() {
  v1::ContinueDirectoryRequest request;
  ASSIGN_OR_RETURN(v1::DirectoryHead head, Offer(request));
  while (true) {
    ASSIGN_OR_RETURN(request, replica_.ContinuationAfter(head));
    if (request.entries().empty()) break;
    const uint64_t before = head.revision();
    absl::StatusOr<v1::DirectoryHead> after = Offer(request);
    if (after.ok() && after->revision() <= before) {
      after = Error(v1::REASON_STATEMENT_INVALID, "the hub's log of the directory did not grow");
    }
    if (!after.ok()) {
      replica_.OnContinuationRefused(after.status());
      return after.status();
    }
    head = *std::move(after);
    Log(LogLevel::kInfo, "directory_brought_forward",
        {{"entries", request.entries_size()}, {"revision", head.revision()}});
  }
  // Nothing keeps the watch from going on.
  backoff_.Succeeded();
  return absl::OkStatus();
}

absl::StatusOr<v1::DirectoryHead> DirectoryWatch::Offer(
    const v1::ContinueDirectoryRequest& request) {
  const auto stub = v1::DirectoryService::NewStub(hub_.Get());
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kCallPatience);
  if (!Enter(&context)) return Error(v1::REASON_UNAVAILABLE, "the node is stopping");
  v1::ContinueDirectoryResponse response;
  const absl::Status status = FromGrpc(stub->ContinueDirectory(&context, request, &response));
  Leave();
  RETURN_IF_ERROR(status);
  return response.head();
}

absl::Status DirectoryWatch::RunOnce() {
  const std::shared_ptr<grpc::Channel> channel = hub_.Get();
  const auto stub = v1::DirectoryService::NewStub(channel);
  grpc::ClientContext context;
  if (!Enter(&context)) return absl::OkStatus();
  absl::Status applied;
  const auto reader = stub->WatchDirectory(&context, replica_.NextRequest());
  v1::WatchDirectoryResponse response;
  while (applied.ok() && reader->Read(&response)) {
    applied = replica_.Apply(response);
    if (applied.ok()) backoff_.Succeeded();
    on_change_();
  }
  if (!applied.ok()) context.TryCancel();
  const absl::Status ended = FromGrpc(reader->Finish());
  replica_.OnWatchEnded();
  Leave();
  // Only the transport's own failures mean that another address may do better.
  if (applied.ok() && ReasonOf(ended) == v1::REASON_UNAVAILABLE) hub_.Failed(channel);
  return applied.ok() ? ended : applied;
}

}  // namespace waymark::node
