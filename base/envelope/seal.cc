#include "base/envelope/seal.h"

#include <string_view>
#include <utility>

#include "base/crypto/hpke.h"
#include "base/envelope/header.h"
#include "base/envelope/payload.h"
#include "base/envelope/strict_parse.h"
#include "base/envelope/token.h"
#include "base/status/status.h"

namespace waymark {
namespace {

constexpr std::string_view kMessageLabel = "waymark/v1/message";
constexpr std::string_view kSealLabel = "waymark/v1/seal";
// KEM 0x0020, KDF 0x0001, AEAD 0x0002 of RFC 9180.
constexpr std::string_view kSuite("\x00\x20\x00\x01\x00\x02", 6);

std::string SealInfo(const NetworkId& network, std::string_view unit, const KeyId& key) {
  std::string info(kSealLabel);
  info += network.view();
  info += unit;
  info += key.view();
  info += kSuite;
  return info;
}

absl::StatusOr<SecretBytes> OpenBox(const v1::Message& message, const NetworkId& network,
                                    const UnitId& unit, std::span<const OpeningKey> keys) {
  if (keys.empty()) {
    return Error(v1::REASON_KEY_UNKNOWN, "unit " + unit.hex() + " has no sealing key here");
  }
  for (const OpeningKey& key : keys) {
    auto opened = hpke::Open(key.private_key, SealInfo(network, unit.view(), key.id),
                             message.header(), message.sealed());
    if (opened.ok() || ReasonOf(opened.status()) != v1::REASON_SEAL_BROKEN) return opened;
  }
  return Error(v1::REASON_SEAL_BROKEN, "no key of unit " + unit.hex() + " opens the box");
}

// Whether the two units of the header may use a token between its presenter and its recipient.
bool UnitsMatch(const v1::Header& header, const v1::ConsentToken& token) {
  const auto joins = [&token](const std::string& asking, const std::string& asked,
                              bool issuer_itself) {
    return asked == token.recipient_unit() &&
           (asking == token.presenter_unit() || (issuer_itself && asking == token.issuer_unit()));
  };
  const bool forward =
      joins(header.sender_unit(), header.recipient_unit(), header.kind() == v1::KIND_REVOKE);
  const bool back =
      joins(header.recipient_unit(), header.sender_unit(), header.kind() == v1::KIND_REVOKE_ACK);
  switch (TravelOf(header.kind())) {
    case Travel::kForward:
      return forward;
    case Travel::kReturn:
      return back;
    case Travel::kEither:
      return forward || back;
  }
  return false;
}

absl::Status CheckBinding(const v1::Header& header, const NetworkId& network,
                          const v1::ConsentToken& token) {
  std::string_view differs;
  if (token.network_id() != network.view()) differs = "network";
  if (token.referral_id() != header.referral_id()) differs = "referral";
  if (ValidUntilHour(token) != header.token_valid_until()) differs = "end";
  if (!UnitsMatch(header, token)) differs = "pair of units";
  if (differs.empty()) return absl::OkStatus();
  return Error(v1::REASON_TOKEN_BINDING, "the token is of another " + std::string(differs));
}

// Whoever could not open a box has only its header to answer from.
bool MayNameTokenOnly(v1::Kind kind) { return kind == v1::KIND_RECEIPT; }

absl::StatusOr<std::optional<v1::ConsentToken>> OpenToken(const v1::Header& header,
                                                          const v1::Payload& payload,
                                                          const NetworkId& network,
                                                          IdentityKeyOfUnit identity_key_of) {
  const bool carries_none = payload.token().empty() && payload.token_signature().empty();
  if (carries_none && (header.token_hash().empty() || MayNameTokenOnly(header.kind()))) {
    return std::nullopt;
  }
  if (payload.token().empty() || TokenHash(payload.token()) != header.token_hash()) {
    return Error(v1::REASON_TOKEN_HASH_MISMATCH,
                 "the token inside is not the one the header names");
  }
  // The issuer is read from bytes that its own key then has to have signed.
  ASSIGN_OR_RETURN(const v1::ConsentToken claimed, ParseToken(payload.token()));
  ASSIGN_OR_RETURN(const VerifyingKey issuer_key,
                   identity_key_of(*UnitId::FromBytes(claimed.issuer_unit())));
  ASSIGN_OR_RETURN(v1::ConsentToken token,
                   VerifyToken(payload.token(), payload.token_signature(), issuer_key));
  RETURN_IF_ERROR(CheckBinding(header, network, token));
  return token;
}

}  // namespace

absl::StatusOr<v1::Message> SealMessage(const NetworkId& network,
                                        const SealingKeyRef& recipient_key, v1::Header header,
                                        const v1::Payload& payload, const SigningKey& sender_key,
                                        Random& random) {
  std::string payload_bytes = payload.SerializeAsString();
  auto padded = Pad(payload_bytes);
  Wipe(payload_bytes);
  if (!padded.ok()) return std::move(padded).status();

  header.set_size_bucket(padded->bucket);
  if (!MayNameTokenOnly(header.kind())) {
    header.clear_token_hash();
    header.clear_token_valid_until();
  }
  if (!payload.token().empty()) {
    ASSIGN_OR_RETURN(const v1::ConsentToken token, ParseToken(payload.token()));
    header.set_token_hash(TokenHash(payload.token()));
    header.set_token_valid_until(ValidUntilHour(token));
  }
  RETURN_IF_ERROR(CheckHeaderShape(header));

  v1::Message message;
  message.set_header(header.SerializeAsString());
  ASSIGN_OR_RETURN(*message.mutable_sealed(),
                   hpke::Seal(recipient_key.public_key,
                              SealInfo(network, header.recipient_unit(), recipient_key.id),
                              message.header(), padded->plaintext.view(), random));
  message.set_signature(sender_key.Sign(kMessageLabel, {message.header(), message.sealed()}));
  return message;
}

absl::StatusOr<Opened> OpenMessage(const v1::Message& message, const NetworkId& network,
                                   const UnitId& recipient, std::span<const OpeningKey> keys,
                                   IdentityKeyOfUnit identity_key_of) {
  Opened opened;
  ASSIGN_OR_RETURN(opened.header, ParseHeader(message.header()));
  const v1::Header& header = opened.header;
  if (header.recipient_unit() != recipient.view()) {
    return Error(v1::REASON_WRONG_RECIPIENT, "the message is not for unit " + recipient.hex());
  }
  if (message.sealed().size() != BucketBytes(header.size_bucket())) {
    return Error(v1::REASON_BUCKET_MISMATCH,
                 "the box has " + std::to_string(message.sealed().size()) + " bytes");
  }
  ASSIGN_OR_RETURN(const VerifyingKey sender_key,
                   identity_key_of(*UnitId::FromBytes(header.sender_unit())));
  RETURN_IF_ERROR(
      sender_key.Verify(kMessageLabel, {message.header(), message.sealed()}, message.signature()));

  ASSIGN_OR_RETURN(const SecretBytes plaintext, OpenBox(message, network, recipient, keys));
  ASSIGN_OR_RETURN(const std::string_view payload_bytes, Unpad(plaintext.view()));
  RETURN_IF_ERROR(StrictParse(payload_bytes, "the payload", opened.payload));
  ASSIGN_OR_RETURN(opened.token, OpenToken(header, opened.payload, network, identity_key_of));
  return opened;
}

}  // namespace waymark
