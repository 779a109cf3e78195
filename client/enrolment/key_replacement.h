// A TLS key on its way into the data folder: made, certified, and put in place of the one before.
//
// Three files beside those in place: the key, the request for its certificate, and the certificate
// once it came. The pair in place serves until then. A crash at any point is finished by Finish:
// a certificate that is there is meant to be put in place. Private keys never leave the folder.
//
// Collaborators: Join and Renewal, each with files of its own. A value; not thread-safe.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/identity/certificate.h"
#include "base/identity/spiffe.h"
#include "client/enrolment/data_folder.h"

namespace waymark::node {

class KeyReplacement {
 public:
  // The key that an invitation certifies, and the one that a renewal does.
  static KeyReplacement Joining(const DataFolder& folder);
  static KeyReplacement Renewing(const DataFolder& folder);

  // Whether there is a request whose certificate is not in place.
  bool requested() const { return FileExists(request_); }

  // Returns the request for `id` (DER), made with a new key when there is none: asked for again
  // with the same bytes, since the hub knows it by them and no two signatures are equal.
  absl::StatusOr<std::string> Request(const SpiffeId& id) const;

  // Returns the certificate (DER) if it is this network's for `id` and our key at `now`.
  // REASON_IDENTITY_MISSING: it is not; nothing has changed.
  absl::StatusOr<Certificate> Check(const std::string& certificate_der, const SpiffeId& id,
                                    absl::Time now) const;

  // Puts key and certificate, which Check returned, in place.
  absl::Status Put(const Certificate& certificate) const;

  // Puts in place what had come when the program ended; OK if nothing had.
  absl::Status Finish() const;

  // Forgets key, request and certificate.
  void Drop() const;

 private:
  KeyReplacement(DataFolder folder, std::string key, std::string request, std::string certificate)
      : folder_(std::move(folder)),
        key_(std::move(key)),
        request_(std::move(request)),
        certificate_(std::move(certificate)) {}

  DataFolder folder_;
  std::string key_;
  std::string request_;
  std::string certificate_;
};

}  // namespace waymark::node
