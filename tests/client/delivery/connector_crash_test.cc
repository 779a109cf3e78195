// Node, local system and the child that runs mappings are killed at every step of a delivery, over
// the real connectors for HTTP and FHIR. The systems are processes of their own, and so is the node
// each time; what the next finds is what lies on the disk.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <functional>
#include <future>
#include <map>
#include <optional>
#include <ostream>
#include <thread>

#include "client/connectors/json_pointer.h"
#include "gmock/gmock.h"
#include "tests/client/connectors/fhir_system.h"
#include "tests/client/delivery/bare_node.h"

namespace waymark::node {
namespace {

using ::testing::SizeIs;

constexpr int kTimes = 8;
constexpr int kStruck = 10;
constexpr size_t kAliveAtMost = 3;

// Each takes long enough to be killed in.
constexpr char kMatter[] = "([range(20000)] | length) as $n | {note: .referral.state}";
constexpr char kRequestAndTask[] =
    "([range(20000)] | length) as $n | "
    "{state: .referral.state, request: {note: [{text: .referral.state}]}}";
constexpr char kPostedRequest[] =
    "([range(20000)] | length) as $n | "
    "{resourceType: \"ServiceRequest\", status: \"active\", intent: \"order\","
    " subject: {display: \"withheld\"}, note: [{text: .referral.state}],"
    " identifier: [{system: \"https://waymark.test/referral\", value: $args.key}]}";

enum class Part { kNode, kSystem, kMappingChild, kAnswers };

// One crash: at the given step of a run when that comes for the given time, or so long after it.
struct Crash {
  Part part = Part::kNode;
  std::string step;
  int time = 0;
  absl::Duration after = absl::ZeroDuration();
};

std::string NameOf(const Crash& crash) {
  constexpr const char* kNames[] = {"the node", "the system", "the mapping child", "the answers"};
  return std::string(kNames[static_cast<int>(crash.part)]) + ", '" + crash.step + "' " +
         std::to_string(crash.time) + ", after " + absl::FormatDuration(crash.after);
}

std::vector<Crash> Campaign(Random& dice) {
  std::vector<Crash> crashes;
  for (const Part part : {Part::kNode, Part::kSystem, Part::kMappingChild}) {
    for (const char* step :
         {"mapping begins", "mapped", "write begins", "written", "erasure begins", "erased"}) {
      for (const int time : {0, 1}) crashes.push_back({part, step, time});
    }
  }
  // Within a step, wherever that is then.
  for (int i = 0; i < kTimes; ++i) {
    const auto after = [&] { return absl::Microseconds(dice.Uniform(5000)); };
    crashes.push_back({Part::kNode, "write begins", i % 2, after()});
    crashes.push_back({Part::kSystem, "write begins", i % 2, after()});
    crashes.push_back({Part::kNode, "erasure begins", 0, after()});
    crashes.push_back({Part::kMappingChild, "mapping begins", 1, after()});
  }
  for (int i = 0; i < 4; ++i) crashes.push_back({Part::kAnswers, "write begins", 0});
  return crashes;
}

// Says at which step it is.
using Reached = std::function<void(std::string_view)>;

class WatchedConnector final : public Connector {
 public:
  WatchedConnector(Connector& real, Reached reached) : real_(real), reached_(std::move(reached)) {}

  bool keyed() const override { return real_.keyed(); }
  absl::Status Ready() override { return real_.Ready(); }
  WriteResult Write(const LocalRecord& record) override {
    reached_("write begins");
    WriteResult result = real_.Write(record);
    reached_("written");
    return result;
  }
  WriteResult Erase(std::string_view key) override {
    reached_("erasure begins");
    WriteResult result = real_.Erase(key);
    reached_("erased");
    return result;
  }
  absl::StatusOr<FeedPage> Read(Feed feed, std::string_view cursor) override {
    return real_.Read(feed, cursor);
  }
  absl::Status Taken(Feed feed, std::string_view cursor) override {
    return real_.Taken(feed, cursor);
  }

 private:
  Connector& real_;
  const Reached reached_;
};

class WatchedRunner final : public MappingRunner {
 public:
  WatchedRunner(MappingRunner& real, Reached reached) : real_(real), reached_(std::move(reached)) {}

  absl::StatusOr<std::vector<std::string>> Run(
      const MappingProgram& program, std::string_view input_json,
      const std::map<std::string, std::string>& args) override {
    reached_("mapping begins");
    auto outputs = real_.Run(program, input_json, args);
    reached_("mapped");
    return outputs;
  }

 private:
  MappingRunner& real_;
  const Reached reached_;
};

// The FHIR server as one that only knows POST, and makes another resource of each.
class PostedSystem final : public FhirSystem {
 public:
  std::string Settings() const override {
    return "kind: http\n"
           "time_limit: 5s\n"
           "address: http://127.0.0.1:" +
           std::to_string(port()) +
           "/r4\n"
           "referrals: {mapping: out.jq, write: POST /ServiceRequest}\n";
  }
};

std::unique_ptr<TriedSystem> MakePostedSystem() { return std::make_unique<PostedSystem>(); }

struct CrashedKind {
  std::string name;
  bool keyed = true;
  std::string mapping;
  std::function<std::unique_ptr<TriedSystem>()> create;

  friend void PrintTo(const CrashedKind& kind, std::ostream* out) { *out << kind.name; }
};

class ConnectorCrashes : public ::testing::TestWithParam<CrashedKind> {
 protected:
  ConnectorCrashes() {
    // What is killed is a process and not the machine, so that memory will do for a disk.
    setenv("TMPDIR", "/dev/shm", /*replace=*/1);
    folder_ = std::make_unique<VaultFolder>();
    system_ = GetParam().create();
  }

  bool keyed() const { return GetParam().keyed; }

  std::unique_ptr<Connector> Connect() {
    auto made = MakeFrom(system_->Settings(), SteadyClock());
    EXPECT_TRUE(made.ok()) << made.status();
    return made.ok() ? *std::move(made) : nullptr;
  }

  // Does something with a node that runs nothing.
  template <typename Action>
  void AtRest(Action action) {
    BareNode node(*folder_, now_, seed_++);
    const std::unique_ptr<Connector> connector = Connect();
    node.targets.front().connector = connector.get();
    node.targets.front().outward = MappingProgram{"out.jq", GetParam().mapping};
    action(node);
  }

  // New referrals and changes: two records to be written, and one to be erased.
  void WorkOn(BareNode& node, bool erase) {
    if (keyed() && referrals_.size() >= kAliveAtMost) {
      if (erase) node.Erase(referrals_[referrals_.size() - kAliveAtMost]);
      node.Advance(referrals_.back());
    } else {
      node.Save(referrals_.emplace_back(node.NewReferral()));
    }
    node.Save(referrals_.emplace_back(node.NewReferral()));
  }

  void Strike(Part part, JqRunner& runner) const {
    switch (part) {
      case Part::kNode:
        kill(getpid(), SIGKILL);
        break;
      case Part::kSystem:
        kill(system_->pid(), SIGKILL);
        break;
      case Part::kMappingChild:
        if (const int child = runner.child_pid(); child > 0) kill(child, SIGKILL);
        break;
      case Part::kAnswers:
        break;
    }
  }

  // What the process of the node does. Returns whether the crash took place.
  bool RunNode(const std::optional<Crash>& crash) {
    auto runner = JqRunner::Create({.program = WAYMARK_JQ_PROGRAM});
    if (!runner.ok()) return false;
    const std::unique_ptr<Connector> connector = Connect();
    BareNode node(*folder_, now_, seed_);
    std::promise<void> over;
    std::thread striker;
    bool struck = false;
    int time = 0;
    const Reached reached = [&](std::string_view step) {
      if (!crash.has_value() || struck || step != crash->step || time++ != crash->time) return;
      struck = true;
      if (crash->after == absl::ZeroDuration()) return Strike(crash->part, **runner);
      striker = std::thread([&, ends = over.get_future()] {
        ends.wait_for(absl::ToChronoMicroseconds(crash->after));
        Strike(crash->part, **runner);
      });
    };
    WatchedConnector watched(*connector, reached);
    WatchedRunner watched_runner(**runner, reached);
    node.Connect(watched, watched_runner, GetParam().mapping);
    node.Run();
    over.set_value();
    if (striker.joinable()) striker.join();
    return struck;
  }

  // A process of its own, and a day. Whether the crash took place.
  bool RunProcess(const std::optional<Crash>& crash) {
    const pid_t child = fork();
    if (child == 0) _exit(RunNode(crash) ? kStruck : 0);
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    ++seed_;
    now_ += absl::Hours(24);
    const bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    const bool ended =
        WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == kStruck);
    EXPECT_TRUE(ended || (killed && crash.has_value() && crash->part == Part::kNode)) << status;
    return killed || (ended && WEXITSTATUS(status) == kStruck);
  }

  // The notes of all records by their keys, several if a key has several records.
  std::multimap<std::string, std::string> Records() {
    std::multimap<std::string, std::string> records;
    const auto* clinic = dynamic_cast<const FhirSystem*>(system_.get());
    if (clinic == nullptr) {
      for (const auto& [key, note] : system_->Notes()) records.emplace(key, note);
      return records;
    }
    for (const std::string& request : clinic->All("ServiceRequest")) {
      records.emplace(JsonAt(request, "/identifier/0/value")->text,
                      JsonAt(request, "/note/0/text")->text);
    }
    const size_t tasks = keyed() ? records.size() : 0;
    EXPECT_THAT(clinic->All("Task"), SizeIs(tasks)) << "each with its Task";
    return records;
  }

  // Whatever happened, a referral has one record at most, and a person is asked only where the
  // system has no key.
  void CheckAlways(const BareNode& node) {
    const auto records = Records();
    const std::vector<ShownDelivery> shown = node.Deliveries(/*all=*/true);
    EXPECT_EQ(shown.size(), referrals_.size()) << "none is lost";
    for (const ShownDelivery& one : shown) {
      const auto count = records.count(KeyOf(one.delivery));
      EXPECT_LE(count, 1U);
      const bool put = one.delivery.task() == local::v1::LOCAL_TASK_PUT;
      const bool done = one.delivery.state() == local::v1::LOCAL_STATE_DONE;
      EXPECT_TRUE(!done || count == (put ? 1U : 0U)) << "done is done";
      EXPECT_FALSE(keyed() && one.delivery.state() == local::v1::LOCAL_STATE_UNCERTAIN);
    }
  }

  void CheckAtTheEnd() {
    const auto records = Records();
    size_t expected = 0;
    for (const local::v1::Referral& referral : referrals_) {
      const std::string key = ReferralId::FromBytes(referral.referral_id())->hex();
      const bool erased = referral.erased_at_ms() != 0;
      expected += erased ? 0 : 1;
      ASSERT_EQ(records.count(key), erased ? 0U : 1U) << referral.state();
      if (keyed() && !erased) {
        EXPECT_EQ(records.find(key)->second, referral.state());
      }
    }
    EXPECT_THAT(records, SizeIs(expected)) << "no record of anything else";
  }

  // One crash, and everything that follows until all is well. Whether it took place.
  bool Suffer(const Crash& crash) {
    // An erasure goes first, and one whose answer is lost would keep the writes waiting.
    AtRest([&](BareNode& node) { WorkOn(node, crash.part != Part::kAnswers); });
    if (crash.part == Part::kAnswers) system_->LoseAnswers();
    const bool struck = RunProcess(crash);
    if (crash.part == Part::kAnswers || crash.part == Part::kSystem) system_->Mend();
    // What was cut off is found, and what was given up waits for a person.
    RunProcess(std::nullopt);
    AtRest([&](BareNode& node) {
      CheckAlways(node);
      const auto records = Records();
      unknown_ += node.LookAndSay([&](const std::string& key) { return records.contains(key); });
    });
    RunProcess(std::nullopt);
    AtRest([&](BareNode& node) { CheckAlways(node); });
    CheckAtTheEnd();
    return struck;
  }

  std::unique_ptr<VaultFolder> folder_;
  std::unique_ptr<TriedSystem> system_;
  std::vector<local::v1::Referral> referrals_;
  absl::Time now_ = absl::FromUnixSeconds(1'900'000'000);
  uint32_t seed_ = 1;
  // How often a person had to look.
  int unknown_ = 0;
};

TEST_P(ConnectorCrashes, LeaveOneRecordAReferralAndLoseNone) {
  SeededRandom dice(7);
  // Three referrals whose records are there.
  AtRest([&](BareNode& node) { WorkOn(node, /*erase=*/false); });
  AtRest([&](BareNode& node) { WorkOn(node, /*erase=*/false); });
  RunProcess(std::nullopt);
  std::map<Part, int> struck;
  for (const Crash& crash : Campaign(dice)) {
    SCOPED_TRACE(NameOf(crash));
    struck[crash.part] += Suffer(crash) ? 1 : 0;
    if (HasFailure()) return;
  }
  for (const auto& [part, count] : struck) {
    RecordProperty("struck_" + std::to_string(static_cast<int>(part)), count);
    EXPECT_GE(count, part == Part::kAnswers ? 4 : 12);
  }
  RecordProperty("a_person_looked", unknown_);
  EXPECT_EQ(unknown_ > 0, !keyed()) << unknown_;
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, ConnectorCrashes,
    ::testing::Values(CrashedKind{"Http", true, kMatter, &MakeHttpSystem},
                      CrashedKind{"Fhir", true, kRequestAndTask, &MakeFhirSystem},
                      CrashedKind{"HttpWithoutKeys", false, kPostedRequest, &MakePostedSystem}),
    [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace waymark::node
