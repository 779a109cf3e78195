#include "server/consent/recipient_class.h"

namespace waymark::hub {

RecipientRule RecipientRuleOf(v1::OrganisationClass organisation_class) {
  switch (organisation_class) {
    case v1::ORGANISATION_CLASS_NGO:
    case v1::ORGANISATION_CLASS_HEALTH:
    case v1::ORGANISATION_CLASS_LEGAL:
    case v1::ORGANISATION_CLASS_LOCAL_AUTHORITY:
    case v1::ORGANISATION_CLASS_CHILD_PROTECTION:
    case v1::ORGANISATION_CLASS_INTERPRETER_POOL:
    case v1::ORGANISATION_CLASS_FAITH_BODY:
    case v1::ORGANISATION_CLASS_TRANSPORT:
    case v1::ORGANISATION_CLASS_COORDINATOR:
    case v1::ORGANISATION_CLASS_EDUCATION:
      return RecipientRule::kOpen;
    case v1::ORGANISATION_CLASS_LAW_ENFORCEMENT:
    case v1::ORGANISATION_CLASS_IMMIGRATION:
    case v1::ORGANISATION_CLASS_CONSULAR:
    case v1::ORGANISATION_CLASS_EMPLOYER:
      return RecipientRule::kSeparateRelease;
    default:
      return RecipientRule::kNoticesOnly;
  }
}

}  // namespace waymark::hub
