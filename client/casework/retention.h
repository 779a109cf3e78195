// When a node that was asked erases what it received, and how it says so (C14). Thread-safe.
#pragma once

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/schema/catalogue.h"
#include "client/casework/context.h"
#include "client/directory/snapshot.h"
#include "client/vault/vault.h"
#include "waymark/local/v1/records.pb.h"

namespace waymark::node {

// When the referral's sections are to be erased: the days of its latest token after the consent's
// end, or after the referral's own if that came first. A token that names no days has those of its
// policy pack. InfiniteFuture for a referral that the own unit made, and for one that is erased or
// never had a consent.
absl::Time EndOfRetention(const Catalogue& catalogue, const local::v1::Referral& referral);

// Whether the sections were erased at the end of their retention and nobody was told.
bool OwesExpiry(const local::v1::Referral& referral);

// Tells whoever asked, by a receipt for the latest message that brought something, and notes that
// in the referral, which the caller saves. One to whom nothing can be sealed any more is not told.
// The vault's codes.
absl::Status TellExpiry(const CaseworkContext& context, Transaction& transaction,
                        const DirectorySnapshot& directory, local::v1::Referral& referral);

}  // namespace waymark::node
