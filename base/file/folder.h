// Folders: which names they hold is durable only once the folder itself has been synced.
#pragma once

#include <string>

namespace waymark {

// Returns the folder that holds `path`: "." for a bare name.
std::string FolderOf(const std::string& path);

// Makes the names in the folder of `path` durable: what was created, renamed or deleted there.
// False: it could not be opened or synced; errno says why. Thread-safe.
bool SyncFolderOf(const std::string& path);

}  // namespace waymark
