#include "tests/server/store_conformance/samples.h"

#include "base/time/clock.h"
#include "waymark/v1/enrolment.pb.h"

namespace waymark::hub {

absl::Time SampleTime() { return absl::FromUnixSeconds(1'798'800'000); }

std::string SampleHash(uint64_t number) {
  const std::string half = SampleId<MessageId>(number).bytes();
  return half + half;
}

TokenRecord SampleToken(uint64_t number) {
  return {
      .hash = SampleHash(number),
      .issuer = SampleId<UnitId>(number + 1),
      .presenter = SampleId<UnitId>(number + 2),
      .recipient = SampleId<UnitId>(number + 3),
      .ceiling = v1::STAGE_ACCEPTED,
      .valid_until = SampleTime() + absl::Hours(24),
      .separate_release = number % 2 == 1,
      .revocation_lock = SampleHash(number + 4),
      .registered_at = SampleTime(),
      .revoked = false,
  };
}

ReferralRecord SampleReferral(uint64_t number) {
  return {
      .id = SampleId<ReferralId>(number),
      .origin = SampleId<UnitId>(number + 1),
      .provider = SampleId<UnitId>(number + 2),
      .state = HubState::kRequested,
      .urgency = v1::URGENCY_U2,
      .token_hash = SampleHash(number),
      .state_until = SampleTime() + absl::Hours(2),
  };
}

SeenRecord SampleSeen(uint64_t number) {
  return {
      .id = SampleId<MessageId>(number),
      .digest = SampleHash(number + 1),
      .answer = v1::REASON_UNSPECIFIED,
      .remember_until = SampleTime() + absl::Hours(3),
  };
}

MailboxItem SampleItem(uint64_t mailbox, uint64_t number) {
  return {
      .mailbox = SampleId<OrganisationId>(mailbox),
      .message_id = SampleId<MessageId>(number),
      .referral = SampleId<ReferralId>(number),
      .sender = SampleId<OrganisationId>(number + 1),
      .kind = v1::KIND_INQUIRY,
      .urgency = v1::URGENCY_U2,
      .token_hash = SampleHash(number),
      .stored_at = SampleTime(),
      .expires_at = SampleTime() + absl::Hours(72),
      .message = std::string(2048, static_cast<char>('a' + number % 26)) + std::to_string(number),
  };
}

RoutingRecord SampleRouting(uint64_t number) {
  return {
      .minute = FloorMinute(SampleTime()),
      .message_id = SampleId<MessageId>(number),
      .referral = SampleId<ReferralId>(number),
      .sender = SampleId<UnitId>(number + 1),
      .recipient = SampleId<UnitId>(number + 2),
      .kind = v1::KIND_INQUIRY,
      .stage = v1::STAGE_INQUIRY,
      .urgency = v1::URGENCY_U2,
  };
}

Effects SampleInquiry(uint64_t mailbox, uint64_t number) {
  Effects effects;
  effects.put_referrals = {SampleReferral(number)};
  effects.put_seen = {SampleSeen(number)};
  effects.deliver = {SampleItem(mailbox, number)};
  effects.log = {SampleRouting(number)};
  return effects;
}

StatementRow SampleStatement(const std::string& subject, uint64_t version, bool capacity) {
  return {
      .subject = subject,
      .organisation = SampleId<OrganisationId>(version),
      .version = version,
      .capacity = capacity,
      .statement = "statement of " + subject + " " + std::to_string(version),
      .digest = SampleHash(version),
      .head = SampleHash(version + 1),
  };
}

InvitationRow SampleInvitation(uint64_t number) {
  return {
      .hash = SampleHash(number),
      .organisation = SampleId<OrganisationId>(number),
      .expires_at = SampleTime() + absl::Hours(72),
  };
}

EnrolmentRow SampleEnrolment(uint64_t number) {
  return {
      .request_id = SampleHash(number),
      .organisation = SampleId<OrganisationId>(number),
      .invitation_hash = SampleHash(number + 1),
      .state = v1::ENROLMENT_STATE_PENDING,
      .requested_at = SampleTime() + absl::Seconds(static_cast<int64_t>(number)),
      .request = "request " + std::to_string(number),
  };
}

}  // namespace waymark::hub
