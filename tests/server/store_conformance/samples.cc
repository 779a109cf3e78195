#include "tests/server/store_conformance/samples.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/status/status.h"
#include "base/time/clock.h"
#include "waymark/v1/enrolment.pb.h"

namespace waymark::hub {
namespace {

constexpr uint64_t kMailboxes = 3;
constexpr uint64_t kDocuments = 4;
constexpr size_t kAllBytes = size_t{1} << 30;

std::string Hex(const std::string& bytes) { return absl::BytesToHexString(bytes); }

template <typename IdType>
std::string HexOf(const IdType& id) {
  return Hex(id.bytes());
}

std::string LineOf(const TokenRecord& token) {
  return absl::StrCat("token ", Hex(token.hash), " ", HexOf(token.issuer), " ",
                      HexOf(token.presenter), " ", HexOf(token.recipient), " ", token.ceiling, " ",
                      absl::FormatTime(token.valid_until), " ", token.separate_release, " ",
                      Hex(token.revocation_lock), " ", absl::FormatTime(token.registered_at), " ",
                      token.revoked);
}

std::string LineOf(const ReferralRecord& referral) {
  return absl::StrCat(
      "referral ", HexOf(referral.id), " ", HexOf(referral.origin), " ", HexOf(referral.provider),
      " ", static_cast<int>(referral.state), " ", referral.urgency, " ", Hex(referral.token_hash),
      " ", absl::FormatTime(referral.state_until), " ", absl::FormatTime(referral.forget_at));
}

std::string LineOf(const SeenRecord& seen) {
  return absl::StrCat("seen ", HexOf(seen.id), " ", Hex(seen.digest), " ", seen.answer, " ",
                      absl::FormatTime(seen.remember_until));
}

std::string LineOf(const MailboxItem& item) {
  return absl::StrCat(
      "item ", HexOf(item.mailbox), " ", HexOf(item.message_id), " ", HexOf(item.referral), " ",
      HexOf(item.sender), " ", item.kind, " ", item.urgency, " ", Hex(item.token_hash), " ",
      absl::FormatTime(item.stored_at), " ", absl::FormatTime(item.expires_at), " ", item.message);
}

std::string LineOf(const StatementRow& row) {
  return absl::StrCat("statement ", row.capacity, " ", row.revision, " ", row.subject, " ",
                      HexOf(row.organisation), " ", row.version, " ", row.statement, " ",
                      Hex(row.digest), " ", Hex(row.head));
}

std::string LineOf(const InvitationRow& row) {
  return absl::StrCat("invitation ", Hex(row.hash), " ", HexOf(row.organisation), " ",
                      absl::FormatTime(row.expires_at), " ", Hex(row.used_by));
}

std::string LineOf(const EnrolmentRow& row) {
  return absl::StrCat("enrolment ", Hex(row.request_id), " ", HexOf(row.organisation), " ",
                      Hex(row.invitation_hash), " ", row.renewal, " ", row.state, " ",
                      absl::FormatTime(row.requested_at), " ", row.request, " ", row.response);
}

// What inquiry `number` of a full store changes.
Effects FullInquiry(uint64_t number) {
  Effects effects = SampleInquiry(number % kMailboxes, number);
  effects.put_tokens = {SampleToken(number)};
  effects.put_tokens[0].revoked = number % 7 == 0;
  effects.put_referrals[0].forget_at = SampleTime() + absl::Hours(48);
  if (number % 5 == 0) effects.deliver[0].urgency = v1::URGENCY_U1;
  effects.deliver[0].stored_at += absl::Seconds(static_cast<int64_t>(number));
  effects.log[0].minute += absl::Minutes(static_cast<int64_t>(number / 3));
  return effects;
}

absl::Status FillDocuments(Store& store) {
  std::vector<StatementRow> first;
  for (uint64_t i = 0; i < kDocuments; ++i) {
    first.push_back(SampleStatement(absl::StrCat("service/", i), 1 + i));
    first.push_back(SampleStatement(absl::StrCat("capacity/", i), 1 + i, true));
  }
  RETURN_IF_ERROR(store.AppendStatements(first, 0));
  std::vector<StatementRow> second = {SampleStatement("service/1", 12),
                                      SampleStatement("capacity/1", 12, true)};
  RETURN_IF_ERROR(store.AppendStatements(second, kDocuments));
  for (uint64_t i = 0; i < kDocuments; ++i) {
    InvitationRow invitation = SampleInvitation(i);
    if (i % 2 == 1) invitation.used_by = SampleHash(i);
    RETURN_IF_ERROR(store.PutInvitation(invitation));
    EnrolmentRow enrolment = SampleEnrolment(i);
    enrolment.renewal = i == 2;
    if (enrolment.renewal) enrolment.invitation_hash.clear();
    if (i % 2 == 1) {
      enrolment.state = v1::ENROLMENT_STATE_APPROVED;
      enrolment.response = "response";
    }
    RETURN_IF_ERROR(store.PutEnrolment(enrolment));
  }
  return absl::OkStatus();
}

absl::Status AddDocuments(Store& store, std::vector<std::string>& lines) {
  for (const bool capacity : {false, true}) {
    ASSIGN_OR_RETURN(const auto rows, store.ReadStatements(capacity, 0, kAllBytes));
    for (const StatementRow& row : rows) lines.push_back(LineOf(row));
  }
  for (uint64_t i = 0; i < kDocuments; ++i) {
    ASSIGN_OR_RETURN(const auto invitation, store.FindInvitation(SampleHash(i)));
    if (invitation) lines.push_back(LineOf(*invitation));
    ASSIGN_OR_RETURN(const auto newest, store.FindStatement(absl::StrCat("service/", i)));
    if (newest) lines.push_back("newest " + LineOf(*newest));
  }
  ASSIGN_OR_RETURN(const auto enrolments, store.ListEnrolments(true));
  for (const EnrolmentRow& row : enrolments) lines.push_back(LineOf(row));
  return absl::OkStatus();
}

}  // namespace

absl::Status FillStore(Store& store, uint64_t count) {
  constexpr uint64_t kAtOnce = 200;
  for (uint64_t first = 0; first < count; first += kAtOnce) {
    std::vector<Effects> batch;
    for (uint64_t number = first; number < std::min(count, first + kAtOnce); ++number) {
      batch.push_back(FullInquiry(number));
    }
    RETURN_IF_ERROR(store.Commit(batch));
  }
  const absl::Time later = SampleTime() + absl::Hours(1000);
  RETURN_IF_ERROR(store.TakeOfflineNotices(later, count / 15).status());
  return FillDocuments(store);
}

absl::StatusOr<std::vector<std::string>> ContentOf(Store& store, uint64_t count) {
  std::vector<std::string> lines;
  for (uint64_t i = 0; i < count; ++i) {
    StateKeys keys{.token_hashes = {SampleHash(i)},
                   .referrals = {SampleId<ReferralId>(i)},
                   .messages = {SampleId<MessageId>(i)}};
    ASSIGN_OR_RETURN(const LoadedState state, store.Load(keys));
    for (const auto& token : state.tokens) lines.push_back(LineOf(token));
    for (const auto& referral : state.referrals) lines.push_back(LineOf(referral));
    for (const auto& seen : state.seen) lines.push_back(LineOf(seen));
  }
  for (uint64_t i = 0; i < kMailboxes; ++i) {
    ASSIGN_OR_RETURN(const MailboxPage page,
                     store.ReadMailbox(SampleId<OrganisationId>(i), MailboxView::kAll, 0,
                                       static_cast<size_t>(count), kAllBytes, SampleTime()));
    for (const MailboxItem& item : page.items) lines.push_back(LineOf(item));
  }
  RETURN_IF_ERROR(AddDocuments(store, lines));
  return lines;
}

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
