#include "client/casework/local_copies.h"

#include "base/status/status.h"
#include "client/casework/referral.h"
#include "client/casework/retention.h"
#include "client/casework/sender.h"

namespace waymark::node {
namespace {

// Whether a withdrawal came that has no acknowledgement after it.
bool OwesAcknowledgement(const local::v1::Referral& referral) {
  bool owes = false;
  for (const local::v1::Event& event : referral.events()) {
    if (event.kind() == v1::KIND_REVOKE && !event.sent()) owes = true;
    if (event.kind() == v1::KIND_REVOKE_ACK && event.sent()) owes = false;
  }
  return owes;
}

}  // namespace

absl::Status AcknowledgeWhenErased(const CaseworkContext& context, Transaction& transaction,
                                   const DirectorySnapshot& directory, const ReferralId& id) {
  ASSIGN_OR_RETURN(local::v1::Referral referral, LoadReferral(transaction, id));
  const bool withdrawn = OwesAcknowledgement(referral);
  if (!withdrawn && !OwesExpiry(referral)) return absl::OkStatus();
  if (context.local_copies != nullptr) {
    ASSIGN_OR_RETURN(const bool remain, context.local_copies->Remain(transaction, id));
    if (remain) return absl::OkStatus();
  }
  RETURN_IF_ERROR(withdrawn
                      ? Sender(context).AcknowledgeRevocation(transaction, directory, referral,
                                                              MessageId::Generate(context.random))
                      : TellExpiry(context, transaction, directory, referral));
  return SaveReferral(context, transaction, referral);
}

}  // namespace waymark::node
