#include "tests/scenarios/wire_referral.h"

#include "base/random/random.h"
#include "base/schema/field_registry.h"
#include "base/status/status.h"
#include "tests/scenarios/scenario_1.h"
#include "tests/scenarios/walkthrough.h"

namespace waymark::testing {
namespace {

constexpr uint32_t kRoom = 206;

v1::ConsentToken RoomToken(const WireMember& sender, const UnitId& recipient,
                           const std::string& referral) {
  v1::ConsentToken token;
  token.set_consent_ref(NewId(SystemRandom()));
  for (const char* field : {"NEED.service_id", "NEED.service_code", "LANG.preferred_language"}) {
    token.add_scope_fields(FieldByName(field)->field_no);
  }
  token.add_purposes(kRoom);
  token.set_stage_ceiling(v1::STAGE_STARTED);
  token.mutable_valid_from()->set_seconds(absl::ToUnixSeconds(At(19, 40)));
  token.mutable_valid_until()->set_seconds(absl::ToUnixSeconds(At(8, 0, 1)));
  token.set_onward_mode(v1::ONWARD_MODE_NONE);
  token.set_legal_basis(v1::LEGAL_BASIS_CONSENT);
  token.set_capture_kind(v1::CAPTURE_KIND_WRITTEN);
  token.set_readback_confirmed(true);
  token.set_transport_named(true);
  token.set_policy_pack("us-vsp");
  token.set_network_id(sender.network().bytes());
  token.set_token_nonce(NewId(SystemRandom()));
  token.set_issuer_unit(sender.unit().bytes());
  token.set_presenter_unit(sender.unit().bytes());
  token.set_recipient_unit(recipient.bytes());
  token.set_referral_id(referral);
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

}  // namespace

absl::StatusOr<WireReferral> BeginReferral(const WireMember& sender, const UnitId& recipient,
                                           const std::function<void(v1::ConsentToken&)>& change) {
  WireReferral referral{.id = NewId(SystemRandom()), .recipient = recipient};
  v1::ConsentToken token = RoomToken(sender, recipient, referral.id);
  referral.registration = RegistrationOf(token);
  change(token);
  ASSIGN_OR_RETURN(referral.token, MakeToken(token, sender.identity_key()));
  referral.registration.set_token_hash(TokenHash(referral.token.bytes));
  return referral;
}

absl::StatusOr<v1::Message> SealUnder(WireMember& sender, const WireReferral& referral,
                                      v1::Kind kind, v1::Stage stage,
                                      const v1::Sections& sections) {
  v1::Header header = sender.HeaderTo(referral.recipient, kind, stage);
  header.set_referral_id(referral.id);
  v1::Payload payload;
  if (sections.ByteSizeLong() > 0) *payload.mutable_sections() = sections;
  payload.set_token(referral.token.bytes);
  payload.set_token_signature(referral.token.signature);
  return sender.Seal(header, payload);
}

absl::StatusOr<v1::Message> SealInquiry(WireMember& sender, const WireReferral& referral,
                                        const ServiceId& service, v1::Sections sections) {
  sections.mutable_need()->set_service_id(service.bytes());
  sections.mutable_need()->set_service_code(kRoom);
  return SealUnder(sender, referral, v1::KIND_INQUIRY, v1::STAGE_INQUIRY, sections);
}

}  // namespace waymark::testing
