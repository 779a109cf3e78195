// Cases and needs: what a person said, kept on the originating node alone.
//
// Collaborators: the vault keeps them; consents, matches and outgoing messages read them. Staff of
// the leading unit open them, nobody else. Thread-safe; outlives the API.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/ids/ids.h"
#include "base/schema/catalogue.h"
#include "base/time/clock.h"
#include "client/casework/staff.h"
#include "client/vault/vault.h"
#include "waymark/v1/node.pb.h"

namespace waymark::node {

// Returns the case with its needs in order of rank. NOT_FOUND: there is none of this id.
absl::StatusOr<v1::Case> LoadCase(const Reader& reader, const CaseId& id);

// Returns the case that leads a need, and the need. NOT_FOUND: there is none.
struct CaseAndNeed {
  v1::Case person;
  v1::Need need;
};
absl::StatusOr<CaseAndNeed> LoadNeed(const Reader& reader, const CaseId& case_id,
                                     const NeedId& need_id);

class Cases {
 public:
  // All outlive it.
  Cases(Vault& vault, const Catalogue& catalogue, Clock& clock)
      : vault_(vault), catalogue_(catalogue), clock_(clock) {}

  // Opens a case. FIELD_INVALID: an id or the label, which no other case of the unit may have;
  // ID_REUSED: another case has the id; STAFF_NOT_ALLOWED: not a caseworker of the unit.
  absl::Status Create(const Actor& actor, const v1::CreateCaseRequest& request);

  // Replaces the sections given and changes the exclusions. NOT_FOUND; FIELD_INVALID and
  // ENUM_UNKNOWN name the field; STAFF_NOT_ALLOWED.
  absl::Status Update(const Actor& actor, const v1::UpdateCaseRequest& request);

  // Adds a need, or replaces the one of the same id. The rank is the person's: nothing else moves.
  // FIELD_INVALID: the rank, a code that is none of the taxonomy's, or a field; ENUM_UNKNOWN.
  absl::Status PutNeed(const Actor& actor, const v1::PutNeedRequest& request);

  absl::StatusOr<v1::Case> Get(const Actor& actor, const CaseId& id);

  // Returns the cases of the actor's units without their sections, oldest first.
  absl::StatusOr<std::vector<v1::Case>> List(const Actor& actor);

 private:
  Vault& vault_;
  const Catalogue& catalogue_;
  Clock& clock_;
};

}  // namespace waymark::node
