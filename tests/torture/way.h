// A node's way to the hubs, as a campaign breaks and mends it.
//
// Either a proxy of the test's own (proxy_way.h) or the network itself (namespace_network.h). Not
// thread-safe.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace waymark::torture {

// What gets through.
enum class Passage {
  kOpen,
  // Nothing, and who begins a connection learns so.
  kCut,
  // Nothing, and nobody learns so: connections stay, and what is sent meanwhile arrives later.
  kStopped,
  // The same for what the node sends alone, and for what it is sent.
  kUpStopped,
  kDownStopped,
};

class Way {
 public:
  Way() = default;
  virtual ~Way() = default;
  Way(const Way&) = delete;
  Way& operator=(const Way&) = delete;

  // Where the hubs are, seen from the node: for its configuration.
  virtual std::vector<std::string> hubs() const = 0;
  // What the node's command begins with, so that it goes this way; may be empty.
  virtual std::vector<std::string> entrance() const = 0;
  // Counts for everything that moves once this has returned. What gets through is held up by about
  // `delay`. INTERNAL: the way is as it was, or in between.
  virtual absl::Status Set(Passage passage, absl::Duration delay) = 0;
};

}  // namespace waymark::torture
