// What doctor makes of the facts about a node: one trouble at a time.
#include "client/cli/doctor.h"

#include <functional>
#include <map>
#include <string>

#include "base/status/status.h"
#include "client/vault/schema_version.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace waymark::node {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

absl::Time Noon() { return absl::FromUnixSeconds(1'800'000'000); }

void SetSeconds(absl::Time time, google::protobuf::Timestamp& stamp) {
  stamp.set_seconds(absl::ToUnixSeconds(time));
}

NodeFacts Healthy() {
  NodeFacts facts{.now = Noon(), .version = "1.0", .socket = "/data/node.sock"};
  v1::GetStatusResponse status;
  status.set_connected(true);
  status.set_version("1.0");
  status.mutable_member()->set_status(v1::MEMBER_STATUS_ACTIVE);
  SetSeconds(Noon() + absl::Hours(24 * 6), *status.mutable_member_valid_until());
  facts.status = status;
  facts.data_path = "/data";
  DataFacts& data = facts.data.emplace();
  data.folder = {.path = "/data", .exists = true, .folder = true, .mode = 0700, .own = true};
  data.key = {.path = "/data/tls.key", .exists = true, .mode = 0600, .own = true};
  data.vault = {.path = "/data/vault.db", .exists = true, .mode = 0600, .own = true};
  data.disk = {.free_bytes = uint64_t{50} << 30, .size_bytes = uint64_t{100} << 30};
  data.certificate = {.path = "/data/tls.crt", .end = Noon() + absl::Hours(24 * 60)};
  data.schema = {.found = kVaultSchemaVersion, .known = kVaultSchemaVersion};
  facts.clock = ClockSync::kSynchronised;
  facts.hubs = {{"hub.example:7443", absl::OkStatus()}};
  return facts;
}

// What is not fine, by check.
std::map<std::string, Severity> TroublesOf(const NodeFacts& facts) {
  std::map<std::string, Severity> troubles;
  for (const Finding& finding : DiagnoseNode(facts)) {
    EXPECT_EQ(finding.cure.empty(), finding.severity == Severity::kFine) << finding.text;
    if (finding.severity != Severity::kFine) troubles[finding.check] = finding.severity;
  }
  return troubles;
}

TEST(NodeDoctorTest, AHealthyNodeHasNoTroubleAndEverythingIsNamed) {
  EXPECT_THAT(TroublesOf(Healthy()), IsEmpty());
  EXPECT_EQ(DiagnoseNode(Healthy()).size(), 17U);
}

TEST(NodeDoctorTest, NothingThatTheNodeSaysOfPartnersOrReferralsIsRepeated) {
  NodeFacts facts = Healthy();
  v1::Alert& alert = *facts.status->add_alerts();
  alert.set_text("The key of linden changed");
  alert.set_referral_id(std::string(16, 'r'));
  facts.status->mutable_member()->set_display_name("Quay House");
  const std::string text = FindingsText(DiagnoseNode(facts));
  EXPECT_THAT(text, HasSubstr("alerts: 1 are raised"));
  for (const char* word : {"linden", "Quay", "rrrr", "72727272"}) {
    EXPECT_THAT(text, Not(HasSubstr(word)));
  }
}

struct NodeCase {
  const char* name;
  std::function<void(NodeFacts&)> change;
  const char* check;
  Severity severity;
};

void PrintTo(const NodeCase& row, std::ostream* out) { *out << row.name; }

class NodeTroubleTest : public testing::TestWithParam<NodeCase> {};

TEST_P(NodeTroubleTest, IsFoundAndNothingElse) {
  NodeFacts facts = Healthy();
  GetParam().change(facts);
  EXPECT_THAT(TroublesOf(facts),
              ElementsAre(std::pair(std::string(GetParam().check), GetParam().severity)));
}

constexpr Severity kWarning = Severity::kWarning;
constexpr Severity kError = Severity::kError;

INSTANTIATE_TEST_SUITE_P(
    Doctor, NodeTroubleTest,
    testing::Values(
        NodeCase{"NotRunning",
                 [](NodeFacts& facts) { facts.status = Error(v1::REASON_UNAVAILABLE, "nobody"); },
                 "node", kError},
        NodeCase{"NoLogin",
                 [](NodeFacts& facts) {
                   facts.status = Error(v1::REASON_STAFF_NOT_ALLOWED, "no login");
                 },
                 "node", kWarning},
        NodeCase{"OlderOneRuns", [](NodeFacts& facts) { facts.status->set_version("0.9"); },
                 "version", kWarning},
        NodeCase{"OneThatSaysNoVersion", [](NodeFacts& facts) { facts.status->clear_version(); },
                 "version", kWarning},
        NodeCase{"LinkDown", [](NodeFacts& facts) { facts.status->set_connected(false); }, "link",
                 kError},
        NodeCase{"Suspended", [](NodeFacts& facts) { facts.status->set_restricted(true); },
                 "standing", kError},
        NodeCase{"ClockAhead", [](NodeFacts& facts) { facts.status->set_clock_skew_ms(30'000); },
                 "skew", kWarning},
        NodeCase{"ClockFarBehind",
                 [](NodeFacts& facts) { facts.status->set_clock_skew_ms(-90'000); }, "skew",
                 kError},
        NodeCase{"NotVouchedFor",
                 [](NodeFacts& facts) {
                   SetSeconds(Noon() - absl::Hours(1), *facts.status->mutable_member_valid_until());
                 },
                 "statements", kError},
        NodeCase{"DeadDeliveries",
                 [](NodeFacts& facts) { facts.status->add_local_systems()->set_dead(2); },
                 "local systems", kWarning},
        NodeCase{"Alerts", [](NodeFacts& facts) { facts.status->add_alerts(); }, "alerts",
                 kWarning},
        NodeCase{"NoData", [](NodeFacts& facts) { facts.data.reset(); }, "data", kWarning},
        NodeCase{"OpenVault", [](NodeFacts& facts) { facts.data->vault.mode = 0644; },
                 "permissions", kError},
        NodeCase{"DiskFills",
                 [](NodeFacts& facts) { facts.data->disk.free_bytes = uint64_t{5} << 30; }, "disk",
                 kWarning},
        NodeCase{"NewerVault",
                 [](NodeFacts& facts) { facts.data->schema.found = kVaultSchemaVersion + 1; },
                 "schema", kError},
        NodeCase{
            "CertificateNotRenewed",
            [](NodeFacts& facts) { facts.data->certificate.end = Noon() + absl::Hours(24 * 13); },
            "certificate", kWarning},
        NodeCase{"ClockAlone", [](NodeFacts& facts) { facts.clock = ClockSync::kNotSynchronised; },
                 "clock", kWarning},
        NodeCase{
            "HubOutOfReach",
            [](NodeFacts& facts) { facts.hubs[0].reached = absl::UnavailableError("no answer"); },
            "reachability", kError}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(NodeDoctorTest, WhatWaitsIsToldWhileTheLinkIsDown) {
  NodeFacts facts = Healthy();
  facts.status->set_connected(false);
  facts.status->set_outbox(3);
  EXPECT_THAT(TroublesOf(facts), Contains(std::pair(std::string("outbox"), kWarning)));
}

}  // namespace
}  // namespace waymark::node
