// A bare stream to the hub: whoever has TLS files can open one, and say whatever it likes on it.
//
// For tests that a well-behaved node cannot play: strangers, impostors, breakers of the protocol.
// Calls block; one reader thread per stream collects what the hub sends. Not thread-safe.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/ids/ids.h"
#include "base/rpc/credentials.h"
#include "base/sync/sync.h"
#include "waymark/v1/exchange.grpc.pb.h"

namespace waymark::testing {

// A channel to the hub of `network` at `address` under these TLS files.
std::shared_ptr<grpc::Channel> ChannelTo(const std::string& address, const TlsFiles& files,
                                         const NetworkId& network);

class WireStream {
 public:
  // Connects with the first frame sent.
  explicit WireStream(const std::shared_ptr<grpc::Channel>& channel);
  // Cancels what is left of the stream.
  ~WireStream();
  WireStream(const WireStream&) = delete;
  WireStream& operator=(const WireStream&) = delete;

  // Whether the frame left; false once the stream has ended.
  bool Send(const v1::ConnectRequest& frame);
  // The hub's next frame; nullopt when none comes within the time or the stream has ended.
  std::optional<v1::ConnectResponse> Next(absl::Duration within = absl::Seconds(20));
  // Reads to the end of the stream and returns how it ended. Cancels one that the hub does not end
  // within 20 s.
  absl::Status End();

 private:
  void ReadAll();

  grpc::ClientContext context_;
  std::unique_ptr<v1::ExchangeService::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::ConnectRequest, v1::ConnectResponse>> stream_;

  Mutex mu_;
  CondVar changed_;
  std::deque<v1::ConnectResponse> frames_ ABSL_GUARDED_BY(mu_);
  bool ended_ ABSL_GUARDED_BY(mu_) = false;
  std::thread reader_;
  bool finished_ = false;
};

// The first frame of a stream that starts from nothing.
v1::ConnectRequest HelloFrame();

}  // namespace waymark::testing
