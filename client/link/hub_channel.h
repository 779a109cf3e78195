// The channel to whichever of the hub's addresses works.
//
// The exchange stream, the directory watch and single calls share one channel, hence one TLS
// session. Whoever meets a failure of the transport reports it, and the next address takes its
// turn. Thread-safe. The last channel is dropped by the destructor or by the caller of Failed,
// never by gRPC's own threads: call Failed outside reactions.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/sync/sync.h"
#include "grpcpp/channel.h"

namespace waymark::node {

// How long a single call may take.
constexpr std::chrono::seconds kCallPatience{20};

class HubChannel {
 public:
  // Makes a channel to an address, "host:port". Shared, because gRPC's stubs share their channel.
  using Factory = std::function<std::shared_ptr<grpc::Channel>(const std::string& address)>;

  // `addresses` has at least one element.
  HubChannel(std::vector<std::string> addresses, Factory factory);

  // Returns the channel in use, made when first asked for.
  std::shared_ptr<grpc::Channel> Get();

  // Turns to the next address, unless somebody else did so since `channel` was given out.
  void Failed(const std::shared_ptr<grpc::Channel>& channel);

 private:
  const std::vector<std::string> addresses_;
  const Factory factory_;

  Mutex mu_;
  size_t current_ ABSL_GUARDED_BY(mu_) = 0;
  std::shared_ptr<grpc::Channel> channel_ ABSL_GUARDED_BY(mu_);
};

}  // namespace waymark::node
