#include "tests/bench/load/backlog.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <iterator>
#include <memory>

#include "absl/container/flat_hash_set.h"
#include "absl/time/clock.h"
#include "base/status/status.h"
#include "tests/bench/load/process_meter.h"
#include "tests/support/poll.h"

namespace waymark::bench {
namespace {

// Prepared, submitted and forgotten together, unless there are fewer than so many of these.
constexpr size_t kChunk = 20'000;
constexpr size_t kFewestChunks = 10;
constexpr size_t kDrainParts = 10;
constexpr absl::Duration kPartLimit = absl::Minutes(10);

// Counts what becomes of them.
class Tally final : public NodeListener {
 public:
  void OnConfirmed(size_t /*node*/, uint64_t /*tag*/) override { ++confirmed_; }
  void OnRefused(size_t /*node*/, uint64_t /*tag*/, v1::Reason reason) override {
    Fail("refused: " + std::string(ReasonName(reason)));
    ++confirmed_;
  }
  void OnDelivered(size_t /*node*/, const v1::Message& message) override {
    bool is_new;
    {
      MutexLock lock(mu_);
      // A header is its message's alone.
      is_new = headers_.insert(absl::HashOf(message.header())).second;
    }
    if (!is_new) return Fail("delivered again");
    ++delivered_;
  }
  void OnBroken(size_t /*node*/, const std::string& what) override { Fail(what); }

  uint64_t confirmed() const { return confirmed_; }
  uint64_t delivered() const { return delivered_; }
  std::map<std::string, uint64_t> failures() {
    MutexLock lock(mu_);
    return failures_;
  }

 private:
  void Fail(const std::string& what) {
    MutexLock lock(mu_);
    ++failures_[what];
  }

  std::atomic<uint64_t> confirmed_ = 0;
  std::atomic<uint64_t> delivered_ = 0;
  Mutex mu_;
  absl::flat_hash_set<size_t> headers_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, uint64_t> failures_ ABSL_GUARDED_BY(mu_);
};

using Nodes = std::vector<std::unique_ptr<SimulatedNode>>;

// Waits for `done`, and returns what passed meanwhile.
template <typename Condition>
absl::StatusOr<BacklogResult::Part> Pass(const Servers& servers, const Nodes& nodes,
                                         uint64_t messages, Condition done) {
  const absl::Time begin = absl::Now();
  ASSIGN_OR_RETURN(const ServersUse before, LookAtServers(servers));
  const bool ended = Eventually(
      [&] {
        for (const auto& node : nodes) node->Tick(absl::Now());
        return done();
      },
      kPartLimit);
  if (!ended) return Error(v1::REASON_UNAVAILABLE, "the hub takes or gives no more messages");
  ASSIGN_OR_RETURN(const ServersUse after, LookAtServers(servers));
  return BacklogResult::Part{.messages = messages,
                             .seconds = absl::ToDoubleSeconds(absl::Now() - begin),
                             .hub_cpu_seconds = after.cpu_seconds() - before.cpu_seconds()};
}

absl::Status Fill(BenchNetwork& network, size_t messages, Tally& tally, BacklogResult& result) {
  // The nodes' numbers begin with that of the second member.
  ASSIGN_OR_RETURN(const Nodes nodes, network.Connect(&tally, 1));
  const size_t chunk = std::clamp<size_t>(messages / kFewestChunks, 1, kChunk);
  uint64_t expected = 0;
  for (size_t sent = 0; sent < messages;) {
    const size_t count = std::min(chunk, messages - sent);
    ASSIGN_OR_RETURN(const auto referrals,
                     PrepareInquiries(network.id(), network.parties(), sent, count, absl::Now()));
    std::deque<std::string> ids;
    for (const PreparedReferral& referral : referrals) {
      const PreparedMessage& inquiry = referral.messages.front();
      const Entry entries[] = {{&referral.registration, &referral.token_hash},
                               {&inquiry.item, &ids.emplace_back(inquiry.id.bytes())}};
      nodes[referral.origin - 1]->Submit(entries, std::size(entries));
    }
    // A registration and a message each.
    expected += 2 * count;
    ASSIGN_OR_RETURN(const auto part, Pass(network.servers(), nodes, count,
                                           [&] { return tally.confirmed() >= expected; }));
    result.filling.push_back(part);
    sent += count;
  }
  for (const auto& node : nodes) node->Close();
  return absl::OkStatus();
}

absl::Status Drain(BenchNetwork& network, size_t messages, Tally& tally, BacklogResult& result) {
  const absl::Time begin = absl::Now();
  ASSIGN_OR_RETURN(const Nodes nodes, network.Connect(&tally, 0, 1));
  const Servers servers = network.servers();
  ASSIGN_OR_RETURN(const auto first,
                   Pass(servers, nodes, 1, [&] { return tally.delivered() > 0; }));
  static_cast<void>(first);
  result.opening = absl::Now() - begin;
  uint64_t before = 0;
  for (size_t part = 1; part <= kDrainParts; ++part) {
    const uint64_t until = messages * part / kDrainParts;
    ASSIGN_OR_RETURN(const auto passed, Pass(servers, nodes, until - before,
                                             [&] { return tally.delivered() >= until; }));
    result.draining.push_back(passed);
    before = until;
  }
  if (!Eventually([&] { return network.CountWaiting().value_or(1) == 0; })) {
    return Error(v1::REASON_UNAVAILABLE, "not everything was acknowledged");
  }
  for (const auto& node : nodes) node->Close();
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<BacklogResult> RunBacklog(BenchNetwork& network, size_t messages) {
  const Servers servers = network.servers();
  BacklogResult result;
  Tally tally;
  ASSIGN_OR_RETURN(const ServersUse before, LookAtServers(servers));
  RETURN_IF_ERROR(Fill(network, messages, tally, result));
  ASSIGN_OR_RETURN(const ServersUse filled, LookAtServers(servers));
  RETURN_IF_ERROR(Drain(network, messages, tally, result));
  ASSIGN_OR_RETURN(const ServersUse drained, LookAtServers(servers));
  result.before = before.hubs.resident_bytes;
  result.filled = filled.hubs.resident_bytes;
  result.most = drained.hubs.most_resident_bytes;
  result.drained = drained.hubs.resident_bytes;
  result.failures = tally.failures();
  return result;
}

}  // namespace waymark::bench
