// Not a test: `./dev trial` runs it over a published directory.
//
//   network_trial DATA MAPPING WAYMARK WAYMARK_JQ
//
// What a directory costs once it is in a network: imports DATA/directory/unhcr-jordan, in English
// and in Arabic, with the command line into one node of real processes, waits until another, which
// is joined to two local systems, holds it, and prints what that took. Ends with 1 when what was
// published at one is not all at the other, or the second import of the same file changes anything.
#include <sys/types.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/identity/files.h"
#include "base/status/status.h"
#include "tests/support/network_fixture.h"
#include "tests/support/poll.h"
#include "waymark/v1/node.grpc.pb.h"

namespace waymark::testing {
namespace {

using Stub = v1::NodeService::StubInterface;

// Of a search, which is repeated so often.
constexpr int kSearches = 21;

// Two local systems: one that is asked every second, and one that waits for files.
constexpr char kLocalSystems[] = R"(
connectors:
  - name: beds
    kind: sqlite
    poll: 1s
    database: $DIR/beds.db
    capacity: {mapping: $DIR/capacity.jq, read: SELECT free FROM rooms}
  - name: papers
    kind: files
    referrals: {mapping: $DIR/out.jq, folder: $DIR/papers, collected: false}
)";

struct Arguments {
  std::string data;
  std::string mapping;
  std::string waymark;
  std::string jq;
};

OrganisationPlan Organisation(const std::string& handle) {
  OrganisationPlan plan;
  plan.member = {.handle = handle,
                 .display_name = absl::StrCat("Organisation ", handle),
                 .organisation_class = v1::ORGANISATION_CLASS_NGO,
                 .jurisdiction = "XA",
                 .policy_pack = "us-vsp",
                 .units = {{.name = "desk", .display_name = "Desk"}}};
  plan.profile.add_reporting_duties(v1::REPORTING_DUTY_NONE_KNOWN);
  plan.profile.set_law_enforcement_relationship(v1::LAW_ENFORCEMENT_RELATIONSHIP_NONE);
  plan.profile.set_faith_participation(v1::FAITH_PARTICIPATION_NONE);
  return plan;
}

// MiB that the process has in memory; 0 when it is gone.
double ResidentMiB(const std::string& pid) {
  std::ifstream status("/proc/" + pid + "/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.rfind("VmRSS:", 0) == 0) return std::stod(line.substr(6)) / 1024;
  }
  return 0;
}

std::vector<std::string> ChildrenOf(pid_t pid) {
  std::vector<std::string> children;
  const std::string tasks = absl::StrCat("/proc/", pid, "/task");
  for (const auto& task : std::filesystem::directory_iterator(tasks)) {
    std::ifstream file(task.path() / "children");
    for (std::string child; file >> child;) children.push_back(child);
  }
  return children;
}

class Trial {
 public:
  Trial(const Arguments& arguments, NetworkFixture& network)
      : arguments_(arguments), network_(network) {}

  absl::Status Run() {
    RETURN_IF_ERROR(
        Waymark({"login", "admin", "--passphrase-file", network_.node("imp").passphrase_file()}));
    for (const char* language : {"en", "ar"}) RETURN_IF_ERROR(Import(language));
    RETURN_IF_ERROR(ImportAgain("en"));
    RETURN_IF_ERROR(AwaitReplica());
    RETURN_IF_ERROR(Restart());
    return Search();
  }

 private:
  absl::Status Waymark(std::vector<std::string> words) {
    words.insert(words.begin(), arguments_.waymark);
    return RunToEnd({.command = std::move(words),
                     .environment = {{"WAYMARK_SOCKET", network_.node("imp").socket()},
                                     {"WAYMARK_SESSION", network_.folder() + "/session"}},
                     .output = network_.folder() + "/waymark.out"});
  }

  std::vector<std::string> ImportWords(const std::string& language) const {
    return {"directory",
            "import",
            arguments_.data + "/directory/unhcr-jordan/services_" + language + ".json",
            "--mapping",
            arguments_.mapping,
            "--jq",
            arguments_.jq,
            "--source",
            "jordan-" + language,
            "--unit",
            "imp.desk",
            "--arg",
            "today=2014-12-15",
            "--default",
            "last_verified=2014-12-01",
            "--journal",
            network_.folder() + "/" + language + ".journal",
            "--apply"};
  }

  absl::Status Import(const std::string& language) {
    const absl::Time began = absl::Now();
    RETURN_IF_ERROR(Waymark(ImportWords(language)));
    ASSIGN_OR_RETURN(const int published, ServicesAt("imp"));
    std::cout << "  services_" << language << ".json: " << published - published_
              << " services published through the hub in " << Since(began) << "\n";
    published_ = published;
    return absl::OkStatus();
  }

  absl::Status ImportAgain(const std::string& language) {
    ASSIGN_OR_RETURN(const uint64_t before, RevisionAt("imp"));
    RETURN_IF_ERROR(Waymark(ImportWords(language)));
    ASSIGN_OR_RETURN(const uint64_t after, RevisionAt("imp"));
    if (before != after) return Failed("the second import of the same file changed the directory");
    std::cout << "  imported again: nothing changed\n";
    return absl::OkStatus();
  }

  absl::Status AwaitReplica() {
    const absl::Time began = absl::Now();
    const bool there = Eventually([&] {
      const auto held = ServicesAt("oth");
      return held.ok() && *held == published_;
    });
    if (!there) return Failed("the other node does not hold all that was published");
    std::cout << "  the other node holds all " << published_ << " services " << Since(began)
              << " after the last was published\n";
    return absl::OkStatus();
  }

  absl::Status Restart() {
    const std::string folder = network_.folder() + "/local";
    std::filesystem::create_directories(folder + "/papers");
    RETURN_IF_ERROR(WritePublicFile(folder + "/out.jq", "."));
    RETURN_IF_ERROR(WritePublicFile(folder + "/capacity.jq", "empty"));
    NodeProcess& node = network_.node("oth");
    RETURN_IF_ERROR(node.Stop());
    std::string settings = kLocalSystems;
    for (size_t at = 0; (at = settings.find("$DIR", at)) != std::string::npos;) {
      settings.replace(at, 4, folder);
    }
    RETURN_IF_ERROR(node.Configure(settings));
    const absl::Time began = absl::Now();
    RETURN_IF_ERROR(node.Start());
    std::cout << "  it starts, with two local systems, in " << Since(began) << "\n";
    RETURN_IF_ERROR(network_.AwaitConnected("oth"));
    std::cout << "  idle, it has " << ResidentMiB(std::to_string(node.pid()))
              << " MiB resident; the hub has " << ResidentMiB(std::to_string(network_.hub().pid()))
              << "\n";
    for (const std::string& child : ChildrenOf(node.pid())) {
      std::cout << "  a jq child has " << ResidentMiB(child) << " MiB\n";
    }
    return absl::OkStatus();
  }

  absl::Status Search() {
    NodeProcess& node = network_.node("oth");
    v1::CreateCaseRequest create;
    create.set_case_id(std::string(16, 'c'));
    create.set_unit_id(network_.unit("oth.desk").bytes());
    create.set_label("trial");
    RETURN_IF_ERROR(node.caseworker().Call(&Stub::CreateCase, create).status());
    v1::PutNeedRequest put;
    put.set_case_id(create.case_id());
    put.mutable_need()->set_need_id(std::string(16, 'n'));
    ASSIGN_OR_RETURN(const uint32_t code, MostFrequentCode());
    put.mutable_need()->set_service_code(code);
    put.mutable_need()->set_person_rank(1);
    put.mutable_need()->set_urgency(v1::URGENCY_U2);
    RETURN_IF_ERROR(node.caseworker().Call(&Stub::PutNeed, put).status());
    v1::MatchServicesRequest request;
    request.set_case_id(create.case_id());
    request.set_need_id(put.need().need_id());
    std::vector<absl::Duration> times;
    int matches = 0;
    for (int i = 0; i < kSearches; ++i) {
      const absl::Time began = absl::Now();
      ASSIGN_OR_RETURN(const auto found, node.caseworker().Call(&Stub::MatchServices, request));
      times.push_back(absl::Now() - began);
      matches = found.matches_size();
    }
    std::sort(times.begin(), times.end());
    std::cout << "  a search, explained, among them: " << matches << " matches in "
              << absl::FormatDuration(absl::Trunc(times[kSearches / 2], absl::Microseconds(10)))
              << " over the local socket (median of " << kSearches << ")\n";
    return absl::OkStatus();
  }

  // What most of the services offer.
  absl::StatusOr<uint32_t> MostFrequentCode() {
    ASSIGN_OR_RETURN(const auto listed, network_.node("oth").caseworker().Call(
                                            &Stub::ListDirectory, v1::ListDirectoryRequest()));
    std::map<uint32_t, int> offers;
    for (const v1::DirectoryListing& listing : listed.services()) {
      ++offers[listing.service().code()];
    }
    const auto most =
        std::max_element(offers.begin(), offers.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    if (most == offers.end()) return Failed("nothing was published");
    return most->first;
  }
  absl::StatusOr<int> ServicesAt(const std::string& handle) {
    ASSIGN_OR_RETURN(const auto listed, network_.node(handle).administrator().Call(
                                            &Stub::ListDirectory, v1::ListDirectoryRequest()));
    return listed.services_size();
  }
  absl::StatusOr<uint64_t> RevisionAt(const std::string& handle) {
    ASSIGN_OR_RETURN(const auto status, network_.node(handle).administrator().Call(
                                            &Stub::GetStatus, v1::GetStatusRequest()));
    return status.directory_revision();
  }

  static std::string Since(absl::Time began) {
    return absl::FormatDuration(absl::Trunc(absl::Now() - began, absl::Milliseconds(1)));
  }

  const Arguments arguments_;
  NetworkFixture& network_;
  int published_ = 0;
};

int Main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "usage: network_trial DATA MAPPING WAYMARK WAYMARK_JQ\n";
    return 2;
  }
  std::cout << "directory/unhcr-jordan in a network of real processes\n";
  auto network = NetworkFixture::Create({Organisation("imp"), Organisation("oth")});
  absl::Status done = network.status();
  if (done.ok()) done = Trial({argv[1], argv[2], argv[3], argv[4]}, **network).Run();
  if (!done.ok()) std::cerr << "network_trial: " << done.message() << "\n";
  return done.ok() ? 0 : 1;
}

}  // namespace
}  // namespace waymark::testing

int main(int argc, char** argv) { return waymark::testing::Main(argc, argv); }
