// ExchangeService on the main listener: admits streams and keeps track of them.
//
// Threads: all methods from any thread. Lifetime: outlives the gRPC server that it is registered
// with; streams are held weakly.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "base/random/random.h"
#include "base/sync/sync.h"
#include "server/rpc/exchange_reactor.h"
#include "waymark/v1/exchange.grpc.pb.h"

namespace waymark::hub {

class ExchangeService final
    : public v1::ExchangeService::WithRawCallbackMethod_Connect<v1::ExchangeService::Service> {
 public:
  static constexpr size_t kMaxStreams = 16384;
  // A member's new stream replaces its old one, which may take a moment to end.
  static constexpr size_t kMaxStreamsPerMember = 4;
  // Nodes come back after a drain spread over this time.
  static constexpr absl::Duration kRetrySpread = absl::Seconds(5);

  // `environment` and `random` outlive the service.
  ExchangeService(const ExchangeReactor::Environment* environment, const NetworkId& network,
                  Random* random);

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Connect(
      grpc::CallbackServerContext* context) override;

  // Refuses new streams with UNAVAILABLE and says goodbye to the others, each with its own time to
  // come back.
  void Drain();

  // Ends at once whatever is still there.
  void CancelAll();

  // Checks time limits of every stream; call it about once a second.
  void Tick();

  // Streams that have not ended.
  size_t streams() const;

 private:
  absl::Status Admit(const OrganisationId& organisation);
  std::vector<std::shared_ptr<ExchangeReactor>> Streams() const;

  const ExchangeReactor::Environment* const environment_;
  const NetworkId network_;
  Random* const random_;

  mutable Mutex mu_;
  bool draining_ ABSL_GUARDED_BY(mu_) = false;
  absl::flat_hash_map<OrganisationId, std::vector<std::weak_ptr<ExchangeReactor>>> streams_
      ABSL_GUARDED_BY(mu_);
};

}  // namespace waymark::hub
