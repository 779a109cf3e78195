#include "tests/torture/proxy_way.h"

#include <utility>

#include "base/status/status.h"

namespace waymark::torture {

absl::StatusOr<std::unique_ptr<Way>> ProxyWay::Start(const std::vector<int>& ports) {
  std::unique_ptr<ProxyWay> way(new ProxyWay());
  for (const int port : ports) {
    ASSIGN_OR_RETURN(auto proxy, CuttingProxy::Start(port));
    way->proxies_.push_back(std::move(proxy));
  }
  return way;
}

std::vector<std::string> ProxyWay::hubs() const {
  std::vector<std::string> hubs;
  hubs.reserve(proxies_.size());
  for (const auto& proxy : proxies_) {
    hubs.push_back("127.0.0.1:" + std::to_string(proxy->port()));
  }
  return hubs;
}

absl::Status ProxyWay::Set(Passage passage, absl::Duration delay) {
  for (const auto& proxy : proxies_) proxy->Set(passage, delay);
  return absl::OkStatus();
}

}  // namespace waymark::torture
