#include "tests/bench/load/soak.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/time/clock.h"
#include "base/status/status.h"
#include "base/sync/sync.h"
#include "tests/bench/load/histogram.h"
#include "tests/bench/load/nanos.h"
#include "tests/bench/load/prepared.h"
#include "tests/bench/load/schedule.h"
#include "tests/support/poll.h"
#include "tests/support/seeded_random.h"

namespace waymark::bench {
namespace {

constexpr int64_t kPulse = 5'000'000;
// How long a message's nodes must have been there for its latency to count.
constexpr int64_t kSettled = 1'000'000'000;
constexpr uint64_t kLongestRestMillis = 2000;
constexpr absl::Duration kSoakEndLimit = absl::Seconds(60);
constexpr absl::Duration kLongestInterval = absl::Seconds(10);
constexpr int kFewestSamples = 20;
constexpr int kWarmupShare = 6;
// Lanes, in each of which one referral follows another, take turns: as many as leave this time, in
// seconds, between the messages of a referral.
constexpr double kTurnSeconds = 0.25;
constexpr double kMostLanes = 2048;
constexpr size_t kSteps = 7;

// The tag of an item: its referral's number, its step, or that it is the registration.
constexpr uint64_t kStepBits = 4;
constexpr uint64_t kTokenStep = (uint64_t{1} << kStepBits) - 1;
uint64_t TagOf(uint64_t number, size_t step) { return number << kStepBits | step; }

// A referral under way. It stays where it is until everything of it has been answered.
struct Course {
  struct Step {
    std::string id;
    int64_t intended = 0;
    bool due = false;
    bool confirmed = false;
    bool delivered = false;
    bool through() const { return confirmed && delivered; }
  };

  uint64_t number = 0;
  PreparedReferral referral;
  std::vector<Step> steps;
  bool registered = false;

  size_t provider() const { return referral.messages[1].sender; }
};

class SoakLoad final : public NodeListener {
 public:
  SoakLoad(BenchNetwork& network, const SoakPlan& plan, Box box)
      : network_(network), plan_(plan), box_(std::move(box)), random_(plan.seed) {
    const double lanes = std::clamp(plan.rate * kTurnSeconds, 1.0, kMostLanes);
    lanes_.resize(static_cast<size_t>(lanes));
    // So that at any time every kind of message is among those that start.
    for (size_t i = 0; i < lanes_.size(); ++i) lanes_[i].turns_to_wait = i % kSteps;
  }

  absl::StatusOr<SoakResult> Run(const std::vector<std::unique_ptr<SimulatedNode>>& nodes);

  void OnConfirmed(size_t node, uint64_t tag) override;
  void OnRefused(size_t node, uint64_t tag, v1::Reason reason) override;
  void OnDelivered(size_t node, const v1::Message& message) override;
  void OnBroken(size_t /*node*/, const std::string& what) override { Fail(what); }

 private:
  struct Lane {
    size_t turns_to_wait = 0;
    uint64_t number = 0;
    // The next of its referral; none of it is left at first.
    size_t step = kSteps;
  };
  // What is submitted together.
  struct Departure {
    size_t sender = 0;
    std::vector<Entry> entries;
  };
  // Counts since the last sample.
  struct Window {
    uint64_t through = 0;
    Histogram confirmed;
  };

  // The main thread's.
  absl::Status PassUntil(int64_t end);
  absl::Status StartDue(int64_t now);
  absl::Status OpenCourse(Lane& lane);
  void Pulse();
  void LeaveOne();
  absl::Status TakeSample(int64_t now);
  void AwaitEnd();
  void Collect();

  void OnDue(uint64_t number, size_t step, int64_t intended);
  Departure Depart(Course& course, size_t step) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Submit(const std::optional<Departure>& departure);
  // What follows the step, if it came through with what just happened.
  std::optional<Departure> Continue(Course& course, size_t step) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void CloseIfDone(const Course& course) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool WereThere(const Course& course, int64_t intended) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Fail(const std::string& what) ABSL_LOCKS_EXCLUDED(mu_);
  void FailLocked(const std::string& what) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    ++result_.failures[what];
  }

  BenchNetwork& network_;
  const SoakPlan plan_;
  const Box box_;
  SeededRandom random_;
  const std::vector<std::unique_ptr<SimulatedNode>>* nodes_ = nullptr;
  std::vector<Lane> lanes_;
  size_t next_slot_ = 0;
  uint64_t next_number_ = 0;
  int64_t began_ = 0;
  int64_t next_leave_ = kNever;
  int64_t leave_interval_ = 0;
  int64_t next_sample_ = kNever;
  int64_t interval_ = 0;
  // Of each node: whether it is away, and how often it had been welcomed when it left.
  std::vector<std::optional<uint64_t>> away_;
  Histogram welcomed_;
  int64_t last_sample_ = 0;
  double last_cpu_seconds_ = 0;

  Mutex mu_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  absl::flat_hash_map<uint64_t, std::unique_ptr<Course>> courses_ ABSL_GUARDED_BY(mu_);
  // Number and step of every message of a course.
  absl::flat_hash_map<MessageId, uint64_t> tags_ ABSL_GUARDED_BY(mu_);
  // Since when each node is there; kNever while it is not.
  std::vector<int64_t> there_since_ ABSL_GUARDED_BY(mu_);
  Window window_ ABSL_GUARDED_BY(mu_);
  uint64_t due_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t under_way_ ABSL_GUARDED_BY(mu_) = 0;
  SoakResult result_ ABSL_GUARDED_BY(mu_);
};

// What the nodes tell
// ------------------------------------------------------------------------------

void SoakLoad::Fail(const std::string& what) {
  MutexLock lock(mu_);
  FailLocked(what);
}

bool SoakLoad::WereThere(const Course& course, int64_t intended) const {
  const int64_t since =
      std::max(there_since_[course.referral.origin], there_since_[course.provider()]);
  return since < intended - kSettled;
}

SoakLoad::Departure SoakLoad::Depart(Course& course, size_t step) {
  ++result_.started;
  ++under_way_;
  const PreparedMessage& message = course.referral.messages[step];
  Departure departure = {.sender = message.sender, .entries = {}};
  if (step == 0) {
    departure.entries.push_back({&course.referral.registration, &course.referral.token_hash,
                                 TagOf(course.number, kTokenStep)});
  }
  departure.entries.push_back({&message.item, &course.steps[step].id, TagOf(course.number, step)});
  return departure;
}

void SoakLoad::Submit(const std::optional<Departure>& departure) {
  if (!departure) return;
  (*nodes_)[departure->sender]->Submit(departure->entries.data(), departure->entries.size());
}

std::optional<SoakLoad::Departure> SoakLoad::Continue(Course& course, size_t step) {
  if (!course.steps[step].through()) return std::nullopt;
  ++window_.through;
  --under_way_;
  if (step + 1 < kSteps) {
    if (!course.steps[step + 1].due || stopping_) return std::nullopt;
    return Depart(course, step + 1);
  }
  CloseIfDone(course);
  return std::nullopt;
}

void SoakLoad::CloseIfDone(const Course& course) {
  if (!course.registered || !course.steps.back().through()) return;
  for (const PreparedMessage& message : course.referral.messages) tags_.erase(message.id);
  const uint64_t number = course.number;
  courses_.erase(number);
}

void SoakLoad::OnConfirmed(size_t /*node*/, uint64_t tag) {
  std::optional<Departure> next;
  {
    MutexLock lock(mu_);
    const auto found = courses_.find(tag >> kStepBits);
    if (found == courses_.end()) return FailLocked("an item was confirmed that is not under way");
    Course& course = *found->second;
    const size_t place = tag & kTokenStep;
    if (place == kTokenStep) {
      course.registered = true;
      return CloseIfDone(course);
    }
    Course::Step& step = course.steps[place];
    if (WereThere(course, step.intended)) {
      window_.confirmed.Record(
          static_cast<uint64_t>(std::max<int64_t>(Nanos() - step.intended, 0)));
    }
    step.confirmed = true;
    ++result_.confirmed;
    next = Continue(course, place);
  }
  Submit(next);
}

void SoakLoad::OnRefused(size_t /*node*/, uint64_t tag, v1::Reason reason) {
  MutexLock lock(mu_);
  FailLocked("refused: " + std::string(ReasonName(reason)));
  // Its referral ends here.
  if ((tag & kTokenStep) != kTokenStep) --under_way_;
}

void SoakLoad::OnDelivered(size_t /*node*/, const v1::Message& message) {
  const auto id = IdInHeader(message.header());
  std::optional<Departure> next;
  {
    MutexLock lock(mu_);
    const auto tag = id ? tags_.find(*id) : tags_.end();
    if (tag == tags_.end()) return FailLocked("a message was delivered that is not under way");
    Course& course = *courses_.at(tag->second >> kStepBits);
    const size_t place = tag->second & kTokenStep;
    Course::Step& step = course.steps[place];
    if (step.delivered) return FailLocked("delivered again");
    step.delivered = true;
    ++result_.delivered;
    next = Continue(course, place);
  }
  Submit(next);
}

// Starting
// -----------------------------------------------------------------------------------------

absl::Status SoakLoad::OpenCourse(Lane& lane) {
  auto course = std::make_unique<Course>();
  course->number = next_number_++;
  ASSIGN_OR_RETURN(course->referral, PrepareQuickly(network_.id(), network_.parties(),
                                                    course->number, box_, absl::Now()));
  lane.number = course->number;
  lane.step = 0;
  MutexLock lock(mu_);
  for (const PreparedMessage& message : course->referral.messages) {
    tags_.emplace(message.id, TagOf(course->number, course->steps.size()));
    course->steps.push_back({.id = message.id.bytes()});
  }
  courses_.emplace(course->number, std::move(course));
  return absl::OkStatus();
}

void SoakLoad::OnDue(uint64_t number, size_t step, int64_t intended) {
  std::optional<Departure> departure;
  {
    MutexLock lock(mu_);
    // A course has steps that are not due yet only while it is open.
    Course& course = *courses_.at(number);
    course.steps[step].intended = intended;
    course.steps[step].due = true;
    ++due_;
    if (step == 0 || course.steps[step - 1].through()) departure = Depart(course, step);
  }
  Submit(departure);
}

absl::Status SoakLoad::StartDue(int64_t now) {
  for (;; ++next_slot_) {
    const int64_t due = began_ + StartOf(next_slot_, plan_.rate);
    if (due > now) return absl::OkStatus();
    Lane& lane = lanes_[next_slot_ % lanes_.size()];
    if (lane.turns_to_wait > 0) {
      --lane.turns_to_wait;
      continue;
    }
    if (lane.step == kSteps) RETURN_IF_ERROR(OpenCourse(lane));
    OnDue(lane.number, lane.step++, due);
  }
}

// Coming and going
// ---------------------------------------------------------------------------------

void SoakLoad::LeaveOne() {
  const size_t count = nodes_->size();
  size_t node = random_.Uniform(count);
  for (size_t i = 0; i < count && away_[node]; ++i) node = (node + 1) % count;
  if (away_[node]) return;
  const bool in_order = random_.Uniform(2) == 0;
  const auto rest = static_cast<int64_t>(random_.Uniform(kLongestRestMillis));
  SimulatedNode& leaving = *(*nodes_)[node];
  away_[node] = leaving.counts().welcomes;
  {
    MutexLock lock(mu_);
    there_since_[node] = kNever;
    ++(in_order ? result_.left_in_order : result_.left_abruptly);
  }
  leaving.Leave(in_order ? SimulatedNode::Leaving::kInOrder : SimulatedNode::Leaving::kAbruptly,
                absl::Milliseconds(rest));
}

void SoakLoad::Pulse() {
  for (size_t i = 0; i < nodes_->size(); ++i) {
    SimulatedNode& node = *(*nodes_)[i];
    node.Tick(absl::Now());
    if (!away_[i]) continue;
    const SimulatedNode::Counts counts = node.counts();
    if (counts.welcomes == *away_[i]) continue;
    away_[i].reset();
    welcomed_.Record(static_cast<uint64_t>(absl::ToInt64Nanoseconds(counts.welcome)));
    MutexLock lock(mu_);
    there_since_[i] = Nanos();
  }
}

// Passing time
// -------------------------------------------------------------------------------------

absl::Status SoakLoad::TakeSample(int64_t now) {
  const Servers servers = network_.servers();
  ASSIGN_OR_RETURN(const ServersUse use, LookAtServers(servers));
  SoakResult::Sample sample;
  ASSIGN_OR_RETURN(sample.descriptors, CountDescriptors(servers));
  ASSIGN_OR_RETURN(sample.waiting, network_.CountWaiting());
  sample.minutes = static_cast<double>(now - began_) / (60 * kNanosASecond);
  sample.seconds = static_cast<double>(now - std::exchange(last_sample_, now)) / kNanosASecond;
  const double cpu_seconds = use.cpu_seconds();
  sample.hub_cpu_seconds = cpu_seconds - std::exchange(last_cpu_seconds_, cpu_seconds);
  sample.resident_bytes = use.hubs.resident_bytes;
  sample.referrals = next_number_;
  sample.welcomes = welcomed_.count();
  sample.welcome_most = welcomed_.MillisAt(1);
  welcomed_ = Histogram();
  MutexLock lock(mu_);
  const Window window = std::exchange(window_, Window());
  sample.messages = window.through;
  sample.confirm_p50 = window.confirmed.MillisAt(0.5);
  sample.confirm_p99 = window.confirmed.MillisAt(0.99);
  sample.confirm_count = window.confirmed.count();
  sample.late = due_ - result_.started;
  sample.leaves = result_.left_in_order + result_.left_abruptly;
  result_.samples.push_back(sample);
  return absl::OkStatus();
}

absl::Status SoakLoad::PassUntil(int64_t end) {
  int64_t pulse = 0;
  while (true) {
    const int64_t now = Nanos();
    if (now >= next_sample_) {
      RETURN_IF_ERROR(TakeSample(now));
      next_sample_ += interval_;
    }
    if (now >= end) return absl::OkStatus();
    if (now >= pulse) {
      Pulse();
      pulse = now + kPulse;
    }
    RETURN_IF_ERROR(StartDue(now));
    if (now >= next_leave_) {
      LeaveOne();
      next_leave_ += leave_interval_;
    }
    const int64_t next_start = began_ + StartOf(next_slot_, plan_.rate);
    SleepUntil(std::min({end, pulse, next_start, next_leave_, next_sample_}));
  }
}

void SoakLoad::AwaitEnd() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
  }
  const auto ended = [this] {
    Pulse();
    {
      MutexLock lock(mu_);
      if (under_way_ > 0) return false;
    }
    return std::all_of(nodes_->begin(), nodes_->end(),
                       [](const auto& node) { return node->connected() && node->idle(); });
  };
  Eventually(ended, kSoakEndLimit);
  if (!Eventually([this] { return network_.CountWaiting().value_or(1) == 0; }, kSoakEndLimit)) {
    Fail("not everything was acknowledged");
  }
}

void SoakLoad::Collect() {
  MutexLock lock(mu_);
  if (under_way_ > 0) {
    result_.failures["a message was not confirmed and delivered within a minute"] = under_way_;
  }
  for (const auto& node : *nodes_) {
    const SimulatedNode::Counts counts = node->counts();
    result_.repeats += counts.repeats;
    if (counts.lost > 0) result_.failures["a stream ended by itself"] += counts.lost;
    if (counts.failed > 0) result_.failures["a stream was not welcomed"] += counts.failed;
    if (counts.turned_away > 0) result_.failures["a stream was put off"] += counts.turned_away;
  }
}

absl::StatusOr<SoakResult> SoakLoad::Run(const std::vector<std::unique_ptr<SimulatedNode>>& nodes) {
  nodes_ = &nodes;
  away_.resize(nodes.size());
  const absl::Duration interval = std::min(kLongestInterval, plan_.lasts / kFewestSamples);
  interval_ = absl::ToInt64Nanoseconds(interval);
  ASSIGN_OR_RETURN(const ServersUse use, LookAtServers(network_.servers()));
  last_cpu_seconds_ = use.cpu_seconds();
  began_ = Nanos();
  last_sample_ = began_;
  next_sample_ = began_ + interval_;
  if (plan_.leaves > 0) {
    leave_interval_ = static_cast<int64_t>(60 * kNanosASecond / plan_.leaves);
    next_leave_ = began_ + leave_interval_;
  }
  {
    MutexLock lock(mu_);
    there_since_.assign(nodes.size(), began_ - 2 * kSettled);
    result_.plan = plan_;
    result_.warmup = plan_.lasts / kWarmupShare;
  }
  RETURN_IF_ERROR(PassUntil(began_ + absl::ToInt64Nanoseconds(plan_.lasts)));
  AwaitEnd();
  Collect();
  MutexLock lock(mu_);
  return std::move(result_);
}

}  // namespace

absl::StatusOr<SoakResult> RunSoak(BenchNetwork& network, const SoakPlan& plan) {
  ASSIGN_OR_RETURN(Box box, SealBox(network.id(), network.parties(), absl::Now()));
  SoakLoad load(network, plan, std::move(box));
  // After it: what they have to submit is the load's.
  ASSIGN_OR_RETURN(const auto nodes, network.ConnectAnew(&load));
  return load.Run(nodes);
}

}  // namespace waymark::bench
