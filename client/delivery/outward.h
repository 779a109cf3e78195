// A referral as it goes to a local system: what its mapping sees, and the one record that it makes.
//
// Read from the vault at each attempt; nothing of it is kept. Errors name the mapping and never a
// value. Thread-safe as far as the target's runner is.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/ids/ids.h"
#include "client/casework/context.h"
#include "client/delivery/target.h"
#include "client/vault/vault.h"
#include "waymark/local/v1/delivery.pb.h"
#include "waymark/local/v1/records.pb.h"
#include "waymark/v1/local.pb.h"
#include "waymark/v1/message.pb.h"

namespace waymark::node {

// What the unit may open of the referral now.
struct OutwardView {
  v1::LocalReferral referral;
  v1::Sections sections;
  // The consent has ended or was withdrawn: nothing may be opened (C14).
  bool locked = false;
};

// NOT_FOUND (as REFERRAL_UNKNOWN): the vault has no such referral. The vault's codes.
absl::StatusOr<OutwardView> ViewOf(const CaseworkContext& context, const Reader& reader,
                                   const ReferralId& id);

// The one record that the target's mapping makes; nullopt when it makes none. Errors of
// MappingRunner::Run; MAPPING_OUTPUT_INVALID also for more than one output, and for one that is no
// object.
absl::StatusOr<std::optional<std::string>> MapRecord(const LocalTarget& target,
                                                     const OutwardView& view, absl::Time now);

// What the local system tells the referral by.
std::string KeyOf(const local::v1::Delivery& delivery);

// A hash of what a mapping may see of the referral: its state and what its messages carried.
std::string FingerprintOf(const local::v1::Referral& referral);

}  // namespace waymark::node
