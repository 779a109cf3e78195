// Composing what goes out: from what a person said, through consent and profile, to exact values.
//
// A preview and the message that follows are made by the same function from the same state; the
// digest ties them together, so that nothing is sent that was not shown. Nothing is preset to
// "share": a field goes only when consent and profile both allow it now. Pure functions;
// thread-safe.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/policy/evaluator.h"
#include "waymark/v1/consent.pb.h"
#include "waymark/v1/node.pb.h"

namespace waymark::node {

// What a composition starts from.
struct CompositionInput {
  const v1::Case* person = nullptr;
  const v1::Need* need = nullptr;
  const v1::Service* service = nullptr;
  const v1::ConsentRecord* consent = nullptr;
  // The need at this recipient: random, 16 bytes.
  std::string need_ref;
  // The handle of the lead's role at this recipient: random, 16 bytes.
  std::string lead_role_ref;
  // Fields that went to this recipient before.
  std::set<uint32_t> sent;
  // What staff asked for: empty means all that is unlocked and was not sent.
  std::set<uint32_t> wanted;
  std::set<uint32_t> without;
};

// What would go, and what holds it back.
struct Composition {
  v1::Sections sections;
  Evaluation evaluation;
  // 32 bytes over recipient, kind, stage, consent and the exact sections, random references aside.
  std::string digest;
};

// Composes an INQUIRY, ACCEPT or DISCLOSE as `context` describes it.
Composition Compose(const PolicyContext& context, const CompositionInput& input);

// Everything that the case could give to this service, before consent and profile: the person's
// sections, the need with the service filled in, the answers to the service's own conditions, and
// what is computed here so that its source need not go (E5).
v1::Sections Assemble(const CompositionInput& input);

// Findings as the API shows them, with field names.
google::protobuf::RepeatedPtrField<v1::Finding> ToProto(const std::vector<PolicyFinding>& findings);

// The first finding as an error; OK if there is none.
absl::Status ToStatus(const std::vector<PolicyFinding>& findings);

}  // namespace waymark::node
