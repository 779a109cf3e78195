// The checks that a hub and a node have in common: from facts to findings.
//
// Pure functions over values; look.h gathers the facts. Times are what was read from files, `now`
// is the machine's clock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/doctor/finding.h"
#include "base/program/machine.h"

namespace waymark {

// A file or folder of our own that nobody else may read.
struct PrivateFacts {
  std::string path;
  bool exists = false;
  bool folder = false;
  // The permission bits, and whether the owner is whoever looks.
  unsigned mode = 0;
  bool own = false;
};

// How the kernel judges the machine's clock.
enum class ClockSync { kSynchronised, kNotSynchronised, kUnknown };

// A certificate, as far as it could be read.
struct CertificateFacts {
  std::string path;
  // Whether it serves: CheckTlsFiles.
  absl::Status usable;
  absl::Time end = absl::InfinitePast();
};

// A peer of ours and whether a connection to it could be made.
struct ReachFacts {
  std::string address;
  absl::Status reached;
};

// The version of a store on the disk and the newest that this program writes.
struct SchemaFacts {
  // nullopt: there is no store yet.
  std::optional<int64_t> found;
  int64_t known = 0;
};

// "disk": less than a tenth free warns; less than a fiftieth, or 64 MiB, is wrong.
Finding CheckDisk(const std::string& path, const absl::Status& looked, const DiskSpace& space);

// "permissions": it is there, belongs to whoever looks, and nobody else may read or enter it.
Finding CheckPrivate(const PrivateFacts& facts);

// "clock": whether something keeps the machine's clock right.
Finding CheckClockSync(ClockSync sync);

// "skew": own clock against the hub's, as of the last welcome. Beyond ten seconds it warns; beyond
// a minute messages are refused.
Finding CheckSkew(absl::Duration skew);

// "certificate": it serves, and for longer than `warn_before`. `cure` says how the next one comes.
Finding CheckCertificate(const CertificateFacts& facts, absl::Time now, absl::Duration warn_before,
                         const std::string& cure);

// "statements": what `who` says of a member holds for longer than `warn_before`; nullopt for
// nothing said.
Finding CheckStatements(const std::string& who, std::optional<absl::Time> earliest_end,
                        absl::Time now, absl::Duration warn_before, const std::string& cure);

// "reachability".
Finding CheckReachable(const ReachFacts& facts, const std::string& cure);

// "version": the program on the disk against the one that runs; nullopt when none answers.
Finding CheckVersion(const std::string& installed, const std::optional<std::string>& running,
                     const std::string& program);

// "schema": `program` can read the store.
Finding CheckSchema(const SchemaFacts& facts, const std::string& program);

}  // namespace waymark
