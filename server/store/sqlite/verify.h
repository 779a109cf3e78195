// Whether a file holds a hub's store, whole and as it was written.
//
// Looked at: whose file it is, the version of its schema, the sum that a copy has at its end, the
// structure with its indexes, the columns of every table, every row against its checksum, and the
// marks of urgent messages against the messages. Lines of the routing log have no checksum of their
// own: in a copy the sum covers them, in other files their structure alone is checked.
//
// Stateless; thread-safe. Nothing is changed, neither in the file nor in its folder.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace waymark::hub {

// What a store holds, and nothing about whom.
struct StoreSight {
  // Of the schema.
  int version = 0;
  int64_t bytes = 0;
  // Whether there is a sum over the whole file, which then holds.
  bool summed = false;
  // How many rows each table has.
  std::map<std::string, int64_t> rows;
  // When the latest of what has a time was stored.
  std::optional<absl::Time> youngest;
};

// Calls `read`, which reads the file at `path`, and returns what it returns. UNAVAILABLE: a hub
// uses the file, or it changed meanwhile. FILE_UNUSABLE: there is no file.
absl::Status WhileUnchanged(const std::string& path, absl::FunctionRef<absl::Status()> read);

// Verifies the file at `path`, with what a write-ahead log beside it holds: then a private copy of
// both is looked at, in the folder for temporary files. DATA_CORRUPT: it is broken, and the message
// says in which table. FILE_UNUSABLE: it cannot be read or is another program's.
// VERSION_UNSUPPORTED: a newer program wrote it. UNAVAILABLE: as WhileUnchanged.
absl::StatusOr<StoreSight> VerifyStore(const std::string& path);

// The same of a file that the caller is making or holds, without a log; messages call it `called`.
absl::StatusOr<StoreSight> VerifyFile(const std::string& path, const std::string& called);

// The same of a store that the caller keeps every hub out of, read in place.
absl::StatusOr<StoreSight> VerifyHeldStore(const std::string& path);

}  // namespace waymark::hub
