// A new TLS key and certificate before the old one ends.
//
// At two thirds of its validity the node makes a new key and asks for a certificate with it, signed
// by the identity key; the operator's daily refresh grants it. The pair is put in place as two
// files (key_replacement.h); credentials are read again from there (base/rpc/credentials.h). Not
// thread-safe; what the constructor is given outlives the object.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/crypto/signature.h"
#include "base/identity/spiffe.h"
#include "base/time/clock.h"
#include "client/enrolment/data_folder.h"
#include "client/enrolment/key_replacement.h"
#include "client/link/enrolment_desk.h"

namespace waymark::node {

class Renewal {
 public:
  Renewal(DataFolder folder, const SpiffeId& id, const SigningKey& identity_key, Clock& clock)
      : folder_(std::move(folder)),
        next_(KeyReplacement::Renewing(folder_)),
        id_(id),
        identity_key_(identity_key),
        clock_(clock) {}

  // Asks, when it is time, for a new certificate and puts it in place; returns whether it did.
  // Meant to be called every few minutes. REASON_STATE_FORBIDS: the operator rejected the request;
  // the next call makes a new one. REASON_IDENTITY_MISSING: what came does not belong to our
  // network or key; it is not used. The desk's codes.
  absl::StatusOr<bool> Advance(RenewalDesk& desk);

 private:
  absl::StatusOr<bool> IsTime() const;

  const DataFolder folder_;
  const KeyReplacement next_;
  const SpiffeId id_;
  const SigningKey& identity_key_;
  Clock& clock_;
};

}  // namespace waymark::node
