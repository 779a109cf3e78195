// The crash campaign as a program: `torture [--kills N] [--seed N] [--store
// sqlite|postgresql|postgresql-alone] [--network proxy|namespaces] [--report FILE]`. Namespaces
// need root (namespace_network.h).
//
// Prints what broke and ends with 0 when nothing did, 1 when the model or the network says
// otherwise, and as watchdog.h says when nothing moves any more.

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <map>
#include <string>

#include "absl/time/clock.h"
#include "tests/torture/campaign.h"
#include "tests/torture/watchdog.h"

namespace waymark::torture {
namespace {

// Longer than anything that may take long: starting a process again under a sanitizer, or the
// patience of a call.
constexpr absl::Duration kPatience = absl::Minutes(8);

void PrintFindings(const CampaignResult& result) {
  for (const Violation& violation : result.violations) {
    std::cerr << Name(violation.rule) << ": " << violation.text << "\n";
  }
  for (const std::string& failure : result.failures) std::cerr << failure << "\n";
  if (result.passed()) return;
  for (const Event& event : result.history) std::cerr << Format(event) << "\n";
}

int Run(CampaignOptions options, const std::string& report) {
  Watchdog watchdog(kPatience, [](const std::string& doing) {
    std::cerr << "nothing has moved for " << absl::FormatDuration(kPatience) << ", while: " << doing
              << "\n";
  });
  options.beat = [&watchdog](const std::string& doing) { watchdog.Beat(doing); };
  const auto result = RunCampaign(options);
  if (!result.ok()) {
    std::cerr << result.status() << "\n";
    return 1;
  }
  PrintFindings(*result);
  const std::string text = Report(options, *result);
  std::cout << text;
  if (!report.empty()) std::ofstream(report) << text;
  return result->passed() ? 0 : 1;
}

}  // namespace
}  // namespace waymark::torture

int main(int argc, char** argv) {
  using waymark::torture::StoreKind;
  using waymark::torture::WayKind;
  waymark::torture::CampaignOptions options;
  options.seed = static_cast<uint32_t>(absl::ToUnixSeconds(absl::Now()));
  const std::map<std::string, StoreKind> stores = {
      {"sqlite", StoreKind::kSqlite},
      {"postgresql", StoreKind::kPostgresql},
      {"postgresql-alone", StoreKind::kPostgresqlAlone}};
  const std::map<std::string, WayKind> ways = {{"proxy", WayKind::kProxy},
                                               {"namespaces", WayKind::kNamespace}};
  std::string report;
  CLI::App app("Kills and cuts off the processes of a network, and checks what is left.");
  app.add_option("--kills", options.kills, "so many processes are killed (500)");
  app.add_option("--seed", options.seed, "what is drawn, and when (the present second)");
  app.add_option(
         "--store", options.store,
         "sqlite: one hub, whose disk may be lost; postgresql: two hubs on one server, which "
         "is killed as well; postgresql-alone: one hub on it (sqlite)")
      ->transform(CLI::CheckedTransformer(stores));
  app.add_option("--network", options.ways,
                 "proxy: cut by proxies; namespaces: cut on the network itself, which needs root "
                 "(proxy)")
      ->transform(CLI::CheckedTransformer(ways));
  app.add_option("--report", report, "a file for the result, in Markdown");
  CLI11_PARSE(app, argc, argv);
  return waymark::torture::Run(options, report);
}
