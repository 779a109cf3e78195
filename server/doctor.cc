#include "server/doctor.h"

#include <algorithm>
#include <filesystem>

#include "base/doctor/look.h"
#include "base/identity/certificate.h"
#include "base/identity/files.h"
#include "base/status/status.h"
#include "server/own_certificate.h"
#include "server/store/postgres/look.h"
#include "server/store/postgres/schema.h"
#include "server/store/sqlite/routing_log.h"
#include "server/store/sqlite/schema.h"
#include "server/web/running.h"
#include "waymark/v1/directory.pb.h"

namespace waymark::hub {
namespace {

constexpr char kLockName[] = "hub.sqlite.lock";
constexpr absl::Duration kConnectLimit = absl::Seconds(3);
// Signed again after 4 days of 8: with less than that, a refresh has been missed.
constexpr absl::Duration kRefreshMissed = absl::Hours(24 * 3);

// The end of the first member statement to end.
std::optional<absl::Time> FirstEnd(const std::vector<StatementRow>& rows) {
  std::optional<absl::Time> first;
  for (const StatementRow& row : rows) {
    v1::SignedStatement outer;
    v1::Statement statement;
    if (!outer.ParseFromString(row.statement) || !statement.ParseFromString(outer.statement()) ||
        !statement.has_member()) {
      continue;
    }
    const absl::Time end = absl::FromUnixSeconds(statement.valid_until_minute() * 60);
    first = std::min(first.value_or(end), end);
  }
  return first;
}

absl::StatusOr<std::optional<absl::Time>> MembersUntil(const std::string& store) {
  if (!std::filesystem::exists(store)) return std::nullopt;
  ASSIGN_OR_RETURN(const RoutingLog log, ReadRoutingLog(store));
  return FirstEnd(log.statements);
}

absl::Status IssuedBy(const std::string& certificate_path, const std::string& ca_pem,
                      absl::Time now) {
  ASSIGN_OR_RETURN(const std::string pem, ReadPublicFile(certificate_path));
  ASSIGN_OR_RETURN(const Certificate certificate, Certificate::FromPem(pem));
  return certificate.VerifyIssuedBy(ca_pem, now);
}

// Files beside `store` that are named after it, other than those of the database itself.
std::vector<std::string> OldCopies(const std::string& store) {
  std::vector<std::string> old;
  std::error_code error;
  const auto now = std::filesystem::file_time_type::clock::now();
  const std::filesystem::path path(store);
  for (const auto& entry : std::filesystem::directory_iterator(path.parent_path(), error)) {
    const std::string name = entry.path().filename().string();
    // "hub.sqlite.before-2", not "hub.sqlite-wal".
    const bool copy = name.rfind(path.filename().string() + ".", 0) == 0 && name != kLockName;
    if (!copy) continue;
    const auto age = now - entry.last_write_time(error);
    if (!error && absl::FromChrono(age) > kRoutingRetention) old.push_back(entry.path().string());
  }
  std::sort(old.begin(), old.end());
  return old;
}

Finding CheckCopies(const std::vector<std::string>& old_copies) {
  constexpr char kCheck[] = "copies";
  if (old_copies.empty()) return Fine(kCheck, "no copy of the store is older than 7 days");
  std::string all;
  for (const std::string& path : old_copies) all += " " + path;
  return Warning(kCheck, "copies of the store hold what the hub has forgotten:" + all,
                 "Delete them, or move them to where backups are: rm" + all);
}

Finding CheckDatabase(const HubFacts::Database& database) {
  constexpr char kCheck[] = "database";
  if (!database.reached.ok()) {
    return Wrong(kCheck, std::string(database.reached.message()),
                 "Look at `store` and `store_password` of the configuration, and at the server "
                 "(docs/operations.md, Storing in PostgreSQL).");
  }
  if (database.weakness.empty()) {
    return Fine(kCheck, "the database answers, and its settings keep what is confirmed");
  }
  return Warning(kCheck, "the database answers, and " + database.weakness,
                 "Correct the server's settings (docs/operations.md, Storing in PostgreSQL).");
}

// What stands in the database instead of in the data folder.
void GatherDatabase(const Hub::Options& options, HubFacts& facts) {
  const auto sight = LookAtDatabase({options.store, options.store_password});
  facts.database = {sight.status(), sight.ok() ? sight->weakness : ""};
  facts.schema = {.known = kPgSchemaVersion};
  if (!sight.ok()) return;
  if (sight->version > 0) facts.schema.found = sight->version;
  facts.members_until = FirstEnd(sight->statements);
}

Finding CheckRunning(const HubFacts& facts) {
  if (facts.running.has_value()) {
    return Fine("running", "a hub answers at " + facts.metrics_listen);
  }
  return Warning("running", "no hub answers at " + facts.metrics_listen,
                 "If it should run: systemctl start waymark-hub, then journalctl -u waymark-hub, "
                 "whose last line says why if it ended.");
}

Finding CheckMembers(const HubFacts& facts) {
  constexpr char kCure[] =
      "Ask the registry operator to run 'waymark registry refresh', and to see to it that it runs "
      "every day.";
  if (facts.members_until.ok()) {
    return CheckStatements("the registry", *facts.members_until, facts.now, kRefreshMissed, kCure);
  }
  return Wrong("statements", std::string(facts.members_until.status().message()),
               "Run doctor as the hub's user. If it is that user, stop the hub and restore the "
               "store from a backup (docs/operations.md, Backups).");
}

}  // namespace

HubFacts GatherHubFacts(const Hub::Options& options) {
  const std::string store = options.data + "/hub.sqlite";
  HubFacts facts{.now = options.clock->Now(), .version = options.version};
  facts.metrics_listen = options.metrics_listen;
  facts.running = RunningVersion(options.metrics_listen);
  facts.data = LookAtPrivate(options.data);
  facts.key = LookAtPrivate(options.tls_key);
  const absl::StatusOr<DiskSpace> disk = SpaceAt(options.data);
  facts.disk_looked = disk.status();
  facts.disk = disk.value_or(DiskSpace{});
  facts.certificate = LookAtCertificate({.key_path = options.tls_key,
                                         .certificate_path = options.tls_certificate,
                                         .ca_path = options.data + "/ca.crt"},
                                        facts.now);
  // Before its first start the hub has not put the authority's certificate there.
  if (!std::filesystem::exists(options.data + "/ca.crt")) {
    facts.certificate.usable = IssuedBy(options.tls_certificate, options.network.ca_pem, facts.now);
  }
  facts.clock = LookAtClock();
  facts.old_copies = OldCopies(store);
  if (options.store.empty()) {
    facts.schema = {.found = LookAtSchema(store), .known = kSchemaVersion};
    facts.members_until = MembersUntil(store);
  } else {
    GatherDatabase(options, facts);
  }
  if (!facts.running.has_value()) return facts;
  for (const auto& addresses :
       {options.network.hub_addresses, options.network.enrolment_addresses}) {
    for (const std::string& address : addresses) {
      facts.addresses.push_back(Reach(address, kConnectLimit));
    }
  }
  return facts;
}

std::vector<Finding> DiagnoseHub(const HubFacts& facts) {
  std::vector<Finding> findings = {
      CheckRunning(facts),
      CheckVersion(facts.version, facts.running, "waymark-hub"),
      CheckPrivate(facts.data),
      CheckPrivate(facts.key),
      CheckDisk(facts.data.path, facts.disk_looked, facts.disk),
      CheckSchema(facts.schema, "waymark-hub " + facts.version),
      CheckCopies(facts.old_copies),
      CheckCertificate(facts.certificate, facts.now, OwnCertificate::kWarnBefore,
                       "The registry operator signs hub.csr again ('waymark registry sign-hub'), "
                       "and hub.crt is moved into place (docs/operations.md, The hub's "
                       "certificate)."),
      CheckMembers(facts),
      CheckClockSync(facts.clock),
  };
  if (facts.database.has_value()) findings.push_back(CheckDatabase(*facts.database));
  for (const ReachFacts& address : facts.addresses) {
    findings.push_back(CheckReachable(
        address,
        "Nodes use this address of the network file. Look at the name, the firewall and whether "
        "`listen` has this port; from inside, a router may refuse what works from outside."));
  }
  return findings;
}

}  // namespace waymark::hub
