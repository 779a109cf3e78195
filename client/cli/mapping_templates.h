// The files of deploy/mappings as they were when this program was built.
#pragma once

#include <string_view>

namespace waymark::node {

// Returns the text of a file ("housing-out.jq"), empty if there is none of that name.
std::string_view MappingTemplate(std::string_view file);

}  // namespace waymark::node
