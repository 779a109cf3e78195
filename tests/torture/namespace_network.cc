#include "tests/torture/namespace_network.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status/status.h"
#include "tests/support/process.h"

namespace waymark::torture {
namespace {

constexpr char kIp[] = "/usr/sbin/ip";
constexpr char kTc[] = "/usr/sbin/tc";
constexpr char kEnter[] = "/usr/bin/nsenter";
// The interface at the node's end.
constexpr char kNodeEnd[] = "hub";

// The largest packet, as its frame goes over the wire.
constexpr int64_t kPacketBits = 1514 * 8;

// How an interface treats what is sent on it, for `tc`. A slow one takes `delay` for a full packet,
// and what waits is bounded.
std::string Discipline(bool lost, absl::Duration delay) {
  if (lost) return "pfifo limit 0";
  if (delay <= absl::ZeroDuration()) return "pfifo limit 1000";
  const auto rate = static_cast<int64_t>(kPacketBits / absl::ToDoubleSeconds(delay));
  return absl::StrCat("tbf rate ", rate, "bit burst ", kPacketBits / 8, " limit 65536");
}

// A namespace with nothing in it, which lasts as long as it is held.
FileDescriptor NewNamespace() {
  int fd = -1;
  std::thread maker([&fd] {
    if (unshare(CLONE_NEWNET) == 0) fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  });
  maker.join();
  return FileDescriptor(fd);
}

// Two linked interfaces: "hub" in the node's namespace, and one in that of the thread that makes
// and changes it.
class NamespaceWay final : public Way {
 public:
  NamespaceWay(FileDescriptor node, int number, std::vector<int> ports, std::string log)
      : node_(std::move(node)),
        // Whoever opens it enters what the descriptor holds.
        path_(absl::StrCat("/proc/", getpid(), "/fd/", node_.get())),
        hub_end_(absl::StrCat("to-", number)),
        node_address_(absl::StrCat("10.77.0.", number + 1)),
        ports_(std::move(ports)),
        log_(std::move(log)) {}

  absl::Status SetUp() {
    const std::string address = NamespaceNetwork::kAddress;
    RETURN_IF_ERROR(Run({kIp}, absl::StrCat("link add ", hub_end_, " type veth peer name ",
                                            kNodeEnd, " netns ", path_)));
    RETURN_IF_ERROR(Run(
        {kIp}, absl::StrCat("address add ", address, " peer ", node_address_, " dev ", hub_end_)));
    RETURN_IF_ERROR(AtNode(
        kIp, absl::StrCat("address add ", node_address_, " peer ", address, " dev ", kNodeEnd)));
    RETURN_IF_ERROR(AtNode(kIp, "link set lo up"));
    RETURN_IF_ERROR(Run({kIp}, absl::StrCat("link set ", hub_end_, " up")));
    return Set(Passage::kOpen, absl::ZeroDuration());
  }

  std::vector<std::string> hubs() const override {
    std::vector<std::string> hubs;
    hubs.reserve(ports_.size());
    for (const int port : ports_) {
      hubs.push_back(absl::StrCat(NamespaceNetwork::kAddress, ":", port));
    }
    return hubs;
  }

  std::vector<std::string> entrance() const override { return {kEnter, "--net=" + path_}; }

  absl::Status Set(Passage passage, absl::Duration delay) override {
    const std::string link = absl::StrCat("link set ", kNodeEnd, " ");
    if (passage == Passage::kCut) return AtNode(kIp, link + "down");
    const bool stopped = passage == Passage::kStopped;
    RETURN_IF_ERROR(
        AtNode(kTc, absl::StrCat("qdisc replace dev ", kNodeEnd, " root ",
                                 Discipline(stopped || passage == Passage::kUpStopped, delay))));
    RETURN_IF_ERROR(
        Run({kTc}, absl::StrCat("qdisc replace dev ", hub_end_, " root ",
                                Discipline(stopped || passage == Passage::kDownStopped, delay))));
    return AtNode(kIp, link + "up");
  }

 private:
  absl::Status AtNode(const std::string& program, const std::string& arguments) const {
    std::vector<std::string> command = entrance();
    command.push_back(program);
    return Run(std::move(command), arguments);
  }
  absl::Status Run(std::vector<std::string> command, const std::string& arguments) const {
    const std::vector<std::string> words = absl::StrSplit(arguments, ' ');
    command.insert(command.end(), words.begin(), words.end());
    return testing::RunToEnd({.command = std::move(command), .output = log_});
  }

  const FileDescriptor node_;
  const std::string path_;
  const std::string hub_end_;
  const std::string node_address_;
  const std::vector<int> ports_;
  const std::string log_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<NamespaceNetwork>> NamespaceNetwork::Enter() {
  for (const char* program : {kIp, kTc, kEnter}) {
    if (access(program, X_OK) == 0) continue;
    return testing::Failed(
        absl::StrCat("there is no ", program, "; install the packages iproute2 and util-linux"));
  }
  if (unshare(CLONE_NEWNET) != 0) {
    return testing::Failed(
        "a network of its own needs rights of root, which a container may lack; others than root "
        "get "
        "them from tests/torture/network_root.sh PROGRAM");
  }
  std::string log = (std::filesystem::temp_directory_path() / "waymark-network-XXXXXX").string();
  if (!FileDescriptor(mkostemp(log.data(), O_CLOEXEC)).ok()) {
    return testing::Failed("no file to be had for a network's log");
  }
  std::unique_ptr<NamespaceNetwork> network(new NamespaceNetwork(log));
  RETURN_IF_ERROR(testing::RunToEnd({.command = {kIp, "link", "set", "lo", "up"}, .output = log}));
  return network;
}

NamespaceNetwork::~NamespaceNetwork() {
  std::error_code ignored;
  std::filesystem::remove(log_, ignored);
}

absl::StatusOr<std::unique_ptr<Way>> NamespaceNetwork::MakeWay(std::vector<int> ports) {
  FileDescriptor node = NewNamespace();
  if (!node.ok()) return testing::Failed("no network namespace to be had for a node");
  auto way = std::make_unique<NamespaceWay>(std::move(node), ++ways_, std::move(ports), log_);
  RETURN_IF_ERROR(way->SetUp());
  return way;
}

}  // namespace waymark::torture
