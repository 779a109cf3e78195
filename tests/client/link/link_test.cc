// The link against a hub of the test's own, over a real loopback connection.
#include "client/link/link.h"

#include <atomic>
#include <functional>
#include <thread>
#include <utility>

#include "base/status/status.h"
#include "base/sync/sync.h"
#include "gmock/gmock.h"
#include "grpcpp/grpcpp.h"
#include "tests/client/vault/open_vault.h"
#include "waymark/v1/directory_service.grpc.pb.h"
#include "waymark/v1/exchange.grpc.pb.h"

namespace waymark::node {
namespace {

using ::testing::ElementsAre;

using HubStream = grpc::ServerReaderWriter<v1::ConnectResponse, v1::ConnectRequest>;

const std::string kEpoch(16, 'e');

// Waits for a condition that other threads make true; false after ten seconds.
class Notes {
 public:
  void Add(const std::string& note) {
    MutexLock lock(mu_);
    notes_.push_back(note);
    changed_.SignalAll();
  }

  bool Await(const std::string& note, int times = 1) {
    MutexLock lock(mu_);
    const absl::Time deadline = absl::Now() + absl::Seconds(10);
    while (std::count(notes_.begin(), notes_.end(), note) < times) {
      if (absl::Now() > deadline) return false;
      changed_.WaitFor(mu_, absl::Milliseconds(100));
    }
    return true;
  }

  std::vector<std::string> all() {
    MutexLock lock(mu_);
    return notes_;
  }

 private:
  Mutex mu_;
  CondVar changed_;
  std::vector<std::string> notes_ ABSL_GUARDED_BY(mu_);
};

class FakeHub : public v1::ExchangeService::Service {
 public:
  // Serves one stream after the hello was read.
  using Script = std::function<grpc::Status(const v1::Hello&, HubStream&)>;

  explicit FakeHub(Script script) : script_(std::move(script)) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~FakeHub() override { server_->Shutdown(absl::ToChronoTime(absl::Now())); }

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  grpc::Status Connect(grpc::ServerContext*, HubStream* stream) override {
    v1::ConnectRequest first;
    if (!stream->Read(&first) || !first.has_hello()) return grpc::Status::CANCELLED;
    return script_(first.hello(), *stream);
  }

 private:
  Script script_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

void SayWelcome(HubStream& stream, const std::string& epoch = kEpoch) {
  v1::ConnectResponse frame;
  frame.mutable_welcome()->set_epoch(epoch);
  frame.mutable_welcome()->set_hub_time_ms(absl::ToUnixMillis(absl::Now()));
  frame.mutable_welcome()->mutable_heartbeat_interval()->set_seconds(30);
  stream.Write(frame);
}

void AnswerSubmit(HubStream& stream, const v1::Submit& submit, v1::Reason reason, Notes& notes) {
  v1::ConnectResponse frame;
  for (const v1::Submission& item : submit.items()) {
    v1::Outcome& outcome = *frame.mutable_outcomes()->add_outcomes();
    outcome.set_item_id(item.registration().token_hash());
    outcome.set_reason(reason);
    notes.Add("submitted " + item.registration().token_hash().substr(0, 1));
  }
  stream.Write(frame);
}

// Reads until the node leaves, accepting what it submits.
grpc::Status Accept(HubStream& stream, Notes& notes, v1::Reason reason = v1::REASON_UNSPECIFIED) {
  v1::ConnectRequest frame;
  while (stream.Read(&frame)) {
    if (frame.has_submit()) AnswerSubmit(stream, frame.submit(), reason, notes);
    if (frame.has_ack()) notes.Add("ack " + std::to_string(frame.ack().through()));
    if (frame.has_goodbye()) notes.Add("goodbye");
  }
  return grpc::Status::OK;
}

class RecordingObserver : public LinkObserver {
 public:
  explicit RecordingObserver(Notes& notes) : notes_(notes) {}

  void OnInbox() override { notes_.Add("inbox"); }
  void OnOutcome(std::string_view item_id, v1::Reason reason) override {
    notes_.Add("outcome " + std::string(item_id.substr(0, 1)) + " " +
               std::string(ReasonName(reason)));
  }
  void OnPeerOffline(const MessageId&) override { notes_.Add("peer offline"); }
  void OnState(const LinkState& state) override {
    if (state.connected && on_connected) std::exchange(on_connected, nullptr)();
    notes_.Add(state.connected ? "connected"
                               : "disconnected " + std::string(ReasonName(ReasonOf(state.error))));
  }

  // Runs on the link's thread at the first welcome. Set before the link starts.
  std::function<void()> on_connected;

 private:
  Notes& notes_;
};

class LinkTest : public ::testing::Test {
 protected:
  void StartLink(std::vector<std::string> addresses,
                 absl::Duration max_backoff = absl::Milliseconds(50)) {
    channel_ = std::make_unique<HubChannel>(std::move(addresses), [](const std::string& address) {
      return grpc::CreateChannel(address, grpc::InsecureChannelCredentials());
    });
    Link::Options options;
    options.min_backoff = absl::Milliseconds(10);
    options.max_backoff = max_backoff;
    options.tick = absl::Milliseconds(20);
    options.connect_timeout = absl::Seconds(2);
    link_ = Link::Create(options, *vault_, *channel_, SystemClock(), SystemRandom(), observer_);
    link_->Start();
  }

  void Append(char name, absl::Time not_before = absl::InfinitePast()) {
    v1::Submission submission;
    submission.mutable_registration()->set_token_hash(std::string(32, name));
    OutboxEntry entry;
    entry.item_id = std::string(32, name);
    entry.referral = ReferralId::Generate(SystemRandom());
    entry.submission = submission.SerializeAsString();
    entry.not_before = not_before;
    ASSERT_TRUE(vault_->Write([&](Transaction& t) { return t.AppendOutbox(entry); }).ok());
  }

  std::optional<OutboxState> StateOf(char name) {
    std::optional<OutboxState> state;
    EXPECT_TRUE(vault_
                    ->Read([&](const Reader& reader) -> absl::Status {
                      ASSIGN_OR_RETURN(state, reader.StateOfOutbox(std::string(32, name)));
                      return absl::OkStatus();
                    })
                    .ok());
    return state;
  }

  Notes notes_;
  VaultFolder folder_;
  std::unique_ptr<Vault> vault_ = folder_.Open();
  RecordingObserver observer_{notes_};
  std::unique_ptr<HubChannel> channel_;
  std::unique_ptr<Link> link_;
};

TEST_F(LinkTest, SubmitsTheOutboxAndNotesTheOutcomes) {
  FakeHub hub([&](const v1::Hello&, HubStream& stream) {
    SayWelcome(stream);
    return Accept(stream, notes_);
  });
  Append('a');
  Append('b');
  StartLink({hub.address()});
  ASSERT_TRUE(notes_.Await("outcome b UNSPECIFIED"));
  Append('c');
  link_->Wake();
  ASSERT_TRUE(notes_.Await("outcome c UNSPECIFIED"));
  EXPECT_EQ(StateOf('a'), OutboxState::kConfirmed);
  EXPECT_EQ(StateOf('c'), OutboxState::kConfirmed);
  link_->Stop();
  EXPECT_TRUE(notes_.Await("goodbye"));
  EXPECT_FALSE(link_->state().connected);
  EXPECT_TRUE(link_->state().error.ok());
}

TEST_F(LinkTest, KeepsRefusedEntriesWithTheirReason) {
  FakeHub hub([&](const v1::Hello&, HubStream& stream) {
    SayWelcome(stream);
    return Accept(stream, notes_, v1::REASON_TOKEN_NOT_ISSUER);
  });
  Append('a');
  StartLink({hub.address()});
  ASSERT_TRUE(notes_.Await("outcome a TOKEN_NOT_ISSUER"));
  EXPECT_EQ(StateOf('a'), OutboxState::kRefused);
}

TEST_F(LinkTest, SendsDelayedEntriesWhenTheirTimeHasCome) {
  FakeHub hub([&](const v1::Hello&, HubStream& stream) {
    SayWelcome(stream);
    return Accept(stream, notes_);
  });
  Append('l', absl::Now() + absl::Milliseconds(300));
  Append('n');
  StartLink({hub.address()});
  ASSERT_TRUE(notes_.Await("outcome l UNSPECIFIED"));
  const std::vector<std::string> notes = notes_.all();
  EXPECT_LT(std::find(notes.begin(), notes.end(), "submitted n"),
            std::find(notes.begin(), notes.end(), "submitted l"));
}

TEST_F(LinkTest, StoresDeliveriesBeforeItAcknowledgesThem) {
  FakeHub hub([&](const v1::Hello&, HubStream& stream) {
    SayWelcome(stream);
    v1::ConnectResponse frame;
    for (const uint64_t sequence : {4, 7}) {
      v1::Delivery& delivery = *frame.mutable_deliver()->add_deliveries();
      delivery.set_sequence(sequence);
      delivery.mutable_message()->set_sealed("box");
    }
    stream.Write(frame);
    return Accept(stream, notes_);
  });
  StartLink({hub.address()});
  ASSERT_TRUE(notes_.Await("ack 7"));
  EXPECT_TRUE(notes_.Await("inbox"));
  ASSERT_TRUE(vault_
                  ->Read([](const Reader& reader) -> absl::Status {
                    EXPECT_EQ(*reader.CountInbox(), 2);
                    EXPECT_EQ(reader.Position()->cursor, 7u);
                    return absl::OkStatus();
                  })
                  .ok());
}

TEST_F(LinkTest, ResumesFromItsCursorAndSendsAgainWhatWasNotConfirmed) {
  std::atomic<int> streams = 0;
  FakeHub hub([&](const v1::Hello& hello, HubStream& stream) {
    notes_.Add("hello at " + std::to_string(hello.cursor()));
    SayWelcome(stream);
    if (++streams > 1) return Accept(stream, notes_);
    v1::ConnectResponse frame;
    frame.mutable_deliver()->add_deliveries()->set_sequence(3);
    stream.Write(frame);
    // Takes a submission and breaks without an answer once the ack is here.
    v1::ConnectRequest request;
    bool submitted = false;
    bool acknowledged = false;
    while (!(submitted && acknowledged) && stream.Read(&request)) {
      submitted |= request.has_submit();
      acknowledged |= request.has_ack();
    }
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "broken");
  });
  Append('a');
  StartLink({hub.address()});
  EXPECT_TRUE(notes_.Await("hello at 0"));
  EXPECT_TRUE(notes_.Await("disconnected UNAVAILABLE"));
  EXPECT_TRUE(notes_.Await("hello at 3"));
  EXPECT_TRUE(notes_.Await("outcome a UNSPECIFIED"));
}

TEST_F(LinkTest, ARestoredHubGetsAgainWhatItHadConfirmed) {
  std::atomic<int> streams = 0;
  FakeHub hub([&](const v1::Hello&, HubStream& stream) {
    if (++streams > 1) {
      SayWelcome(stream, std::string(16, 'f'));
      return Accept(stream, notes_);
    }
    SayWelcome(stream);
    v1::ConnectRequest request;
    while (stream.Read(&request)) {
      if (!request.has_submit()) continue;
      AnswerSubmit(stream, request.submit(), v1::REASON_UNSPECIFIED, notes_);
      break;
    }
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "restored");
  });
  Append('a');
  StartLink({hub.address()});
  EXPECT_TRUE(notes_.Await("submitted a", 2));
  EXPECT_TRUE(notes_.Await("outcome a UNSPECIFIED", 2));
}

TEST_F(LinkTest, TriesTheNextAddressWhenOneDoesNotWork) {
  FakeHub hub([&](const v1::Hello&, HubStream& stream) {
    SayWelcome(stream);
    return Accept(stream, notes_);
  });
  StartLink({"127.0.0.1:1", hub.address()});
  EXPECT_TRUE(notes_.Await("disconnected UNAVAILABLE"));
  EXPECT_TRUE(notes_.Await("connected"));
}

TEST_F(LinkTest, ResumesAtAnotherProcessOfTheHubFromItsCursor) {
  FakeHub first([&](const v1::Hello&, HubStream& stream) {
    SayWelcome(stream);
    v1::ConnectResponse frame;
    frame.mutable_deliver()->add_deliveries()->set_sequence(3);
    stream.Write(frame);
    v1::ConnectRequest request;
    while (stream.Read(&request) && !request.has_ack()) {
    }
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "the process has ended");
  });
  FakeHub second([&](const v1::Hello& hello, HubStream& stream) {
    notes_.Add("moved at " + std::to_string(hello.cursor()));
    EXPECT_EQ(hello.epoch(), kEpoch);
    SayWelcome(stream);
    return Accept(stream, notes_);
  });
  StartLink({first.address(), second.address()});
  ASSERT_TRUE(notes_.Await("moved at 3"));
  Append('a');
  link_->Wake();
  EXPECT_TRUE(notes_.Await("outcome a UNSPECIFIED"));
}

TEST_F(LinkTest, StaysWithAHubThatAsksItToComeBackLater) {
  std::atomic<int> streams = 0;
  FakeHub crowded([&](const v1::Hello&, HubStream& stream) {
    if (++streams > 1) {
      SayWelcome(stream);
      return Accept(stream, notes_);
    }
    v1::ConnectResponse frame;
    frame.mutable_goodbye()->set_reason(v1::REASON_QUOTA_EXCEEDED);
    frame.mutable_goodbye()->mutable_retry_after()->set_nanos(20'000'000);
    stream.Write(frame);
    return grpc::Status::OK;
  });
  StartLink({crowded.address(), "127.0.0.1:1"}, absl::Hours(1));
  EXPECT_TRUE(notes_.Await("disconnected QUOTA_EXCEEDED"));
  EXPECT_TRUE(notes_.Await("connected"));
  EXPECT_EQ(streams, 2);
}

TEST_F(LinkTest, ReplacedOnceItComesBackSoon) {
  std::atomic<int> streams = 0;
  FakeHub hub([&](const v1::Hello&, HubStream& stream) {
    SayWelcome(stream);
    if (++streams > 1) return Accept(stream, notes_);
    v1::ConnectResponse frame;
    frame.mutable_goodbye()->set_reason(v1::REASON_SESSION_REPLACED);
    stream.Write(frame);
    return Accept(stream, notes_);
  });
  StartLink({hub.address()}, absl::Hours(1));
  EXPECT_TRUE(notes_.Await("disconnected SESSION_REPLACED"));
  EXPECT_TRUE(notes_.Await("connected", 2));
}

TEST_F(LinkTest, ReportsTheHubsReasonAndComesBackWhenAsked) {
  std::atomic<int> streams = 0;
  FakeHub hub([&](const v1::Hello&, HubStream& stream) {
    SayWelcome(stream);
    if (++streams > 1) return Accept(stream, notes_);
    v1::ConnectResponse frame;
    frame.mutable_goodbye()->set_reason(v1::REASON_UNAVAILABLE);
    frame.mutable_goodbye()->mutable_retry_after()->set_nanos(20'000'000);
    stream.Write(frame);
    return Accept(stream, notes_);
  });
  StartLink({hub.address()});
  EXPECT_TRUE(notes_.Await("goodbye"));
  EXPECT_TRUE(notes_.Await("disconnected UNAVAILABLE"));
  EXPECT_TRUE(notes_.Await("connected", 2));
}

// What the hub of a member that was just suspended does while the node has something to say.
TEST_F(LinkTest, ComesBackAfterAGoodbyeThatCrossedAWrite) {
  std::atomic<int> streams = 0;
  FakeHub hub([&](const v1::Hello&, HubStream& stream) {
    SayWelcome(stream);
    if (++streams > 1) return Accept(stream, notes_);
    v1::ConnectResponse frame;
    for (int i = 0; i < 8; ++i) {
      frame.mutable_heartbeat()->set_nonce(i);
      stream.Write(frame);
    }
    frame.mutable_goodbye()->set_reason(v1::REASON_MEMBER_SUSPENDED);
    stream.Write(frame);
    notes_.Add("said goodbye");
    return grpc::Status::OK;
  });
  Append('a');
  // The link does not read on before all of it, the end too, has come over the connection.
  observer_.on_connected = [&] {
    EXPECT_TRUE(notes_.Await("said goodbye"));
    for (int i = 0; i < 3; ++i) {
      grpc::ClientContext context;
      v1::PublishStatementsResponse response;
      const grpc::Status answered = v1::DirectoryService::NewStub(channel_->Get())
                                        ->PublishStatements(&context, {}, &response);
      EXPECT_EQ(answered.error_code(), grpc::StatusCode::UNIMPLEMENTED);
    }
  };
  StartLink({hub.address()});
  EXPECT_TRUE(notes_.Await("disconnected MEMBER_SUSPENDED")) << "the goodbye was read";
  EXPECT_TRUE(notes_.Await("connected", 2));
  EXPECT_TRUE(notes_.Await("outcome a UNSPECIFIED"));
}

TEST_F(LinkTest, AHubThatNeverAnswersIsGivenUp) {
  FakeHub hub([&](const v1::Hello&, HubStream& stream) {
    v1::ConnectRequest request;
    while (stream.Read(&request)) {
    }
    return grpc::Status::OK;
  });
  StartLink({hub.address()});
  EXPECT_TRUE(notes_.Await("disconnected PEER_STALLED"));
}

TEST_F(LinkTest, StopsAtAnyMoment) {
  StartLink({"127.0.0.1:1"});
  link_->Stop();
  link_->Stop();
  EXPECT_FALSE(link_->state().connected);
}

}  // namespace
}  // namespace waymark::node
