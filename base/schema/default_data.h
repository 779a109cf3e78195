// The data files of proto/data as they were when this program was built. Internal to base/schema.
#pragma once

#include <string_view>

namespace waymark {

// Returns the text of a data file ("taxonomy.json"), empty if there is none of that name.
std::string_view DefaultData(std::string_view file);

}  // namespace waymark
