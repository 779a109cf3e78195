#include "server/store/postgres/link.h"

#include <algorithm>
#include <utility>

#include "base/log/log.h"
#include "base/status/status.h"
#include "base/time/clock.h"
#include "server/store/postgres/schema.h"

namespace waymark::hub {

void Interruption::Interrupt() {
  MutexLock lock(mu_);
  interrupted_ = true;
  changed_.SignalAll();
}

bool Interruption::interrupted() {
  MutexLock lock(mu_);
  return interrupted_;
}

bool Interruption::Pause(absl::Duration pause) {
  const absl::Time until = SteadyClock().Now() + pause;
  MutexLock lock(mu_);
  while (!interrupted_) {
    const absl::Duration left = until - SteadyClock().Now();
    if (left <= absl::ZeroDuration()) return true;
    changed_.WaitFor(mu_, left);
  }
  return false;
}

absl::StatusOr<std::unique_ptr<PgConnection>> PgLink::Connect() const {
  ASSIGN_OR_RETURN(auto connection, PgConnection::Connect(options_.target));
  ASSIGN_OR_RETURN(const std::string epoch, ReadEpoch(*connection));
  if (epoch == epoch_) return connection;
  return Error(v1::REASON_UNAVAILABLE,
               "the database has been replaced since the hub was started; start it again");
}

absl::StatusOr<PgConnection*> PgLink::Use() {
  if (connection_ != nullptr && !connection_->broken()) return connection_.get();
  connection_ = nullptr;
  const absl::Time now = SteadyClock().Now();
  if (now < next_attempt_) {
    return Error(v1::REASON_UNAVAILABLE, "the database is away");
  }
  auto connection = Connect();
  if (connection.ok()) {
    if (pause_ > absl::ZeroDuration()) Log(LogLevel::kInfo, "database_back");
    pause_ = absl::ZeroDuration();
    connection_ = *std::move(connection);
    return connection_.get();
  }
  if (pause_ == absl::ZeroDuration()) {
    Log(LogLevel::kError, "database_away", {{"reason", connection.status()}});
  }
  pause_ = std::clamp(2 * pause_, options_.first_pause, options_.longest_pause);
  // Several hubs lose it at the same moment.
  const auto spread = static_cast<uint64_t>(absl::ToInt64Microseconds(pause_)) / 2 + 1;
  next_attempt_ = SteadyClock().Now() + pause_ / 2 +
                  absl::Microseconds(static_cast<int64_t>(options_.random->Uniform(spread)));
  return Error(v1::REASON_UNAVAILABLE, std::string(connection.status().message()));
}

absl::StatusOr<PgConnection*> PgLink::Await() {
  while (true) {
    auto connection = Use();
    if (connection.ok()) return connection;
    if (!options_.interruption->Pause(next_attempt_ - SteadyClock().Now())) return connection;
  }
}

PgReply PgLink::Run(std::span<const PgCommand> commands) {
  auto connection = Use();
  if (connection.ok()) return (*connection)->Run(commands, kPgLimit);
  PgReply reply;
  reply.status = connection.status();
  return reply;
}

PgReply PgLink::Read(std::span<const PgCommand> commands) {
  PgReply reply = Run(commands);
  return reply.lost ? Run(commands) : std::move(reply);
}

}  // namespace waymark::hub
