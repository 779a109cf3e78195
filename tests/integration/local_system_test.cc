// The systems in which an organisation works, at a node that serves: what gets there, what comes
// back, and what a failure leaves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "base/identity/files.h"
#include "base/policy/section_fields.h"
#include "base/status/status.h"
#include "google/protobuf/util/json_util.h"
#include "google/protobuf/util/message_differencer.h"
#include "tests/scenarios/walkthrough.h"
#include "tests/support/poll.h"
#include "tests/support/seeded_random.h"
#include "waymark/v1/local.pb.h"

namespace waymark::testing {
namespace {

using google::protobuf::util::MessageDifferencer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Rows = std::vector<std::vector<std::string>>;

constexpr char kSchema[] =
    "CREATE TABLE stays (referral_key TEXT NOT NULL UNIQUE, referral_id TEXT, code INTEGER,"
    " state TEXT, language TEXT, called TEXT);"
    "CREATE TABLE rooms (free INTEGER NOT NULL);"
    "INSERT INTO rooms VALUES (1);"
    "CREATE TABLE answers (id INTEGER PRIMARY KEY, referral_id TEXT NOT NULL, said TEXT NOT NULL);";

constexpr char kOut[] =
    "{referral_id: .referral.referral_id, code: .referral.service_code, state: .referral.state,"
    " language: .sections.lang.preferred_language, called: .sections.iden.name_to_use}";
constexpr char kRoom[] =
    "{service_id: $args.service, status: (if .free > 0 then \"CAPACITY_STATUS_HAS_CAPACITY\""
    " else \"CAPACITY_STATUS_NO_CAPACITY\" end)}";
constexpr char kAnswers[] =
    "{referral_id: .referral_id, kind: {arrived: \"KIND_START\", nonsense: "
    "\"KIND_INQUIRY\"}[.said]}";

constexpr char kSettings[] = R"(
connectors:
  - name: beds
    kind: sqlite
    time_limit: 1s
    poll: 1s
    database: $DIR/beds.db
    units: [lin.family]
    args:
      - {name: service, value: $SERVICE}
    retry: {first_pause: 1s, longest_pause: 1s, attempts: 2, give_up_after: 1m}
    referrals:
      mapping: $DIR/beds-out.jq
      table: stays
      key: referral_key
      write: INSERT INTO stays (referral_key, referral_id, code, state, language, called)
        VALUES (:key, :referral_id, :code, :state, :language, :called)
        ON CONFLICT (referral_key) DO UPDATE SET state = excluded.state,
        language = excluded.language, called = excluded.called
      erase: DELETE FROM stays WHERE referral_key = :key
    capacity:
      mapping: $DIR/beds-capacity.jq
      read: SELECT free FROM rooms
    updates:
      mapping: $DIR/beds-updates.jq
      read: SELECT id, referral_id, said FROM answers WHERE id > :cursor ORDER BY id
      cursor: id
      start: 0
  - name: papers
    kind: files
    referrals: {mapping: $DIR/papers-out.jq, folder: $DIR/papers, collected: false}
)";

// Keeps a file a key. The first call ends the node between the write and its answer.
constexpr char kKeeper[] = R"(#!/bin/sh
read -r line
key=${line#*\"key\":\"}
key=${key%%\"*}
echo "$line" > "$DIR/kept/$key"
echo "$key" >> "$DIR/calls"
[ -e "$DIR/once" ] && exit 0
: > "$DIR/once"
kill -9 $PPID
)";

constexpr char kKeeperSettings[] = R"(
connectors:
  - name: keeper
    kind: command
    referrals: {mapping: $DIR/papers-out.jq, write: [$DIR/keeper], keyed: true}
)";

std::string Slurp(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

class LocalSystemTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto network = NetworkFixture::Create(Scenario1Organisations({"qso", "lin"}));
    ASSERT_TRUE(network.ok()) << network.status();
    network_ = *std::move(network);
    walk_ = std::make_unique<Walkthrough>(*network_, random_, Sara());
    folder_ = network_->folder() + "/local";
    for (const char* name : {"papers", "kept"}) {
      std::filesystem::create_directories(folder_ + "/" + name);
    }
    Write("beds-out.jq", kOut);
    Write("beds-capacity.jq", kRoom);
    Write("beds-updates.jq", kAnswers);
    Write("papers-out.jq", ".");
    Sql(kSchema);
  }

  std::string InFolder(const std::string& text) const {
    return absl::StrReplaceAll(
        text, {{"$DIR", folder_},
               {"$SERVICE", absl::Base64Escape(network_->service("lin-206").bytes())}});
  }
  void Write(const std::string& name, const std::string& text) const {
    ASSERT_TRUE(WritePublicFile(folder_ + "/" + name, InFolder(text)).ok());
  }
  // Starts lin again with these settings.
  void Serve(const std::string& settings) {
    NodeProcess& lin = network_->node("lin");
    absl::Status served = lin.Stop();
    if (served.ok()) served = lin.Configure(InFolder(settings));
    if (served.ok()) served = lin.Start();
    if (served.ok()) served = network_->AwaitConnected("lin");
    ASSERT_TRUE(served.ok()) << served;
  }

  Rows Sql(const std::string& sql) const {
    sqlite3* database = nullptr;
    EXPECT_EQ(sqlite3_open((folder_ + "/beds.db").c_str(), &database), SQLITE_OK);
    sqlite3_busy_timeout(database, 10'000);
    Rows rows;
    const auto take = [](void* out, int columns, char** values, char**) {
      std::vector<std::string>& row = static_cast<Rows*>(out)->emplace_back();
      for (int i = 0; i < columns; ++i) row.emplace_back(values[i] == nullptr ? "" : values[i]);
      return 0;
    };
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), take, &rows, nullptr), SQLITE_OK)
        << sqlite3_errmsg(database);
    sqlite3_close(database);
    return rows;
  }
  Rows Stays() const { return Sql("SELECT code, state, language, called FROM stays"); }
  std::string Key() { return absl::BytesToHexString(walk_->Id("lin")); }
  std::string Paper() { return folder_ + "/papers/" + Key() + ".json"; }

  // Up to lin's offer, and then her yes.
  void AskAndOffer() {
    absl::Status told = walk_->OpenCase();
    if (told.ok()) told = walk_->RecordInquiryConsent();
    if (told.ok()) told = walk_->InquireRooms();
    if (told.ok()) told = walk_->RoomsAnswer();
    ASSERT_TRUE(told.ok()) << told;
  }
  void Decide() {
    const absl::Status decided = walk_->Decide();
    ASSERT_TRUE(decided.ok()) << decided;
  }

  // For a node that does not live long enough to be asked what it knows.
  void DecideWithoutWaiting() {
    network_->MoveTo(At(20, 12));
    const absl::Status recorded = walk_->Record(walk_->RoomConsent());
    ASSERT_TRUE(recorded.ok()) << recorded;
    network_->MoveTo(At(20, 14));
    v1::AcceptRequest request;
    request.set_referral_id(walk_->Id("lin"));
    request.set_message_id(NewId(random_));
    request.set_consent_id(walk_->RoomConsent().consent_id());
    const absl::Status accepted = walk_->lead().Call(&NodeStub::Accept, request).status();
    ASSERT_TRUE(accepted.ok()) << accepted;
  }

  v1::GetStatusResponse Status() {
    const auto status =
        network_->node("lin").administrator().Call(&NodeStub::GetStatus, v1::GetStatusRequest());
    EXPECT_TRUE(status.ok()) << status.status();
    return status.value_or(v1::GetStatusResponse());
  }
  // What lin's people were told about a system.
  std::vector<std::string> Alerts(const std::string& connector) {
    std::vector<std::string> texts;
    const v1::GetStatusResponse status = Status();
    for (const v1::Alert& alert : status.alerts()) {
      if (alert.text().find("'" + connector + "'") != std::string::npos) {
        texts.push_back(alert.text());
      }
    }
    return texts;
  }
  std::vector<v1::LocalDelivery> Deliveries(bool all) {
    v1::ListDeliveriesRequest request;
    request.set_all(all);
    const auto listed =
        network_->node("lin").administrator().Call(&NodeStub::ListDeliveries, request);
    EXPECT_TRUE(listed.ok()) << listed.status();
    if (!listed.ok()) return {};
    return {listed->deliveries().begin(), listed->deliveries().end()};
  }
  v1::CapacityStatus RoomAtQso() {
    const auto listed = walk_->lead().Call(&NodeStub::ListDirectory, v1::ListDirectoryRequest());
    if (!listed.ok()) return v1::CAPACITY_STATUS_UNSPECIFIED;
    for (const v1::DirectoryListing& listing : listed->services()) {
      if (listing.service().handle() == "lin-206") return listing.status();
    }
    return v1::CAPACITY_STATUS_UNSPECIFIED;
  }
  // Runs the command line as lin's administrator.
  absl::Status Run(std::vector<std::string> words) {
    words.insert(words.begin(), WAYMARK);
    return RunToEnd({.command = std::move(words),
                     .environment = {{"WAYMARK_SOCKET", network_->node("lin").socket()},
                                     {"WAYMARK_SESSION", folder_ + "/session"}},
                     .output = folder_ + "/cli.out"});
  }

  std::unique_ptr<NetworkFixture> network_;
  SeededRandom random_{29};
  std::unique_ptr<Walkthrough> walk_;
  std::string folder_;
};

TEST_F(LocalSystemTest, AReferralGetsThereAndBackAndIsErased) {
  Serve(kSettings);
  AskAndOffer();
  EXPECT_THAT(Stays(), IsEmpty()) << "she has not decided";
  DecideWithoutWaiting();
  const absl::Time decided = absl::Now();
  ASSERT_TRUE(Eventually([&] { return !Stays().empty(); }));
  std::cout << "from her yes at one node to the record at the other: "
            << absl::FormatDuration(absl::Trunc(absl::Now() - decided, absl::Milliseconds(1)))
            << "\n";
  EXPECT_TRUE(Eventually([&] {
    const v1::GetStatusResponse status = Status();
    return status.local_systems_size() == 2 && status.local_systems(0).has_median_time_to_record();
  }));
  const absl::Status disclosed = walk_->DiscloseAtAcceptance();
  ASSERT_TRUE(disclosed.ok()) << disclosed;
  const auto view = walk_->View("lin", "lin");
  ASSERT_TRUE(view.ok()) << view.status();
  const std::string language = view->sections().lang().preferred_language();
  const std::string called = view->sections().iden().name_to_use();
  EXPECT_NE(language, "");
  // One row, with what the mapping takes of what was agreed.
  EXPECT_TRUE(Eventually([&] { return Stays() == Rows{{"206", "ACCEPTED", language, called}}; }));
  // A mapping that takes everything gets what the unit may open, field by field.
  v1::LocalOutward outward;
  const auto agreed = [&] {
    outward.Clear();
    const bool read = google::protobuf::util::JsonStringToMessage(Slurp(Paper()), &outward).ok();
    return read && MessageDifferencer::Equals(outward.sections(), view->sections());
  };
  EXPECT_TRUE(Eventually(agreed)) << outward.ShortDebugString();
  EXPECT_GT(FieldNumbersIn(outward.sections()).size(), 10);
  EXPECT_THAT(Sql("SELECT referral_key FROM stays"), ElementsAre(ElementsAre(Key())));

  // What the local system says comes back as if typed.
  Sql("INSERT INTO answers (referral_id, said) SELECT referral_id, 'arrived' FROM stays");
  const absl::Status started = walk_->AwaitState("qso", "lin", "STARTED");
  EXPECT_TRUE(started.ok()) << started;
  EXPECT_TRUE(Eventually([&] { return Stays() == Rows{{"206", "STARTED", language, called}}; }));

  v1::WithdrawRequest request;
  request.set_referral_id(walk_->Id("lin"));
  ASSERT_TRUE(walk_->lead().Call(&NodeStub::Withdraw, request).ok());
  const absl::Status acknowledged = walk_->AwaitKind("qso", "lin", v1::KIND_REVOKE_ACK);
  ASSERT_TRUE(acknowledged.ok()) << acknowledged;
  // Whoever hears that it is erased may rely on it.
  EXPECT_THAT(Stays(), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(Paper()));
  const auto told = walk_->View("qso", "lin");
  ASSERT_TRUE(told.ok()) << told.status();
  EXPECT_EQ(told->revocation_ack().outcome(), v1::ERASURE_OUTCOME_ERASED);
}

TEST_F(LocalSystemTest, RoomInTheRegisterIsInEverybodysDirectory) {
  Sql("UPDATE rooms SET free = 0");
  Serve(kSettings);
  EXPECT_TRUE(Eventually([&] { return RoomAtQso() == v1::CAPACITY_STATUS_NO_CAPACITY; }));
  Sql("UPDATE rooms SET free = 2");
  EXPECT_TRUE(Eventually([&] { return RoomAtQso() == v1::CAPACITY_STATUS_HAS_CAPACITY; }));
}

TEST_F(LocalSystemTest, ASystemThatWasAwayIsTakenUpAgainByOneCommand) {
  Serve(kSettings);
  AskAndOffer();
  std::filesystem::rename(folder_ + "/beds.db", folder_ + "/away.db");
  Decide();
  const auto dead = [&] {
    for (const v1::LocalDelivery& delivery : Deliveries(false)) {
      if (delivery.state() == v1::LOCAL_DELIVERY_STATE_DEAD) return true;
    }
    return false;
  };
  // Given up after both: two failures, and a minute.
  EXPECT_TRUE(Eventually([&] {
    const auto waiting = Deliveries(false);
    return !waiting.empty() && waiting.front().attempts() > 0;
  }));
  network_->Advance(absl::Minutes(2));
  ASSERT_TRUE(Eventually(dead));
  EXPECT_THAT(Deliveries(false), SizeIs(1)) << "the other system has its file";
  EXPECT_EQ(Deliveries(false).front().key(), Key());
  const auto failing = [&] {
    int count = 0;
    for (const std::string& text : Alerts("beds")) {
      count += text.find("does not take all") != std::string::npos ? 1 : 0;
    }
    return count;
  };
  EXPECT_EQ(failing(), 1);

  std::filesystem::rename(folder_ + "/away.db", folder_ + "/beds.db");
  const std::string passphrase = network_->node("lin").passphrase_file();
  absl::Status healed = Run({"login", "admin", "--passphrase-file", passphrase});
  if (healed.ok()) healed = Run({"local", "list"});
  EXPECT_THAT(Slurp(folder_ + "/cli.out"), HasSubstr("DEAD"));
  if (healed.ok()) healed = Run({"local", "replay", "--all", "--connector", "beds"});
  ASSERT_TRUE(healed.ok()) << healed;
  EXPECT_TRUE(Eventually([&] { return Stays().size() == 1; }));
  EXPECT_TRUE(Eventually([&] { return Deliveries(false).empty(); }));
  EXPECT_EQ(failing(), 1);
  EXPECT_TRUE(Eventually([&] {
    const auto alerts = Alerts("beds");
    return !alerts.empty() && alerts.front().find("has taken all") != std::string::npos;
  }));
}

TEST_F(LocalSystemTest, ASystemThatRefusesItsSettingsStopsNothingAndGetsEverythingOnceMended) {
  Sql("ALTER TABLE stays RENAME TO guests");
  Serve(kSettings);
  AskAndOffer();
  Decide();
  EXPECT_TRUE(Eventually([&] { return !Slurp(Paper()).empty(); }))
      << "the other system has its file";
  const auto refused = [](const std::string& text) {
    return text.find("no such table: stays") != std::string::npos;
  };
  EXPECT_TRUE(Eventually([&] { return !Alerts("beds").empty(); }));
  network_->Advance(absl::Minutes(10));
  EXPECT_EQ(Alerts("beds").size(), 1);
  EXPECT_TRUE(refused(Alerts("beds").front())) << Alerts("beds").front();
  ASSERT_THAT(Deliveries(false), SizeIs(1));
  EXPECT_EQ(Deliveries(false).front().state(), v1::LOCAL_DELIVERY_STATE_WAITING);
  EXPECT_EQ(Deliveries(false).front().attempts(), 0);

  Sql("ALTER TABLE guests RENAME TO stays");
  network_->Advance(absl::Minutes(1));
  EXPECT_TRUE(Eventually([&] { return Stays().size() == 1; }));
  EXPECT_TRUE(Eventually([&] { return Alerts("beds").size() == 2; }));
  EXPECT_TRUE(refused(Alerts("beds").back())) << "the newest stands first";
}

TEST_F(LocalSystemTest, ANodeThatDiesBetweenWriteAndAnswerLeavesOneRecord) {
  Write("keeper", kKeeper);
  ASSERT_EQ(chmod((folder_ + "/keeper").c_str(), 0755), 0);
  Serve(kKeeperSettings);
  AskAndOffer();
  DecideWithoutWaiting();
  const absl::Status killed = network_->node("lin").AwaitKilled();
  ASSERT_TRUE(killed.ok()) << killed;
  ASSERT_TRUE(network_->node("lin").Start().ok());
  EXPECT_TRUE(Eventually([&] {
    const auto all = Deliveries(true);
    return all.size() == 1 && all.front().state() == v1::LOCAL_DELIVERY_STATE_DONE;
  }));
  EXPECT_THAT(Slurp(folder_ + "/calls"), absl::StrCat(Key(), "\n", Key(), "\n"));
  EXPECT_THAT(std::distance(std::filesystem::directory_iterator(folder_ + "/kept"), {}), 1);
}

TEST_F(LocalSystemTest, WhatCannotBeActedOnIsShownToThoseWhoMayOpenIt) {
  Serve(kSettings);
  AskAndOffer();
  Decide();
  ASSERT_TRUE(Eventually([&] { return !Stays().empty(); }));
  Sql("INSERT INTO answers (referral_id, said) SELECT referral_id, 'nonsense' FROM stays");
  const auto items = [&](node::NodeClient& staff) {
    const auto listed = staff.Call(&NodeStub::ListRefusedItems, v1::ListRefusedItemsRequest());
    EXPECT_TRUE(listed.ok()) << listed.status();
    return listed.value_or(v1::ListRefusedItemsResponse());
  };
  NodeProcess& lin = network_->node("lin");
  ASSERT_TRUE(Eventually([&] { return items(lin.administrator()).items_size() == 1; }));
  const v1::LocalItem seen = items(lin.administrator()).items(0);
  EXPECT_EQ(seen.text(), "");
  EXPECT_EQ(seen.referral_id(), walk_->Id("lin"));
  EXPECT_GT(seen.findings_size(), 0);
  EXPECT_THAT(items(lin.caseworker()).items(0).text(), HasSubstr("nonsense"));
  v1::RetryRefusedItemRequest retry;
  retry.set_item_id(seen.item_id());
  EXPECT_FALSE(lin.administrator().Call(&NodeStub::RetryRefusedItem, retry).ok());
  v1::DropRefusedItemRequest drop;
  drop.set_item_id(seen.item_id());
  EXPECT_TRUE(lin.caseworker().Call(&NodeStub::DropRefusedItem, drop).ok());
  EXPECT_EQ(items(lin.administrator()).items_size(), 0);
  EXPECT_EQ(ReasonOf(lin.caseworker().Call(&NodeStub::DropRefusedItem, drop).status()),
            v1::REASON_NOT_FOUND);
}

}  // namespace
}  // namespace waymark::testing
