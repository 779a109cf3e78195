#include "tests/bench/load/options.h"

#include <iostream>
#include <map>

#include "CLI/CLI.hpp"
#include "base/status/status.h"

namespace waymark::bench {
namespace {

// What the directory allows.
constexpr size_t kMaxUnitsPerMember = 64;
// Every unit has a lane of its own at least.
constexpr size_t kMaxInFlight = 100'000;

absl::Status Check(const Options& options) {
  if (options.hubs < 1 || (options.hubs > 1 && options.store != Store::kPostgresql)) {
    return CommandLineError("--hubs expects 1, or with --store postgresql at least 1");
  }
  if (options.members < 2) return CommandLineError("--members expects at least 2");
  const size_t most = options.members * kMaxUnitsPerMember;
  if (options.units < options.members || options.units > most) {
    return CommandLineError("--units expects one to " + std::to_string(kMaxUnitsPerMember) +
                            " for each member, here " + std::to_string(options.members) + " to " +
                            std::to_string(most));
  }
  for (const size_t in_flight : options.in_flight) {
    if (in_flight < 1 || in_flight > kMaxInFlight) {
      return CommandLineError("--in-flight expects 1 to " + std::to_string(kMaxInFlight));
    }
  }
  for (const double rate : options.rates) {
    if (!(rate > 0)) return CommandLineError("--rate expects messages a second, above 0");
  }
  if (!(options.seconds > 0) || !(options.warmup >= 0)) {
    return CommandLineError("--seconds expects a time above 0, --warmup one not below it");
  }
  if (!(options.idle >= 0)) return CommandLineError("--idle expects a time not below 0");
  if (!(options.soak >= 0)) return CommandLineError("--soak expects minutes, not below 0");
  if (!(options.leaves >= 0)) return CommandLineError("--leaves expects a number not below 0");
  if (options.messages < 1) return CommandLineError("--messages expects at least 1");
  return absl::OkStatus();
}

// What is measured.
void AddMeasurements(CLI::App& app, Options& options) {
  app.add_option("--in-flight", options.in_flight,
                 "Closed loop: messages under way at any time. May be given several times.");
  app.add_option("--rate", options.rates,
                 "Open loop: messages that start in a second. May be given several times.");
  app.add_option("--idle", options.idle,
                 "Before the loops, every node is connected and says nothing for so many seconds. "
                 "Alone, no loop follows.");
  app.add_flag("--storm", options.storm,
               "The hub is killed and started again: how long until every node is welcomed again. "
               "With the limits of traffic of an installed hub, and so without any load.");
  app.add_option("--backlog", options.backlog,
                 "Before the loops, so many messages wait for one node that is away, which then "
                 "takes them all. Alone, no loop follows.");
  app.add_option("--soak", options.soak,
                 "Before the loops, a steady load for so many minutes while nodes come and go, at "
                 "--rate or at half of what a closed loop reaches. Alone, no loop follows.");
  app.add_option("--leaves", options.leaves,
                 "Of a soak: nodes that leave in a minute, all together.")
      ->capture_default_str();
  app.add_option("--seed", options.seed, "Of a soak: draws which nodes leave, and how.")
      ->capture_default_str();
  app.add_option("--seconds", options.seconds, "How long each loop is measured.")
      ->capture_default_str();
  app.add_option("--warmup", options.warmup, "How long each loop runs before that.")
      ->capture_default_str();
  app.add_option("--messages", options.messages,
                 "Messages prepared for each loop, which ends early when they run out.")
      ->capture_default_str();
}

// Among whom, and on what.
void AddNetwork(CLI::App& app, Options& options) {
  const std::map<std::string, Mix> mixes = {{"referral", Mix::kReferral}, {"varied", Mix::kVaried}};
  const std::map<std::string, Store> stores = {{"sqlite", Store::kSqlite},
                                               {"postgresql", Store::kPostgresql}};
  app.add_option("--mix", options.mix,
                 "referral: the seven messages of a referral in 2 KiB; varied: also declined, "
                 "cancelled and scheduled ones, in boxes up to 32 KiB, of every urgency.")
      ->transform(CLI::CheckedTransformer(mixes));
  app.add_option("--members", options.members, "Organisations, each with a node.")
      ->capture_default_str();
  app.add_option("--units", options.units, "Units of all of them together.")->capture_default_str();
  app.add_option("--store", options.store,
                 "sqlite: the hub's file; postgresql: a server of the run's own, which is durable "
                 "and whose CPU counts as the hub's.")
      ->transform(CLI::CheckedTransformer(stores));
  app.add_option("--hubs", options.hubs,
                 "Processes of the hub, on one PostgreSQL, over which the nodes are spread.")
      ->capture_default_str();
  app.add_option("--folder", options.folder, "Where the network lies while it runs: the disk.");
  app.add_option("--hub", options.hub, "The hub's program.");
}

}  // namespace

absl::StatusOr<std::optional<Options>> ParseOptions(int argc, const char* const* argv,
                                                    const std::string& hub) {
  Options options;
  options.hub = hub;
  CLI::App app(
      "Many simulated nodes, whole referrals, and a real hub in a process of its own: how many "
      "messages it makes durable, delivers and has acknowledged, how soon, and at what cost.",
      "waymark-bench");
  AddMeasurements(app, options);
  AddNetwork(app, options);
  app.add_option("--json", options.json, "A file for the results.");
  app.add_option("--svg", options.svg, "A file for a plot of what was measured.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& wanted) {
    app.exit(wanted);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    return CommandLineError(error.what());
  }
  RETURN_IF_ERROR(Check(options));
  if (options.soak > 0 && !options.rates.empty()) {
    if (options.rates.size() > 1) return CommandLineError("--soak expects one --rate at most");
    options.soak_rate = options.rates.front();
    options.rates.clear();
  }
  const bool loops = !options.in_flight.empty() || !options.rates.empty();
  const bool load = loops || options.backlog > 0 || options.soak > 0;
  if (options.storm && load) {
    return CommandLineError("--storm expects no loop, --backlog or --soak beside it");
  }
  if (!load && !options.storm && options.idle == 0) options.in_flight = {64};
  return options;
}

}  // namespace waymark::bench
