#include "client/link/hub_channel.h"

#include <utility>

namespace waymark::node {

HubChannel::HubChannel(std::vector<std::string> addresses, Factory factory)
    : addresses_(std::move(addresses)), factory_(std::move(factory)) {}

std::shared_ptr<grpc::Channel> HubChannel::Get() {
  MutexLock lock(mu_);
  if (channel_ == nullptr) channel_ = factory_(addresses_[current_]);
  return channel_;
}

void HubChannel::Failed(const std::shared_ptr<grpc::Channel>& channel) {
  // Destroyed after the lock is released.
  std::shared_ptr<grpc::Channel> dropped;
  MutexLock lock(mu_);
  if (channel_ != channel) return;
  dropped = std::move(channel_);
  current_ = (current_ + 1) % addresses_.size();
}

}  // namespace waymark::node
