// What the organisation says about itself: profile, services, capacity, and its units' sealing
// keys.
//
// Everything is signed with the identity key, kept in the vault, and handed to the hub; what the
// hub could not be asked about goes with the next Maintain. Statements are signed again before
// their 8 days end, with ever greater versions. A hub that begins a new epoch may have forgotten
// what it took: everything in force is handed to it again. Each unit gets a new sealing key every
// week; the old private key stays until every message that could be sealed to it has expired, and
// is then destroyed.
//
// Threads: thread-safe. Calls block on the vault and on the hub; what the constructor is given
// outlives the object.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/crypto/signature.h"
#include "base/ids/ids.h"
#include "base/random/random.h"
#include "base/time/clock.h"
#include "client/directory/room.h"
#include "client/directory/snapshot.h"
#include "client/vault/vault.h"
#include "waymark/v1/directory.pb.h"
#include "waymark/v1/directory_service.pb.h"

namespace waymark::node {

// How long capacity is believed when nothing else was said: by what it is counted in and, for beds,
// the local time of day.
absl::Duration CapacityLifetime(v1::CapacityUnit unit, absl::Time now, absl::TimeZone zone);

class Publication {
 public:
  struct Options {
    NetworkId network;
    OrganisationId organisation;
    // Where the organisation's day begins and ends.
    absl::TimeZone zone = absl::LocalTimeZone();
  };

  // The directory as it stands.
  using Directory = std::function<std::shared_ptr<const DirectorySnapshot>()>;
  // PublishStatements, without its transport.
  using Desk = std::function<absl::StatusOr<v1::PublishStatementsResponse>(
      const v1::PublishStatementsRequest&)>;

  Publication(const Options& options, const SigningKey& identity_key, Vault& vault, Clock& clock,
              Random& random, Directory directory, Desk desk);

  // Each says something new about its subject. OK also when the hub cannot be reached now: it goes
  // later. REASON_FIELD_INVALID, REASON_ENUM_UNKNOWN: a field is missing or out of range, saying
  // which. Any reason of the hub's: it refused, and what was said before stays. The vault's codes.
  absl::Status PublishProfile(const v1::Profile& profile);
  // REASON_UNIT_NOT_OWN: the unit is not one of ours.
  absl::Status PublishService(const v1::Service& service);
  // Takes the places that nobody has, and tells them less what offers hold (room.h); of a service
  // at a redacted place it tells the status alone and keeps the numbers. Sets `updated_minute`
  // unless it is in the past, and `valid_until_minute` when it is 0 or later than room of this unit
  // is believed; returns the latter as it is told, for what is said again with the usual end is
  // told again when half of the time is over. REASON_NOT_FOUND: we publish no such service.
  absl::StatusOr<absl::Time> PublishCapacity(v1::Capacity capacity);

  // Does what is due: makes and destroys sealing keys, signs again what would run out, tells room
  // anew when offers changed it, publishes what has not been, or not in this epoch of the hub. To
  // be called every minute or so; does nothing before the directory knows the organisation. The
  // desk's codes: the hub cannot be reached. Any reason of the hub's: it refused something.
  absl::Status Maintain();

 private:
  // Checks, signs and stores a statement, publishes it, and returns the hub's answer to it.
  absl::Status Say(v1::Statement content);
  absl::Status Say(const std::string& subject,
                   const std::function<absl::Status(Transaction&)>& store);
  v1::Statement Complete(v1::Statement content, absl::Time now) const;
  absl::Status Store(Transaction& transaction, v1::Statement content, absl::Time now) const;
  // Stores what is to be told of the room that `content` says there is.
  absl::Status StoreRoom(Transaction& transaction, v1::Statement content,
                         const v1::Service& service, absl::Time now) const;
  // Does that for the room that was said last, if something else is to be told now.
  absl::Status TellRoomAgain(Transaction& transaction, const v1::Service& service,
                             absl::Time now) const;
  // Lets what is in force be published again if it was not told in this epoch of the hub.
  absl::Status RepeatInEpoch(Transaction& transaction, const std::string& epoch,
                             absl::Time now) const;
  absl::Status RotateKeys(Transaction& transaction, const UnitId& unit, absl::Time now) const;
  absl::Status SignAgain(Transaction& transaction, absl::Time now) const;
  // Publishes what is pending; returns the hub's reasons by subject.
  absl::StatusOr<std::map<std::string, v1::Reason>> Push();
  absl::Status NoteAnswers(const v1::PublishStatementsRequest& request,
                           const v1::PublishStatementsResponse& response,
                           std::map<std::string, v1::Reason>& answers);

  const Options options_;
  const SigningKey& identity_key_;
  Vault& vault_;
  Clock& clock_;
  Random& random_;
  const Directory directory_;
  const Desk desk_;
};

}  // namespace waymark::node
