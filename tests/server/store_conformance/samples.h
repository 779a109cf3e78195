// Invented records for the store's tests, each determined by its number alone, so that a process
// that was killed and the one that checks its work agree on every byte.
#pragma once

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "base/ids/ids.h"
#include "server/store/records.h"
#include "server/store/store.h"

namespace waymark::hub {

// The moment at which the samples live.
absl::Time SampleTime();

template <typename IdType>
IdType SampleId(uint64_t number) {
  std::string bytes(IdType::kSize, '\x5a');
  for (size_t i = 0; i < sizeof(number); ++i) bytes[i] = static_cast<char>(number >> (8 * i));
  return *IdType::FromBytes(bytes);
}

// 32 bytes.
std::string SampleHash(uint64_t number);

TokenRecord SampleToken(uint64_t number);
ReferralRecord SampleReferral(uint64_t number);
SeenRecord SampleSeen(uint64_t number);
// An INQUIRY of U2 for `mailbox`, of about 2 KiB, under the token of the same number.
MailboxItem SampleItem(uint64_t mailbox, uint64_t number);
RoutingRecord SampleRouting(uint64_t number);

// A referral, the answer to a message, the message itself and its line of the log: what one
// accepted inquiry changes.
Effects SampleInquiry(uint64_t mailbox, uint64_t number);

StatementRow SampleStatement(const std::string& subject, uint64_t version, bool capacity = false);
InvitationRow SampleInvitation(uint64_t number);
EnrolmentRow SampleEnrolment(uint64_t number);

}  // namespace waymark::hub
