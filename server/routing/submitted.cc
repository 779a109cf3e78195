#include "server/routing/submitted.h"

#include <utility>

#include "base/crypto/hash.h"
#include "base/envelope/header.h"
#include "base/envelope/payload.h"
#include "base/status/status.h"

namespace waymark::hub {
namespace {

// A DER-encoded ECDSA signature over P-256 is never longer.
constexpr size_t kMaxSignatureBytes = 72;

}  // namespace

absl::StatusOr<Submitted> ReadMessage(const OrganisationId& sender, const v1::Message& message) {
  ASSIGN_OR_RETURN(v1::Header header, ParseHeader(message.header()));
  if (message.sealed().size() != BucketBytes(header.size_bucket())) {
    return Error(v1::REASON_BUCKET_MISMATCH,
                 "a sealed box of " + std::to_string(message.sealed().size()) + " bytes");
  }
  if (message.signature().empty() || message.signature().size() > kMaxSignatureBytes) {
    return Error(v1::REASON_FIELD_INVALID, "message.signature");
  }
  Submitted submitted;
  submitted.sender = sender;
  submitted.id = *MessageId::FromBytes(header.message_id());
  submitted.referral = *ReferralId::FromBytes(header.referral_id());
  submitted.sender_unit = *UnitId::FromBytes(header.sender_unit());
  submitted.recipient_unit = *UnitId::FromBytes(header.recipient_unit());
  submitted.header = std::move(header);
  submitted.digest =
      Sha256("waymark/v1/submitted", {message.header(), message.sealed(), message.signature()});
  submitted.message = message.SerializeAsString();
  return submitted;
}

std::string ItemId(const v1::Submission& item) {
  if (item.has_registration()) {
    const std::string& hash = item.registration().token_hash();
    return hash.size() == kSha256Size ? hash : "";
  }
  v1::Header header;
  if (item.message().header().size() > kMaxHeaderBytes) return "";
  if (!header.ParseFromString(item.message().header())) return "";
  return header.message_id().size() == MessageId::kSize ? header.message_id() : "";
}

void AddKeys(const Submitted& submitted, StateKeys& keys) {
  keys.messages.push_back(submitted.id);
  keys.referrals.push_back(submitted.referral);
  if (submitted.header.kind() == v1::KIND_INQUIRY) keys.new_referrals.push_back(submitted.referral);
  if (!submitted.header.token_hash().empty()) {
    keys.token_hashes.push_back(submitted.header.token_hash());
  }
}

void AddKeys(const v1::TokenRegistration& registration, StateKeys& keys) {
  keys.token_hashes.push_back(registration.token_hash());
  keys.new_tokens.push_back(registration.token_hash());
}

}  // namespace waymark::hub
