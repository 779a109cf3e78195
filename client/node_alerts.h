// What a person should look at, since the node started.
//
// Each alert is one sentence without anything personal; the same sentence again only renews its
// time. Every alert is logged by its reason. Thread-safe; the clock outlives it.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "base/sync/sync.h"
#include "base/time/clock.h"
#include "waymark/v1/node.pb.h"

namespace waymark::node {

class NodeAlerts {
 public:
  static constexpr int kMost = 100;

  explicit NodeAlerts(Clock& clock) : clock_(clock) {}

  // UNSPECIFIED: good news.
  void Raise(v1::Reason reason, const std::string& text);

  // Newest first, at most kMost.
  std::vector<v1::Alert> List() const;

 private:
  Clock& clock_;
  mutable Mutex mu_;
  std::deque<v1::Alert> alerts_ ABSL_GUARDED_BY(mu_);
};

}  // namespace waymark::node
