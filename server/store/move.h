// The way of a hub from its SQLite file to a PostgreSQL database.
//
// Everything is carried over: tokens, referrals, answers, what waits and in which order, whose
// sender has yet to be told, the routing log, the directory's log with its revisions and heads as
// they are, invitations and requests to join. The file stays as it is. Stateless; thread-safe.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "base/random/random.h"
#include "base/time/clock.h"
#include "server/store/postgres/connection.h"
#include "server/store/postgres/tally.h"

namespace waymark::hub {

// Moves the store at `store`, which no hub uses meanwhile, into the empty database at `target`: all
// of it, read back, or nothing, so that it may be tried again. Returns what was moved. UNAVAILABLE:
// a hub runs on either side, or the database is away. FILE_UNUSABLE: there is no store. EXISTS: the
// database holds something. VERSION_UNSUPPORTED: the file has another schema than this program's.
// DATA_CORRUPT: it is broken. CONFIG_INVALID: as PgConnection::Connect.
absl::StatusOr<Tally> MoveStore(const std::string& store, const PgTarget& target, Random* random,
                                Clock* clock);

}  // namespace waymark::hub
