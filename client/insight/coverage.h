// The coordinator's first view: what the directory offers, by area and code, and where there is
// nobody (indicators G5, G6, G7 and G17, supply side).
//
// Everything comes from the directory alone, so nothing of a person can be in it. Two rules hold
// throughout: capacity past its time is never room, and a service at a redacted place is in no
// number, except where three or more of them stand behind it (waymark/v1/coverage.proto). A filter
// narrows which services are counted; what counts as missing is always judged against all areas
// and languages that the whole directory names.
//
// A pure function; thread-safe.
#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/schema/catalogue.h"
#include "client/directory/snapshot.h"
#include "waymark/v1/coverage.pb.h"

namespace waymark::node {

// Counts what was asked for as it stands at `now`. REASON_FIELD_INVALID: `code` is neither a code
// nor a category of the taxonomy.
absl::StatusOr<v1::GetCoverageResponse> CoverageOf(const DirectorySnapshot& directory,
                                                   const Catalogue& catalogue,
                                                   const v1::GetCoverageRequest& request,
                                                   absl::Time now);

}  // namespace waymark::node
