#include "server/rpc/watch_reactor.h"

#include <utility>

#include "base/rpc/status_mapping.h"
#include "base/status/status.h"
#include "server/rpc/frames.h"

namespace waymark::hub {
namespace {

class RefusedWatch final : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  explicit RefusedWatch(const absl::Status& status) { Finish(ToGrpc(status)); }
  void OnDone() override { delete this; }
};

}  // namespace

grpc::ServerWriteReactor<grpc::ByteBuffer>* RefuseWatch(const absl::Status& status) {
  return new RefusedWatch(status);
}

WatchReactor::WatchReactor(WorkerPool* pool, WorkerPool* desk, Directory* directory,
                           grpc::CallbackServerContext* context,
                           const v1::WatchDirectoryRequest& request)
    : strand_(Strand::Create(pool)),
      desk_(desk),
      directory_(directory),
      context_(context),
      revision_(request.after_revision()),
      // It counts within its epoch: after a restore of the store it means nothing.
      capacity_revision_(request.epoch() == directory->epoch() ? request.after_capacity_revision()
                                                               : 0) {}

std::shared_ptr<WatchReactor> WatchReactor::Start(WorkerPool* pool, WorkerPool* desk,
                                                  Directory* directory,
                                                  grpc::CallbackServerContext* context,
                                                  const v1::WatchDirectoryRequest& request) {
  auto reactor =
      std::shared_ptr<WatchReactor>(new WatchReactor(pool, desk, directory, context, request));
  reactor->self_ = reactor;
  reactor->strand_->set_on_exception([weak = reactor->weak_from_this()] {
    const auto self = weak.lock();
    if (self && self->context_ != nullptr) self->context_->TryCancel();
  });
  reactor->strand_->Run([reactor] { reactor->Pump(); });
  return reactor;
}

void WatchReactor::End(const absl::Status& status) {
  strand_->Post([self = shared_from_this(), status] {
    if (!self->end_) self->end_ = status;
    self->Pump();
  });
}

void WatchReactor::OnDirectoryChanged() {
  strand_->Post([self = shared_from_this()] {
    self->behind_ = true;
    self->Pump();
  });
}

void WatchReactor::OnWriteDone(bool ok) {
  strand_->Run([self = shared_from_this(), ok] {
    self->write_in_flight_ = false;
    self->writing_.Clear();
    if (!ok && !self->end_) self->end_ = Error(v1::REASON_PEER_STALLED, "the watcher has gone");
    self->Pump();
  });
}

void WatchReactor::OnCancel() { End(Error(v1::REASON_PEER_STALLED, "the watch was cancelled")); }

void WatchReactor::OnDone() {
  strand_->Run([self = shared_from_this()] {
    self->context_ = nullptr;
    self->self_.reset();
  });
}

void WatchReactor::ReadPage(uint64_t revision, uint64_t capacity_revision, bool first) {
  absl::StatusOr<v1::WatchDirectoryResponse> page;
  absl::Status watched;
  if (first) watched = directory_->Watch(weak_from_this());
  if (watched.ok()) {
    page = directory_->ReadAfter(revision, capacity_revision);
  } else {
    page = watched;
  }
  strand_->Post([self = shared_from_this(), page = std::move(page)]() mutable {
    self->reading_ = false;
    self->HandlePage(std::move(page));
    self->Pump();
  });
}

void WatchReactor::HandlePage(absl::StatusOr<v1::WatchDirectoryResponse> page) {
  if (end_) return;
  if (!page.ok()) {
    end_ = page.status();
    return;
  }
  if (!page->caught_up()) behind_ = true;
  // The head is absent when the page has capacities only and the log goes on.
  if (page->has_head()) revision_ = page->head().revision();
  capacity_revision_ = page->capacity_revision();
  writing_ = SerializeFrame(*page);
  write_in_flight_ = true;
  StartWrite(&writing_);
}

void WatchReactor::Pump() {
  if (finished_) return;
  if (end_) {
    if (write_in_flight_) return;
    finished_ = true;
    Finish(ToGrpc(*end_));
    return;
  }
  if (!behind_ || reading_ || write_in_flight_) return;
  behind_ = false;
  reading_ = true;
  const bool first = !std::exchange(registered_, true);
  const bool taken = desk_->Post([self = shared_from_this(), revision = revision_,
                                  capacity_revision = capacity_revision_,
                                  first] { self->ReadPage(revision, capacity_revision, first); });
  if (taken) return;
  reading_ = false;
  end_ = Error(v1::REASON_UNAVAILABLE, "the hub is busy or stopping");
  Pump();
}

}  // namespace waymark::hub
