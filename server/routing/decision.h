// What a rule says about one submitted item.
#pragma once

#include "server/store/records.h"
#include "waymark/v1/reason.pb.h"

namespace waymark::hub {

struct Decision {
  // UNSPECIFIED means accepted.
  v1::Reason reason = v1::REASON_UNSPECIFIED;
  // What acceptance changes; empty for a rejection and for a repeat.
  Effects effects;

  bool accepted() const { return reason == v1::REASON_UNSPECIFIED; }
};

}  // namespace waymark::hub
