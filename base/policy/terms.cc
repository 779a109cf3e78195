#include "base/policy/terms.h"

namespace waymark {
namespace {

// The fields that record and token have under the same names.
template <typename Consent>
Terms Common(const Consent& consent) {
  Terms terms;
  terms.purposes.insert(consent.purposes().begin(), consent.purposes().end());
  terms.scope.insert(consent.scope_fields().begin(), consent.scope_fields().end());
  terms.special.insert(consent.special_fields().begin(), consent.special_fields().end());
  terms.returns.insert(consent.return_fields().begin(), consent.return_fields().end());
  terms.ceiling = consent.stage_ceiling();
  terms.from = TimeOf(consent.valid_from());
  terms.until = TimeOf(consent.valid_until());
  terms.basis = consent.legal_basis();
  terms.capture = consent.capture_kind();
  terms.policy_pack = consent.policy_pack();
  terms.readback_confirmed = consent.readback_confirmed();
  terms.transport_named = consent.transport_named();
  terms.separate_release = consent.separate_release();
  return terms;
}

}  // namespace

absl::Time TimeOf(const google::protobuf::Timestamp& timestamp) {
  return absl::FromUnixSeconds(timestamp.seconds()) + absl::Nanoseconds(timestamp.nanos());
}

Terms Terms::Of(const v1::ConsentRecord& record) {
  Terms terms = Common(record);
  terms.origin = record.controller_unit();
  terms.recipients.assign(record.recipient_units().begin(), record.recipient_units().end());
  terms.withdrawn = record.state() == v1::CONSENT_STATE_WITHDRAWN;
  terms.record = &record;
  return terms;
}

Terms Terms::Of(const v1::ConsentToken& token, bool revoked) {
  Terms terms = Common(token);
  terms.origin = token.presenter_unit();
  terms.recipients = {token.recipient_unit()};
  terms.withdrawn = revoked;
  terms.token = &token;
  return terms;
}

}  // namespace waymark
