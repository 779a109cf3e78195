#include "tests/torture/campaign.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/status/status.h"
#include "tests/scenarios/scenario_1.h"
#include "tests/support/evidence.h"
#include "tests/support/poll.h"
#include "tests/support/seeded_random.h"
#include "tests/torture/course.h"

namespace waymark::torture {
namespace {

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
      RETURN_IF_ERROR(Inject(DrawFault(network_->mortals(), network_->handles(), random_)));
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
    ASSIGN_OR_RETURN(network_,
                     TortureNetwork::Create(
                         {.store = options_.store, .ways = options_.ways, .beat = options_.beat},
                         {"qso", "lin", "bea"}));
    // From here on the clock runs by itself; both consents of the courses are valid.
    network_->fixture().MoveTo(testing::At(20, 15));
    return absl::OkStatus();
  }

  absl::Status Inject(const Fault& fault) {
    Beat(fault.name);
    ++result_.faults[fault.name];
    const std::vector<Mortal>& mortals = network_->mortals();
    for (const Mortal& mortal : mortals) {
      if (mortal.take_copy && random_.Uniform(kFaultsACopy) == 0) {
        RETURN_IF_ERROR(mortal.take_copy());
      }
    }
    if (fault.way >= 0) {
      Way& way = network_->way(static_cast<size_t>(fault.way));
      RETURN_IF_ERROR(way.Set(fault.passage, fault.delay));
      WorkFor(fault.lasts);
      RETURN_IF_ERROR(way.Set(Passage::kOpen, absl::ZeroDuration()));
      return Revive(fault);
    }
    if (fault.at_its_point >= 0) {
      const Mortal& mortal = mortals[static_cast<size_t>(fault.at_its_point)];
      RETURN_IF_ERROR(mortal.die_at_its_point());
      WorkWhile([&] { return mortal.running(); }, kPointLimit);
      // One that got nothing meanwhile is left alive and counts for nothing.
      mortal.spare();
      WorkFor(fault.lasts);
      return Revive(fault);
    }
    std::vector<pid_t> pids;
    for (const size_t mortal : fault.killed) pids.push_back(mortals[mortal].pid());
    {
      const Assassin assassin(std::move(pids), fault.after);
      WorkFor(fault.after);
    }
    for (const size_t mortal : fault.killed) {
      if (!Eventually([&] { return !mortals[mortal].running(); })) {
        return testing::Failed(mortals[mortal].name + " outlives SIGKILL");
      }
    }
    if (fault.disk_lost >= 0) {
      RETURN_IF_ERROR(mortals[static_cast<size_t>(fault.disk_lost)].lose_disk());
    }
    WorkFor(fault.lasts);
    return Revive(fault);
  }

  // Starts again what has died: first what others need, the others in any order. Only `fault` may
  // have killed it.
  absl::Status Revive(const Fault& fault) {
    const std::vector<Mortal>& mortals = network_->mortals();
    for (size_t at = 0; at < mortals.size(); ++at) {
      if (mortals[at].needed) RETURN_IF_ERROR(Revive(at, fault));
    }
    for (size_t count = mortals.size(), at = random_.Uniform(count); count > 0; --count, ++at) {
      RETURN_IF_ERROR(Revive(at % mortals.size(), fault));
    }
    return absl::OkStatus();
  }

  absl::Status Revive(size_t index, const Fault& fault) {
    const Mortal& mortal = network_->mortals()[index];
    if (mortal.running()) return absl::OkStatus();
    const auto& killed = fault.killed;
    if (fault.at_its_point == static_cast<int>(index) ||
        std::find(killed.begin(), killed.end(), index) != killed.end()) {
      ++result_.kills;
    } else {
      result_.failures.push_back(mortal.name + " ended by itself, at \"" + fault.name + "\"");
    }
    return mortal.restart();
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
      courses_.push_back(std::make_unique<Course>(network_->fixture(), random_));
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
          if (!Revive({.name = "settling"}).ok()) return false;
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
    RETURN_IF_ERROR(network_->fixture().StopAll());
    for (const std::string& handle : network_->handles()) RETURN_IF_ERROR(CheckInbox(handle));
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
    const std::string vault = testing::DatabaseOf(network_->fixture().node(handle));
    ASSIGN_OR_RETURN(
        const auto stored,
        testing::QueryDatabase(vault, "SELECT seq FROM sqlite_sequence WHERE name = 'inbox'"));
    ASSIGN_OR_RETURN(const auto distinct,
                     testing::QueryDatabase(vault, "SELECT count(*) FROM seen"));
    ASSIGN_OR_RETURN(const auto left, testing::QueryDatabase(vault, "SELECT count(*) FROM inbox"));
    const int64_t taken_in = stored.empty() ? 0 : std::stoll(stored[0][0]);
    const int64_t messages = std::stoll(distinct[0][0]);
    const bool fits =
        taken_in >= messages && (network_->restored() || taken_in <= messages + Refused(handle));
    if (fits && left[0][0] == "0") return absl::OkStatus();
    result_.failures.push_back(absl::StrCat("the inbox of ", handle, " took in ", taken_in, " of ",
                                            messages, " and holds ", left[0][0]));
    return absl::OkStatus();
  }

  const CampaignOptions options_;
  const std::string origin_ = kOrigin;
  SeededRandom random_;
  std::unique_ptr<TortureNetwork> network_;
  std::vector<std::unique_ptr<Course>> courses_;
  CampaignResult result_;
};

const char* StoreText(StoreKind store) {
  switch (store) {
    case StoreKind::kSqlite:
      return "SQLite, under one hub";
    case StoreKind::kPostgresql:
      return "PostgreSQL, under two hubs";
    case StoreKind::kPostgresqlAlone:
      return "PostgreSQL, under one hub";
  }
  return "";
}

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
      "| store | ", StoreText(options.store), " |\n| network | ",
      options.ways == WayKind::kProxy ? "cut by a proxy" : "cut by the kernel, in namespaces",
      " |\n| seed | ", options.seed, " |\n| processes killed | ", result.kills,
      " |\n| referrals | ", result.courses, " |\n| messages confirmed to the staff | ",
      count(What::kConfirmed), " |\n| found in the recipient's vault | ", count(What::kDelivered),
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
