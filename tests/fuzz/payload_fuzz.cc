// What comes out of an opened box. The first byte says what the rest is: a payload, which is padded
// and sealed as any sender would (an even byte), or the very bytes that a sender put into the box.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "base/crypto/hpke.h"
#include "base/envelope/header.h"
#include "base/envelope/payload.h"
#include "base/envelope/seal.h"
#include "base/envelope/token.h"
#include "base/random/random.h"
#include "tests/fuzz/invariant.h"

namespace waymark {
namespace {

constexpr int64_t kSentMinute = 30'077'443;

// One sender and one recipient, for the life of the process.
struct Parties {
  NetworkId network = *NetworkId::FromBytes(std::string(16, 'n'));
  UnitId sender = *UnitId::FromBytes(std::string(16, 's'));
  UnitId recipient = *UnitId::FromBytes(std::string(16, 'r'));
  KeyId key_id = *KeyId::FromBytes(std::string(16, 'k'));
  SigningKey identity = SigningKey::Generate();
  hpke::KeyPair sealing = hpke::GenerateKeyPair(SystemRandom());

  static const Parties& Get() {
    static const Parties kParties;
    return kParties;
  }

  absl::StatusOr<Opened> Open(const v1::Message& message) const {
    std::vector<OpeningKey> keys;
    keys.push_back({key_id, SecretBytes::CopyOf(sealing.private_key.view())});
    return OpenMessage(
        message, network, recipient, keys,
        [this](const UnitId&) -> absl::StatusOr<VerifyingKey> { return identity.verifying_key(); });
  }
};

v1::Header AnyHeader() {
  v1::Header header;
  header.set_message_id(std::string(16, 'm'));
  header.set_referral_id(std::string(16, 'f'));
  header.set_kind(v1::KIND_INQUIRY);
  header.set_stage(v1::STAGE_INQUIRY);
  header.set_sender_unit(Parties::Get().sender.bytes());
  header.set_recipient_unit(Parties::Get().recipient.bytes());
  header.set_urgency(v1::URGENCY_U2);
  header.set_sent_minute(kSentMinute);
  header.set_respond_by(kSentMinute + 30);
  header.set_expires_at(kSentMinute + 240);
  header.set_schema_version(kSchemaVersion);
  header.set_taxonomy_version(1);
  return header;
}

// Sends what the input says under a signature that verifies, so that everything behind it is read.
void CheckPayload(std::string_view bytes) {
  v1::Payload payload;
  if (!payload.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
  const Parties& parties = Parties::Get();
  if (!payload.token().empty()) {
    payload.set_token_signature(parties.identity.Sign("waymark/v1/token", {payload.token()}));
  }
  const auto message = SealMessage(parties.network, {parties.key_id, parties.sealing.public_key},
                                   AnyHeader(), payload, parties.identity, SystemRandom());
  if (!message.ok()) return;
  const auto opened = parties.Open(*message);
  if (!opened.ok()) {
    HOLDS(fuzz::FailedWith(opened.status(), {v1::REASON_MALFORMED, v1::REASON_TOKEN_HASH_MISMATCH,
                                             v1::REASON_TOKEN_BINDING}));
    return;
  }
  HOLDS(fuzz::SameBytes(opened->payload, payload));
  HOLDS(opened->token.has_value() == !payload.token().empty());
  if (opened->token) HOLDS(opened->token->network_id() == parties.network.view());
}

// Seals `bytes`, filled up with zeros to the smallest box, as they are.
void CheckBox(std::string_view bytes) {
  const Parties& parties = Parties::Get();
  v1::Header header = AnyHeader();
  header.set_size_bucket(v1::SIZE_BUCKET_2_KIB);
  std::string plaintext(bytes.substr(0, 2048 - hpke::kOverhead));
  plaintext.resize(2048 - hpke::kOverhead);

  v1::Message message;
  message.set_header(header.SerializeAsString());
  const std::string info = "waymark/v1/seal" + parties.network.bytes() + parties.recipient.bytes() +
                           parties.key_id.bytes() + std::string("\x00\x20\x00\x01\x00\x02", 6);
  message.set_sealed(
      hpke::Seal(parties.sealing.public_key, info, message.header(), plaintext, SystemRandom())
          .value());
  message.set_signature(
      parties.identity.Sign("waymark/v1/message", {message.header(), message.sealed()}));

  const auto unpadded = Unpad(plaintext);
  const auto opened = parties.Open(message);
  if (!unpadded.ok()) {
    HOLDS(fuzz::FailedWith(opened.status(), {v1::REASON_MALFORMED}));
    return;
  }
  const auto padded = Pad(*unpadded);
  HOLDS(padded.ok() && padded->plaintext.view() == plaintext);
  v1::Payload payload;
  if (opened.ok()) {
    HOLDS(payload.ParseFromArray(unpadded->data(), static_cast<int>(unpadded->size())));
    HOLDS(fuzz::SameBytes(opened->payload, payload));
  } else {
    HOLDS(
        fuzz::FailedWith(opened.status(), {v1::REASON_MALFORMED, v1::REASON_TOKEN_HASH_MISMATCH}));
  }
}

}  // namespace
}  // namespace waymark

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input = waymark::fuzz::View(data, size);
  if (waymark::fuzz::TakeByte(input) % 2 == 0) {
    waymark::CheckPayload(input);
  } else {
    waymark::CheckBox(input);
  }
  return 0;
}
