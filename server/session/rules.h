// What the committer asks of the rules; server/routing answers.
//
// A pure seam: no clock, no I/O. Threads: called by the committer's thread only. Lifetime: outlives
// the committer.
#pragma once

#include <memory>
#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/ids/ids.h"
#include "server/store/records.h"
#include "server/store/store.h"
#include "waymark/v1/exchange.pb.h"
#include "waymark/v1/header.pb.h"
#include "waymark/v1/message.pb.h"

namespace waymark::hub {

// A message as a session took it from the wire: parsed as far as the hub may read.
struct IncomingMessage {
  v1::Header header;
  v1::Message message;
};

// One thing submitted.
using Submission = std::variant<IncomingMessage, v1::TokenRegistration>;

// The state of one batch: what the store held, and what the items decided so far have changed.
class BatchRules {
 public:
  virtual ~BatchRules() = default;

  // Returns what accepting `item` changes and remembers it for the items after; otherwise the
  // reason of the refusal, and nothing is remembered except the answer itself. A repeat of an
  // accepted item is accepted and changes nothing.
  virtual absl::StatusOr<Effects> Decide(const OrganisationId& sender, const Submission& item,
                                         absl::Time now) = 0;
};

class Rules {
 public:
  virtual ~Rules() = default;

  // Adds to `keys` everything that Decide will look up for `item`.
  virtual void Touch(const Submission& item, StateKeys& keys) = 0;

  // Begins a batch over `loaded`, with the membership of this moment.
  virtual std::unique_ptr<BatchRules> Begin(LoadedState loaded) = 0;
};

}  // namespace waymark::hub
