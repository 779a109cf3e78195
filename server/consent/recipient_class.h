// What a class of organisation may receive (domain.md, rule C8).
//
// Pure; thread-safe.
#pragma once

#include "server/routing/limits.h"
#include "waymark/v1/directory.pb.h"

namespace waymark::hub {

enum class RecipientRule {
  // Whatever the token covers.
  kOpen,
  // Nothing about a person without a separate release.
  kSeparateRelease,
  // NOTICE and nothing else; never a token.
  kNoticesOnly,
};

// Returns the rule of the class. A class that this version does not know gets notices only.
RecipientRule RecipientRuleOf(v1::OrganisationClass organisation_class, const Limits& limits);

}  // namespace waymark::hub
