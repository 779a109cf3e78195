// Tables in text: what is read, what is refused, and that what was written comes back.
#include "client/csv/csv.h"

#include <sstream>

#include "base/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace waymark::node {
namespace {

using ::testing::HasSubstr;

// The rows as "name=cell;...|", then "!" if the table could not be read to its end.
std::string Rows(const std::string& text, CsvForm form = {}) {
  std::istringstream in(text);
  auto table = CsvReader::Open(in, form);
  if (!table.ok()) {
    EXPECT_EQ(ReasonOf(table.status()), v1::REASON_MALFORMED);
    return "!";
  }
  std::string all;
  while (true) {
    const auto row = table->NextByName();
    if (!row.ok()) {
      EXPECT_EQ(ReasonOf(row.status()), v1::REASON_MALFORMED);
      return all + "!";
    }
    if (!row->has_value()) return all;
    EXPECT_LE(table->position(), text.size());
    for (const auto& [name, cell] : **row) all.append(name).append("=").append(cell).append(";");
    all += "|";
  }
}

TEST(CsvReaderTest, ReadsWhatTheStandardAllows) {
  EXPECT_EQ(Rows("id,name\r\n1,a\r\n2,\"b, \"\"c\"\"\r\nd\"\r\n"),
            "id=1;name=a;|id=2;name=b, \"c\"\r\nd;|");
  EXPECT_EQ(Rows("id,name\n1,a"), "id=1;name=a;|");
  EXPECT_EQ(Rows("id,name\n"), "");
}

TEST(CsvReaderTest, ReadsWhatSpreadsheetsWrite) {
  EXPECT_EQ(Rows("\xEF\xBB\xBFid,name\n1,a"), "id=1;name=a;|");
  EXPECT_EQ(Rows("\xEF\xBB\xBF\"id\",name\n1,a"), "id=1;name=a;|");
  EXPECT_EQ(Rows("id,name\r1,a\r2,\"b\"\r"), "id=1;name=a;|id=2;name=b;|");
  EXPECT_EQ(Rows("id;name\n1;a,b\n2;\"c;d\"\n", {.separator = ';'}),
            "id=1;name=a,b;|id=2;name=c;d;|");
  EXPECT_EQ(Rows("id\tname\n1\ta\n", {.separator = '\t'}), "id=1;name=a;|");
}

TEST(CsvReaderTest, ANameMayBeginLikeAByteOrderMark) {
  EXPECT_EQ(Rows("\xEF\xBC\xA1,b\n1,2\n"), "b=2;\xEF\xBC\xA1=1;|");
  EXPECT_EQ(Rows("\xEF\xBB\xB4,b\n1,2\n"), "b=2;\xEF\xBB\xB4=1;|");
}

TEST(CsvReaderTest, BlankLinesAreNoRows) {
  EXPECT_EQ(Rows("\n\r\nid,name\n\n1,\n\r\n2\n\n"), "id=1;|id=2;|");
  EXPECT_EQ(Rows("id\n\"\"\n"), "|");
  EXPECT_EQ(Rows("id,name\n,\n"), "|");
}

TEST(CsvReaderTest, ARowMayBeShorterThanTheHeader) {
  std::istringstream in("a,b,c\n1,,3\n4\n");
  auto table = CsvReader::Open(in);
  ASSERT_TRUE(table.ok());
  EXPECT_EQ(**table->Next(), (std::vector<std::string>{"1", "", "3"}));
  EXPECT_EQ(**table->Next(), (std::vector<std::string>{"4"}));
  EXPECT_FALSE(table->Next()->has_value());
  EXPECT_EQ(table->position(), 13U);
}

TEST(CsvReaderTest, RefusesWhatIsNone) {
  EXPECT_EQ(Rows(""), "!");
  EXPECT_EQ(Rows("\n\n"), "!");
  EXPECT_EQ(Rows("id,id\n"), "!");
  EXPECT_EQ(Rows("id,\n1,2\n"), "!");
  EXPECT_EQ(Rows("id\n1,2\n"), "!");
  EXPECT_EQ(Rows("id\n\"open"), "!");
  EXPECT_EQ(Rows("id\na\"b\n"), "!");
  EXPECT_EQ(Rows("id\n\"a\"b\n"), "!");
}

TEST(CsvReaderTest, ARowHasALimit) {
  const size_t limit = CsvForm{}.max_row_bytes;
  EXPECT_EQ(Rows("id\n" + std::string(limit, 'a')), "id=" + std::string(limit, 'a') + ";|");
  EXPECT_EQ(Rows("id\n1\n" + std::string(limit + 1, 'a')), "id=1;|!");
  const CsvForm small = {.max_row_bytes = 6};
  EXPECT_EQ(Rows("a,b\n12,345\n", small), "a=12;b=345;|");
  EXPECT_EQ(Rows("a,b\n12,3456\n", small), "!");
  EXPECT_EQ(Rows("a,b\n\"1234567\",\n", small), "!");
  EXPECT_EQ(Rows("a,b\n\"1234567", small), "!");
}

TEST(CsvReaderTest, AnErrorRepeatsNothingOfTheTable) {
  std::istringstream in("id\ncanary\"b\n");
  auto table = CsvReader::Open(in);
  ASSERT_TRUE(table.ok());
  EXPECT_THAT(std::string(table->Next().status().message()), ::testing::Not(HasSubstr("canary")));
}

TEST(CsvLineTest, ComesBackAsItWas) {
  const std::vector<std::string> cells = {"plain",     "a,b", "say \"x\"", "two\nlines",
                                          "a\rreturn", "",    " spaced ",  "semi;colon"};
  for (const char separator : {',', ';'}) {
    const std::string line = CsvLine(cells, separator);
    std::istringstream in(CsvLine({"a", "b", "c", "d", "e", "f", "g", "h"}, separator) + line);
    auto table = CsvReader::Open(in, {.separator = separator});
    ASSERT_TRUE(table.ok());
    EXPECT_EQ(**table->Next(), cells);
  }
  EXPECT_EQ(Rows("a\n" + CsvLine({""}) + CsvLine({"1"})), "|a=1;|");
}

TEST(CsvLineTest, QuotesWhatHasToBe) {
  EXPECT_EQ(CsvLine({"a", "b;c", "d,e"}), "a,b;c,\"d,e\"\r\n");
  EXPECT_EQ(CsvLine({"a", "b;c", "d,e"}, ';'), "a;\"b;c\";d,e\r\n");
  EXPECT_EQ(CsvLine({" a", "say \"x\""}), "\" a\",\"say \"\"x\"\"\"\r\n");
}

}  // namespace
}  // namespace waymark::node
