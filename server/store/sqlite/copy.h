// How the store's file is copied, and how a copy is told from one that has changed since.
//
// A copy beside a running hub is made with VACUUM INTO, which reads the database as of one moment
// and writes a new file without what was deleted. SQLite's online backup would copy pages in steps
// and begin again at each commit of another process, so that beside a busy hub it never ends, or
// copy all of them in one step, deleted pages with them, which takes as long and holds as much.
// While either reads, the hub commits on; but the write-ahead log cannot begin anew until the copy
// is done and grows meanwhile by what the hub writes.
//
// At its end a copy has a sum over all its bytes. SQLite does not look there, and overwrites it
// when the copy has become a store.
//
// Stateless; thread-safe. Errors: QUOTA_EXCEEDED: the disk is full; FILE_UNUSABLE, UNAVAILABLE: a
// file cannot be read or written.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/store/sqlite/statement.h"
#include "server/store/sqlite/store_file.h"

namespace waymark::hub {

// Copies what `connection` sees now, and adds the sum. No transaction is open on `connection`.
absl::Status CopyAsOfNow(Connection& connection, const PartialFile& into);

// Copies the database at `from`, which nobody writes to meanwhile, together with what a write-ahead
// log beside it holds, into one file. A sum comes along, unless there was something in the log.
// FILE_UNUSABLE also: beside it lies an unfinished transaction of another program.
absl::Status CopyFile(const std::string& from, const PartialFile& into);

// Whether a write-ahead log that holds something lies beside the database at `path`.
bool HasLog(const std::string& path);

enum class FileSum { kNone, kHolds, kBroken };

// Compares the file at `path` with the sum at its end.
absl::StatusOr<FileSum> CheckFileSum(const std::string& path);

// Takes the sum off the end of `file`, if there is one.
absl::Status DropFileSum(const PartialFile& file);

}  // namespace waymark::hub
