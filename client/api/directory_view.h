// The directory as the API and the matching see it. Pure; thread-safe.
#pragma once

#include <vector>

#include "absl/time/time.h"
#include "client/casework/match.h"
#include "client/directory/snapshot.h"
#include "waymark/v1/node.pb.h"

namespace waymark::node {

// Every open service with what the directory says around it. Pointers live as long as `directory`.
std::vector<Candidate> CandidatesIn(const DirectorySnapshot& directory, absl::Time now);

// The members, and the services with this code and area.
v1::ListDirectoryResponse ViewDirectory(const DirectorySnapshot& directory,
                                        const v1::ListDirectoryRequest& request, absl::Time now);

}  // namespace waymark::node
