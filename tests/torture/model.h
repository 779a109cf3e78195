// What a history may look like, whoever was killed in it.
//
// Small, pure, and no part of the product: the states that a message leads to are written down here
// once more, so that an error in the product's own table shows. Thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/torture/history.h"

namespace waymark::torture {

enum class Rule {
  // A confirmed message is in the recipient's vault, or its sender knows that it was sent back, or
  // the person withdrew: then what waits is dropped, but for receipts and the REVOKE.
  kNothingLost,
  // No message is in a vault twice.
  kNothingTwice,
  // What one member sent in a referral lies in the other's vault in the order of its submission.
  kOrder,
  // Nobody believes what did not happen: nothing arrives that nobody submitted, that was refused or
  // that came back, nothing is acknowledged that did not arrive, and both sides see the state to
  // which the delivered messages lead.
  kAgreement,
};

struct Violation {
  Rule rule = Rule::kNothingLost;
  // What contradicts it, in words and with the ids that are concerned.
  std::string text;
};

// Returns everything in `history` that breaks a rule. The history is complete: the vaults were
// looked at when nothing was on its way any more, and each party of a referral was asked for its
// state. Of two members who write in one referral each knew what the other had written before, but
// for a REVOKE, which may cross with anything.
std::vector<Violation> Check(const History& history);

std::string_view Name(Rule rule);

}  // namespace waymark::torture
