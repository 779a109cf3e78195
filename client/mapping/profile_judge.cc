#include "client/mapping/profile_judge.h"

#include <algorithm>
#include <string>

#include "base/policy/section_fields.h"
#include "base/schema/date.h"
#include "base/schema/field_registry.h"

namespace waymark::node {
namespace {

// Two units that exist nowhere.
constexpr char kOrigin[] = "sample origin 16";
constexpr char kProvider[] = "sample provider.";

v1::ConsentToken WidestToken(uint32_t service_code, const v1::PolicyPack& pack, absl::Time now) {
  v1::ConsentToken token;
  for (const FieldInfo& field : AllFields()) {
    token.add_scope_fields(field.field_no);
    token.add_special_fields(field.field_no);
    token.add_return_fields(field.field_no);
  }
  token.add_purposes(service_code);
  token.set_stage_ceiling(v1::STAGE_STARTED);
  SetTime(*token.mutable_valid_from(), now - absl::Hours(1));
  SetTime(*token.mutable_valid_until(), now + absl::Hours(1));
  token.set_onward_mode(v1::ONWARD_MODE_NONE);
  token.set_legal_basis(v1::LEGAL_BASIS_CONSENT);
  token.set_capture_kind(static_cast<v1::CaptureKind>(pack.capture_kinds(0)));
  token.set_readback_confirmed(true);
  token.set_transport_named(true);
  token.set_policy_pack(pack.id());
  token.set_issuer_unit(kOrigin);
  token.set_presenter_unit(kOrigin);
  token.set_recipient_unit(kProvider);
  return token;
}

PolicyContext Context(const Catalogue& catalogue, uint32_t service_code, absl::Time now) {
  PolicyContext context;
  context.catalogue = &catalogue;
  context.now = now;
  context.stage = v1::STAGE_STARTED;
  context.reached = v1::STAGE_STARTED;
  context.service_code = service_code;
  context.origin_pack = catalogue.packs().packs(0).id();
  context.origin = *UnitId::FromBytes(kOrigin);
  context.provider.unit = *UnitId::FromBytes(kProvider);
  context.provider.organisation_class = v1::ORGANISATION_CLASS_NGO;
  context.provider.policy_pack = context.origin_pack;
  context.provider.offers_service = true;
  for (const FieldInfo& field : FieldsOf(v1::SECTION_IDEN)) {
    context.provider.required_identity.insert(field.field_no);
  }
  return context;
}

}  // namespace

PolicyJudge JudgeByProfile(const Catalogue& catalogue, uint32_t service_code, absl::Time now) {
  return [&catalogue, service_code, now](const v1::LocalUpdate& update) {
    PolicyContext context = Context(catalogue, service_code, now);
    context.kind = update.kind();
    context.direction = Direction::kProviderToOrigin;
    const v1::ConsentToken token = WidestToken(service_code, catalogue.packs().packs(0), now);
    return EvaluateUnderToken(context, token, /*revoked=*/false, update.sections()).findings;
  };
}

std::vector<PolicyFinding> JudgeOutward(const Catalogue& catalogue, const v1::LocalOutward& sample,
                                        absl::Time now) {
  const uint32_t service_code = sample.referral().service_code();
  PolicyContext context = Context(catalogue, service_code, now);
  context.direction = Direction::kOriginToProvider;
  context.kind =
      sample.referral().stage() <= v1::STAGE_INQUIRY ? v1::KIND_INQUIRY : v1::KIND_DISCLOSE;
  context.stage = sample.referral().stage();
  context.reached = context.stage;
  // What a referral has received came in several messages: nothing is missing, nothing is stale.
  context.earlier = &sample.sections();
  for (const v1::EligSection& answer : sample.sections().elig()) {
    context.provider.conditions[answer.condition_id()] = v1::CONDITION_KIND_AGE;
  }
  const v1::ConsentToken token = WidestToken(service_code, catalogue.packs().packs(0), now);
  std::vector<PolicyFinding> findings =
      EvaluateUnderToken(context, token, /*revoked=*/false, sample.sections()).findings;
  // Rules about a moment of sending do not apply to what has long arrived.
  findings.erase(std::remove_if(findings.begin(), findings.end(),
                                [](const PolicyFinding& finding) {
                                  return finding.reason == v1::REASON_CONSENT_STALE ||
                                         finding.reason == v1::REASON_BUDGET_EXCEEDED;
                                }),
                 findings.end());
  return findings;
}

}  // namespace waymark::node
