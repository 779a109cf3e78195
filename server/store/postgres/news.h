// What hub processes on one database tell each other, over LISTEN and NOTIFY.
//
// A thread with a connection of its own sends what this process did and hands over what others did.
// A notification is a hint that comes quickly: after its transaction, and lost with the connection
// or the process that should have sent it. So that nothing rests on it, the thread also reads,
// every few seconds, what has changed in small tables: the last sequence of each mailbox, the
// sessions' claims, the directory's revisions and the last hour's withdrawals. Offline notices
// alone are not read again. Notifications hold ids, numbers and hashes of tokens.
//
// With each poll it says that it is there. Who has heard of nobody for two polls is alone, and
// does not tell what it stores; when it then hears of another, it bids all to look, so that what
// was stored in between is found.
//
// Threads: every method from any thread; the listener is called on the news' thread, one call at a
// time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/file/descriptor.h"
#include "base/ids/ids.h"
#include "base/sync/sync.h"
#include "server/store/peers.h"
#include "server/store/postgres/link.h"

namespace waymark::hub {

// A notification: what is told, with its words, for example "session" and an id and a number.
struct PgNews {
  std::string kind;
  std::vector<std::string> words;
};
// As text of at most kMaxNewsBytes each; more words than one holds are spread.
inline constexpr size_t kMaxNewsBytes = 7000;
std::vector<std::string> NewsTexts(const PgNews& news, size_t words_together = 1);
PgNews NewsFromText(std::string_view text);

class News {
 public:
  struct Options {
    PgLink::Options link;
    std::string epoch;
    // How often is read what a notification may have missed, and said that this process is there.
    absl::Duration poll_interval = absl::Seconds(3);
  };

  // Starts the thread.
  explicit News(const Options& options);
  // Sends what is waiting, if it can at once, and ends the thread.
  ~News();
  News(const News&) = delete;
  News& operator=(const News&) = delete;

  // As Store::SetPeerListener.
  void SetListener(PeerListener* listener);

  // Whether another process was heard of lately, or may have been missed.
  bool accompanied();

  // What this process did, once it is durable: a mailbox that ends at `last` grew by `count`.
  struct Growth {
    OrganisationId mailbox;
    int64_t last = 0;
    int64_t count = 0;
  };
  void Delivered(std::span<const Growth> growths);
  void Dropped(std::span<const std::string> token_hashes);
  void Appended();
  void Claimed(const OrganisationId& organisation, int64_t claim);
  void Notices(std::span<const OfflineNotice> notices);

 private:
  void Post(const PgNews& news, size_t words_together = 1);
  // There may be others from now on.
  void Accompany();
  void Run();
  // One round on a connection that works: sends, hears, and polls when it is time.
  void Turn(PgConnection& connection);
  absl::Status Listen(PgConnection& connection);
  void Send(PgConnection& connection);
  void Hear(PgConnection& connection);
  void HandOver(const PgNews& news);
  absl::Status Poll(PgConnection& connection);
  void PollMailboxes(const PgRows& rows);
  void PollSessions(const PgRows& rows);
  void PollStatements(const PgRows& rows);
  void PollWithdrawals(const PgRows& rows);
  void AwaitSomething(int socket);
  bool stopping();

  const absl::Duration poll_interval_;
  PgLink link_;

  // What wakes the thread.
  FileDescriptor wake_;

  Mutex mu_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::string> outgoing_ ABSL_GUARDED_BY(mu_);
  absl::Time alone_from_ ABSL_GUARDED_BY(mu_);
  // What of each mailbox and session this process knows without a poll.
  absl::flat_hash_map<OrganisationId, int64_t> lasts_ ABSL_GUARDED_BY(mu_);
  absl::flat_hash_map<OrganisationId, int64_t> claims_ ABSL_GUARDED_BY(mu_);

  // Held while the listener is called.
  Mutex listener_mu_;
  PeerListener* listener_ ABSL_GUARDED_BY(listener_mu_) = nullptr;

  // The thread's own.
  absl::Time next_poll_ = absl::InfinitePast();
  // Which connection listens: its process at the server.
  int listening_ = 0;
  int64_t revision_ = 0;
  int64_t capacity_revision_ = 0;
  int64_t withdrawal_ = 0;

  std::thread thread_;
};

}  // namespace waymark::hub
