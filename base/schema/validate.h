// Checks that a section holds only values that the schema allows.
//
// Everything that comes from outside (wire, connectors, local API, command line) passes here before
// anybody acts on it. The rules are the schema's own, read by reflection from the `limits` options:
// formats, lengths, ranges, counts; enums that are neither unspecified nor unknown; ids of 16
// bytes; calendar dates that exist; spans that do not end before they begin; no unknown fields. An
// error names the field, never its value. Thread-safe.
#pragma once

#include "absl/status/status.h"
#include "google/protobuf/message.h"

namespace waymark {

// Checks one section (also the header and the token). In a sealed section every field is optional;
// in the header, the token and in messages inside sections the documented required fields must be
// there. FIELD_INVALID or ENUM_UNKNOWN name the first field that is wrong.
absl::Status ValidateSection(const google::protobuf::Message& section);

// Checks every section that `container` (for example v1::Sections) has as a direct field, and that
// it has no unknown fields. Errors as ValidateSection.
absl::Status ValidateSections(const google::protobuf::Message& container);

}  // namespace waymark
