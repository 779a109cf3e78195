// A step that a local system reports, done through the use case that does what is typed. Pure but
// for the use cases; thread-safe.
#pragma once

#include <vector>

#include "absl/status/status.h"
#include "base/ids/ids.h"
#include "base/schema/catalogue.h"
#include "client/casework/provider.h"
#include "client/mapping/finding.h"
#include "waymark/v1/local.pb.h"

namespace waymark::node {

// Sections that go with no step of the update's kind, and would be lost without a word. The rest of
// the update is sound (CheckUpdate).
std::vector<MappingFinding> FindSurplus(const v1::LocalUpdate& update);

// Does the step under this message id; a repeat changes nothing. Errors of Provider's methods.
absl::Status DoReported(Provider& provider, const Catalogue& catalogue, const Actor& actor,
                        const v1::LocalUpdate& update, const MessageId& message);

}  // namespace waymark::node
