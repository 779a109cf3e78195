#include "base/envelope/header.h"

#include <string>

#include "base/crypto/hash.h"
#include "base/envelope/strict_parse.h"
#include "base/ids/ids.h"
#include "base/status/status.h"

namespace waymark {
namespace {

absl::Status Invalid(std::string_view field) {
  return Error(v1::REASON_FIELD_INVALID, "header." + std::string(field));
}

absl::Status CheckIds(const v1::Header& header) {
  if (!MessageId::FromBytes(header.message_id())) return Invalid("message_id");
  if (!ReferralId::FromBytes(header.referral_id())) return Invalid("referral_id");
  if (!UnitId::FromBytes(header.sender_unit())) return Invalid("sender_unit");
  if (!UnitId::FromBytes(header.recipient_unit())) return Invalid("recipient_unit");
  if (header.sender_unit() == header.recipient_unit()) {
    return Error(v1::REASON_FIELD_INVALID, "header.recipient_unit is the sender");
  }
  return absl::OkStatus();
}

absl::Status CheckEnums(const v1::Header& header) {
  const auto known = [](auto value, bool valid) { return value != 0 && valid; };
  if (!known(header.kind(), v1::Kind_IsValid(header.kind()))) {
    return Error(v1::REASON_ENUM_UNKNOWN, "header.kind");
  }
  if (!known(header.stage(), v1::Stage_IsValid(header.stage()))) {
    return Error(v1::REASON_ENUM_UNKNOWN, "header.stage");
  }
  if (!known(header.urgency(), v1::Urgency_IsValid(header.urgency()))) {
    return Error(v1::REASON_ENUM_UNKNOWN, "header.urgency");
  }
  if (!known(header.size_bucket(), v1::SizeBucket_IsValid(header.size_bucket()))) {
    return Error(v1::REASON_ENUM_UNKNOWN, "header.size_bucket");
  }
  return absl::OkStatus();
}

absl::Status CheckTimes(const v1::Header& header) {
  const int64_t sent = header.sent_minute();
  if (sent <= 0) return Error(v1::REASON_TIME_INVALID, "header.sent_minute");
  if (header.respond_by() < sent || header.respond_by() >= kEndOfMinutes) {
    return Error(v1::REASON_TIME_INVALID, "header.respond_by");
  }
  if (header.expires_at() <= sent || header.expires_at() >= kEndOfMinutes) {
    return Error(v1::REASON_TIME_INVALID, "header.expires_at");
  }
  return absl::OkStatus();
}

absl::Status CheckToken(const v1::Header& header) {
  if (header.token_hash().empty()) {
    return header.token_valid_until() == 0 ? absl::OkStatus() : Invalid("token_valid_until");
  }
  if (header.token_hash().size() != kSha256Size) return Invalid("token_hash");
  if (header.token_valid_until() <= 0 || header.token_valid_until() >= kEndOfMinutes / 60) {
    return Invalid("token_valid_until");
  }
  return absl::OkStatus();
}

}  // namespace

Travel TravelOf(v1::Kind kind) {
  switch (kind) {
    case v1::KIND_CAPACITY_QUERY:
    case v1::KIND_INQUIRY:
    case v1::KIND_ACCEPT:
    case v1::KIND_DISCLOSE:
    case v1::KIND_REVOKE:
      return Travel::kForward;
    case v1::KIND_CAPACITY_REPLY:
    case v1::KIND_OFFER:
    case v1::KIND_WAITLIST:
    case v1::KIND_DECLINE:
    case v1::KIND_SCHEDULE:
    case v1::KIND_START:
    case v1::KIND_PROGRESS:
    case v1::KIND_CLOSE:
    case v1::KIND_REVOKE_ACK:
      return Travel::kReturn;
    default:
      return Travel::kEither;
  }
}

absl::Status CheckHeaderShape(const v1::Header& header) {
  if (HasUnknownFields(header)) {
    return Error(v1::REASON_MALFORMED, "the header has a field that waymark.v1 does not know");
  }
  if (header.schema_version() != kSchemaVersion) {
    return Error(v1::REASON_VERSION_UNSUPPORTED,
                 "header.schema_version " + std::to_string(header.schema_version()));
  }
  RETURN_IF_ERROR(CheckIds(header));
  RETURN_IF_ERROR(CheckEnums(header));
  RETURN_IF_ERROR(CheckTimes(header));
  RETURN_IF_ERROR(CheckToken(header));
  if (header.taxonomy_version() == 0) return Invalid("taxonomy_version");
  return absl::OkStatus();
}

absl::StatusOr<v1::Header> ParseHeader(std::string_view bytes) {
  if (bytes.size() > kMaxHeaderBytes) {
    return Error(v1::REASON_MALFORMED, "a header of " + std::to_string(bytes.size()) +
                                           " bytes exceeds " + std::to_string(kMaxHeaderBytes));
  }
  v1::Header header;
  RETURN_IF_ERROR(StrictParse(bytes, "the header", header));
  RETURN_IF_ERROR(CheckHeaderShape(header));
  return header;
}

}  // namespace waymark
