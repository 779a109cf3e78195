// What staff see of referrals: lists, one referral, prompts, and who received what.
//
// Prompts and the disclosure log are derived from the records, never stored beside them. Logistics
// staff see logistics and nothing else; nobody sees what a withdrawn or ended consent has locked.
// Thread-safe; the context outlives it.
#pragma once

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/casework/context.h"
#include "client/casework/staff.h"
#include "waymark/local/v1/records.pb.h"
#include "waymark/v1/node.pb.h"

namespace waymark::node {

// Whether somebody looks after the need of a referral that came to nothing: another referral of the
// need is open, was served, or was made later. `referrals` may hold those of other needs too.
bool IsPursued(const local::v1::Referral& referral,
               const std::vector<local::v1::Referral>& referrals);

// What a person should do next about the referral at `now`. `pursued` as IsPursued says: then
// nobody need be asked in its place.
std::vector<v1::Prompt> PromptsOf(const local::v1::Referral& referral, bool pursued,
                                  absl::Time now);

class Overview {
 public:
  explicit Overview(const CaseworkContext& context) : context_(context) {}

  // Most urgent first, then longest waiting.
  absl::StatusOr<std::vector<v1::ReferralSummary>> List(const Actor& actor,
                                                        const v1::ListReferralsRequest& request);
  absl::StatusOr<v1::GetReferralResponse> Get(const Actor& actor, const ReferralId& id);
  absl::StatusOr<std::vector<v1::Disclosure>> ListDisclosures(const Actor& actor,
                                                              const CaseId& person);

 private:
  absl::StatusOr<v1::ReferralSummary> Summarise(const Reader& reader,
                                                const DirectorySnapshot& directory,
                                                const local::v1::Referral& referral,
                                                const std::vector<local::v1::Referral>& all) const;

  const CaseworkContext& context_;
};

}  // namespace waymark::node
