// Two units, their keys and a well-formed message between them, for tests of the envelope.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/crypto/hpke.h"
#include "base/crypto/signature.h"
#include "base/envelope/header.h"
#include "base/envelope/seal.h"
#include "base/envelope/token.h"
#include "base/ids/ids.h"
#include "base/random/random.h"
#include "base/status/status.h"

namespace waymark::testing {

// Origin qso.night, provider lin.family, and bea.intake, who has no part in the referral.
class Envelope {
 public:
  Envelope() {
    opening_keys_.push_back(MakeOpeningKey());
    identity_.emplace(qso_night.hex(), qso_key.verifying_key());
    identity_.emplace(lin_family.hex(), lin_key.verifying_key());
    identity_.emplace(bea_intake.hex(), bea_key.verifying_key());
  }

  OpeningKey MakeOpeningKey() {
    hpke::KeyPair pair = hpke::GenerateKeyPair(random);
    public_keys_.push_back(pair.public_key);
    return {KeyId::Generate(random), std::move(pair.private_key)};
  }

  v1::ConsentToken Token() const {
    v1::ConsentToken token;
    token.set_consent_ref(ConsentId::Generate(random).bytes());
    token.add_scope_fields(203);
    token.add_purposes(206);
    token.set_stage_ceiling(v1::STAGE_STARTED);
    token.mutable_valid_from()->set_seconds(kSentMinute * 60);
    token.mutable_valid_until()->set_seconds((kSentMinute / 60 + 48) * 3600);
    token.set_onward_mode(v1::ONWARD_MODE_NONE);
    token.set_legal_basis(v1::LEGAL_BASIS_CONSENT);
    token.set_capture_kind(v1::CAPTURE_KIND_WRITTEN);
    token.set_readback_confirmed(true);
    token.set_transport_named(true);
    token.set_policy_pack("us-vsp");
    token.set_network_id(network.bytes());
    token.set_token_nonce(random.Bytes(16));
    token.set_issuer_unit(qso_night.bytes());
    token.set_presenter_unit(qso_night.bytes());
    token.set_recipient_unit(lin_family.bytes());
    token.set_referral_id(referral.bytes());
    token.set_version(1);
    token.set_profile_version(1);
    token.set_revocation_lock(RevocationLock(random.Bytes(32)));
    return token;
  }

  v1::Header Header() const {
    v1::Header header;
    header.set_message_id(MessageId::Generate(random).bytes());
    header.set_referral_id(referral.bytes());
    header.set_kind(v1::KIND_INQUIRY);
    header.set_stage(v1::STAGE_INQUIRY);
    header.set_sender_unit(qso_night.bytes());
    header.set_recipient_unit(lin_family.bytes());
    header.set_urgency(v1::URGENCY_U0);
    header.set_sent_minute(kSentMinute);
    header.set_respond_by(kSentMinute + 30);
    header.set_expires_at(kSentMinute + 240);
    header.set_size_bucket(v1::SIZE_BUCKET_2_KIB);
    header.set_schema_version(kSchemaVersion);
    header.set_taxonomy_version(1);
    return header;
  }

  // A payload with one coarse field and `token` signed by qso.night's organisation.
  v1::Payload Payload(const v1::ConsentToken& token) const {
    return Payload(MakeToken(token, qso_key).value());
  }
  static v1::Payload Payload(const SignedToken& token) {
    v1::Payload payload;
    payload.set_token(token.bytes);
    payload.set_token_signature(token.signature);
    payload.mutable_sections()->mutable_need()->set_service_code(206);
    return payload;
  }

  v1::Message Seal(const v1::Header& header, const v1::Payload& payload) const {
    return SealMessage(network, recipient_key(), header, payload, qso_key, random).value();
  }

  absl::StatusOr<Opened> Open(const v1::Message& message) const {
    return OpenMessage(message, network, lin_family, opening_keys_,
                       [this](const UnitId& unit) { return IdentityKey(unit); });
  }

  absl::StatusOr<VerifyingKey> IdentityKey(const UnitId& unit) const {
    const auto found = identity_.find(unit.hex());
    if (found == identity_.end()) return Error(v1::REASON_UNIT_UNKNOWN, unit.hex());
    return found->second;
  }

  SealingKeyRef recipient_key() const { return {opening_keys_[0].id, public_keys_[0]}; }
  const std::vector<OpeningKey>& opening_keys() const { return opening_keys_; }

  static constexpr int64_t kSentMinute = 30'077'443;

  Random& random = SystemRandom();
  const NetworkId network = NetworkId::Generate(random);
  const ReferralId referral = ReferralId::Generate(random);
  const UnitId qso_night = UnitId::Generate(random);
  const UnitId lin_family = UnitId::Generate(random);
  const UnitId bea_intake = UnitId::Generate(random);
  const SigningKey qso_key = SigningKey::Generate();
  const SigningKey lin_key = SigningKey::Generate();
  const SigningKey bea_key = SigningKey::Generate();

 private:
  std::vector<OpeningKey> opening_keys_;
  std::vector<std::string> public_keys_;
  std::map<std::string, VerifyingKey> identity_;
};

}  // namespace waymark::testing
