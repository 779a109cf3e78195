// A network of the test's own in the kernel's network namespaces: what is cut here is the network
// itself.
//
// The test and the hubs that it starts are in one namespace, each node is in one of its own, and
// two linked interfaces lead from there to here. The packages iproute2 and util-linux must be
// installed. Needs root's rights over networks, which others have under
//
//   unshare --user --map-current-user --keep-caps PROGRAM
//
// Nothing is named outside, and the kernel removes it all with the process and its children,
// however these end. Collaborators: way.h. Not thread-safe.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/file/descriptor.h"
#include "tests/torture/way.h"

namespace waymark::torture {

class NamespaceNetwork {
 public:
  // The address of this side, at the end of every way; nothing has it before there is a way.
  static constexpr char kAddress[] = "10.77.0.1";

  // Moves the calling thread, and all that it starts from now on, to where there is only loopback;
  // nothing brings it back. INTERNAL: the rights or the packages are missing.
  static absl::StatusOr<std::unique_ptr<NamespaceNetwork>> Enter();
  ~NamespaceNetwork();
  NamespaceNetwork(const NamespaceNetwork&) = delete;
  NamespaceNetwork& operator=(const NamespaceNetwork&) = delete;

  // The way of one more node to what listens here on `ports`. At most 250. INTERNAL: the kernel
  // refuses.
  absl::StatusOr<std::unique_ptr<Way>> MakeWay(std::vector<int> ports);

 private:
  explicit NamespaceNetwork(std::string log) : log_(std::move(log)) {}

  // What the commands say that make and change all this.
  const std::string log_;
  int ways_ = 0;
};

}  // namespace waymark::torture
