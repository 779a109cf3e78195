#include "tests/scenarios/wire_referral.h"

#include "base/random/random.h"
#include "base/status/status.h"
#include "tests/scenarios/scenario_1.h"
#include "tests/support/room_token.h"

namespace waymark::testing {

absl::StatusOr<WireReferral> BeginReferral(const WireMember& sender, const UnitId& recipient,
                                           const std::function<void(v1::ConsentToken&)>& change) {
  WireReferral referral{.id = ReferralId::Generate(SystemRandom()).bytes(), .recipient = recipient};
  v1::ConsentToken token = RoomToken({.network = sender.network(),
                                      .origin = sender.unit(),
                                      .recipient = recipient,
                                      .referral = referral.id,
                                      .from = At(19, 40),
                                      .until = At(8, 0, 1)});
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
