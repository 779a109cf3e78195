// Holds a JSON text against a message type and names everything that does not fit, field by field.
//
// FromJson decides whether JSON is a message, and says no more than that it is not. A person who
// writes a mapping needs to know where and why, all at once. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "google/protobuf/descriptor.h"

namespace waymark::node {

// One place where the JSON does not fit. Neither part repeats a value.
struct ShapeFault {
  // Names of fields of the message, with positions: "sections.prog.next_need_codes[2]".
  std::string path;
  // "is not a field of ProgSection", "must be a text".
  std::string what;
};

// Returns every fault, in the order of their paths; none for a text that FromJson takes. `json` is
// valid by CheckJson with a depth of at most 90.
std::vector<ShapeFault> FindShapeFaults(std::string_view json,
                                        const google::protobuf::Descriptor& type);

}  // namespace waymark::node
