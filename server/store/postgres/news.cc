#include "server/store/postgres/news.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/log/log.h"
#include "base/status/status.h"
#include "base/time/clock.h"

namespace waymark::hub {
namespace {

constexpr char kDelivered[] = "delivered";
constexpr char kDropped[] = "dropped";
constexpr char kStatements[] = "statements";
constexpr char kClaimed[] = "session";
constexpr char kNotices[] = "notices";
// An older hub does not know it, and looks as if news had been lost.
constexpr char kLook[] = "look";

// Who has said nothing at so many polls is not there.
constexpr int kPollsUntilAlone = 2;

// What waits while the database is away is found by the poll afterwards.
constexpr size_t kMaxOutgoing = 10000;

constexpr char kListen[] = "LISTEN waymark";
constexpr char kNotify[] =
    "SELECT pg_notify('waymark', convert_from(text, 'UTF8')) FROM unnest($1::bytea[]) AS n(text)";
constexpr char kPollMailboxes[] = "SELECT organisation, last FROM mailbox";
constexpr char kPollSessions[] = "SELECT organisation, claim FROM session";
constexpr char kPollStatements[] =
    "SELECT coalesce(max(revision) FILTER (WHERE capacity = 0), 0), coalesce(max(revision) FILTER "
    "(WHERE capacity = 1), 0) FROM statement";
// As kDelivered of no mailbox, which says nothing but that somebody is there, to older hubs too.
constexpr char kSayHere[] = "SELECT pg_notify('waymark', 'delivered')";
constexpr char kPollWithdrawals[] =
    "SELECT id, token_hash FROM withdrawal WHERE id > $1::bigint ORDER BY id";

std::string Hex(std::string_view bytes) {
  return absl::BytesToHexString({bytes.data(), bytes.size()});
}

std::string FromHex(const std::string& hex) { return absl::HexStringToBytes(hex); }

template <typename IdType>
void AddId(const std::string& word, std::vector<IdType>& ids) {
  if (const auto id = IdType::FromHex(word)) ids.push_back(*id);
}

}  // namespace

// Texts -------------------------------------------------------------------------------------------

std::vector<std::string> NewsTexts(const PgNews& news, size_t words_together) {
  std::vector<std::string> texts;
  std::string text = news.kind;
  for (size_t i = 0; i < news.words.size(); i += words_together) {
    std::string group;
    for (size_t j = i; j < std::min(news.words.size(), i + words_together); ++j) {
      absl::StrAppend(&group, " ", news.words[j]);
    }
    if (text.size() + group.size() > kMaxNewsBytes) {
      texts.push_back(std::exchange(text, news.kind));
    }
    text += group;
  }
  texts.push_back(std::move(text));
  return texts;
}

PgNews NewsFromText(std::string_view text) {
  PgNews news;
  for (const auto& word : absl::StrSplit(absl::string_view(text.data(), text.size()), ' ')) {
    if (news.kind.empty()) {
      news.kind = std::string(word);
    } else {
      news.words.emplace_back(word);
    }
  }
  return news;
}

// Saying ------------------------------------------------------------------------------------------

News::News(const Options& options)
    : poll_interval_(options.poll_interval),
      link_(options.link, options.epoch),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      alone_from_(SteadyClock().Now() + kPollsUntilAlone * poll_interval_) {
  thread_ = std::thread([this] { Run(); });
}

News::~News() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
  }
  eventfd_write(wake_.get(), 1);
  thread_.join();
}

bool News::stopping() {
  MutexLock lock(mu_);
  return stopping_;
}

void News::SetListener(PeerListener* listener) {
  MutexLock lock(listener_mu_);
  listener_ = listener;
}

void News::Post(const PgNews& news, size_t words_together) {
  {
    MutexLock lock(mu_);
    for (std::string& text : NewsTexts(news, words_together)) {
      if (outgoing_.size() < kMaxOutgoing) outgoing_.push_back(std::move(text));
    }
  }
  eventfd_write(wake_.get(), 1);
}

bool News::accompanied() {
  MutexLock lock(mu_);
  return SteadyClock().Now() < alone_from_;
}

void News::Accompany() {
  bool was_alone = false;
  {
    MutexLock lock(mu_);
    const absl::Time now = SteadyClock().Now();
    was_alone = now >= alone_from_;
    alone_from_ = now + kPollsUntilAlone * poll_interval_;
  }
  if (was_alone) Post({kLook, {}});
}

void News::Delivered(std::span<const Growth> growths) {
  if (growths.empty()) return;
  PgNews news{kDelivered, {}};
  bool alone = false;
  {
    MutexLock lock(mu_);
    alone = SteadyClock().Now() >= alone_from_;
    for (const Growth& growth : growths) {
      news.words.push_back(growth.mailbox.hex());
      // If nobody else stored anything in between, the poll has nothing to tell.
      int64_t& last = lasts_[growth.mailbox];
      if (last == growth.last - growth.count) last = growth.last;
    }
  }
  if (!alone) Post(news);
}

void News::Dropped(std::span<const std::string> token_hashes) {
  if (token_hashes.empty()) return;
  PgNews news{kDropped, {}};
  for (const std::string& hash : token_hashes) news.words.push_back(Hex(hash));
  Post(news);
}

void News::Appended() { Post({kStatements, {}}); }

void News::Claimed(const OrganisationId& organisation, int64_t claim) {
  {
    MutexLock lock(mu_);
    int64_t& known = claims_[organisation];
    known = std::max(known, claim);
  }
  Post({kClaimed, {organisation.hex(), std::to_string(claim)}}, 2);
}

void News::Notices(std::span<const OfflineNotice> notices) {
  if (notices.empty()) return;
  PgNews news{kNotices, {}};
  for (const OfflineNotice& notice : notices) {
    news.words.push_back(notice.sender.hex());
    news.words.push_back(notice.message_id.hex());
  }
  Post(news, 2);
}

// The thread --------------------------------------------------------------------------------------

void News::Run() {
  while (true) {
    const bool last = stopping();
    const auto connection = link_.Use();
    if (connection.ok()) Turn(**connection);
    if (last) return;
    if (!connection.ok()) AwaitSomething(-1);
  }
}

void News::Turn(PgConnection& connection) {
  if (connection.server_process() != listening_) {
    if (const absl::Status listens = Listen(connection); !listens.ok()) {
      Log(LogLevel::kWarning, "news_not_heard", {{"reason", listens}});
      if (!stopping()) AwaitSomething(-1);
      return;
    }
    listening_ = connection.server_process();
    MutexLock lock(listener_mu_);
    if (listener_ != nullptr) listener_->OnNewsLost();
  }
  Send(connection);
  Hear(connection);
  if (!connection.broken() && SteadyClock().Now() >= next_poll_) {
    next_poll_ = SteadyClock().Now() + poll_interval_;
    if (const absl::Status polled = Poll(connection); !polled.ok()) {
      Log(LogLevel::kWarning, "news_poll_failed", {{"reason", polled}});
    }
    Hear(connection);
  }
  if (!connection.broken() && !stopping()) AwaitSomething(connection.socket());
}

absl::Status News::Listen(PgConnection& connection) {
  RETURN_IF_ERROR(connection.Run(PgCommand{kListen, {}}, kPgLimit).status);
  // Others may have come meanwhile.
  Accompany();
  // What is there now is told as lost news are, all at once.
  return Poll(connection);
}

void News::AwaitSomething(int socket) {
  pollfd ready[2] = {{.fd = wake_.get(), .events = POLLIN, .revents = 0},
                     {.fd = socket, .events = POLLIN, .revents = 0}};
  const absl::Duration left = std::min(next_poll_ - SteadyClock().Now(), poll_interval_);
  const auto wait = std::max<int64_t>(absl::ToInt64Milliseconds(left) + 1, 1);
  // Without a connection the poll's interval is no measure.
  const int64_t limit = socket >= 0 ? wait : 50;
  ::poll(ready, socket >= 0 ? 2 : 1, static_cast<int>(limit));
  eventfd_t count = 0;
  eventfd_read(wake_.get(), &count);
}

void News::Send(PgConnection& connection) {
  std::vector<std::string> texts;
  {
    MutexLock lock(mu_);
    texts.swap(outgoing_);
  }
  if (texts.empty()) return;
  PgArray array;
  for (const std::string& text : texts) array.Add(std::string_view(text));
  const PgCommand notify{kNotify, std::move(PgParams().Add(std::move(array)))};
  const absl::Status sent = connection.Run(notify, kPgLimit).status;
  // The others find it with their next poll.
  if (!sent.ok()) Log(LogLevel::kWarning, "news_not_sent", {{"reason", sent}});
}

void News::Hear(PgConnection& connection) {
  while (auto message = connection.NextNotification()) {
    if (message->be_pid == connection.server_process()) continue;
    Accompany();
    HandOver(NewsFromText(message->extra));
  }
}

void News::HandOver(const PgNews& news) {
  MutexLock lock(listener_mu_);
  if (listener_ == nullptr) return;
  if (news.kind == kDelivered) {
    std::vector<OrganisationId> mailboxes;
    for (const std::string& word : news.words) AddId(word, mailboxes);
    if (!mailboxes.empty()) listener_->OnPeerDelivered(mailboxes);
  } else if (news.kind == kDropped) {
    std::vector<std::string> hashes;
    hashes.reserve(news.words.size());
    for (const std::string& word : news.words) hashes.push_back(FromHex(word));
    listener_->OnPeerDropped(hashes);
  } else if (news.kind == kStatements) {
    listener_->OnPeerStatements();
  } else if (news.kind == kClaimed && news.words.size() == 2) {
    uint64_t claim = 0;
    const auto organisation = OrganisationId::FromHex(news.words[0]);
    if (organisation && absl::SimpleAtoi(news.words[1], &claim)) {
      listener_->OnPeerSession(*organisation, claim);
    }
  } else if (news.kind == kNotices) {
    std::vector<OfflineNotice> notices;
    for (size_t i = 0; i + 1 < news.words.size(); i += 2) {
      const auto sender = OrganisationId::FromHex(news.words[i]);
      const auto message = MessageId::FromHex(news.words[i + 1]);
      if (sender && message) notices.push_back({*sender, *message});
    }
    listener_->OnPeerNotices(notices);
  } else if (news.kind == kLook) {
    next_poll_ = absl::InfinitePast();
  } else {
    // A newer hub tells something that this one does not know.
    listener_->OnNewsLost();
  }
}

// Polling -----------------------------------------------------------------------------------------

absl::Status News::Poll(PgConnection& connection) {
  const PgCommand commands[] = {{kPollMailboxes, {}},
                                {kPollSessions, {}},
                                {kPollStatements, {}},
                                {kPollWithdrawals, std::move(PgParams().Add(withdrawal_))},
                                {kSayHere, {}}};
  const PgReply reply = connection.Run(commands, kPgLimit);
  RETURN_IF_ERROR(reply.status);
  // A withdrawal comes before what was stored after it.
  PollWithdrawals(reply.rows[3]);
  PollMailboxes(reply.rows[0]);
  PollSessions(reply.rows[1]);
  PollStatements(reply.rows[2]);
  return absl::OkStatus();
}

void News::PollMailboxes(const PgRows& rows) {
  std::vector<OrganisationId> grown;
  {
    MutexLock lock(mu_);
    for (int i = 0; i < rows.size(); ++i) {
      PgRow row = rows[i];
      const auto mailbox = row.Read<OrganisationId>();
      const int64_t last = row.Int();
      int64_t& known = lasts_[mailbox];
      if (last > known) grown.push_back(mailbox);
      known = std::max(known, last);
    }
  }
  MutexLock lock(listener_mu_);
  if (listener_ != nullptr && !grown.empty()) listener_->OnPeerDelivered(grown);
}

void News::PollSessions(const PgRows& rows) {
  std::vector<std::pair<OrganisationId, int64_t>> newer;
  {
    MutexLock lock(mu_);
    for (int i = 0; i < rows.size(); ++i) {
      PgRow row = rows[i];
      const auto organisation = row.Read<OrganisationId>();
      const int64_t claim = row.Int();
      int64_t& known = claims_[organisation];
      if (claim > known) newer.emplace_back(organisation, claim);
      known = std::max(known, claim);
    }
  }
  MutexLock lock(listener_mu_);
  if (listener_ == nullptr) return;
  for (const auto& [organisation, claim] : newer) {
    listener_->OnPeerSession(organisation, static_cast<uint64_t>(claim));
  }
}

void News::PollStatements(const PgRows& rows) {
  PgRow row = rows[0];
  const int64_t revision = row.Int();
  const int64_t capacity_revision = row.Int();
  const bool changed = revision != revision_ || capacity_revision != capacity_revision_;
  revision_ = revision;
  capacity_revision_ = capacity_revision;
  MutexLock lock(listener_mu_);
  if (listener_ != nullptr && changed) listener_->OnPeerStatements();
}

void News::PollWithdrawals(const PgRows& rows) {
  std::vector<std::string> hashes;
  for (int i = 0; i < rows.size(); ++i) {
    PgRow row = rows[i];
    withdrawal_ = row.Int();
    hashes.push_back(row.Bytes());
  }
  MutexLock lock(listener_mu_);
  if (listener_ != nullptr && !hashes.empty()) listener_->OnPeerDropped(hashes);
}

}  // namespace waymark::hub
