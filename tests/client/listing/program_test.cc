// `waymark directory import` and `export`, as a person runs them, against a node that keeps what is
// published.
#include <sys/wait.h>

#include <condition_variable>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <memory>
#include <mutex>
#include <string>

#include "gmock/gmock.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"
#include "tests/client/listing/support.h"
#include "tests/support/process.h"
#include "waymark/v1/node.grpc.pb.h"

namespace waymark::node {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

class KeepingNode final : public v1::NodeService::Service {
 public:
  grpc::Status GetStatus(grpc::ServerContext*, const v1::GetStatusRequest*,
                         v1::GetStatusResponse* response) override {
    response->set_organisation_id(Lin().bytes());
    *response->mutable_member() = Member();
    return grpc::Status::OK;
  }
  grpc::Status ListDirectory(grpc::ServerContext*, const v1::ListDirectoryRequest*,
                             v1::ListDirectoryResponse* response) override {
    const std::lock_guard<std::mutex> lock(mu_);
    v1::DirectoryMember& member = *response->add_members();
    member.set_organisation_id(Lin().bytes());
    *member.mutable_member() = Member();
    for (const auto& [id, service] : services_) {
      if (!service.withdrawn()) *response->add_services()->mutable_service() = service;
    }
    return grpc::Status::OK;
  }
  grpc::Status PublishService(grpc::ServerContext*, const v1::PublishServiceRequest* request,
                              v1::PublishServiceResponse*) override {
    std::unique_lock<std::mutex> lock(mu_);
    ++calls_;
    services_[request->service().service_id()] = request->service();
    changed_.notify_all();
    // The answer is held back: whoever waits for it can be killed meanwhile.
    changed_.wait(lock, [this] { return calls_ < hold_at_; });
    return grpc::Status::OK;
  }

  // Answers no call from the one with this number on, until it is called again.
  void HoldAt(int call) {
    const std::lock_guard<std::mutex> lock(mu_);
    hold_at_ = call;
    changed_.notify_all();
  }
  void AwaitCall(int call) {
    std::unique_lock<std::mutex> lock(mu_);
    changed_.wait(lock, [&] { return calls_ >= call; });
  }
  int calls() {
    const std::lock_guard<std::mutex> lock(mu_);
    return calls_;
  }

  std::vector<v1::Service> Open() {
    const std::lock_guard<std::mutex> lock(mu_);
    std::vector<v1::Service> open;
    for (const auto& [id, service] : services_) {
      if (!service.withdrawn()) open.push_back(service);
    }
    return open;
  }

 private:
  static v1::Member Member() {
    v1::Member member;
    member.set_handle("lin");
    member.set_display_name("Linden");
    v1::Unit& unit = *member.add_units();
    unit.set_unit_id(Bytes('U'));
    unit.set_handle("lin.family");
    return member;
  }

  std::mutex mu_;
  std::condition_variable changed_;
  int calls_ = 0;
  int hold_at_ = std::numeric_limits<int>::max();
  std::map<std::string, v1::Service> services_;
};

struct Outcome {
  int code = -1;
  std::string out;
  std::string err;
};

class ListingProgramTest : public ::testing::Test {
 protected:
  ListingProgramTest() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("unix:" + folder_.path() + "/node.sock",
                             grpc::InsecureServerCredentials());
    builder.RegisterService(&node_);
    server_ = builder.BuildAndStart();
  }

  Outcome Run(const std::string& arguments) {
    const std::string in = "cd '" + folder_.path() + "' && ";
    const std::string command = in + "WAYMARK_SOCKET=node.sock WAYMARK_SESSION=session TZ=UTC '" +
                                WAYMARK_PROGRAM "' " + arguments + " </dev/null >out 2>err";
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, Slurp("out"), Slurp("err")};
  }

  std::string Slurp(const std::string& name) const {
    std::ifstream file(folder_.path() + "/" + name);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  static std::string Record(const std::string& id, const std::string& more = "") {
    return "{\"id\":\"" + id +
           R"(","name":"n","status":"active","assured_date":"2026-01-01",
               "service_areas":[{"name":"North"}],
               "attributes":[{"taxonomy_term":{"code":"206","taxonomy":"waymark-services"}}],
               "service_at_locations":[{"location":{"location_type":"physical"}}])" +
           more + "}";
  }

  const TestFolder folder_;
  KeepingNode node_;
  std::unique_ptr<grpc::Server> server_;
};

constexpr char kImport[] =
    "directory import town.json --area North=XA-N --default provider_kind=MAINSTREAM ";

TEST_F(ListingProgramTest, IsADryRunUntilItIsApplied) {
  folder_.Write("town.json", "[" + Record("s1") + "," + Record("s2") + "]");
  const Outcome dry = Run(kImport);
  EXPECT_EQ(dry.code, 0) << dry.err;
  EXPECT_THAT(dry.out, HasSubstr("town: 2 records, 2 ADDED"));
  EXPECT_THAT(dry.out, HasSubstr("nothing was published"));
  EXPECT_THAT(node_.Open(), SizeIs(0));

  EXPECT_EQ(Run(std::string(kImport) + "--apply").code, 0);
  ASSERT_THAT(node_.Open(), SizeIs(2));
  EXPECT_EQ(node_.Open()[0].service_areas(0), "XA-N");
  EXPECT_THAT(Slurp("town.json.imported.jsonl"), HasSubstr("\"finished\":true"));

  const Outcome again = Run(std::string(kImport) + "--apply");
  EXPECT_THAT(again.out, HasSubstr("town: 2 records, 2 UNCHANGED"));
  EXPECT_EQ(Run(std::string(kImport) + "--apply --resume").code, 5);
}

// Killed while the node has a record and the program does not know it yet: at that moment the
// journal is one record behind.
TEST_F(ListingProgramTest, GoesOnAfterItWasKilledInTheMiddle) {
  constexpr int kRecords = 9;
  constexpr int kKilledAt = 5;
  folder_.Write("old.json", "[" + Record("gone") + "]");
  ASSERT_EQ(Run("directory import old.json --source town --area North=XA-N "
                "--default provider_kind=MAINSTREAM --apply --journal town.json.imported.jsonl")
                .code,
            0);
  std::string records;
  for (int i = 1; i <= kRecords; ++i) {
    records += (i > 1 ? "," : "") + Record("s" + std::to_string(i));
  }
  folder_.Write("town.json", "[" + records + "]");

  node_.HoldAt(1 + kKilledAt);
  const auto import = testing::Process::Start(
      {{WAYMARK_PROGRAM, "directory", "import", folder_.path() + "/town.json", "--area",
        "North=XA-N", "--default", "provider_kind=MAINSTREAM", "--apply"},
       {{"WAYMARK_SOCKET", folder_.path() + "/node.sock"}, {"TZ", "UTC"}},
       folder_.path() + "/killed"});
  ASSERT_TRUE(import.ok()) << import.status();
  node_.AwaitCall(1 + kKilledAt);
  (*import)->Kill();
  node_.HoldAt(std::numeric_limits<int>::max());
  EXPECT_THAT(Slurp("town.json.imported.jsonl"), Not(HasSubstr("\"s5\"")));

  const Outcome outcome = Run(std::string(kImport) + "--apply --resume");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  // The record before the one in hand is looked at once more, which changes nothing.
  EXPECT_THAT(outcome.out, HasSubstr("town: 9 records, 7 ADDED, 2 UNCHANGED, 1 WITHDRAWN"));
  EXPECT_EQ(node_.calls(), 1 + kRecords + 1);
  EXPECT_THAT(node_.Open(), SizeIs(kRecords));
  EXPECT_THAT(Run(std::string(kImport) + "--apply").out, HasSubstr("9 records, 9 UNCHANGED"));
  EXPECT_EQ(node_.calls(), 1 + kRecords + 1);
}

TEST_F(ListingProgramTest, TellsHowFarItIsInALongFile) {
  std::string records;
  for (int i = 1; i <= 2001; ++i) {
    records += "{\"id\":\"s" + std::to_string(i) + "\",\"name\":\"n\",\"status\":\"active\"}\n";
  }
  folder_.Write("town.json", records);
  const Outcome outcome = Run(kImport);
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.err, HasSubstr("1000 records, 49 %\n2000 records, 99 %\n"));
  EXPECT_THAT(Run(std::string("--json ") + kImport).err, Not(HasSubstr("records")));
}

TEST_F(ListingProgramTest, SaysWhatRecordsLackAndWhatIsWithdrawn) {
  folder_.Write("town.json", "[" + Record("s1") + "," + Record("s2") + "]");
  ASSERT_EQ(Run(std::string(kImport) + "--apply").code, 0);
  folder_.Write("town.json", "[" + Record("s1", ",\"minimum_age\":18") +
                                 ",{\"id\":\"s3\",\"name\":\"n\",\"status\":\"active\"}]");
  const Outcome dry = Run(kImport);
  EXPECT_EQ(dry.code, 0);
  EXPECT_THAT(dry.out, HasSubstr("populations: - -> {\"minimum_age\":18}"));
  EXPECT_THAT(dry.out, HasSubstr("lacks code"));
  EXPECT_THAT(dry.out, HasSubstr("1 CHANGED, 1 WITHDRAWN, 1 INCOMPLETE"));
  EXPECT_THAT(Run(std::string("--json ") + kImport).out, HasSubstr("\"left_behind\":[\"name\"]"));
}

TEST_F(ListingProgramTest, EndsWithTwoWhenAPlaceWouldBeUncovered) {
  std::string record = Record("s1");
  record.replace(record.find("physical\""), 9, "redacted\",\"latitude\":1");
  folder_.Write("town.json", "[" + record + "]");
  const Outcome outcome = Run(std::string(kImport) + "--apply");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.out, HasSubstr("REFUSED"));
  EXPECT_THAT(node_.Open(), SizeIs(0));
}

TEST_F(ListingProgramTest, ShowsNoWordThatItHoldsBack) {
  const std::string word = std::string("vic") + "tim";
  folder_.Write("town.json", "[" + Record(word + "-1", ",\"" + word + "_notes\":\"x\"") + "]");
  const Outcome outcome = Run(kImport);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("HELD_BACK"));
  EXPECT_THAT(outcome.out + outcome.err, Not(HasSubstr(word)));
}

TEST_F(ListingProgramTest, ExportsWhatItImportsAgainUnchanged) {
  folder_.Write("town.json", "[" + Record("s1") + "]");
  ASSERT_EQ(Run(std::string(kImport) + "--apply").code, 0);
  for (const char* form : {"--format hsds-3.0 --to j30", "--format hsds-3.1 --to c31 --csv"}) {
    const Outcome exported = Run(std::string("directory export ") + form);
    EXPECT_EQ(exported.code, 0) << exported.err;
    EXPECT_EQ(Run(std::string("directory export ") + form).code, 7);
  }
  for (const char* source : {"j30/services.json", "c31"}) {
    const Outcome again = Run(std::string("directory import --source back ") + source);
    EXPECT_THAT(again.out, HasSubstr("back: 1 records, 1 UNCHANGED")) << again.out << again.err;
  }
}

// The mapping that comes with the program, on a record made up in the shape of its source.
TEST_F(ListingProgramTest, ImportsThroughTheMappingOfTheExample) {
  const std::string feature =
      R"([{"type":"Feature","id":7,"properties":{"locationName":"Irbid City","activity":5574,
          "endDate":"2014-12-31","7. Availability Day":{"Mondays only":true},
          "6. Availability":{"Every Day":true},"8. Office Open at":{"8:30am":true},
          "9. Office close at":{"Close at 15:00pm":true},"2. Nationality":{"Syrians only":true}},
          "geometry":{"type":"Point","coordinates":[1,2]}}])";
  folder_.Write("jordan.json", feature);
  const std::string command =
      "directory import jordan.json --mapping '" WAYMARK_MAPPINGS
      "/unhcr-jordan.jq' --jq '" WAYMARK_JQ_PROGRAM "' --apply --default last_verified=2014-11-01";
  EXPECT_THAT(Run(command).out, HasSubstr("1 ENDED"));
  const Outcome outcome = Run(command + " --arg today=2014-12-01");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  ASSERT_THAT(node_.Open(), SizeIs(1));
  const v1::Service service = node_.Open()[0];
  EXPECT_EQ(service.code(), 303U);
  EXPECT_EQ(service.service_areas(0), "JO-IR");
  EXPECT_EQ(service.intake_hours(0).from_minute(), 510);
  EXPECT_EQ(service.intake_hours(0).to_minute(), 900);
  EXPECT_EQ(service.conditions(0).value(), "NATIONALS_SY");
}

TEST_F(ListingProgramTest, SaysHowItIsUsed) {
  folder_.Write("town.json", "[]");
  EXPECT_EQ(Run("directory import town.json --format map").code, 2);
  EXPECT_EQ(Run("directory import town.json --resume").code, 2);
  EXPECT_EQ(Run("directory import town.json --default handle=x").code, 2);
  EXPECT_EQ(Run("directory import town.json --term x=y").code, 2);
  EXPECT_EQ(Run("directory import nowhere.json").code, 2);
  EXPECT_EQ(Run("directory export --to x").code, 2);
  EXPECT_EQ(Run("directory").code, 0);
}

}  // namespace
}  // namespace waymark::node
