// Messages from files that people write: YAML, and so JSON too.
//
// Keys are field names, in any case, "unit" also for "unit_id"; values are written as values.h
// says. Canonical JSON is understood as it is. Thread-safe.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "client/cli/values.h"

namespace waymark::node {

// Sets in `message` what the text says, and leaves the rest. FIELD_INVALID: it is no map, or a key
// or value does not fit; the message names the key, never the value.
absl::Status FillFromText(const ValueReader& reader, const std::string& text,
                          google::protobuf::Message& message);

// The same from a file, which errors name. FILE_UNUSABLE: it cannot be read.
absl::Status FillFromFile(const ValueReader& reader, const std::string& path,
                          google::protobuf::Message& message);

}  // namespace waymark::node
