// Becoming a member: from an invitation to a certificate.
//
//   Open      makes what stays on this machine: folder, vault, identity key, TLS key, request
//   Advance   queues the request at the hub and takes in the answer, once there is one
//
// In between the registry operator compares the fingerprint of the identity key. Everything may be
// repeated: what exists is used, so that a run that was cut off continues. Under another invitation
// for the same organisation it joins again: a new TLS key takes the place of the one before, while
// vault, identity key and cases stay. Private keys never leave the machine. Not thread-safe.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "base/crypto/signature.h"
#include "base/directory/network.h"
#include "base/identity/spiffe.h"
#include "base/random/random.h"
#include "base/time/clock.h"
#include "client/enrolment/data_folder.h"
#include "client/enrolment/key_replacement.h"
#include "client/link/enrolment_desk.h"
#include "client/vault/vault.h"
#include "waymark/v1/invitation.pb.h"

namespace waymark::node {

class Join {
 public:
  // `cost` is for a passphrase, in a new vault. `clock` and `random` outlive the result.
  // REASON_FIELD_INVALID: the invitation's network is incomplete. REASON_EXISTS: the folder belongs
  // to another network or organisation, and stays as it is. Vault::Open's codes;
  // REASON_FILE_UNUSABLE: the folder cannot be used.
  static absl::StatusOr<std::unique_ptr<Join>> Open(const v1::Invitation& invitation,
                                                    const DataFolder& folder, const MasterKey& key,
                                                    const ScryptCost& cost, Clock& clock,
                                                    Random& random);

  const Network& network() const { return network_; }
  // What the operator compares, as the administrator reads it out.
  std::string fingerprint() const { return identity_key_.verifying_key().fingerprint(); }
  // Whether the certificate that this invitation brought is in the folder.
  bool joined() const { return joined_; }
  // Whether the folder held a certificate before.
  bool again() const { return again_; }

  // Returns whether that certificate is in the folder now; false: the operator has not decided.
  // REASON_INVITATION_INVALID: unknown, expired, used by another request, or the operator rejected
  // it. REASON_IDENTITY_MISSING, REASON_STATEMENT_INVALID, REASON_FINGERPRINT_MISMATCH: the answer
  // is not what the invitation promised; nothing of it is kept. The desk's codes.
  absl::StatusOr<bool> Advance(InvitationDesk& desk);

 private:
  Join(v1::Invitation invitation, Network network, SpiffeId id, DataFolder folder,
       std::unique_ptr<Vault> vault, SigningKey identity_key, Clock& clock);

  absl::Status ReadProgress();
  absl::Status Request(InvitationDesk& desk);
  absl::Status TakeIn(const v1::GetEnrolmentResponse& answer);
  absl::StatusOr<v1::Member> CheckMember(const v1::SignedStatement& statement) const;

  const v1::Invitation invitation_;
  const Network network_;
  const SpiffeId id_;
  const DataFolder folder_;
  const KeyReplacement next_;
  const std::unique_ptr<Vault> vault_;
  const SigningKey identity_key_;
  Clock& clock_;
  bool joined_ = false;
  bool again_ = false;
  bool requested_ = false;
};

}  // namespace waymark::node
