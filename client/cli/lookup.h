// Names to ids: handles of units and services, labels of cases, and the first digits of any id.
//
// Whoever asks gives an exact name, a whole id, or at least four hexadecimal digits with which just
// one id begins. More than one match is an error that lists them; guessing is never right here.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/node_client.h"
#include "client/cli/values.h"

namespace waymark::node {

// Something that may be meant.
struct Named {
  std::string id;
  std::string name;
};

// What is looked for: what people call it, and the command that lists what there is.
struct Sort {
  std::string what;
  std::string lister;
};

// Returns the id that `wanted` stands for. NOT_FOUND: nothing, and which command lists what there
// is; FIELD_INVALID: several, which it lists by name and digits. Pure.
absl::StatusOr<std::string> Choose(const Sort& sort, const std::string& wanted,
                                   const std::vector<Named>& choices);

// Asks the node for what there is. Errors are those of Choose and of the node. The client outlives
// it.
class Lookup {
 public:
  explicit Lookup(NodeClient& node) : node_(node) {}

  absl::StatusOr<std::string> Unit(const std::string& wanted);
  // The handle of a unit, its digits if the directory does not have it.
  absl::StatusOr<std::string> UnitHandle(const std::string& unit_id);
  absl::StatusOr<std::string> Organisation(const std::string& wanted);
  // A unit or an organisation, for exclusions.
  absl::StatusOr<std::string> UnitOrOrganisation(const std::string& wanted);
  absl::StatusOr<std::string> Service(const std::string& wanted);
  // The service with exactly this handle; empty if there is none.
  absl::StatusOr<std::string> ServiceWithHandle(const std::string& handle);
  absl::StatusOr<std::string> Case(const std::string& wanted);
  // A need of the case, also by its taxonomy code.
  absl::StatusOr<std::string> Need(const std::string& case_id, const std::string& wanted);
  // A consent of any case that the staff member may see.
  absl::StatusOr<std::string> Consent(const std::string& wanted);
  // A referral, ended ones included.
  absl::StatusOr<std::string> Referral(const std::string& wanted);

  // The handles of units, organisations and services by their ids, to show to people; empty for any
  // other id.
  absl::StatusOr<std::function<std::string(const std::string& id)>> Namer();

  // For fields of documents, by their name: unit_id, recipient_units, service_id, excluded.
  IdResolver Resolver();

 private:
  absl::StatusOr<v1::ListDirectoryResponse*> Directory();

  NodeClient& node_;
  // Fetched once, when first needed.
  std::optional<v1::ListDirectoryResponse> directory_;
};

}  // namespace waymark::node
