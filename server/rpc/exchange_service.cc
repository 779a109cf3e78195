#include "server/rpc/exchange_service.h"

#include <utility>

#include "base/status/status.h"
#include "server/rpc/caller.h"

namespace waymark::hub {

ExchangeService::ExchangeService(const ExchangeReactor::Environment* environment,
                                 const NetworkId& network, Random* random)
    : environment_(environment), network_(network), random_(random) {}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* ExchangeService::Connect(
    grpc::CallbackServerContext* context) {
  const auto organisation = CallingOrganisation(*context, network_);
  if (!organisation.ok()) return RefuseStream(organisation.status());
  if (const absl::Status admitted = Admit(*organisation); !admitted.ok()) {
    return RefuseStream(admitted);
  }
  const std::shared_ptr<ExchangeReactor> reactor =
      ExchangeReactor::Start(*environment_, context, *organisation);
  MutexLock lock(mu_);
  streams_[*organisation].push_back(reactor);
  // A drain that began meanwhile has not seen this stream.
  if (draining_) reactor->Leave(v1::REASON_UNAVAILABLE, kRetrySpread);
  return reactor.get();
}

absl::Status ExchangeService::Admit(const OrganisationId& organisation) {
  MutexLock lock(mu_);
  if (draining_) return Error(v1::REASON_UNAVAILABLE, "the hub is stopping");
  auto& own = streams_[organisation];
  std::erase_if(own, [](const auto& stream) { return stream.expired(); });
  if (own.size() >= kMaxStreamsPerMember) {
    return Error(v1::REASON_QUOTA_EXCEEDED, "streams of one member");
  }
  if (streams_.size() > kMaxStreams) return Error(v1::REASON_QUOTA_EXCEEDED, "streams of the hub");
  return absl::OkStatus();
}

std::vector<std::shared_ptr<ExchangeReactor>> ExchangeService::Streams() const {
  std::vector<std::shared_ptr<ExchangeReactor>> live;
  MutexLock lock(mu_);
  for (const auto& [organisation, own] : streams_) {
    for (const auto& weak : own) {
      if (auto stream = weak.lock()) live.push_back(std::move(stream));
    }
  }
  return live;
}

void ExchangeService::Drain() {
  {
    MutexLock lock(mu_);
    draining_ = true;
  }
  const auto spread = static_cast<uint64_t>(absl::ToInt64Milliseconds(kRetrySpread));
  for (const auto& stream : Streams()) {
    const auto wait = static_cast<int64_t>(random_->Uniform(spread));
    stream->Leave(v1::REASON_UNAVAILABLE, absl::Milliseconds(1 + wait));
  }
}

void ExchangeService::CancelAll() {
  for (const auto& stream : Streams()) stream->Cancel();
}

void ExchangeService::Tick() {
  for (const auto& stream : Streams()) stream->Tick();
  MutexLock lock(mu_);
  absl::erase_if(streams_, [](auto& entry) {
    std::erase_if(entry.second, [](const auto& stream) { return stream.expired(); });
    return entry.second.empty();
  });
}

size_t ExchangeService::streams() const { return Streams().size(); }

}  // namespace waymark::hub
