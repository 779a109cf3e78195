// Copies of the store to keep elsewhere, and the way back from one.
//
// Stateless; thread-safe.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "server/store/sqlite/verify.h"

namespace waymark::hub {

// Makes a verified copy of the store at `store` as of one moment, whole or not at all, for its
// owner alone; the hub may run and goes on committing (copy.h). EXISTS: `to` is there.
// FILE_UNUSABLE: there is no store, or `to` cannot be made. QUOTA_EXCEEDED: no room. DATA_CORRUPT:
// the store is broken, and no copy was made. VERSION_UNSUPPORTED: a newer program wrote it.
absl::StatusOr<StoreSight> BackUp(const std::string& store, const std::string& to);

struct Restored {
  StoreSight sight;
  // Where the store that was there is kept, with its write-ahead log if it was left with one; empty
  // when none was there.
  std::string aside;
};

// Puts a verified copy of `from` in place of the store at `store`, which then is another file to
// the hub, and keeps hubs out meanwhile. With `replace` a store that is there is kept aside as
// `store`.replaced-1, -2, ...; it is in place until the copy is. UNAVAILABLE: a hub runs, or
// somebody reads the store that is there. EXISTS: there is one, and `replace` is not set.
// FIELD_INVALID: `from` is the store itself. FILE_UNUSABLE: the folder is another user's, or cannot
// be used. VerifyStore's codes for `from`, and SystemError's.
absl::StatusOr<Restored> Restore(const std::string& from, const std::string& store, bool replace);

}  // namespace waymark::hub
