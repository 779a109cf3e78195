// What a search visits and what a change copies, counted: neither grows with the directory but by a
// logarithm. Times are in docs/benchmarks.md.
#include <map>
#include <set>

#include "client/api/directory_view.h"
#include "client/directory/index.h"
#include "gmock/gmock.h"
#include "tests/bench/generated_directory.h"

namespace waymark::node {
namespace {

// An index with everything that a generated directory says.
class Filled {
 public:
  explicit Filled(size_t services)
      : directory({.services = services}),
        index(directory.network().id, directory.network().registry.verifying_key()) {
    for (const v1::WatchDirectoryResponse& response : directory.Log()) Take(response);
  }

  void Take(const v1::WatchDirectoryResponse& response) {
    for (const v1::DirectoryEntry& entry : response.entries()) Take(entry.statement());
    for (const v1::SignedStatement& capacity : response.capacities()) Take(capacity);
  }

  // How many nodes of the index a change copies while a reader holds the state before it.
  size_t CopiedBy(const v1::WatchDirectoryResponse& response) {
    const auto reader = index.Snapshot();
    const size_t before = index.copied();
    Take(response);
    return index.copied() - before;
  }

  GeneratedDirectory directory;
  DirectoryIndex index;

 private:
  void Take(const v1::SignedStatement& statement) {
    const auto checked = index.Check(statement, TestNow());
    ASSERT_TRUE(checked.ok()) << checked.status();
    index.Take(*checked);
  }
};

// Services by each code that they offer.
std::map<uint32_t, size_t> CountByCode(const DirectorySnapshot& directory) {
  std::map<uint32_t, size_t> counts;
  for (const ServiceEntry* entry : directory.OpenServices(TestNow())) {
    std::set<uint32_t> codes(entry->service.secondary_codes().begin(),
                             entry->service.secondary_codes().end());
    codes.insert(entry->service.code());
    for (const uint32_t code : codes) ++counts[code];
  }
  return counts;
}

TEST(GrowthTest, ASearchVisitsTheServicesOfItsCodeAlone) {
  Filled filled(2'000);
  const auto snapshot = filled.index.Snapshot();
  const std::map<uint32_t, size_t> counts = CountByCode(*snapshot);
  ASSERT_GT(counts.size(), 50u);
  for (const auto& [code, services] : counts) {
    EXPECT_EQ(CandidatesIn(*snapshot, code, TestNow()).size(), services) << code;
  }
  EXPECT_EQ(CandidatesIn(*snapshot, 0, TestNow()).size(), 2'000u);
  EXPECT_EQ(CandidatesIn(*snapshot, 999, TestNow()).size(), 0u);
}

TEST(GrowthTest, AChangeOfCapacityCopiesOnePath) {
  for (const size_t services : {250u, 4'000u}) {
    Filled filled(services);
    for (size_t at = 0; at < 20; ++at) {
      // The height of a tree of 4,000 is at most 18.
      EXPECT_LE(filled.CopiedBy(filled.directory.NextCapacity(at * 11)), 18u) << services;
    }
  }
}

TEST(GrowthTest, AChangeOfAServiceCopiesOnePathForEachOfItsNames) {
  for (const size_t services : {250u, 4'000u}) {
    Filled filled(services);
    for (size_t at = 0; at < 20; ++at) {
      const auto snapshot = filled.index.Snapshot();
      const auto response = filled.directory.NextService(at * 11);
      const size_t copied = filled.CopiedBy(response);
      // By id, handle, condition (at most 3) and code (at most 2), taken out and put in again.
      EXPECT_LE(copied, 7u * 2 * 18) << services;
    }
  }
}

TEST(GrowthTest, AReaderKeepsItsStateAndSharesEveryOtherEntry) {
  Filled filled(300);
  const auto before = filled.index.Snapshot();
  const v1::WatchDirectoryResponse response = filled.directory.NextCapacity(7);
  filled.Take(response);
  const auto after = filled.index.Snapshot();
  size_t changed = 0;
  for (const ServiceEntry* entry : after->OpenServices(TestNow())) {
    if (before->FindService(entry->id) != entry) ++changed;
  }
  EXPECT_EQ(changed, 1u);
}

}  // namespace
}  // namespace waymark::node
