// The sections of a referral in the vault: each under a key of its own, merged as messages follow.
// Thread-safe.
#pragma once

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/ids/ids.h"
#include "base/schema/field_registry.h"
#include "client/vault/vault.h"
#include "waymark/v1/message.pb.h"

namespace waymark::node {

// Adds the sections to what is there: a field that came before is replaced, others stay. The n-th
// entry of a repeated section adds to the n-th entry.
absl::Status StoreSections(Transaction& transaction, const ReferralId& referral,
                           SectionDirection direction, v1::Stage stage,
                           const v1::Sections& sections);

// Returns everything that was sent or received.
absl::StatusOr<v1::Sections> ReadAllSections(const Reader& reader, const ReferralId& referral,
                                             SectionDirection direction);

// Removes single fields for good, in both directions: what is left is stored under new keys.
absl::Status EraseFields(Transaction& transaction, const ReferralId& referral,
                         const std::vector<const FieldInfo*>& fields);

}  // namespace waymark::node
