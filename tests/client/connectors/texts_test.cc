// The texts that connectors take apart and put together: JSON, SQL and CSV.

#include <gmock/gmock.h>

#include "base/status/status.h"
#include "client/connectors/files/record_csv.h"
#include "client/connectors/json_members.h"
#include "client/connectors/sql/statement.h"

namespace waymark::node {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// --- JSON

TEST(JsonMembers, KeepsOrderAndNumbersAsWritten) {
  const auto members = ReadJsonObject(
      " {\"b\" : 12345678901234567890, \"a\":-0.50e+3,\"t\":true , "
      "\"n\":null,\"o\":{\"x\":[1,\"}\"]}}");
  ASSERT_TRUE(members.has_value());
  ASSERT_THAT(*members, SizeIs(5));
  EXPECT_EQ((*members)[0].name, "b");
  EXPECT_EQ((*members)[0].value.text, "12345678901234567890");
  EXPECT_EQ((*members)[1].value.text, "-0.50e+3");
  EXPECT_EQ((*members)[2].value.kind, JsonValue::Kind::kBool);
  EXPECT_EQ((*members)[3].value.kind, JsonValue::Kind::kNull);
  EXPECT_EQ((*members)[4].value.kind, JsonValue::Kind::kNested);
  EXPECT_EQ((*members)[4].value.text, "{\"x\":[1,\"}\"]}");
}

TEST(JsonMembers, UnescapesTextsAndQuotesThemAgain) {
  const auto members = ReadJsonObject(R"({"\u0061\"":"\ud83d\udddd\u20ac\u00e9\n\\\/\u0000."})");
  ASSERT_TRUE(members.has_value());
  EXPECT_EQ(members->front().name, "a\"");
  const std::string text("\xf0\x9f\x97\x9d\xe2\x82\xac\xc3\xa9\n\\/\0.", 14);
  EXPECT_EQ(members->front().value.text, text);
  JsonObject object;
  object.Add("t", QuoteJson(text));
  const auto again = ReadJsonObject(std::move(object).Finish());
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->front().value.text, text);
}

TEST(JsonMembers, RefusesWhatCannotBeKept) {
  for (const char* json : {R"({"a":"\ud83d"})", R"({"a":"\ud83dx"})", R"({"a":"\udddd"})",
                           R"({"a":1,"a":2})", R"({"a":1,"\u0061":2})", "[]", "{", "", "1"}) {
    EXPECT_FALSE(ReadJsonObject(json).has_value()) << json;
  }
}

TEST(JsonMembers, SplitsListsAndLeavesOthersWhole) {
  EXPECT_THAT(*SplitJson(" [ {\"a\":[1,2]} , \"x,]\",3 ] "),
              ElementsAre("{\"a\":[1,2]}", "\"x,]\"", "3"));
  EXPECT_THAT(*SplitJson("[]"), IsEmpty());
  EXPECT_THAT(*SplitJson(" {\"a\":1}\n"), ElementsAre("{\"a\":1}"));
  EXPECT_FALSE(SplitJson("[1,]").has_value());
}

TEST(JsonMembers, TellsNumbers) {
  for (const char* text : {"0", "-1", "12.50", "1e5", "-0"})
    EXPECT_TRUE(IsJsonNumber(text)) << text;
  for (const char* text : {"", "NaN", "Infinity", "01", "1.", "1 ", " 1", "-", "0x1", "1,2"}) {
    EXPECT_FALSE(IsJsonNumber(text)) << text;
  }
}

// --- SQL

ParsedStatement Postgres(std::string_view sql) {
  return ParseStatement(sql, SqlDialect::kPostgres);
}
ParsedStatement Sqlite(std::string_view sql) { return ParseStatement(sql, SqlDialect::kSqlite); }

TEST(SqlStatement, NumbersNamesByTheirFirstUse) {
  const ParsedStatement parsed =
      Postgres("SELECT :b::text, :a_1, :b WHERE x = ':c' AND y[1:2] = z");
  EXPECT_EQ(parsed.problem, "");
  EXPECT_EQ(parsed.statement.text, "SELECT $1::text, $2, $1 WHERE x = ':c' AND y[1:2] = z");
  EXPECT_THAT(parsed.statement.parameters, ElementsAre("b", "a_1"));
  EXPECT_EQ(Sqlite("VALUES (:b, :a, :b)").statement.text, "VALUES (?1, ?2, ?1)");
}

TEST(SqlStatement, LeavesTextsNamesAndCommentsAlone) {
  for (const char* sql : {"SELECT 'it''s :a'", "SELECT \"a:b \"\" :c\"", "SELECT 1 -- :a\n",
                          "SELECT /* :a /* :b */ :c */ 1", "SELECT E'\\' :a'", "SELECT $$ :a ' $$",
                          "SELECT $x$ :a $$ $x$", "SELECT a ? 'b', c @> d"}) {
    const ParsedStatement parsed = Postgres(sql);
    EXPECT_EQ(parsed.problem, "") << sql;
    EXPECT_EQ(parsed.statement.text, sql);
    EXPECT_THAT(parsed.statement.parameters, IsEmpty()) << sql;
  }
  for (const char* sql :
       {"SELECT [a :b]", "SELECT `a :b`", "SELECT 1 /* :a /* */", "SELECT 'E\\'"}) {
    EXPECT_EQ(Sqlite(sql).statement.text, sql);
    EXPECT_THAT(Sqlite(sql).statement.parameters, IsEmpty()) << sql;
  }
  EXPECT_THAT(Postgres("SELECT 'E\\', :a").statement.parameters, ElementsAre("a"));
  EXPECT_THAT(Postgres("SELECT NAME'x\\', :a").statement.parameters, ElementsAre("a"));
}

TEST(SqlStatement, NamesWhatIsWrong) {
  for (const char* sql : {"SELECT 'x", "SELECT \"x", "SELECT /* x", "SELECT $x$ y $y$"}) {
    EXPECT_THAT(Postgres(sql).problem, HasSubstr("does not end")) << sql;
  }
  EXPECT_THAT(Postgres("SELECT $1").problem, HasSubstr(":key"));
  for (const char* sql : {"SELECT ?", "SELECT ?1", "SELECT @a", "SELECT $a"}) {
    EXPECT_THAT(Sqlite(sql).problem, HasSubstr(":key")) << sql;
  }
}

// --- CSV

std::string Csv(const std::string& json, const std::vector<std::string>& columns,
                char separator = ',') {
  const auto csv = RecordToCsv({.key = "k-1", .json = json}, columns, separator);
  return csv.ok() ? *csv : std::string(csv.status().message());
}

TEST(RecordCsv, WritesAHeaderAndARow) {
  EXPECT_EQ(Csv(R"({"b":true,"a":"x,y","n":null,"o":[1,"q"],"m":-5})",
                {"key", "a", "b", "n", "o", "m", "missing"}),
            "key,a,b,n,o,m,missing\r\nk-1,\"x,y\",true,,\"[1,\"\"q\"\"]\",-5,\r\n");
  EXPECT_EQ(Csv(R"({"a":"x,y;z"})", {"a"}, ';'), "a\r\n\"x,y;z\"\r\n");
}

TEST(RecordCsv, StartsNothingInASpreadsheet) {
  for (const char* text : {"=1+1", "+1", "-1", "@x", "\\t=1", "\\r=1"}) {
    const std::string csv = Csv(std::string("{\"a\":\"") + text + "\"}", {"a"});
    const size_t start = csv.find("\r\n") + 2;
    EXPECT_EQ(csv[csv[start] == '"' ? start + 1 : start], '\'') << csv;
  }
}

TEST(RecordCsv, RefusesWhatWouldBeLost) {
  EXPECT_THAT(Csv(R"({"a":"x","b":"canary"})", {"a"}), HasSubstr("none of the columns"));
  EXPECT_THAT(Csv(R"({"a":"\u0000"})", {"a"}), HasSubstr("U+0000"));
}

TEST(RecordCsv, ReadsRowsAsObjects) {
  EXPECT_THAT(*CsvToJson("a,b\r\n1,\"x\"\"y\r\nz\"\r\n,\n", ','),
              ElementsAre(R"({"a":"1","b":"x\"y\u000d\u000az"})", R"({"a":"","b":""})"));
  EXPECT_THAT(*CsvToJson("a;b\n1;2", ';'), ElementsAre(R"({"a":"1","b":"2"})"));
  EXPECT_THAT(*CsvToJson("\xef\xbb\xbf"
                         "a\r\n\r\n1\r\n\"\"\r\n",
                         ','),
              ElementsAre(R"({"a":"1"})", R"({"a":""})"));
  EXPECT_THAT(*CsvToJson("a\n", ','), IsEmpty());
}

TEST(RecordCsv, RefusesWhatIsNotWhole) {
  for (const char* csv : {"", "a,b\n1", "a,b\n1,2,3\n", "a,a\n1,2\n", "a\n\"x", "a\n\xff\n"}) {
    EXPECT_FALSE(CsvToJson(csv, ',').has_value()) << csv;
  }
}

}  // namespace
}  // namespace waymark::node
