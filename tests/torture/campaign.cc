#include "tests/torture/campaign.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/status/status.h"
#include "tests/scenarios/scenario_1.h"
#include "tests/support/evidence.h"
#include "tests/support/poll.h"

namespace waymark::torture {
namespace {

using testing::NetworkFixture;
using testing::NodeProcess;

// At the same time; each goes on to its end before another takes its place.
constexpr size_t kCourses = 6;
// How long what is on its way may take once nothing is broken any more: the longest backoff of a
// link, and some time for a busy machine.
constexpr absl::Duration kSettleLimit = absl::Seconds(180);
// What happens between two faults, and how long it is waited for.
constexpr size_t kEventsBetween = 4;
constexpr absl::Duration kPaceLimit = absl::Seconds(3);
// A copy is taken before one of so many faults.
constexpr uint64_t kFaultsACopy = 4;
// How long a node that is to die at its next delivery is waited for.
constexpr absl::Duration kPointLimit = absl::Seconds(3);

class Campaign {
 public:
  explicit Campaign(const CampaignOptions& options) : options_(options), random_(options.seed) {}

  absl::StatusOr<CampaignResult> Run() {
    const absl::Time start = absl::Now();
    RETURN_IF_ERROR(SetUp());
    while (result_.kills < options_.kills) {
      RETURN_IF_ERROR(Inject(DrawFault(mortals_, way_names_, random_)));
      WorkOn();
      Beat(absl::StrCat(result_.kills, " kills"));
    }
    RETURN_IF_ERROR(Settle());
    RETURN_IF_ERROR(Collect());
    result_.violations = Check(result_.history);
    result_.courses = static_cast<int>(courses_.size());
    result_.took = absl::Now() - start;
    return std::move(result_);
  }

 private:
  void Beat(const std::string& doing) {
    if (options_.beat) options_.beat(doing);
  }

  absl::Status SetUp() {
    Beat("setting up the network");
    ASSIGN_OR_RETURN(
        network_, NetworkFixture::Create(testing::Scenario1Organisations({"qso", "lin", "bea"})));
    // From here on the clock runs by itself; both consents of the courses are valid.
    network_->MoveTo(testing::At(20, 15));
    testing::HubProcess& hub = network_->hub();
    mortals_.push_back({.name = "hub",
                        .pid = [&hub] { return hub.pid(); },
                        .running = [&hub] { return hub.running(); },
                        .restart =
                            [&hub] {
                              hub.Kill();
                              return hub.Start();
                            },
                        .die_at_its_point = nullptr,
                        .spare = nullptr,
                        .take_copy = [this] { return CopyHub(); },
                        .lose_disk = [this] { return RestoreHub(); }});
    RETURN_IF_ERROR(CopyHub());
    for (const char* handle : {"qso", "lin", "bea"}) RETURN_IF_ERROR(AddNode(handle));
    return absl::OkStatus();
  }

  // Gives the node a way of its own to the hub.
  absl::Status AddNode(const std::string& handle) {
    Beat("giving a way to " + handle);
    NodeProcess& node = network_->node(handle);
    ASSIGN_OR_RETURN(auto way, CuttingProxy::Start(network_->hub().ports().exchange));
    RETURN_IF_ERROR(node.Stop());
    RETURN_IF_ERROR(node.Configure(absl::StrCat("hubs:\n  - 127.0.0.1:", way->port(), "\n")));
    RETURN_IF_ERROR(node.Start());
    RETURN_IF_ERROR(network_->AwaitConnected(handle));
    ways_.push_back(std::move(way));
    way_names_.push_back(handle);
    mortals_.push_back({.name = handle,
                        .pid = [&node] { return node.pid(); },
                        .running = [&node] { return node.running(); },
                        .restart =
                            [&node] {
                              node.Kill();
                              return node.Start();
                            },
                        .die_at_its_point = [&node] { return node.KillAtNextDelivery(); },
                        .spare = [&node] { node.Spare(); },
                        .take_copy = nullptr,
                        .lose_disk = nullptr});
    return absl::OkStatus();
  }

  std::string HubCopy() const { return network_->folder() + "/hub.copy"; }

  absl::Status CopyHub() {
    const std::string partial = HubCopy() + ".part";
    std::filesystem::remove(partial);
    RETURN_IF_ERROR(testing::QueryDatabase(testing::DatabaseOf(network_->hub()),
                                           absl::StrCat("VACUUM INTO '", partial, "'"))
                        .status());
    std::filesystem::rename(partial, HubCopy());
    return absl::OkStatus();
  }

  absl::Status RestoreHub() {
    restored_ = true;
    const std::string database = testing::DatabaseOf(network_->hub());
    for (const char* beside : {"", "-wal", "-shm"}) std::filesystem::remove(database + beside);
    std::filesystem::copy_file(HubCopy(), database);
    return absl::OkStatus();
  }

  absl::Status Inject(const Fault& fault) {
    Beat(fault.name);
    ++result_.faults[fault.name];
    for (const Mortal& mortal : mortals_) {
      if (mortal.take_copy && random_.Uniform(kFaultsACopy) == 0) {
        RETURN_IF_ERROR(mortal.take_copy());
      }
    }
    if (fault.way >= 0) {
      CuttingProxy& way = *ways_[static_cast<size_t>(fault.way)];
      way.SetDelay(fault.delay);
      way.Set(fault.how);
      WorkFor(fault.lasts);
      way.Set(Way::kOpen);
      way.SetDelay(absl::ZeroDuration());
      return Revive();
    }
    if (fault.at_its_point >= 0) {
      const Mortal& mortal = mortals_[static_cast<size_t>(fault.at_its_point)];
      RETURN_IF_ERROR(mortal.die_at_its_point());
      WorkWhile([&] { return mortal.running(); }, kPointLimit);
      // One that got nothing meanwhile is left alive and counts for nothing.
      mortal.spare();
      WorkFor(fault.lasts);
      return Revive();
    }
    std::vector<pid_t> pids;
    for (const size_t mortal : fault.killed) pids.push_back(mortals_[mortal].pid());
    {
      const Assassin assassin(std::move(pids), fault.after);
      WorkFor(fault.after);
    }
    for (const size_t mortal : fault.killed) {
      if (!Eventually([&] { return !mortals_[mortal].running(); })) {
        return testing::Failed(mortals_[mortal].name + " outlives SIGKILL");
      }
    }
    if (fault.disk_lost >= 0) {
      RETURN_IF_ERROR(mortals_[static_cast<size_t>(fault.disk_lost)].lose_disk());
    }
    WorkFor(fault.lasts);
    return Revive();
  }

  // Starts again what has died, in any order, and counts it.
  absl::Status Revive() {
    for (size_t count = mortals_.size(), at = random_.Uniform(count); count > 0; --count, ++at) {
      const Mortal& mortal = mortals_[at % mortals_.size()];
      if (mortal.running()) continue;
      ++result_.kills;
      RETURN_IF_ERROR(mortal.restart());
    }
    return absl::OkStatus();
  }

  // Until referrals go on across the network again, so that the next fault meets something: a few
  // steps, each of which waits for the other side's.
  void WorkOn() {
    const size_t enough = result_.history.size() + kEventsBetween;
    WorkWhile([&] { return result_.history.size() < enough; }, kPaceLimit);
  }

  void WorkFor(absl::Duration time) {
    WorkWhile([] { return true; }, time);
  }

  // Works on the courses as long as `condition` holds, at most for `limit`.
  template <typename Condition>
  void WorkWhile(Condition condition, absl::Duration limit) {
    const absl::Time end = absl::Now() + limit;
    while (condition() && absl::Now() < end) Work(/*begin_new=*/true);
  }

  // Gives each course that is not at its end one chance to go on.
  void Work(bool begin_new) {
    size_t open = 0;
    for (const auto& course : courses_) {
      if (course->done()) continue;
      ++open;
      // A node that does not answer is down: the course goes on when it is up again.
      course->Advance(result_.history).status().IgnoreError();
    }
    if (begin_new && open < kCourses) {
      courses_.push_back(std::make_unique<Course>(*network_, random_));
    }
  }

  // Brings every course to its end, with everything as it should be.
  absl::Status Settle() {
    const auto settled = [&](const auto& course) { return course->done() && course->Settled(); };
    const bool all = Eventually(
        [&] {
          const auto left = std::count_if(courses_.begin(), courses_.end(),
                                          [](const auto& course) { return !course->done(); });
          Beat(absl::StrCat("settling, with ", left, " courses to end"));
          if (!Revive().ok()) return false;
          Work(/*begin_new=*/false);
          return left == 0 && std::all_of(courses_.begin(), courses_.end(), settled);
        },
        kSettleLimit);
    for (const auto& course : courses_) {
      if (!course->refused().ok()) {
        result_.failures.push_back(
            absl::StrCat("refused: ", course->name(), ": ", course->refused().ToString()));
      } else if (!all && !settled(course)) {
        result_.failures.push_back("came to no end: " + course->name());
      }
    }
    return absl::OkStatus();
  }

  absl::Status Collect() {
    Beat("looking into the vaults");
    for (const auto& course : courses_) RETURN_IF_ERROR(course->Collect(result_.history));
    RETURN_IF_ERROR(network_->StopAll());
    for (const std::string& handle : way_names_) RETURN_IF_ERROR(CheckInbox(handle));
    return absl::OkStatus();
  }

  // How many messages `handle` may have refused, which it does not remember: those that came back
  // to their sender with a reason, from it or from the hub.
  int64_t Refused(const std::string& handle) const {
    std::map<std::string, std::string> providers;
    for (const auto& course : courses_) providers[course->referral()] = course->provider();
    return std::count_if(result_.history.begin(), result_.history.end(), [&](const Event& event) {
      const std::string& recipient =
          event.party == kOrigin ? providers.at(event.referral) : origin_;
      return event.what == What::kReturned && event.detail != "UNSPECIFIED" && recipient == handle;
    });
  }

  // No delivery went into an inbox twice, not even one that was recognised as a repeat later; but
  // what a restored hub has forgotten comes again.
  absl::Status CheckInbox(const std::string& handle) {
    const std::string vault = DatabaseOf(network_->node(handle));
    ASSIGN_OR_RETURN(
        const auto stored,
        testing::QueryDatabase(vault, "SELECT seq FROM sqlite_sequence WHERE name = 'inbox'"));
    ASSIGN_OR_RETURN(const auto distinct,
                     testing::QueryDatabase(vault, "SELECT count(*) FROM seen"));
    ASSIGN_OR_RETURN(const auto left, testing::QueryDatabase(vault, "SELECT count(*) FROM inbox"));
    const int64_t taken_in = stored.empty() ? 0 : std::stoll(stored[0][0]);
    const int64_t messages = std::stoll(distinct[0][0]);
    const bool fits = taken_in >= messages && (restored_ || taken_in <= messages + Refused(handle));
    if (fits && left[0][0] == "0") return absl::OkStatus();
    result_.failures.push_back(absl::StrCat("the inbox of ", handle, " took in ", taken_in, " of ",
                                            messages, " and holds ", left[0][0]));
    return absl::OkStatus();
  }

  const CampaignOptions options_;
  const std::string origin_ = kOrigin;
  SeededRandom random_;
  std::unique_ptr<NetworkFixture> network_;
  std::vector<std::unique_ptr<CuttingProxy>> ways_;
  std::vector<std::string> way_names_;
  std::vector<Mortal> mortals_;
  bool restored_ = false;
  std::vector<std::unique_ptr<Course>> courses_;
  CampaignResult result_;
};

}  // namespace

absl::StatusOr<CampaignResult> RunCampaign(const CampaignOptions& options) {
  return Campaign(options).Run();
}

std::string Report(const CampaignOptions& options, const CampaignResult& result) {
  const auto count = [&](What what) {
    return std::count_if(result.history.begin(), result.history.end(),
                         [what](const Event& event) { return event.what == what; });
  };
  std::string text = absl::StrCat(
      "| | |\n|---|---|\n", "| result | ", result.passed() ? "passed" : "FAILED", " |\n",
      "| seed | ", options.seed, " |\n| processes killed | ", result.kills, " |\n| referrals | ",
      result.courses, " |\n| messages confirmed to the staff | ", count(What::kConfirmed),
      " |\n| found in the recipient's vault | ", count(What::kDelivered),
      " |\n| sent back or dropped by a withdrawal | ", count(What::kReturned),
      " |\n| breaches of the model's rules | ", result.violations.size(), " |\n| minutes | ",
      absl::ToInt64Minutes(result.took + absl::Seconds(30)),
      " |\n\n| fault | times |\n|---|---|\n");
  for (const auto& [name, times] : result.faults) {
    absl::StrAppend(&text, "| ", name, " | ", times, " |\n");
  }
  return text;
}

}  // namespace waymark::torture
