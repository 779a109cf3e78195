// Invented records for the store's tests, each determined by its number alone, so that a process
// that was killed and the one that checks its work agree on every byte.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
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

// Puts into an empty store `count` tokens, referrals, answers, messages in three mailboxes and
// lines of the log; every fifth message is urgent, and the senders of a third of these have been
// told. Also statements, some of them replaced, capacities with a gap in their revisions,
// invitations, and requests to join of every kind.
absl::Status FillStore(Store& store, uint64_t count);

// Describes everything that FillStore put there and a reader can see, line by line: mailboxes in
// their order but without sequences. Two stores that hold the same have the same lines.
absl::StatusOr<std::vector<std::string>> ContentOf(Store& store, uint64_t count);

}  // namespace waymark::hub
