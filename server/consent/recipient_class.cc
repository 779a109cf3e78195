#include "server/consent/recipient_class.h"

#include <algorithm>

namespace waymark::hub {
namespace {

bool Contains(const std::vector<v1::OrganisationClass>& classes,
              v1::OrganisationClass organisation_class) {
  return std::find(classes.begin(), classes.end(), organisation_class) != classes.end();
}

}  // namespace

RecipientRule RecipientRuleOf(v1::OrganisationClass organisation_class, const Limits& limits) {
  const bool known = organisation_class != v1::ORGANISATION_CLASS_UNSPECIFIED &&
                     v1::OrganisationClass_IsValid(organisation_class);
  if (!known || Contains(limits.notices_only, organisation_class)) {
    return RecipientRule::kNoticesOnly;
  }
  return Contains(limits.separate_release, organisation_class) ? RecipientRule::kSeparateRelease
                                                               : RecipientRule::kOpen;
}

}  // namespace waymark::hub
