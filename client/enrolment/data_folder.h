// The node's data folder: which files lie where.
//
//   network.json           the network, as the invitation described it
//   ca.crt                 its authority's certificate
//   tls.key tls.crt        the node's TLS key and certificate
//   join.key join.csr      a request under an invitation, under way
//   next.key next.csr      a renewal under way
//   join.crt next.crt      what came of it and is being put in place
//   vault.db               everything else, encrypted (client/vault/vault.h)
//
// The master key, which opens the vault, never lies in it. Immutable; thread-safe.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace waymark::node {

class DataFolder {
 public:
  explicit DataFolder(std::string path) : path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  std::string network() const { return path_ + "/network.json"; }
  std::string ca() const { return path_ + "/ca.crt"; }
  std::string tls_key() const { return path_ + "/tls.key"; }
  std::string tls_certificate() const { return path_ + "/tls.crt"; }
  std::string join_key() const { return path_ + "/join.key"; }
  std::string join_request() const { return path_ + "/join.csr"; }
  std::string join_certificate() const { return path_ + "/join.crt"; }
  std::string next_key() const { return path_ + "/next.key"; }
  std::string next_request() const { return path_ + "/next.csr"; }
  std::string next_certificate() const { return path_ + "/next.crt"; }
  std::string vault() const { return path_ + "/vault.db"; }

  // Makes the folder, readable by its owner alone. REASON_FILE_UNUSABLE: it cannot be made, or is
  // there and others have access to it.
  absl::Status Make() const;

  // OK if the folder holds a member's certificate. REASON_FILE_UNUSABLE: it does not; join first.
  absl::Status CheckJoined() const;

  // Whether `path` lies in the folder or is the folder, symbolic links resolved.
  bool Contains(const std::string& path) const;

 private:
  const std::string path_;
};

bool FileExists(const std::string& path);

// Deletes a file; none is fine.
void RemoveFile(const std::string& path);

}  // namespace waymark::node
