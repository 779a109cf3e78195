#include "client/link/link.h"

#include <optional>
#include <thread>
#include <utility>

#include "base/rpc/status_mapping.h"
#include "base/status/status.h"
#include "base/sync/sync.h"
#include "base/time/clock.h"
#include "client/link/backoff.h"
#include "client/link/session.h"
#include "client/link/stream.h"

namespace waymark::node {
namespace {

// How much of the outbox is read at once.
constexpr size_t kOfferItems = 64;
constexpr size_t kOfferBytes = 1024 * 1024;
// How long the hub may take to end the stream after our goodbye, and gRPC after the last of ours.
constexpr absl::Duration kFarewell = absl::Seconds(2);

absl::Duration DurationOf(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

absl::Time Steady() { return SteadyClock().Now(); }

// One stream from its start to its end. Lives on the link's thread.
class Connection {
 public:
  Connection(const Link::Options& options, MailboxPosition position,
             v1::ExchangeService::StubInterface& stub, std::shared_ptr<EventQueue> queue)
      : options_(options),
        session_(std::move(position), Steady()),
        stream_(Stream::Start(stub, std::move(queue))),
        started_(Steady()) {}

  Session& session() { return session_; }
  bool done() const { return done_.has_value(); }
  // Why it ended: what we found wrong, else what gRPC says.
  absl::Status status() const {
    if (!wrong_.ok()) return wrong_;
    return leave_by_.has_value() ? absl::OkStatus() : FromGrpc(*done_);
  }
  std::optional<v1::Goodbye> goodbye() const { return goodbye_; }

  // Ends the stream, because of `wrong` unless it is OK.
  void Abort(absl::Status wrong) {
    if (wrong_.ok()) wrong_ = std::move(wrong);
    stream_->Cancel();
    End();
  }

  // Says goodbye and gives the hub a moment to end the stream.
  void Leave() {
    if (leave_by_.has_value()) return;
    leave_by_ = Steady() + kFarewell;
    session_.Leave();
    if (!session_.welcomed()) Abort(absl::OkStatus());
  }

  // The hub says why it is about to end the stream.
  void OnGoodbye(const v1::Goodbye& goodbye) {
    goodbye_ = goodbye;
    if (goodbye.reason() != v1::REASON_UNSPECIFIED) {
      wrong_ = Error(goodbye.reason(), "the hub ended the connection");
    }
    Leave();
  }

  // Takes in an event of the stream; returns the frame that arrived, if any.
  std::optional<v1::ConnectResponse> Take(StreamEvent event) {
    switch (event.kind) {
      case StreamEvent::Kind::kFrame:
        if (ended_) return std::nullopt;
        return std::move(event.frame);
      case StreamEvent::Kind::kWritten:
        write_started_.reset();
        return std::nullopt;
      case StreamEvent::Kind::kWriteFailed:
        // The hub takes nothing more, but what it said before it ended the stream has yet to be
        // read: gRPC ends no stream that still holds frames, and the last one says why.
        write_started_.reset();
        write_failed_ = true;
        return std::nullopt;
      case StreamEvent::Kind::kReadFailed:
        // The hub's status is on its way; without reads or writes nothing else comes.
        End();
        return std::nullopt;
      case StreamEvent::Kind::kDone:
        done_ = std::move(event.status);
        return std::nullopt;
    }
    return std::nullopt;
  }

  // The frame was taken in: the next one may come.
  void ReadNext() {
    if (!ended_) stream_->ReadNext();
  }

  // Writes the next frame if none is being written.
  void Pump() {
    if (ended_ || write_failed_ || write_started_.has_value() || said_goodbye_) return;
    std::optional<v1::ConnectRequest> frame = session_.NextFrame(Steady());
    if (!frame.has_value()) return;
    said_goodbye_ = frame->has_goodbye();
    write_started_ = Steady();
    stream_->Write(*std::move(frame), said_goodbye_);
  }

  // Looks at the deadlines.
  void Tick() {
    const absl::Time now = Steady();
    if (ended_) {
      if (now > end_by_) stream_->Cancel();
    } else if (absl::Status status = session_.OnTick(now); !status.ok()) {
      Abort(std::move(status));
    } else if (!session_.welcomed() && now - started_ > options_.connect_timeout) {
      Abort(Error(v1::REASON_PEER_STALLED, "the hub does not answer"));
    } else if (write_started_.has_value() && now - *write_started_ > options_.write_timeout) {
      Abort(Error(v1::REASON_PEER_STALLED, "the hub does not read"));
    } else if (leave_by_.has_value() && now > *leave_by_) {
      Abort(absl::OkStatus());
    }
  }

 private:
  // No call follows on the stream; what is left of it ends by itself, or is cut off in time.
  void End() {
    if (!std::exchange(ended_, true)) end_by_ = Steady() + kFarewell;
    stream_->Finish();
  }

  const Link::Options& options_;
  Session session_;
  const std::shared_ptr<Stream> stream_;
  const absl::Time started_;
  std::optional<absl::Time> write_started_;
  std::optional<absl::Time> leave_by_;
  bool said_goodbye_ = false;
  bool write_failed_ = false;
  bool ended_ = false;
  absl::Time end_by_;
  absl::Status wrong_;
  std::optional<grpc::Status> done_;
  std::optional<v1::Goodbye> goodbye_;
};

}  // namespace

class Link::Impl {
 public:
  Impl(const Options& options, Vault& vault, HubChannel& channel, Clock& clock, Random& random,
       LinkObserver& observer)
      : options_(options),
        vault_(vault),
        channel_(channel),
        clock_(clock),
        observer_(observer),
        backoff_(options.min_backoff, options.max_backoff, random),
        queue_(std::make_shared<EventQueue>()) {}

  void Start() {
    thread_ = std::thread([this] { Run(); });
  }

  void Stop() {
    {
      MutexLock lock(mu_);
      stopping_ = true;
    }
    queue_->Nudge();
    if (thread_.joinable()) thread_.join();
  }

  void Wake() {
    {
      MutexLock lock(mu_);
      outbox_grew_ = true;
    }
    queue_->Nudge();
  }

  void Reconnect() {
    {
      MutexLock lock(mu_);
      reconnect_ = true;
    }
    queue_->Nudge();
  }

  LinkState state() const {
    MutexLock lock(mu_);
    return state_;
  }

 private:
  bool stopping() const {
    MutexLock lock(mu_);
    return stopping_;
  }

  void Run() {
    while (!stopping()) {
      const absl::Duration pause = RunConnection();
      Rest(pause);
    }
  }

  // Connects, serves the stream to its end, and returns how long to wait before the next one.
  absl::Duration RunConnection() {
    MailboxPosition position;
    const absl::Status read = vault_.Read([&](const Reader& reader) -> absl::Status {
      ASSIGN_OR_RETURN(position, reader.Position());
      return absl::OkStatus();
    });
    if (!read.ok()) {
      SetDisconnected(read);
      return backoff_.Next();
    }

    const std::shared_ptr<grpc::Channel> channel = channel_.Get();
    const std::unique_ptr<v1::ExchangeService::Stub> stub = v1::ExchangeService::NewStub(channel);
    Connection connection(options_, std::move(position), *stub, queue_);
    Serve(connection);

    SetDisconnected(connection.status());
    const v1::Reason reason = ReasonOf(connection.status());
    // A hub that asks to come back later works: a new connection would only cost it more.
    if (!connection.status().ok() && reason != v1::REASON_QUOTA_EXCEEDED) channel_.Failed(channel);
    return PauseAfter(reason, connection.goodbye());
  }

  absl::Duration PauseAfter(v1::Reason reason, const std::optional<v1::Goodbye>& goodbye) {
    const bool replaced_before =
        std::exchange(replaced_, reason == v1::REASON_SESSION_REPLACED) && replaced_;
    if (goodbye.has_value() && goodbye->has_retry_after()) {
      return backoff_.After(DurationOf(goodbye->retry_after()));
    }
    // Two nodes with one certificate must not replace each other without end. Once alone, it may
    // have been an earlier session of our own, which reached another process of the hub late.
    return replaced_before ? backoff_.After(options_.max_backoff) : backoff_.Next();
  }

  void Serve(Connection& connection) {
    while (!connection.done()) {
      if (stopping()) connection.Leave();
      FillFromOutbox(connection);
      connection.Pump();
      std::optional<StreamEvent> event = queue_->Wait(options_.tick);
      if (event.has_value()) {
        std::optional<v1::ConnectResponse> frame = connection.Take(*std::move(event));
        if (frame.has_value()) {
          if (absl::Status status = OnFrame(connection, *frame); !status.ok()) {
            connection.Abort(std::move(status));
          }
          connection.ReadNext();
        }
      }
      connection.Tick();
    }
  }

  void FillFromOutbox(Connection& connection) {
    Session& session = connection.session();
    {
      MutexLock lock(mu_);
      const bool look = std::exchange(outbox_grew_, false) || Steady() >= next_look_;
      if (!look) return;
    }
    next_look_ = Steady() + options_.tick;
    bool more = true;
    while (more && session.Room() > 0) {
      const size_t room = std::min(session.Room(), kOfferItems);
      std::vector<OutboxItem> items;
      absl::Status status = vault_.Read([&](const Reader& reader) -> absl::Status {
        ASSIGN_OR_RETURN(items,
                         reader.NextOutbox(clock_.Now(), session.taken(), room, kOfferBytes));
        return absl::OkStatus();
      });
      if (status.ok()) status = session.Offer(items);
      if (!status.ok()) {
        connection.Abort(std::move(status));
        return;
      }
      more = !items.empty();
    }
  }

  absl::Status OnFrame(Connection& connection, const v1::ConnectResponse& frame) {
    Session& session = connection.session();
    ASSIGN_OR_RETURN(const Session::Arrived arrived, session.OnFrame(frame, Steady()));
    if (arrived.welcomed.has_value()) RETURN_IF_ERROR(OnWelcome(*arrived.welcomed));
    if (!arrived.outcomes.empty()) RETURN_IF_ERROR(OnOutcomes(arrived.outcomes));
    if (!arrived.messages.empty()) RETURN_IF_ERROR(StoreMessages(arrived));
    if (frame.has_deliver()) session.Stored(arrived.through);
    if (!arrived.messages.empty()) observer_.OnInbox();
    if (arrived.peer_offline.has_value()) observer_.OnPeerOffline(*arrived.peer_offline);
    if (arrived.goodbye.has_value()) connection.OnGoodbye(*arrived.goodbye);
    return absl::OkStatus();
  }

  absl::Status OnWelcome(const Session::Arrived::Welcomed& welcomed) {
    const absl::Time now = clock_.Now();
    RETURN_IF_ERROR(vault_.Write([&](Transaction& transaction) -> absl::Status {
      RETURN_IF_ERROR(transaction.Purge(now));
      if (welcomed.lost_epoch) RETURN_IF_ERROR(transaction.ResendConfirmed().status());
      return transaction.SetPosition(welcomed.position);
    }));
    backoff_.Succeeded();
    SetState({.connected = true,
              .restricted = welcomed.restricted,
              .clock_skew = welcomed.hub_time - now,
              .error = absl::OkStatus()});
    LookAgain();
    return absl::OkStatus();
  }

  absl::Status OnOutcomes(const std::vector<v1::Outcome>& outcomes) {
    RETURN_IF_ERROR(vault_.Write([&](Transaction& transaction) -> absl::Status {
      for (const v1::Outcome& outcome : outcomes) {
        RETURN_IF_ERROR(transaction.MarkOutcome(outcome.item_id(), outcome.reason()));
      }
      return absl::OkStatus();
    }));
    LookAgain();
    for (const v1::Outcome& outcome : outcomes) {
      observer_.OnOutcome(outcome.item_id(), outcome.reason());
    }
    return absl::OkStatus();
  }

  absl::Status StoreMessages(const Session::Arrived& arrived) {
    const absl::Time now = clock_.Now();
    return vault_.Write([&](Transaction& transaction) -> absl::Status {
      for (const v1::Message& message : arrived.messages) {
        RETURN_IF_ERROR(transaction.AppendInbox(message.SerializeAsString(), now).status());
      }
      return transaction.SetPosition(arrived.position);
    });
  }

  // Waits for the end of the pause, Reconnect or Stop.
  void Rest(absl::Duration pause) {
    const absl::Time end = Steady() + pause;
    while (true) {
      {
        MutexLock lock(mu_);
        if (stopping_ || std::exchange(reconnect_, false)) return;
      }
      const absl::Duration left = end - Steady();
      if (left <= absl::ZeroDuration()) return;
      queue_->Wait(left);
    }
  }

  void LookAgain() { next_look_ = absl::InfinitePast(); }

  void SetDisconnected(absl::Status error) {
    LinkState state = this->state();
    state.connected = false;
    state.error = std::move(error);
    SetState(state);
  }

  void SetState(const LinkState& state) {
    {
      MutexLock lock(mu_);
      state_ = state;
    }
    observer_.OnState(state);
  }

  const Options options_;
  Vault& vault_;
  HubChannel& channel_;
  Clock& clock_;
  LinkObserver& observer_;

  // Used by the link's thread alone.
  Backoff backoff_;
  // Whether the latest connection ended because a newer one replaced it.
  bool replaced_ = false;
  absl::Time next_look_ = absl::InfinitePast();

  // Shared with the streams' reactions, which may outlast a connection.
  const std::shared_ptr<EventQueue> queue_;
  std::thread thread_;

  mutable Mutex mu_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  bool outbox_grew_ ABSL_GUARDED_BY(mu_) = false;
  bool reconnect_ ABSL_GUARDED_BY(mu_) = false;
  LinkState state_ ABSL_GUARDED_BY(mu_);
};

std::unique_ptr<Link> Link::Create(const Options& options, Vault& vault, HubChannel& channel,
                                   Clock& clock, Random& random, LinkObserver& observer) {
  return std::unique_ptr<Link>(
      new Link(std::make_unique<Impl>(options, vault, channel, clock, random, observer)));
}

Link::Link(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Link::~Link() { impl_->Stop(); }

void Link::Start() { impl_->Start(); }
void Link::Stop() { impl_->Stop(); }
void Link::Wake() { impl_->Wake(); }
void Link::Reconnect() { impl_->Reconnect(); }
LinkState Link::state() const { return impl_->state(); }

}  // namespace waymark::node
