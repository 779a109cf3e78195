// The directory over real sockets: capacities by epoch, and the end of the log that is told.
#include <gmock/gmock.h>

#include <memory>

#include "base/status/status.h"
#include "tests/server/rpc/test_hub.h"
#include "waymark/v1/directory_service.grpc.pb.h"

namespace waymark::hub {
namespace {

class DirectoryServiceTest : public testing::Test {
 protected:
  DirectoryServiceTest() {
    EXPECT_EQ(hub_.Publish("qso.night"), v1::REASON_UNSPECIFIED);
    const TestOrganisation& qso = hub_.Member("qso.night");
    v1::PublishStatementsRequest request;
    *request.add_statements() = SignStatement(hub_.statements().Service(qso), qso.identity);
    *request.add_statements() = SignStatement(hub_.statements().Capacity(qso), qso.identity);
    v1::PublishStatementsResponse response;
    grpc::ClientContext context;
    EXPECT_TRUE(Stub("qso")->PublishStatements(&context, request, &response).ok());
  }

  std::unique_ptr<v1::DirectoryService::Stub> Stub(std::string_view member) {
    return v1::DirectoryService::NewStub(hub_.ChannelOf(member));
  }

  // The first page of a watch, or how it ends without one.
  absl::StatusOr<v1::WatchDirectoryResponse> Watch(const v1::WatchDirectoryRequest& request) {
    const auto stub = Stub("qso");
    grpc::ClientContext context;
    const auto watch = stub->WatchDirectory(&context, request);
    v1::WatchDirectoryResponse page;
    const bool read = watch->Read(&page);
    if (read) context.TryCancel();
    const absl::Status ended = FromGrpc(watch->Finish());
    if (!read) return ended;
    return page;
  }

  absl::StatusOr<v1::ContinueDirectoryResponse> Continue(
      std::string_view member, const v1::ContinueDirectoryRequest& request) {
    grpc::ClientContext context;
    v1::ContinueDirectoryResponse response;
    const absl::Status status =
        FromGrpc(Stub(member)->ContinueDirectory(&context, request, &response));
    if (!status.ok()) return status;
    return response;
  }

  TestHub hub_;
};

TEST_F(DirectoryServiceTest, ACapacityRevisionCountsWithinItsEpoch) {
  v1::WatchDirectoryRequest request;
  auto page = Watch(request);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->epoch().size(), 16u);
  EXPECT_EQ(page->capacities_size(), 1);
  request.set_after_revision(page->head().revision());
  request.set_after_capacity_revision(page->capacity_revision());
  request.set_epoch(page->epoch());
  page = Watch(request);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->capacities_size(), 0);
  for (const std::string& other : {std::string(16, 'o'), std::string()}) {
    request.set_epoch(other);
    page = Watch(request);
    ASSERT_TRUE(page.ok()) << page.status();
    EXPECT_EQ(page->capacities_size(), 1);
    EXPECT_EQ(page->entries_size(), 0);
  }
}

TEST_F(DirectoryServiceTest, AWatchBeyondTheLogEndsWithItsReason) {
  v1::WatchDirectoryRequest request;
  request.set_after_revision(9);
  EXPECT_EQ(ReasonOf(Watch(request).status()), v1::REASON_DIRECTORY_BEHIND);
}

TEST_F(DirectoryServiceTest, TellsAMemberWhereTheLogEnds) {
  const auto page = Watch({});
  const auto told = Continue("qso", {});
  ASSERT_TRUE(page.ok() && told.ok()) << told.status();
  EXPECT_EQ(told->head().SerializeAsString(), page->head().SerializeAsString());
  EXPECT_EQ(ReasonOf(Continue("bea", {}).status()), v1::REASON_MEMBER_UNKNOWN);
}

TEST_F(DirectoryServiceTest, TakesNoEntriesIfItWasNotRestored) {
  v1::ContinueDirectoryRequest request;
  request.add_entries()->set_revision(3);
  EXPECT_EQ(ReasonOf(Continue("qso", request).status()), v1::REASON_STATE_FORBIDS);
}

}  // namespace
}  // namespace waymark::hub
