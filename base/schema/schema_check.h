// What must hold of every section and every field of the schema, so that policy, preview,
// validation and redaction can rely on it.
//
// Pure: it looks at descriptors, of the compiled-in schema or of any other, and needs of our own
// schema only the options (policy.proto). The program schema_check, which the build runs before it
// compiles the schema, and the tests of base/schema both call it. Thread-safe.
#pragma once

#include <string>
#include <vector>

#include "google/protobuf/descriptor.h"

namespace waymark {

// The number of the field in which sections list what the person preferred not to say.
inline constexpr int kNotSaidNumber = 50;

// Returns one sentence for each thing in `files` that does not hold, naming the field or message;
// empty for a schema that may be built. A message is a section if it carries the option `section`.
//
//   - Every section of the enum has its message.
//   - Every field of a section but `not_said` has a policy: a class, and the number that follows
//     from its section and its own number.
//   - Fields of sealed sections can be absent.
//   - Text and bytes say what they may hold; free text says how much, and stands in no value type.
//   - Nobody must answer about themselves: what may identify is no bool, and its enum, or else its
//     section, has a place for "unknown" and "prefer not to say".
std::vector<std::string> SchemaFindings(
    const std::vector<const google::protobuf::FileDescriptor*>& files);

}  // namespace waymark
