// The readers of files: JSON record by record, and what hostile ones do.
#include <sstream>

#include "base/status/status.h"
#include "client/listing/json_records.h"
#include "client/listing/record_value.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace waymark::node {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

// The records, then "!" if the file could not be read to its end.
std::vector<std::string> Records(const std::string& text) {
  std::istringstream in(text);
  JsonRecords records(in);
  std::vector<std::string> found;
  while (true) {
    const auto record = records.Next();
    if (!record.ok()) {
      EXPECT_EQ(ReasonOf(record.status()), v1::REASON_MALFORMED);
      found.emplace_back("!");
      return found;
    }
    if (!record->has_value()) return found;
    found.push_back(**record);
  }
}

TEST(JsonRecordsTest, KnowsTheFormsOfFiles) {
  EXPECT_THAT(Records("[{\"a\":1}, {\"b\":\"]}\\\"\"} ]"),
              ElementsAre("{\"a\":1}", "{\"b\":\"]}\\\"\"}"));
  EXPECT_THAT(Records("{\"a\":1}\n{\"a\":2}\r\n"), ElementsAre("{\"a\":1}", "{\"a\":2}"));
  EXPECT_THAT(Records("\xEF\xBB\xBF [ ]\r\n"), IsEmpty());
  EXPECT_THAT(Records("{\"total\":2,\"contents\":[{\"a\":1},{\"a\":2}],\"last\":{\"x\":[]}}"),
              ElementsAre("{\"a\":1}", "{\"a\":2}"));
  EXPECT_THAT(Records("{\"type\":\"FeatureCollection\",\"features\":[1]}"), ElementsAre("1"));
  EXPECT_THAT(Records("{\"services\":[{\"a\":1}]}"), ElementsAre("{\"a\":1}"));
}

TEST(JsonRecordsTest, TakesAnOrganisationWithItsServicesAsOneRecord) {
  const std::string organisation = "{\"id\":\"o\",\"services\":[{\"id\":\"s\"}]}";
  EXPECT_THAT(Records(organisation), ElementsAre(organisation));
}

TEST(JsonRecordsTest, SaysWhenAFileIsCutAtAnyByte) {
  const std::string whole = "{\"n\":1,\"contents\":[{\"a\":\"x\\\"y\"},[2],true],\"z\":[1]}";
  ASSERT_THAT(Records(whole), ElementsAre("{\"a\":\"x\\\"y\"}", "[2]", "true"));
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(Records(whole.substr(0, size)).back(), "!") << size;
  }
}

TEST(JsonRecordsTest, SaysWhenItIsNoJson) {
  for (const char* text :
       {"", "  ", "x", "[1 2]", "[,1]", "[1,]", "[1]x", "{1:2}", "{\"a\" 1}", "id,name\n1,a\n"}) {
    EXPECT_EQ(Records(text).back(), "!") << text;
  }
}

TEST(JsonRecordsTest, BoundsARecord) {
  EXPECT_THAT(Records("[\"" + std::string(kMaxRecordBytes + 1, 'a') + "\"]"), ElementsAre("!"));
  EXPECT_THAT(Records("{\"a\":\"" + std::string(kMaxRecordBytes, 'a') + "\"}"), ElementsAre("!"));
}

TEST(RecordValueTest, RefusesWhatIsTooDeepOrNoJson) {
  std::string deep(kMaxRecordDepth + 1, '[');
  deep += std::string(kMaxRecordDepth + 1, ']');
  for (const std::string& text : {deep, std::string("{"), std::string("\"\xFF\"")}) {
    EXPECT_EQ(ReasonOf(ParseRecord(text).status()), v1::REASON_MALFORMED);
  }
}

TEST(RecordValueTest, ReadsWrongTypesAsAbsent) {
  const auto value = ParseRecord("{\"list\":{},\"text\":[1],\"age\":\"-3\",\"old\":18.5,\"n\":18}");
  ASSERT_TRUE(value.ok());
  std::set<std::string> read;
  const RecordField record(*value, read);
  EXPECT_THAT(record["list"].items(), IsEmpty());
  EXPECT_EQ(record["text"].text(), "");
  EXPECT_EQ(record["text"]["below"].text(), "");
  EXPECT_EQ(record["age"].whole(), std::nullopt);
  EXPECT_EQ(record["old"].whole(), std::nullopt);
  EXPECT_EQ(record["n"].whole(), 18U);
}

}  // namespace
}  // namespace waymark::node
