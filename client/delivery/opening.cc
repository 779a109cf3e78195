#include "client/delivery/opening.h"

#include <string>
#include <utility>

#include "base/status/status.h"
#include "client/delivery/rules.h"

namespace waymark::node {

Opening::Opening(const CaseworkContext& context, const LocalTarget& target, AlertPeople alert)
    : context_(context),
      target_(target),
      health_(target.name,
              "cannot be worked with as its settings are, and what is for it waits; "
              "'waymark-node check' says all that is wrong",
              "can be worked with", std::move(alert)) {}

bool Opening::Try() {
  if (refusals_ > 0 && context_.clock.Now() < next_) return false;
  const absl::Status ready = target_.connector->Ready();
  if (ready.ok() || ReasonOf(ready) == v1::REASON_LOCAL_SYSTEM_UNAVAILABLE) {
    refusals_ = 0;
    next_ = absl::InfiniteFuture();
    if (ready.ok()) health_.NoteWell();
    return true;
  }
  ++refusals_;
  next_ = context_.clock.Now() + PauseAfter(refusals_, target_.retry, context_.random);
  health_.NoteFailing(ReasonOf(ready), std::string(ready.message()));
  return false;
}

void Opening::EndPause() {
  if (refusals_ > 0) next_ = absl::InfinitePast();
}

}  // namespace waymark::node
