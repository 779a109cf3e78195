// One watcher of the directory: pages of the log, then every change, until the caller cancels.
//
// A change only marks the stream as behind; pages are read on the desk when the previous one is
// written, so that a slow watcher costs one page of memory. Threads and lifetime as
// ExchangeReactor.
#pragma once

#include <memory>
#include <optional>

#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "server/directory/directory.h"
#include "server/rpc/strand.h"
#include "waymark/v1/directory_service.pb.h"

namespace waymark::hub {

class WatchReactor final : public grpc::ServerWriteReactor<grpc::ByteBuffer>,
                           public DirectoryWatcher,
                           public std::enable_shared_from_this<WatchReactor> {
 public:
  // `pool` runs the strand, `desk` reads the directory; both outlive the stream.
  static std::shared_ptr<WatchReactor> Start(WorkerPool* pool, WorkerPool* desk,
                                             Directory* directory,
                                             grpc::CallbackServerContext* context,
                                             const v1::WatchDirectoryRequest& request);

  // Ends the stream, from any thread.
  void End(const absl::Status& status);

  // DirectoryWatcher, on the desk.
  void OnDirectoryChanged() override;

  // Reactions.
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  WatchReactor(WorkerPool* pool, WorkerPool* desk, Directory* directory,
               grpc::CallbackServerContext* context, const v1::WatchDirectoryRequest& request);

  // On the desk.
  void ReadPage(uint64_t revision, uint64_t capacity_revision, bool first);
  // On the strand.
  void HandlePage(absl::StatusOr<v1::WatchDirectoryResponse> page);
  void Pump();

  const std::shared_ptr<Strand> strand_;
  WorkerPool* const desk_;
  Directory* const directory_;

  // On the strand. The context is null after OnDone.
  grpc::CallbackServerContext* context_;
  std::shared_ptr<WatchReactor> self_;
  uint64_t revision_;
  uint64_t capacity_revision_;
  bool registered_ = false;
  bool behind_ = true;
  bool reading_ = false;
  bool write_in_flight_ = false;
  grpc::ByteBuffer writing_;
  std::optional<absl::Status> end_;
  bool finished_ = false;
};

// A watch that ends with `status` at once.
grpc::ServerWriteReactor<grpc::ByteBuffer>* RefuseWatch(const absl::Status& status);

}  // namespace waymark::hub
