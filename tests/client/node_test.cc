// The node as a whole, while its hub is away.
#include "client/node.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/status/status.h"
#include "client/casework/staff.h"
#include "client/cli/node_client.h"
#include "client/enrolment/data_folder.h"
#include "client/enrolment/join.h"
#include "gmock/gmock.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/generic/generic_stub.h"
#include "tests/client/enrolment/fake_desk.h"
#include "tests/client/vault/temp_folder.h"

namespace waymark::node {
namespace {

using ::testing::HasSubstr;

using Stub = v1::NodeService::StubInterface;

constexpr ScryptCost kCheap{.n = 16, .r = 1, .p = 1};
constexpr char kPassphrase[] = "an invented passphrase";

grpc::ByteBuffer Bytes(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return {&slice, 1};
}

// Calls a method whose schema is not ours, with one message each way.
std::string CallRaw(const std::string& socket, const std::string& method,
                    const std::string& request) {
  grpc::GenericStub stub(grpc::CreateChannel("unix:" + socket, grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  grpc::ByteBuffer response;
  grpc::Status status;
  const auto call = stub.PrepareUnaryCall(&context, method, Bytes(request), &queue);
  call->StartCall();
  call->Finish(&response, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  if (!status.ok()) return "failed: " + status.error_message();
  std::vector<grpc::Slice> slices;
  (void)response.Dump(&slices);
  std::string bytes;
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

// A member with an administrator; the hub that its network names does not answer.
class NodeTest : public testing::Test {
 protected:
  NodeTest() {
    EXPECT_TRUE(MasterKey::CreateFile(root_.File("key"), SystemRandom()).ok());
    const auto join =
        Join::Open(desk_.Invitation(), folder_, Key(), kCheap, desk_.clock(), SystemRandom());
    EXPECT_TRUE((*join)->Advance(desk_).ok());
    desk_.Approve();
    EXPECT_TRUE((*join)->Advance(desk_).ok());
  }

  MasterKey Key() const { return *MasterKey::FromFile(root_.File("key")); }

  void PutAdministrator() {
    const auto vault = Vault::Open({.path = folder_.vault()}, Key(), SystemRandom());
    StaffRegister staff(**vault, desk_.clock(), SystemRandom(), kCheap);
    v1::PutStaffRequest request;
    request.set_name("admin");
    request.set_role(v1::STAFF_ROLE_ADMINISTRATOR);
    request.set_passphrase(kPassphrase);
    EXPECT_TRUE(staff.Put(request).ok());
  }

  absl::StatusOr<std::unique_ptr<Node>> Start(const std::string& socket = "",
                                              const std::string& catalogue = "") {
    Node::Options options{.data = folder_.path(),
                          .socket = socket.empty() ? socket_ : socket,
                          .catalogue = catalogue,
                          .clock = &desk_.clock(),
                          .random = &SystemRandom(),
                          .staff_cost = kCheap};
    return Node::Start(options, Key());
  }

  // A socket that nobody listens on any more.
  void LeaveStaleSocket() const {
    sockaddr_un address{.sun_family = AF_UNIX};
    std::memcpy(address.sun_path, socket_.data(), socket_.size());
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    close(fd);
  }

  TempFolder root_;
  const DataFolder folder_{root_.File("data")};
  const std::string socket_ = root_.File("node.sock");
  FakeDesk desk_{absl::FromUnixSeconds(1'800'000'000)};
};

TEST_F(NodeTest, ServesStaffWhileTheHubIsAway) {
  PutAdministrator();
  const auto node = Start();
  ASSERT_TRUE(node.ok()) << node.status();
  v1::LoginRequest login;
  login.set_name("admin");
  login.set_passphrase(kPassphrase);
  const auto session = NodeClient(socket_, "").Call(&Stub::Login, login);
  ASSERT_TRUE(session.ok()) << session.status();
  const auto status =
      NodeClient(socket_, session->token()).Call(&Stub::GetStatus, v1::GetStatusRequest());
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_FALSE(status->connected());
  EXPECT_EQ(status->member().display_name(), "Linden House");
  EXPECT_EQ(status->organisation_id(), desk_.id().organisation.bytes());
  EXPECT_EQ(status->certificate_expires_at().seconds(),
            absl::ToUnixSeconds(desk_.clock().Now() + absl::Hours(24 * 90)));
}

TEST_F(NodeTest, LogoutEndsTheSessionAndOneAdministratorStays) {
  PutAdministrator();
  const auto node = Start();
  ASSERT_TRUE(node.ok()) << node.status();
  v1::LoginRequest login;
  login.set_name("admin");
  login.set_passphrase(kPassphrase);
  const auto session = NodeClient(socket_, "").Call(&Stub::Login, login);
  ASSERT_TRUE(session.ok()) << session.status();
  NodeClient client(socket_, session->token());
  EXPECT_EQ(client.Call(&Stub::ListStaff, v1::ListStaffRequest())->staff_size(), 1);
  v1::RemoveStaffRequest remove;
  remove.set_name("admin");
  EXPECT_EQ(ReasonOf(client.Call(&Stub::RemoveStaff, remove).status()), v1::REASON_STATE_FORBIDS);
  EXPECT_TRUE(client.Call(&Stub::Logout, v1::LogoutRequest()).ok());
  EXPECT_EQ(ReasonOf(client.Call(&Stub::ListStaff, v1::ListStaffRequest()).status()),
            v1::REASON_STAFF_NOT_ALLOWED);
}

TEST_F(NodeTest, GivesTheLabelsThatItsCatalogueReplaces) {
  PutAdministrator();
  const std::string catalogue = root_.File("catalogue");
  std::filesystem::create_directory(catalogue);
  std::ofstream(catalogue + "/labels.en.json")
      << R"({"version": 2, "language": "en", "services": {"206": "Rooms for families"}})";
  const auto node = Start("", catalogue);
  ASSERT_TRUE(node.ok()) << node.status();
  v1::LoginRequest login;
  login.set_name("admin");
  login.set_passphrase(kPassphrase);
  const auto session = NodeClient(socket_, "").Call(&Stub::Login, login);
  ASSERT_TRUE(session.ok()) << session.status();
  const auto given =
      NodeClient(socket_, session->token()).Call(&Stub::GetLabels, v1::GetLabelsRequest());
  ASSERT_TRUE(given.ok()) << given.status();
  EXPECT_EQ(given->labels().services().at(206), "Rooms for families");
}

TEST_F(NodeTest, RefusesWhoHasNoLogin) {
  const auto node = Start();
  ASSERT_TRUE(node.ok()) << node.status();
  const auto status = NodeClient(socket_, "").Call(&Stub::GetStatus, v1::GetStatusRequest());
  EXPECT_EQ(ReasonOf(status.status()), v1::REASON_STAFF_NOT_ALLOWED);
}

TEST_F(NodeTest, OpensItsSocketToNobodyElseAndRemovesItAtTheEnd) {
  auto node = Start();
  ASSERT_TRUE(node.ok()) << node.status();
  struct stat info;
  ASSERT_EQ(stat(socket_.c_str(), &info), 0);
  EXPECT_TRUE(S_ISSOCK(info.st_mode));
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  (*node)->Stop();
  EXPECT_FALSE(FileExists(socket_));
}

TEST_F(NodeTest, TellsItsHealthAndItsSchemaOnTheSocket) {
  const auto node = Start();
  ASSERT_TRUE(node.ok()) << node.status();
  EXPECT_EQ(CallRaw(socket_, "/grpc.health.v1.Health/Check", ""), "\x08\x01");
  // list_services: "*"
  EXPECT_THAT(CallRaw(socket_, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                      "\x3a\x01*"),
              HasSubstr("waymark.v1.NodeService"));
}

TEST_F(NodeTest, TakesOverTheSocketOfANodeThatDied) {
  LeaveStaleSocket();
  EXPECT_TRUE(Start().ok());
}

TEST_F(NodeTest, LeavesTheSocketOfALiveNodeAlone) {
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{.sun_family = AF_UNIX};
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(listen(fd, 1), 0);
  const auto node = Start();
  close(fd);
  EXPECT_EQ(ReasonOf(node.status()), v1::REASON_FILE_UNUSABLE);
  EXPECT_THAT(std::string(node.status().message()), HasSubstr("another node"));
  EXPECT_TRUE(FileExists(socket_));
}

TEST_F(NodeTest, DeletesNoOtherFileInPlaceOfItsSocket) {
  const auto node = Start(folder_.network());
  EXPECT_EQ(ReasonOf(node.status()), v1::REASON_FILE_UNUSABLE);
  EXPECT_TRUE(FileExists(folder_.network()));
}

TEST_F(NodeTest, RunsOncePerFolder) {
  const auto node = Start();
  ASSERT_TRUE(node.ok()) << node.status();
  EXPECT_EQ(ReasonOf(Start(root_.File("other.sock")).status()), v1::REASON_FILE_UNUSABLE);
}

TEST_F(NodeTest, SaysThatItMustJoinFirst) {
  RemoveFile(folder_.tls_certificate());
  const auto node = Start();
  EXPECT_EQ(ReasonOf(node.status()), v1::REASON_FILE_UNUSABLE);
  EXPECT_THAT(std::string(node.status().message()), HasSubstr("waymark-node join"));
}

TEST_F(NodeTest, ServesLocallyWithACertificateThatEnded) {
  desk_.clock().Advance(absl::Hours(24 * 91));
  EXPECT_TRUE(Start().ok());
}

}  // namespace
}  // namespace waymark::node
