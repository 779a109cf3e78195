// Gathers what `doctor` judges: files, the clock, whether somebody answers. The rim of doctor.
//
// Thread-safe. Nothing here changes anything.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "base/doctor/checks.h"
#include "base/rpc/credentials.h"

namespace waymark {

PrivateFacts LookAtPrivate(const std::string& path);

ClockSync LookAtClock();

// The certificate of `files` and whether they can serve at `now`.
CertificateFacts LookAtCertificate(const TlsFiles& files, absl::Time now);

// The schema version of the SQLite database at `path`, as its header has it; nullopt while there is
// none. What a program that runs has changed and not yet moved into the file is not seen.
std::optional<int64_t> LookAtSchema(const std::string& path);

// Connects to "host:port" and closes again, within `limit` for each address that the name has.
ReachFacts Reach(const std::string& address, absl::Duration limit);

}  // namespace waymark
