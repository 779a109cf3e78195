// Whether the connector of a local system may be called: not while it refuses its settings.
//
// A wrong table or a secret that cannot be read is no fault of any delivery, so that none is spent
// on it: they wait, and the connector is asked again with pauses that grow, until somebody has
// mended it. People hear of it once, and once that it is over.
//
// For one thread. What the constructor is given outlives it.
#pragma once

#include <cstdint>

#include "absl/time/time.h"
#include "client/casework/context.h"
#include "client/delivery/health.h"
#include "client/delivery/target.h"

namespace waymark::node {

class Opening {
 public:
  Opening(const CaseworkContext& context, const LocalTarget& target, AlertPeople alert);

  // Whether the connector may be called now. Asks it, but for the pause after a refusal; a system
  // that is out of reach may be called, and says so itself.
  bool Try();
  // When to ask again: at once before the first time, never while it may be called.
  absl::Time next() const { return next_; }
  // The next Try asks, whatever pause there is.
  void EndPause();

 private:
  const CaseworkContext& context_;
  const LocalTarget& target_;
  Health health_;
  uint32_t refusals_ = 0;
  absl::Time next_ = absl::InfinitePast();
};

}  // namespace waymark::node
