// What a batch costs each store: loaded, committed with one fsync, and acknowledged, 2 KiB a
// message, a referral, an answer and a line of the log with each.
//
// SQLite writes into the folder for temporary files. PostgreSQL is tried when STORE names a
// database (`./dev up postgres` prints one); the hubs that share it are threads with a store each.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "base/random/random.h"
#include "server/store/postgres/postgres_store.h"
#include "server/store/sqlite/sqlite_store.h"
#include "tests/server/store_conformance/samples.h"

namespace waymark::hub {
namespace {

// Each hub writes for members of its own share.
constexpr uint64_t kMailboxes = 500;

uint64_t RandomStart() {
  uint64_t start = 0;
  SystemRandom().Fill(reinterpret_cast<uint8_t*>(&start), sizeof(start));
  return start >> 8;
}

void RunBatches(benchmark::State& state, Store& store) {
  const auto size = static_cast<size_t>(state.range(0));
  uint64_t number = RandomStart();
  while (state.KeepRunning()) {
    StateKeys keys;
    std::vector<Effects> batch;
    for (size_t i = 0; i < size; ++i, ++number) {
      keys.token_hashes.push_back(SampleHash(number));
      keys.referrals.push_back(SampleId<ReferralId>(number));
      keys.messages.push_back(SampleId<MessageId>(number));
      batch.push_back(SampleInquiry(1 + number % kMailboxes, number));
      batch.back().put_tokens = {SampleToken(number)};
    }
    if (!store.Load(keys).ok()) return state.SkipWithError("not loaded");
    const absl::Status committed = store.Commit(batch);
    if (!committed.ok()) return state.SkipWithError(std::string(committed.message()).c_str());
    for (const Effects& effects : batch) {
      const MailboxItem& item = effects.deliver[0];
      store.Ack(item.mailbox, MailboxView::kAll, item.sequence).IgnoreError();
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(size));
}

void Sqlite(benchmark::State& state) {
  std::string folder = std::filesystem::temp_directory_path() / "waymark-bench-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) return state.SkipWithError("no folder");
  {
    const auto store =
        SqliteStore::Open({.path = folder + "/hub.sqlite", .random = &SystemRandom()});
    if (store.ok()) RunBatches(state, **store);
  }
  std::filesystem::remove_all(folder);
}
BENCHMARK(Sqlite)->Arg(1)->Arg(64)->Arg(256)->UseRealTime();

void Postgres(benchmark::State& state) {
  const char* url = std::getenv("STORE");
  if (url == nullptr) return state.SkipWithError("STORE names no database");
  const auto store = PostgresStore::Open({.target = {.url = url}, .random = &SystemRandom()});
  if (!store.ok()) return state.SkipWithError(std::string(store.status().message()).c_str());
  RunBatches(state, **store);
}
BENCHMARK(Postgres)->Arg(1)->Arg(64)->Arg(256)->UseRealTime();
BENCHMARK(Postgres)->Arg(64)->Threads(2)->UseRealTime();

}  // namespace
}  // namespace waymark::hub

BENCHMARK_MAIN();
