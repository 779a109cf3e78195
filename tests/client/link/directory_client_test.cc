// The directory's watch against a hub of the test's own, over a real loopback connection: a hub
// that was restored from an older copy.
#include "client/link/directory_client.h"

#include <functional>
#include <vector>

#include "base/rpc/status_mapping.h"
#include "base/status/status.h"
#include "base/sync/sync.h"
#include "gmock/gmock.h"
#include "grpcpp/grpcpp.h"
#include "tests/base/directory/fixtures.h"
#include "tests/client/directory/hub_log.h"
#include "tests/client/vault/open_vault.h"
#include "tests/support/fake_clock.h"
#include "waymark/v1/directory_service.grpc.pb.h"

namespace waymark::node {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Something may have become true.
class Bell {
 public:
  void Ring() {
    MutexLock lock(mu_);
    changed_.SignalAll();
  }

  // Waits until `condition` holds; false after ten seconds.
  bool Await(const std::function<bool()>& condition) {
    const absl::Time deadline = absl::Now() + absl::Seconds(10);
    while (!condition()) {
      if (absl::Now() > deadline) return false;
      MutexLock lock(mu_);
      changed_.WaitFor(mu_, absl::Milliseconds(50));
    }
    return true;
  }

 private:
  Mutex mu_;
  CondVar changed_;
};

// A hub with the beginning of a log, which ends each watch after one page.
class ShortHub final : public v1::DirectoryService::Service {
 public:
  explicit ShortHub(Bell& bell) : bell_(bell) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
  }
  ~ShortHub() override { server_->Shutdown(absl::ToChronoTime(absl::Now())); }

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  void Append(const v1::SignedStatement& statement) {
    MutexLock lock(mu_);
    log_.Append(statement);
  }
  // Answers offers with `refusal`; with an OK status, as if it had taken them.
  void Refuse(const absl::Status& refusal) {
    MutexLock lock(mu_);
    refusal_ = refusal;
  }
  v1::DirectoryHead head() {
    MutexLock lock(mu_);
    return log_.Head();
  }
  // How many entries each call offered.
  std::vector<int> offers() {
    MutexLock lock(mu_);
    return offers_;
  }

  grpc::Status WatchDirectory(grpc::ServerContext*, const v1::WatchDirectoryRequest* request,
                              grpc::ServerWriter<v1::WatchDirectoryResponse>* writer) override {
    v1::WatchDirectoryResponse page;
    {
      MutexLock lock(mu_);
      if (request->after_revision() > log_.Head().revision()) {
        return ToGrpc(Error(v1::REASON_DIRECTORY_BEHIND, "the log"));
      }
      page = log_.After(request->after_revision());
    }
    writer->Write(page);
    return grpc::Status::OK;
  }

  grpc::Status ContinueDirectory(grpc::ServerContext*, const v1::ContinueDirectoryRequest* request,
                                 v1::ContinueDirectoryResponse* response) override {
    absl::Status status;
    {
      MutexLock lock(mu_);
      offers_.push_back(request->entries_size());
      if (refusal_.has_value() && !request->entries().empty()) {
        status = *refusal_;
      } else {
        for (const v1::DirectoryEntry& entry : request->entries()) log_.Append(entry.statement());
      }
      *response->mutable_head() = log_.Head();
    }
    bell_.Ring();
    return ToGrpc(status);
  }

 private:
  Bell& bell_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
  Mutex mu_;
  HubLog log_ ABSL_GUARDED_BY(mu_);
  std::optional<absl::Status> refusal_ ABSL_GUARDED_BY(mu_);
  std::vector<int> offers_ ABSL_GUARDED_BY(mu_);
};

class DirectoryWatchTest : public ::testing::Test {
 protected:
  DirectoryWatchTest() { Append(network_.ByRegistry(network_.Member(lin_))); }

  // To what the node has.
  void Append(const v1::SignedStatement& statement, bool replaced = false) {
    log_.Append(statement, replaced);
    const absl::Status applied = replica_->Apply(log_.After(log_.Head().revision() - 1));
    EXPECT_TRUE(applied.ok()) << applied;
  }
  v1::SignedStatement Service(uint64_t version) const {
    return SignStatement(network_.Service(lin_, version), lin_.identity);
  }

  void Copy(uint64_t revisions) {
    const v1::WatchDirectoryResponse copied = log_.After(0, revisions);
    for (const v1::DirectoryEntry& entry : copied.entries()) hub_.Append(entry.statement());
  }

  bool AwaitOffers(size_t calls) {
    return bell_.Await([this, calls] { return hub_.offers().size() >= calls; });
  }
  // Whether the watch has gone on.
  bool AwaitPage() {
    return bell_.Await([this] {
      MutexLock lock(mu_);
      return pages_ > 0;
    });
  }

  TestDirectory network_;
  TestOrganisation lin_{"lin"};
  HubLog log_;
  FakeClock clock_{TestNow()};
  VaultFolder folder_;
  std::unique_ptr<Vault> vault_ = folder_.Open();
  std::unique_ptr<Replica> replica_ =
      *Replica::Open(network_.id, network_.registry.verifying_key(), *vault_, clock_);
  Bell bell_;
  Mutex mu_;
  int pages_ ABSL_GUARDED_BY(mu_) = 0;
  ShortHub hub_{bell_};
  HubChannel channel_{{hub_.address()}, [](const std::string& address) {
                        return grpc::CreateChannel(address, grpc::InsecureChannelCredentials());
                      }};
  DirectoryWatch watch_{
      {.min_backoff = absl::Milliseconds(1), .max_backoff = absl::Milliseconds(20)},
      channel_,
      *replica_,
      SystemRandom(),
      [this] {
        {
          MutexLock lock(mu_);
          ++pages_;
        }
        bell_.Ring();
      }};
};

TEST_F(DirectoryWatchTest, BringsARestoredHubForwardAndGoesOn) {
  for (uint64_t version = 1; version <= 3; ++version) Append(Service(version));
  Copy(2);
  watch_.Start();
  ASSERT_TRUE(AwaitPage());
  EXPECT_EQ(hub_.head().SerializeAsString(), log_.Head().SerializeAsString());
  EXPECT_THAT(hub_.offers(), ElementsAre(0, 2));
  EXPECT_THAT(replica_->alerts(), IsEmpty());
}

TEST_F(DirectoryWatchTest, BringsALongLogForwardInPages) {
  for (uint64_t version = 1; version <= 300; ++version) Append(Service(version));
  Copy(1);
  watch_.Start();
  ASSERT_TRUE(AwaitPage());
  EXPECT_EQ(hub_.head().SerializeAsString(), log_.Head().SerializeAsString());
  EXPECT_THAT(hub_.offers(), ElementsAre(0, 256, 44));
}

TEST_F(DirectoryWatchTest, SaysThatTheHubDoesNotTakeItAndGoesOnTrying) {
  Append(Service(1));
  Copy(1);
  hub_.Refuse(Error(v1::REASON_STATE_FORBIDS, "a month has passed"));
  watch_.Start();
  ASSERT_TRUE(AwaitOffers(4)) << "twice the head and an offer";
  EXPECT_THAT(replica_->alerts(), ElementsAre(HasSubstr("a month has passed")));
}

TEST_F(DirectoryWatchTest, SaysThatAHubOnlyPretendsToTakeIt) {
  Append(Service(1));
  Copy(1);
  hub_.Refuse(absl::OkStatus());
  watch_.Start();
  ASSERT_TRUE(AwaitOffers(4));
  EXPECT_THAT(replica_->alerts(), ElementsAre(HasSubstr("did not grow")));
}

TEST_F(DirectoryWatchTest, ANodeThatDoesNotHaveTheRestWaitsForAnother) {
  const v1::SignedStatement replaced = Service(1);
  Append(replaced, /*replaced=*/true);
  Append(Service(2));
  Copy(1);
  watch_.Start();
  ASSERT_TRUE(AwaitOffers(2));
  EXPECT_THAT(replica_->alerts(), ElementsAre(HasSubstr("does not have all")));
  hub_.Append(replaced);
  ASSERT_TRUE(AwaitPage());
  EXPECT_EQ(hub_.head().SerializeAsString(), log_.Head().SerializeAsString());
  EXPECT_THAT(hub_.offers(), ::testing::Contains(1));
  ASSERT_TRUE(bell_.Await([this] { return replica_->alerts().empty(); }));
}

TEST_F(DirectoryWatchTest, LeavesAHubWithAnotherHistoryAlone) {
  Append(Service(1));
  Append(Service(2));
  Copy(1);
  hub_.Append(Service(7));
  watch_.Start();
  ASSERT_TRUE(AwaitOffers(2));
  EXPECT_THAT(hub_.offers(), ::testing::Each(0));
  EXPECT_THAT(replica_->alerts(), ElementsAre(HasSubstr("another history")));
}

}  // namespace
}  // namespace waymark::node
