// A way to the database that is made anew when it is lost, with growing pauses in between.
//
// A PgLink has one connection at a time and is used by whoever holds its lock, which its owner
// gives out. Interrupt, from any thread, ends all pauses of all links for good.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/random/random.h"
#include "base/sync/sync.h"
#include "server/store/postgres/connection.h"

namespace waymark::hub {

// What says that the program is about to end. Thread-safe.
class Interruption {
 public:
  void Interrupt();
  bool interrupted();
  // Returns false, at once, when interrupted.
  bool Pause(absl::Duration pause);

 private:
  Mutex mu_;
  CondVar changed_;
  bool interrupted_ ABSL_GUARDED_BY(mu_) = false;
};

class PgLink {
 public:
  struct Options {
    PgTarget target;
    // The pause after a first failed attempt; it doubles with each.
    absl::Duration first_pause = absl::Milliseconds(50);
    absl::Duration longest_pause = absl::Seconds(5);
    // Not owned; they outlive the link.
    Random* random = nullptr;
    Interruption* interruption = nullptr;
  };

  PgLink(const Options& options, std::string epoch) : options_(options), epoch_(std::move(epoch)) {}

  // Returns the connection, made anew if it was lost. UNAVAILABLE: it cannot be had now, and until
  // a pause is over nobody tries; or the database is not the one that the store was opened on.
  absl::StatusOr<PgConnection*> Use();
  // Tries until it has one. UNAVAILABLE: interrupted.
  absl::StatusOr<PgConnection*> Await();
  // Takes a connection that was made.
  void Adopt(std::unique_ptr<PgConnection> connection) { connection_ = std::move(connection); }

  // Runs statements that change nothing, once more if the connection was lost.
  PgReply Read(std::span<const PgCommand> commands);
  PgReply Read(PgCommand command) { return Read(std::span(&command, 1)); }
  // Runs statements once.
  PgReply Run(std::span<const PgCommand> commands);

 private:
  absl::StatusOr<std::unique_ptr<PgConnection>> Connect() const;

  const Options options_;
  const std::string epoch_;
  std::unique_ptr<PgConnection> connection_;
  absl::Duration pause_;
  absl::Time next_attempt_ = absl::InfinitePast();
};

// How long one answer of the server is waited for.
inline constexpr absl::Duration kPgLimit = absl::Seconds(20);

}  // namespace waymark::hub
