// What doctor makes of the facts about a hub: one trouble at a time.
#include "server/doctor.h"

#include <functional>
#include <map>
#include <string>

#include "base/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/store/sqlite/schema.h"

namespace waymark::hub {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

absl::Time Noon() { return absl::FromUnixSeconds(1'800'000'000); }

HubFacts Healthy() {
  HubFacts facts{.now = Noon(), .version = "1.0"};
  facts.metrics_listen = "127.0.0.1:9464";
  facts.running = "1.0";
  facts.data = {.path = "/data", .exists = true, .folder = true, .mode = 0700, .own = true};
  facts.key = {.path = "/data/hub.key", .exists = true, .mode = 0600, .own = true};
  facts.disk = {.free_bytes = uint64_t{50} << 30, .size_bytes = uint64_t{100} << 30};
  facts.certificate = {.path = "/data/hub.crt", .end = Noon() + absl::Hours(24 * 60)};
  facts.clock = ClockSync::kSynchronised;
  facts.schema = {.found = kSchemaVersion, .known = kSchemaVersion};
  facts.members_until = Noon() + absl::Hours(24 * 6);
  facts.addresses = {{"hub.example:7443", absl::OkStatus()}};
  return facts;
}

// What is not fine, by check.
std::map<std::string, Severity> TroublesOf(const HubFacts& facts) {
  std::map<std::string, Severity> troubles;
  for (const Finding& finding : DiagnoseHub(facts)) {
    EXPECT_EQ(finding.cure.empty(), finding.severity == Severity::kFine) << finding.text;
    if (finding.severity != Severity::kFine) troubles[finding.check] = finding.severity;
  }
  return troubles;
}

TEST(HubDoctorTest, AHealthyHubHasNoTroubleAndEverythingIsNamed) {
  EXPECT_THAT(TroublesOf(Healthy()), IsEmpty());
  EXPECT_EQ(DiagnoseHub(Healthy()).size(), 11U);
}

TEST(HubDoctorTest, ADatabaseIsNamedWhereThereIsOne) {
  HubFacts facts = Healthy();
  facts.database = {absl::OkStatus(), ""};
  EXPECT_THAT(TroublesOf(facts), IsEmpty());
  EXPECT_EQ(DiagnoseHub(facts).size(), 12U);
}

struct HubCase {
  const char* name;
  std::function<void(HubFacts&)> change;
  const char* check;
  Severity severity;
};

void PrintTo(const HubCase& row, std::ostream* out) { *out << row.name; }

class HubTroubleTest : public testing::TestWithParam<HubCase> {};

TEST_P(HubTroubleTest, IsFoundAndNothingElse) {
  HubFacts facts = Healthy();
  GetParam().change(facts);
  EXPECT_THAT(TroublesOf(facts),
              ElementsAre(std::pair(std::string(GetParam().check), GetParam().severity)));
}

constexpr Severity kWarning = Severity::kWarning;
constexpr Severity kError = Severity::kError;

INSTANTIATE_TEST_SUITE_P(
    Doctor, HubTroubleTest,
    testing::Values(
        HubCase{"NotRunning",
                [](HubFacts& facts) {
                  facts.running.reset();
                  facts.addresses.clear();
                },
                "running", kWarning},
        HubCase{"OlderOneRuns", [](HubFacts& facts) { facts.running = "0.9"; }, "version",
                kWarning},
        HubCase{"OpenFolder", [](HubFacts& facts) { facts.data.mode = 0755; }, "permissions",
                kError},
        HubCase{"OpenKey", [](HubFacts& facts) { facts.key.mode = 0640; }, "permissions", kError},
        HubCase{"DiskFull", [](HubFacts& facts) { facts.disk.free_bytes = 0; }, "disk", kError},
        HubCase{"NewerSchema", [](HubFacts& facts) { facts.schema.found = kSchemaVersion + 1; },
                "schema", kError},
        HubCase{"OldCopy",
                [](HubFacts& facts) { facts.old_copies = {"/data/hub.sqlite.before-2"}; }, "copies",
                kWarning},
        HubCase{"CertificateEnds",
                [](HubFacts& facts) { facts.certificate.end = Noon() + absl::Hours(24 * 9); },
                "certificate", kWarning},
        HubCase{"CertificateOfAnother",
                [](HubFacts& facts) {
                  facts.certificate.usable = Error(v1::REASON_IDENTITY_MISSING, "another");
                },
                "certificate", kError},
        HubCase{"NoRefresh",
                [](HubFacts& facts) { facts.members_until = Noon() + absl::Hours(24 * 2); },
                "statements", kWarning},
        HubCase{"NoRefreshForLong",
                [](HubFacts& facts) { facts.members_until = Noon() - absl::Hours(1); },
                "statements", kError},
        HubCase{
            "StoreUnreadable",
            [](HubFacts& facts) { facts.members_until = Error(v1::REASON_DATA_CORRUPT, "a row"); },
            "statements", kError},
        HubCase{"ClockAlone", [](HubFacts& facts) { facts.clock = ClockSync::kNotSynchronised; },
                "clock", kWarning},
        HubCase{"DatabaseAway",
                [](HubFacts& facts) {
                  facts.database = {Error(v1::REASON_UNAVAILABLE, "the database"), ""};
                },
                "database", kError},
        HubCase{"DatabaseWeak",
                [](HubFacts& facts) {
                  facts.database = {absl::OkStatus(), "fsync is off"};
                },
                "database", kWarning},
        HubCase{"Unreachable",
                [](HubFacts& facts) {
                  facts.addresses[0].reached = absl::UnavailableError("no answer");
                },
                "reachability", kError}),
    [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace waymark::hub
