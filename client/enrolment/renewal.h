// A new TLS key and certificate before the old one ends.
//
// At two thirds of its validity the node makes a new key and asks for a certificate with it, signed
// by the identity key; the operator's daily refresh grants it. The pair is put in place as two
// files; credentials are read again from there (base/rpc/credentials.h). A crash in between is
// finished by FinishRenewal. Not thread-safe; what the constructor is given outlives the object.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/crypto/signature.h"
#include "base/identity/spiffe.h"
#include "base/time/clock.h"
#include "client/enrolment/data_folder.h"
#include "client/link/enrolment_desk.h"

namespace waymark::node {

// Puts a renewed key and certificate in place whose certificate has come; OK if there is none.
absl::Status FinishRenewal(const DataFolder& folder);

class Renewal {
 public:
  Renewal(DataFolder folder, const SpiffeId& id, const SigningKey& identity_key, Clock& clock)
      : folder_(std::move(folder)), id_(id), identity_key_(identity_key), clock_(clock) {}

  // Asks, when it is time, for a new certificate and puts it in place; returns whether it did.
  // Meant to be called every few minutes. REASON_STATE_FORBIDS: the operator rejected the request;
  // the next call makes a new one. REASON_IDENTITY_MISSING: what came does not belong to our
  // network or key; it is not used. The desk's codes.
  absl::StatusOr<bool> Advance(RenewalDesk& desk);

 private:
  absl::StatusOr<bool> IsTime() const;
  absl::StatusOr<std::string> NextRequest() const;
  absl::Status TakeIn(const std::string& certificate_der) const;

  const DataFolder folder_;
  const SpiffeId id_;
  const SigningKey& identity_key_;
  Clock& clock_;
};

}  // namespace waymark::node
