#include "tests/support/room_token.h"

#include "base/envelope/token.h"
#include "base/random/random.h"
#include "base/schema/field_registry.h"

namespace waymark::testing {

v1::ConsentToken RoomToken(const TokenTerms& terms) {
  v1::ConsentToken token;
  token.set_consent_ref(SystemRandom().Bytes(16));
  for (const char* field : {"NEED.service_id", "NEED.service_code", "LANG.preferred_language"}) {
    token.add_scope_fields(FieldByName(field)->field_no);
  }
  token.add_purposes(kRoom);
  token.set_stage_ceiling(v1::STAGE_STARTED);
  token.mutable_valid_from()->set_seconds(absl::ToUnixSeconds(terms.from));
  token.mutable_valid_until()->set_seconds(absl::ToUnixSeconds(terms.until));
  token.set_onward_mode(v1::ONWARD_MODE_NONE);
  token.set_legal_basis(v1::LEGAL_BASIS_CONSENT);
  token.set_capture_kind(v1::CAPTURE_KIND_WRITTEN);
  token.set_readback_confirmed(true);
  token.set_transport_named(true);
  token.set_policy_pack("us-vsp");
  token.set_network_id(terms.network.bytes());
  token.set_token_nonce(SystemRandom().Bytes(16));
  token.set_issuer_unit(terms.origin.bytes());
  token.set_presenter_unit(terms.origin.bytes());
  token.set_recipient_unit(terms.recipient.bytes());
  token.set_referral_id(terms.referral);
  token.set_version(1);
  token.set_profile_version(1);
  token.set_retention_days(30);
  token.set_revocation_lock(SystemRandom().Bytes(32));
  return token;
}

v1::TokenRegistration RegistrationOf(const v1::ConsentToken& token) {
  v1::TokenRegistration registration;
  registration.set_issuer_unit(token.issuer_unit());
  registration.set_presenter_unit(token.presenter_unit());
  registration.set_recipient_unit(token.recipient_unit());
  registration.set_stage_ceiling(token.stage_ceiling());
  registration.set_valid_until_hour(ValidUntilHour(token));
  registration.set_revocation_lock(token.revocation_lock());
  return registration;
}

}  // namespace waymark::testing
