// HSDS both ways: what is read, what is left behind, and that nothing is lost between.
#include "base/schema/canonical_json.h"
#include "client/listing/hsds_package.h"
#include "client/listing/hsds_reader.h"
#include "client/listing/hsds_writer.h"
#include "client/listing/record_value.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "tests/client/listing/support.h"

namespace waymark::node {
namespace {

using google::protobuf::util::MessageDifferencer;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kUuid[] = "6b1f0c1e-93a2-4f65-9d0a-0b6f8a4f2f11";

const Catalogue& Data() { return Catalogue::Default(); }

std::vector<ListingDraft> ReadAll(const std::string& json, std::set<std::string>& left_behind,
                                  const TermTables& terms = {}) {
  const auto value = ParseRecord(json);
  EXPECT_TRUE(value.ok()) << value.status();
  return HsdsReader(Data(), terms).Read(*value, left_behind);
}

ListingDraft ReadOne(const std::string& json, const TermTables& terms = {}) {
  std::set<std::string> left_behind;
  auto drafts = ReadAll(json, left_behind, terms);
  EXPECT_EQ(drafts.size(), 1U);
  return drafts.empty() ? ListingDraft() : std::move(drafts.front());
}

std::string ServiceWith(const std::string& fields) {
  return std::string("{\"id\":\"") + kUuid + "\",\"name\":\"n\",\"status\":\"active\"," + fields +
         "}";
}

std::string PlaceOf(const std::string& location) {
  return "\"service_at_locations\":[{\"id\":\"p\",\"location\":{\"id\":\"l\"," + location + "}}]";
}

std::vector<std::string> FieldsOf(const ListingDraft& draft, local::v1::RecordFindingKind kind) {
  std::vector<std::string> fields;
  for (const auto& finding : draft.findings) {
    if (finding.kind() == kind) fields.push_back(finding.field());
  }
  return fields;
}

TEST(HsdsReaderTest, ReadsWhatTheDirectoryHasAPlaceFor) {
  const ListingDraft draft =
      ReadOne(ServiceWith(
                  R"("minimum_age":18,"maximum_age":"65","assured_date":"2026-11-30",
         "last_modified":"2026-12-24T10:00:00Z","description":"anything",
         "languages":[{"code":"ti","note":"Spoken by staff"},{"code":"ar"},{"name":"Urdu"}],
         "service_areas":[{"name":"XA-M"},{"name":"North"}],
         "schedules":[{"freq":"WEEKLY","byday":"MO,SU","opens_at":"09:00","closes_at":"17:30:00"}],
         "attributes":[{"taxonomy_term":{"code":"1184","taxonomy":"Open Eligibility"}},
                       {"taxonomy_term":{"code":"X9","name":"Homes","taxonomy":"ours"}}],
         "capacities":[{"unit":{"name":"Beds"},"available":2,"maximum":5,
                        "updated":"2027-01-15T08:00:00+01:00"}],)" +
                  PlaceOf(R"("location_type":"physical","latitude":1.5)")),
              {{{"Homes", 206}}, {{"North", "XA-N"}}});
  v1::Service expected;
  ASSERT_TRUE(FromJson(R"({"code":403,"secondary_codes":[206],
      "service_areas":["XA-M","XA-N"],"location_kind":"LOCATION_KIND_ADDRESSED",
      "languages":[{"tag":"ti","spoken_by_staff":true},{"tag":"ar"}],
      "populations":{"minimum_age":18,"maximum_age":65},
      "intake_hours":[{"weekday":1,"from_minute":540,"to_minute":1050},
                      {"weekday":7,"from_minute":540,"to_minute":1050}],
      "capacity_unit":"CAPACITY_UNIT_BED","last_verified":{"year":2026,"month":11,"day":30}})",
                       expected)
                  .ok());
  expected.set_service_id(*FromUuid(kUuid));
  EXPECT_TRUE(MessageDifferencer::Equals(draft.record.service(), expected))
      << draft.record.service().DebugString();
  EXPECT_EQ(draft.record.record_id(), kUuid);
  EXPECT_TRUE(draft.record.has_address());
  EXPECT_EQ(draft.record.capacity().available(), 2U);
  EXPECT_EQ(draft.record.capacity().status(), v1::CAPACITY_STATUS_HAS_CAPACITY);
  EXPECT_EQ(draft.record.capacity().updated_minute() * 60, 1'799'996'400);
}

TEST(HsdsReaderTest, TakesTheDayOfTheLastChangeWhereNobodyAssured) {
  const ListingDraft draft = ReadOne(ServiceWith(R"("last_modified":"2026-12-24T10:00:00Z")"));
  EXPECT_EQ(DayText(draft.record.service().last_verified()), "2026-12-24");
  EXPECT_FALSE(
      ReadOne(ServiceWith(R"("assured_date":"soon")")).record.service().has_last_verified());
}

TEST(HsdsReaderTest, LeavesOutHoursThatAreNotSimplyWeekly) {
  for (const char* rest : {R"("byday":"MO","bymonthday":"1")", R"("byday":"MO","interval":2)",
                           R"("byday":"MO","valid_to":"2020-01-01")"}) {
    const ListingDraft draft = ReadOne(ServiceWith(
        std::string(R"("schedules":[{"freq":"WEEKLY","opens_at":"09:00","closes_at":"10:00",)") +
        rest + "}]"));
    EXPECT_THAT(draft.record.service().intake_hours(), IsEmpty());
    EXPECT_THAT(FieldsOf(draft, local::v1::RECORD_FINDING_KIND_NOTE), ElementsAre("schedules[]"));
  }
}

TEST(HsdsReaderTest, FindsServicesInTheirOrganisationAndAtTheirPlace) {
  std::set<std::string> left_behind;
  const std::string service = ServiceWith("\"assured_date\":\"2026-01-01\"");
  EXPECT_EQ(ReadAll("{\"id\":\"o\",\"name\":\"o\",\"services\":[" + service + "," + service + "]}",
                    left_behind)
                .size(),
            2U);
  const auto placed = ReadAll(
      "{\"id\":\"p\",\"location\":{\"location_type\":\"virtual\"},\"service\":" + service + "}",
      left_behind);
  ASSERT_EQ(placed.size(), 1U);
  EXPECT_EQ(placed[0].record.service().location_kind(), v1::LOCATION_KIND_VIRTUAL);
  EXPECT_THAT(ReadAll("{\"id\":\"t\",\"name\":\"a term\"}", left_behind), IsEmpty());
}

TEST(HsdsReaderTest, ListsWhatItLeavesBehindByPath) {
  std::set<std::string> left_behind;
  ReadAll(ServiceWith(R"("description":"x","phones":[{"number":"1"},{"number":"2"}],"url":"")"),
          left_behind);
  EXPECT_THAT(left_behind, ElementsAre("description", "name", "phones[].number"));
}

TEST(HsdsReaderTest, SeesAConfidentialPlaceAndItsAddress) {
  const ListingDraft bare = ReadOne(ServiceWith(PlaceOf(R"("location_type":"redacted")")));
  EXPECT_EQ(bare.record.service().location_kind(), v1::LOCATION_KIND_REDACTED);
  EXPECT_FALSE(bare.record.has_address());
  for (const char* where : {R"("longitude":0.5)", R"("addresses":[{"address_1":"1 Long Lane"}])"}) {
    EXPECT_TRUE(ReadOne(ServiceWith(PlaceOf(std::string(R"("location_type":"redacted",)") + where)))
                    .record.has_address());
  }
  // The organisation gives it away.
  EXPECT_TRUE(ReadOne(ServiceWith(PlaceOf(R"("location_type":"redacted")") +
                                  R"(,"organization":{"locations":[{"id":"l","latitude":1}]})"))
                  .record.has_address());
  // Neither an attribute nor a second place makes it less confidential.
  EXPECT_EQ(ReadOne(ServiceWith(
                        R"("service_at_locations":[{"location":{"location_type":"redacted"}},
                                             {"location":{"location_type":"physical"}}],
                     "attributes":[{"value":"{\"location_kind\":\"LOCATION_KIND_ADDRESSED\"}",
                      "taxonomy_term":{"code":"location_kind","taxonomy":"waymark-fields"}}])"))
                .record.service()
                .location_kind(),
            v1::LOCATION_KIND_REDACTED);
}

TEST(HsdsReaderTest, HoldsBackWordsAnywhereInTheRecord) {
  // Built up so that no file has the word.
  const std::string word = std::string("Vict") + "ims";
  for (const std::string& fields :
       {"\"description\":\"for " + word + " of storms\"", "\"" + word + "\":1",
        "\"phones\":[{\"description\":\"\\u0056ict" + word.substr(4) + "\"}]"}) {
    EXPECT_THAT(FieldsOf(ReadOne(ServiceWith(fields)), local::v1::RECORD_FINDING_KIND_HELD_BACK),
                Not(IsEmpty()))
        << fields;
  }
  EXPECT_THAT(FieldsOf(ReadOne(ServiceWith("\"description\":\"victory\"")),
                       local::v1::RECORD_FINDING_KIND_HELD_BACK),
              IsEmpty());
}

TEST(HsdsReaderTest, SurvivesWrongTypesEverywhere) {
  for (const char* wrong : {"1", "\"x\"", "[]", "{}", "[[1]]", "[null]", "[{\"location\":[1]}]"}) {
    for (const char* field : {"languages", "service_areas", "schedules", "service_at_locations",
                              "attributes", "capacities", "organization", "assured_date"}) {
      const ListingDraft draft = ReadOne(ServiceWith("\"" + std::string(field) + "\":" + wrong));
      EXPECT_EQ(draft.record.record_id(), kUuid) << field << wrong;
    }
  }
}

// --- Writing ---------------------------------------------------------------------------------

ExportedService Exported(const v1::Service& service, std::optional<v1::Capacity> capacity) {
  return {service, std::move(capacity), Bytes('L'), "Linden, House"};
}

// Random services come back equal from JSON and from tables, in both versions.
TEST(HsdsRoundTripTest, LosesNothing) {
  std::mt19937 random(20270309);
  for (const HsdsVersion version : {HsdsVersion::k30, HsdsVersion::k31}) {
    const TestFolder folder;
    std::vector<google::protobuf::Value> written;
    std::vector<ExportedService> sent;
    for (int i = 0; i < 200; ++i) {
      const v1::Service service = RandomService(random);
      sent.push_back(Exported(service, RandomRoom(random, service)));
      written.push_back(WriteHsds(Data(), sent.back(), version));
    }
    for (const auto& [name, content] : WriteHsdsPackage(written, version)) {
      folder.Write(name, content);
    }
    auto package = HsdsPackage::Open(folder.path());
    ASSERT_TRUE(package.ok()) << package.status();
    ASSERT_EQ(package->size(), sent.size());
    const TermTables terms;
    const HsdsReader reader(Data(), terms);
    for (size_t i = 0; i < sent.size(); ++i) {
      for (const auto& value : {written[i], package->Service(i)}) {
        std::set<std::string> left_behind;
        const ListingDraft draft = reader.Read(value, left_behind).at(0);
        ASSERT_TRUE(MessageDifferencer::Equals(draft.record.service(), sent[i].service))
            << value.DebugString() << draft.record.service().DebugString();
        ASSERT_TRUE(MessageDifferencer::Equals(draft.record.capacity(),
                                               sent[i].capacity.value_or(v1::Capacity())))
            << value.DebugString() << draft.record.capacity().DebugString();
        EXPECT_THAT(FieldsOf(draft, local::v1::RECORD_FINDING_KIND_INVALID), IsEmpty());
      }
    }
    EXPECT_THAT(package->Unjoined(), IsEmpty());
  }
}

TEST(HsdsWriterTest, GivesTheSameIdsEachTime) {
  std::mt19937 random(1);
  const v1::Service service = RandomService(random);
  const auto write = [&] { return WriteHsds(Data(), Exported(service, {}), HsdsVersion::k31); };
  EXPECT_TRUE(MessageDifferencer::Equals(write(), write()));
}

TEST(HsdsWriterTest, UncoversNoConfidentialPlace) {
  std::mt19937 random(7);
  v1::Service service = RandomService(random);
  service.set_location_kind(v1::LOCATION_KIND_REDACTED);
  v1::Capacity capacity;
  capacity.set_service_id(service.service_id());
  capacity.set_status(v1::CAPACITY_STATUS_HAS_CAPACITY);
  capacity.set_available(77123);
  capacity.set_maximum(77124);
  capacity.set_updated_minute(30'000'000);
  capacity.set_valid_until_minute(30'000'100);
  for (const HsdsVersion version : {HsdsVersion::k30, HsdsVersion::k31}) {
    const auto value = WriteHsds(Data(), Exported(service, capacity), version);
    const std::string text = ToJson(value).value();
    EXPECT_THAT(text, Not(HasSubstr("7712")));
    EXPECT_THAT(text, Not(HasSubstr("service_at_locations")));
    EXPECT_THAT(text, Not(HasSubstr("\"capacities\"")));
    EXPECT_THAT(text, HasSubstr("LOCATION_KIND_REDACTED"));
    for (const auto& [name, content] : WriteHsdsPackage({value}, version)) {
      EXPECT_THAT(content, Not(HasSubstr("7712"))) << name;
      EXPECT_NE(name, "locations.csv");
    }
  }
}

TEST(HsdsWriterTest, HasCapacityOnlyWhereTheVersionDoes) {
  std::mt19937 random(7);
  v1::Service service = RandomService(random);
  service.set_location_kind(v1::LOCATION_KIND_ADDRESSED);
  v1::Capacity capacity;
  capacity.set_service_id(service.service_id());
  capacity.set_status(v1::CAPACITY_STATUS_NO_CAPACITY);
  capacity.set_available(0);
  capacity.set_updated_minute(30'000'000);
  capacity.set_valid_until_minute(30'000'240);
  const auto has = [&](HsdsVersion version) {
    return WriteHsds(Data(), Exported(service, capacity), version)
        .struct_value()
        .fields()
        .contains("capacities");
  };
  EXPECT_FALSE(has(HsdsVersion::k30));
  EXPECT_TRUE(has(HsdsVersion::k31));
}

// --- Packages ----------------------------------------------------------------------------------

TEST(HsdsPackageTest, JoinsTablesAndTellsOfRowsThatBelongNowhere) {
  const TestFolder folder;
  folder.Write("services.csv",
               "id,name,status,organization_id\r\ns1,n,active,o1\r\ns2,n,active,\r\n");
  folder.Write("organizations.csv", "id,name\no1,Org\n");
  folder.Write("languages.csv",
               "id,service_id,location_id,code\nl1,s1,,ti\nl2,s1,,ar\nl3,s9,,fr\n");
  folder.Write("service_at_location.csv", "id,service_id,location_id\np1,s2,loc\n");
  folder.Write("locations.csv", "id,location_type\nloc,physical\n");
  folder.Write("addresses.csv", "id,location_id,address_1\na1,loc,1 Long Lane\n");
  folder.Write("attributes.csv", "id,link_id,taxonomy_term_id,link_entity\nx,s1,t,service\n");
  folder.Write("shelves.csv", "id\n1\n");
  // A term that is its own parent.
  folder.Write("taxonomy_terms.csv", "id,parent_id,code,taxonomy\nt,t,1184,Open Eligibility\n");
  auto package = HsdsPackage::Open(folder.path());
  ASSERT_TRUE(package.ok()) << package.status();
  ASSERT_EQ(package->size(), 2U);
  const TermTables terms;
  std::set<std::string> left_behind;
  const HsdsReader reader(Data(), terms);
  const auto first = reader.Read(package->Service(0), left_behind).at(0);
  EXPECT_EQ(first.record.service().languages_size(), 2);
  EXPECT_EQ(first.record.service().code(), 403U);
  const auto second = reader.Read(package->Service(1), left_behind).at(0);
  EXPECT_EQ(second.record.service().location_kind(), v1::LOCATION_KIND_ADDRESSED);
  EXPECT_TRUE(second.record.has_address());
  EXPECT_THAT(package->Unjoined(), ElementsAre("languages.csv[]", "shelves.csv[]"));
}

TEST(HsdsPackageTest, NamesTheFileThatCannotBeRead) {
  const TestFolder folder;
  EXPECT_FALSE(HsdsPackage::Open(folder.path()).ok());
  folder.Write("services.csv", "id\ns1\n");
  folder.Write("units.csv", "id\n\"open");
  EXPECT_THAT(std::string(HsdsPackage::Open(folder.path()).status().message()),
              HasSubstr("units.csv"));
  folder.Write("units.csv", "id\n\xFF\n");
  EXPECT_FALSE(HsdsPackage::Open(folder.path()).ok());
}

TEST(HsdsPackageTest, KnowsTablesInOneObject) {
  const auto tables = ParseRecord(
      R"({"services.csv":[{"id":"s1","name":"n","status":"active","minimum_age":12}],
          "languages.csv":[{"service_id":"s1","code":"ti"}]})");
  ASSERT_TRUE(tables.ok());
  ASSERT_TRUE(HsdsPackage::IsTables(*tables));
  HsdsPackage package = HsdsPackage::FromTables(*tables);
  const TermTables terms;
  std::set<std::string> left_behind;
  const auto draft = HsdsReader(Data(), terms).Read(package.Service(0), left_behind).at(0);
  EXPECT_EQ(draft.record.service().languages(0).tag(), "ti");
  EXPECT_EQ(draft.record.service().populations().minimum_age(), 12U);
  EXPECT_FALSE(HsdsPackage::IsTables(*ParseRecord("{\"id\":1}")));
}

}  // namespace
}  // namespace waymark::node
