// Recording how a person agreed, and reading it back first.
//
// Collaborators: the evaluator says whether a consent can be used; read_back.h words it for the
// person; origin.h uses it; the vault keeps it. A consent never leaves this node. Thread-safe; the
// context outlives it.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/ids/ids.h"
#include "client/casework/context.h"
#include "client/casework/staff.h"
#include "client/vault/vault.h"
#include "waymark/v1/consent.pb.h"
#include "waymark/v1/node.pb.h"

namespace waymark::node {

// Returns the consent. NOT_FOUND (as CONSENT_MISSING): there is none of this id.
absl::StatusOr<v1::ConsentRecord> LoadConsent(const Reader& reader, const ConsentId& id);
absl::Status SaveConsent(Transaction& transaction, const v1::ConsentRecord& consent);

class Consents {
 public:
  explicit Consents(const CaseworkContext& context) : context_(context) {}

  // Shows what a consent would say and what makes it unusable.
  absl::StatusOr<v1::ReadBackConsentResponse> ReadBack(const Actor& actor,
                                                       const v1::ConsentRecord& consent);

  // Records a given consent, or a refusal. A given one needs the digest of its read-back
  // (PREVIEW_REQUIRED) and is refused, with the rule, when it could never be used. EXCLUDED: a
  // recipient that the person excluded. ID_REUSED: another consent has the id.
  absl::Status Record(const Actor& actor, const v1::RecordConsentRequest& request);

  absl::StatusOr<std::vector<v1::ConsentRecord>> List(const Actor& actor, const CaseId& person);

 private:
  // The consent as it would be stored: defaults of the pack filled in.
  absl::StatusOr<v1::ConsentRecord> Complete(const DirectorySnapshot& directory,
                                             v1::ConsentRecord consent) const;
  absl::StatusOr<std::vector<PolicyFinding>> Examine(const DirectorySnapshot& directory,
                                                     const v1::ConsentRecord& consent) const;

  const CaseworkContext& context_;
};

}  // namespace waymark::node
