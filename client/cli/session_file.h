// The staff session's token between two runs of the command line.
//
// A file of its owner alone (0600): $WAYMARK_SESSION, or one per socket in
// $XDG_RUNTIME_DIR/waymark, or in ~/.config/waymark where there is no runtime folder.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace waymark::node {

// Where the session for this socket is kept.
std::string SessionPath(const std::string& socket);

// Returns the token, empty if nobody is logged in. FILE_UNUSABLE: others may read the file.
absl::StatusOr<std::string> ReadSession(const std::string& path);

// Keeps the token, making the folder if need be. FILE_UNUSABLE: it cannot be written.
absl::Status WriteSession(const std::string& path, const std::string& token);

// Forgets it; OK if there is none. FILE_UNUSABLE: it cannot be removed.
absl::Status RemoveSession(const std::string& path);

}  // namespace waymark::node
