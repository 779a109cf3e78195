// The policy without a referral: what the disclosure profiles alone say, for trying out a mapping
// on a sample.
//
// The one evaluator judges under a token that allows whatever a token can, so that only what no
// consent could change is found. Pure; thread-safe. The catalogue outlives what is returned.
#pragma once

#include <vector>

#include "absl/time/time.h"
#include "base/policy/evaluator.h"
#include "base/schema/catalogue.h"
#include "client/mapping/mapping.h"
#include "waymark/v1/local.pb.h"

namespace waymark::node {

// Judges what comes back from a provider of this service.
PolicyJudge JudgeByProfile(const Catalogue& catalogue, uint32_t service_code, absl::Time now);

// Fields of the sample that no provider of its service can have received at its stage.
std::vector<PolicyFinding> JudgeOutward(const Catalogue& catalogue, const v1::LocalOutward& sample,
                                        absl::Time now);

}  // namespace waymark::node
