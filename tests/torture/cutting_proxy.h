// A way over TCP that can be cut, stopped and made slow: the network between nodes and hub.
//
// It forwards every connection to one port of this machine. Works without privileges, beside
// whatever else the machine's network does. Threads: any; a thread of its own moves the bytes.
#pragma once

#include <atomic>
#include <memory>
#include <thread>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/file/descriptor.h"
#include "base/sync/sync.h"
#include "tests/torture/way.h"

namespace waymark::torture {

class CuttingProxy {
 public:
  // Listens on a free port of 127.0.0.1 for connections to `target`, a port there. UNAVAILABLE:
  // there is none to be had.
  static absl::StatusOr<std::unique_ptr<CuttingProxy>> Start(int target);
  ~CuttingProxy();
  CuttingProxy(const CuttingProxy&) = delete;
  CuttingProxy& operator=(const CuttingProxy&) = delete;

  int port() const { return port_; }

  // Counts for everything that moves once this has returned. Every piece is held for `delay` on its
  // way, in either direction. A cut resets every connection, and closes those that are made at
  // once.
  void Set(Passage passage, absl::Duration delay = absl::ZeroDuration()) ABSL_LOCKS_EXCLUDED(mu_);

  // Connections that were accepted so far.
  int accepted() const { return accepted_.load(); }

 private:
  struct Settings {
    Passage passage = Passage::kOpen;
    absl::Duration delay;
    bool ends = false;
    int version = 0;
  };
  class Mover;

  CuttingProxy(FileDescriptor listener, FileDescriptor wake_read, FileDescriptor wake_write,
               int port, int target);

  // For the thread, which from then on goes by what this returns.
  Settings settings() ABSL_LOCKS_EXCLUDED(mu_);
  void Wake();

  const FileDescriptor listener_;
  // A pipe: the thread waits for what is read from it as well.
  const FileDescriptor wake_read_;
  const FileDescriptor wake_write_;
  const int port_;
  const int target_;
  std::atomic<int> accepted_ = 0;

  Mutex mu_;
  CondVar taken_changed_;
  Settings settings_ ABSL_GUARDED_BY(mu_);
  // The version that the thread goes by.
  int taken_ ABSL_GUARDED_BY(mu_) = 0;
  std::thread thread_;
};

}  // namespace waymark::torture
