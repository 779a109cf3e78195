// A way to the hubs through proxies of the test's own: works without privileges.
//
// Collaborators: way.h, cutting_proxy.h. Not thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/torture/cutting_proxy.h"
#include "tests/torture/way.h"

namespace waymark::torture {

class ProxyWay final : public Way {
 public:
  // To the hubs that listen on these ports of 127.0.0.1. UNAVAILABLE: there is no port to be had.
  static absl::StatusOr<std::unique_ptr<Way>> Start(const std::vector<int>& ports);

  std::vector<std::string> hubs() const override;
  std::vector<std::string> entrance() const override { return {}; }
  absl::Status Set(Passage passage, absl::Duration delay) override;

 private:
  ProxyWay() = default;

  // One for each hub.
  std::vector<std::unique_ptr<CuttingProxy>> proxies_;
};

}  // namespace waymark::torture
