// Checks the data files before anybody relies on them. Internal to base/schema.
#pragma once

#include "absl/status/status.h"
#include "base/schema/catalogue.h"

namespace waymark {

// CONFIG_INVALID names the file and what is wrong with it: a missing version, a code, field or enum
// value that does not exist, a row that stands twice, an urgency or decline code without a row, and
// the like.
absl::Status CheckCatalogue(const CatalogueFiles& files);

}  // namespace waymark
