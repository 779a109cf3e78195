// The directory as the API and the matching see it. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/time/time.h"
#include "client/casework/match.h"
#include "client/directory/snapshot.h"
#include "waymark/v1/node.pb.h"

namespace waymark::node {

// The open services that offer `code`, or all for 0, with what the directory says around them; in
// order of handle. Pointers live as long as `directory`. Of a code, only its services are visited.
std::vector<Candidate> CandidatesIn(const DirectorySnapshot& directory, uint32_t code,
                                    absl::Time now);

// The members, and the services with this code and area.
v1::ListDirectoryResponse ViewDirectory(const DirectorySnapshot& directory,
                                        const v1::ListDirectoryRequest& request, absl::Time now);

}  // namespace waymark::node
