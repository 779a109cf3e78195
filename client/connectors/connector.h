// A system in which an organisation works, as the node sees it: where accepted referrals are
// written, and where room, answers and progress are read.
//
// A connector moves JSON texts and knows no referral: mappings (client/mapping) turn the shared
// schema into its records and back, and delivery (client/delivery) decides what is written when,
// and what becomes of a failure. Example:
//
//   const std::unique_ptr<Connector> connector = MakeConnector(settings, SteadyClock());
//   if (!connector->Ready().ok()) ...   // not yet
//   const WriteResult result = connector->Write({.key = key, .json = mapped});
//   if (result.outcome == WriteOutcome::kUncertain) ...   // a person must look: never repeat it
//
// Threads: one caller at a time; different connectors are independent. A call blocks for at most
// the connector's time limit. Nothing that a connector returns as text holds a value of a record.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace waymark::node {

// One record for the local system.
struct LocalRecord {
  // What the local system tells the record by: [A-Za-z0-9-], 1 to 64 characters, the same in every
  // attempt and every later version of the record.
  std::string key;
  // A JSON object.
  std::string json;
};

// What became of a write or an erasure.
enum class WriteOutcome {
  // The local system holds the record as given (or no longer, after an erasure): this attempt, or
  // an
  // earlier one, did it.
  kDone,
  // It certainly does not; a later attempt may work. The system is out of reach, busy or asks to
  // wait.
  kNotNow,
  // It certainly does not, and will not until a person changes something: the record, the mapping,
  // a permission, the connector's settings.
  kRefused,
  // It may or may not: the answer was lost, and the system cannot be asked by key.
  kUncertain,
  // Erasures only: the connector cannot reach what it has written.
  kUnsupported,
};

struct WriteResult {
  WriteOutcome outcome = WriteOutcome::kDone;
  // For people, in neutral words: what happened and, where it is known, what to do. Empty when
  // done.
  std::string detail;
  // With kNotNow: no attempt before this many seconds have passed, when the system said so.
  int64_t retry_after_seconds = 0;
};

// What is read from a local system.
enum class Feed {
  // How much room there is.
  kCapacity,
  // Answers and progress of referrals.
  kUpdates,
};

// What was read at once.
struct FeedPage {
  // JSON texts, oldest first where the system has an order.
  std::vector<std::string> items;
  // Where the next read goes on; opaque, at most 4 KiB. The same text again when nothing came.
  std::string cursor;
  // There may be more at once.
  bool more = false;
  // For people, in neutral words: what was set aside on the way and must be looked at by hand. Each
  // is said once.
  std::vector<std::string> notices;
};

class Connector {
 public:
  virtual ~Connector() = default;

  // Whether a write that is repeated with its key leaves one record, so that an attempt whose
  // answer was lost is safely made again. Such a connector never answers kUncertain.
  // The settings say it; nothing is asked for it, and any thread may.
  virtual bool keyed() const = 0;

  // Holds the settings against the local system, as far as that has not been done, and looks for
  // the secrets that they name. To be called before any of the calls below, and again before them
  // until it is fine. LOCAL_SYSTEM_REFUSED: nothing can be done with these settings, and everything
  // below would be refused for no fault of its own. LOCAL_SYSTEM_UNAVAILABLE: out of reach, as
  // those below will say, too.
  virtual absl::Status Ready() { return absl::OkStatus(); }

  // Writes the record, or its newer version.
  virtual WriteResult Write(const LocalRecord& record) = 0;

  // Removes the record of this key; done when there is none.
  virtual WriteResult Erase(std::string_view key) = 0;

  // Reads what is new after `cursor` (empty: from the beginning), at most 256 items. What was read
  // may come again after a crash; the caller tells by content. LOCAL_SYSTEM_UNAVAILABLE: try later;
  // LOCAL_SYSTEM_REFUSED: a person must act.
  virtual absl::StatusOr<FeedPage> Read(Feed feed, std::string_view cursor) = 0;

  // Notes that the caller has stored all that a page held, durably: a drop folder may move the
  // files away, a queue may acknowledge. Nothing to do where nothing is kept of what was read.
  // Errors as Read.
  virtual absl::Status Taken(Feed /*feed*/, std::string_view /*cursor*/) {
    return absl::OkStatus();
  }
};

}  // namespace waymark::node
