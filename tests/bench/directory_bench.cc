// What a node does with a directory of 1,000 and of 20,000 services: finds services with their
// explanation, takes in one change, counts coverage, starts; each beside a baseline that does the
// same by looking at everything. `./dev bench` runs it; docs/benchmarks.md has the results and how
// to read them.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/schema/catalogue.h"
#include "client/api/directory_view.h"
#include "client/casework/match.h"
#include "client/directory/replica.h"
#include "client/enrolment/data_folder.h"
#include "client/enrolment/join.h"
#include "client/insight/coverage.h"
#include "client/node.h"
#include "tests/bench/generated_directory.h"
#include "tests/client/enrolment/fake_desk.h"
#include "tests/client/vault/open_vault.h"
#include "tests/client/vault/temp_folder.h"
#include "tests/support/fake_clock.h"

namespace waymark::node {
namespace {

// A node's vault and replica with a generated directory in it, made once per size.
struct World {
  explicit World(size_t services) : directory({.services = services}) {
    Reopen();
    for (const v1::WatchDirectoryResponse& response : directory.Log()) Apply(response);
  }

  void Apply(const v1::WatchDirectoryResponse& response) {
    if (!replica->Apply(response).ok() || !replica->alerts().empty()) abort();
  }

  // Opens vault and replica again, as a node does that starts.
  void Reopen() {
    replica.reset();
    vault.reset();
    vault = folder.Open();
    auto opened = Replica::Open(directory.network().id,
                                directory.network().registry.verifying_key(), *vault, clock);
    if (!opened.ok()) abort();
    replica = *std::move(opened);
  }

  FakeClock clock{TestNow()};
  GeneratedDirectory directory;
  VaultFolder folder;
  std::unique_ptr<Vault> vault;
  std::unique_ptr<Replica> replica;
};

World& WorldOf(const benchmark::State& state) {
  static std::map<int64_t, std::unique_ptr<World>> worlds;
  std::unique_ptr<World>& world = worlds[state.range(0)];
  if (world == nullptr) world = std::make_unique<World>(static_cast<size_t>(state.range(0)));
  return *world;
}

// A person about whom most criteria have something to say.
v1::Case MakePerson() {
  v1::Case person;
  v1::Sections& sections = *person.mutable_sections();
  sections.mutable_party()->set_children_band(v1::CHILDREN_BAND_ONE);
  sections.mutable_lang()->set_preferred_language("ti");
  sections.mutable_access()->set_step_free(v1::ANSWER_YES);
  sections.mutable_safe()->add_areas_to_avoid("XA-11");
  sections.mutable_pref()->set_faith_setting(v1::SETTING_PREFERENCE_AVOID);
  return person;
}

v1::Need MakeNeed(uint32_t code) {
  v1::Need need;
  need.set_service_code(code);
  need.mutable_section()->set_area_wanted("XA-10");
  need.mutable_section()->set_min_duration_days(14);
  return need;
}

// The code that most services offer: the slowest search there is.
void MatchWithExplanation(benchmark::State& state) {
  const World& world = WorldOf(state);
  const v1::Case person = MakePerson();
  const v1::Need need = MakeNeed(world.directory.MostCommonCode());
  size_t matches = 0;
  for ([[maybe_unused]] auto _ : state) {
    const auto snapshot = world.replica->snapshot();
    matches = Match(Catalogue::Default(), person, need,
                    CandidatesIn(*snapshot, need.service_code(), TestNow()))
                  .size();
  }
  state.counters["matches"] = static_cast<double>(matches);
}

// The baseline: every service becomes a candidate, and Match passes over those of other codes.
void MatchByScanningAll(benchmark::State& state) {
  const World& world = WorldOf(state);
  const v1::Case person = MakePerson();
  const v1::Need need = MakeNeed(world.directory.MostCommonCode());
  for ([[maybe_unused]] auto _ : state) {
    const auto snapshot = world.replica->snapshot();
    benchmark::DoNotOptimize(
        Match(Catalogue::Default(), person, need, CandidatesIn(*snapshot, 0, TestNow())));
  }
}

void ListWholeDirectory(benchmark::State& state) {
  const World& world = WorldOf(state);
  size_t bytes = 0;
  for ([[maybe_unused]] auto _ : state) {
    bytes = ViewDirectory(*world.replica->snapshot(), {}, TestNow()).ByteSizeLong();
  }
  state.counters["bytes"] = static_cast<double>(bytes);
}

void Coverage(benchmark::State& state) {
  const World& world = WorldOf(state);
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(
        CoverageOf(*world.replica->snapshot(), Catalogue::Default(), {}, TestNow()));
  }
}

// The baseline of updates: what a snapshot costs that copies its ordered names.
void CopyNamesAndEntries(benchmark::State& state) {
  const World& world = WorldOf(state);
  std::map<ServiceId, const ServiceEntry*> by_id;
  std::map<std::string, ServiceId> by_handle;
  const auto snapshot = world.replica->snapshot();
  for (const ServiceEntry* entry : snapshot->OpenServices(TestNow())) {
    by_id[entry->id] = entry;
    by_handle[entry->service.handle()] = entry->id;
  }
  for ([[maybe_unused]] auto _ : state) {
    auto copy_by_id = by_id;
    auto copy_by_handle = by_handle;
    benchmark::DoNotOptimize(copy_by_id);
    benchmark::DoNotOptimize(copy_by_handle);
  }
}

void OneCapacityUpdate(benchmark::State& state) {
  World& world = WorldOf(state);
  size_t service = 0;
  for ([[maybe_unused]] auto _ : state) {
    state.PauseTiming();
    const auto reader = world.replica->snapshot();
    const auto response = world.directory.NextCapacity(++service % world.directory.services());
    state.ResumeTiming();
    world.Apply(response);
  }
}

void OneServiceUpdate(benchmark::State& state) {
  World& world = WorldOf(state);
  size_t service = 0;
  for ([[maybe_unused]] auto _ : state) {
    state.PauseTiming();
    const auto reader = world.replica->snapshot();
    const auto response = world.directory.NextService(++service % world.directory.services());
    state.ResumeTiming();
    world.Apply(response);
  }
}

void OpenVaultAndReplica(benchmark::State& state) {
  World& world = WorldOf(state);
  for ([[maybe_unused]] auto _ : state) world.Reopen();
}

// The whole program's start, up to the local API that answers; its hub is away.
void StartNode(benchmark::State& state) {
  const TempFolder root;
  const DataFolder folder(root.File("data"));
  FakeDesk desk(TestNow());
  if (!MasterKey::CreateFile(root.File("key"), SystemRandom()).ok()) abort();
  const auto key = [&root] { return *MasterKey::FromFile(root.File("key")); };
  {
    const auto join =
        Join::Open(desk.Invitation(), folder, key(), {}, desk.clock(), SystemRandom());
    if (!(*join)->Advance(desk).ok()) abort();
    desk.Approve();
    if (!(*join)->Advance(desk).ok()) abort();
  }
  {
    const GeneratedDirectory directory({.services = static_cast<size_t>(state.range(0))});
    const auto vault = Vault::Open({.path = folder.vault()}, key(), SystemRandom());
    const auto replica =
        Replica::Open(directory.network().id, directory.network().registry.verifying_key(), **vault,
                      desk.clock());
    for (const v1::WatchDirectoryResponse& response : directory.Log()) {
      if (!(*replica)->Apply(response).ok()) abort();
    }
  }
  for ([[maybe_unused]] auto _ : state) {
    const auto node = Node::Start({.data = folder.path(),
                                   .socket = root.File("node.sock"),
                                   .clock = &desk.clock(),
                                   .random = &SystemRandom()},
                                  key());
    if (!node.ok()) abort();
    state.PauseTiming();
    (*node)->Stop();
    state.ResumeTiming();
  }
}

void FirstSynchronisation(benchmark::State& state) {
  const World& world = WorldOf(state);
  const std::vector<v1::WatchDirectoryResponse> log = world.directory.Log();
  for ([[maybe_unused]] auto _ : state) {
    const VaultFolder folder;
    const std::unique_ptr<Vault> vault = folder.Open();
    FakeClock clock(TestNow());
    const auto replica =
        Replica::Open(world.directory.network().id,
                      world.directory.network().registry.verifying_key(), *vault, clock);
    for (const v1::WatchDirectoryResponse& response : log) {
      if (!(*replica)->Apply(response).ok()) abort();
    }
  }
}

#define WAYMARK_BOTH_SIZES(name) \
  BENCHMARK(name)->Arg(1000)->Arg(20000)->Unit(benchmark::kMillisecond)->UseRealTime()
WAYMARK_BOTH_SIZES(MatchWithExplanation);
WAYMARK_BOTH_SIZES(MatchByScanningAll);
WAYMARK_BOTH_SIZES(ListWholeDirectory);
WAYMARK_BOTH_SIZES(Coverage);
WAYMARK_BOTH_SIZES(OneCapacityUpdate);
WAYMARK_BOTH_SIZES(OneServiceUpdate);
WAYMARK_BOTH_SIZES(CopyNamesAndEntries);
WAYMARK_BOTH_SIZES(OpenVaultAndReplica);
WAYMARK_BOTH_SIZES(StartNode)->Iterations(3);
WAYMARK_BOTH_SIZES(FirstSynchronisation)->Iterations(1);

}  // namespace
}  // namespace waymark::node

BENCHMARK_MAIN();
