#include "client/mapping/json_text.h"

#include <string>

#include "gtest/gtest.h"

namespace waymark::node {
namespace {

TEST(CheckJsonTest, TakesWhatTheStandardTakes) {
  for (const char* text :
       {"0", "-0", "10", "-1.5e+10", "1E5", "true", "false", "null", "\"\"", "[]", "{}", " [ ] ",
        "[1,2]", "[[],{}]", R"({"a":1,"b":[{"c":null}]})", R"("\u00e9\"\\\/\b\f\n\r\t")", "\"é\"",
        "\"\xf0\x9f\x8c\x8d\"", "\t{ \"a\" : [ 1 , 2 ] }\r\n"}) {
    EXPECT_EQ(CheckJson(text, 8), JsonText::kValid) << text;
  }
}

TEST(CheckJsonTest, TakesNothingElse) {
  for (const char* text : {"",
                           " ",
                           "1 2",
                           "01",
                           "+1",
                           ".5",
                           "1.",
                           "1e",
                           "-",
                           "nan",
                           "True",
                           "nul",
                           "'a'",
                           "\"a",
                           "\"\\x\"",
                           "\"\\u12g4\"",
                           "\"\n\"",
                           "[1,]",
                           "[,1]",
                           "[1 2]",
                           "{a:1}",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{\"a\":1,}",
                           "[",
                           "{",
                           "]",
                           "[}",
                           "{\"a\":1]",
                           "[1]]",
                           "\"\xff\"",
                           "\"\xc0\xaf\"",
                           "\"\xed\xa0\x80\"",
                           "\"\xf4\x90\x80\x80\"",
                           "\"\xe2\x82\"",
                           "\357\273\2771",
                           "// a\n1"}) {
    EXPECT_EQ(CheckJson(text, 8), JsonText::kInvalid) << text;
  }
  EXPECT_EQ(CheckJson(std::string_view("\"\0\"", 3), 8), JsonText::kInvalid);
  EXPECT_EQ(CheckJson(std::string_view("\"\\\0\"", 4), 8), JsonText::kInvalid);
}

TEST(CheckJsonTest, CountsLevels) {
  EXPECT_EQ(CheckJson("[[1]]", 2), JsonText::kValid);
  EXPECT_EQ(CheckJson("[{\"a\":[]}]", 2), JsonText::kTooDeep);
  EXPECT_EQ(CheckJson("[]", 0), JsonText::kTooDeep);
  constexpr size_t kVeryDeep = 10'000'000;
  EXPECT_EQ(CheckJson(std::string().append(kVeryDeep, '['), 64), JsonText::kTooDeep);
}

TEST(IsUtf8TextTest, RefusesNulAndBrokenSequences) {
  EXPECT_TRUE(IsUtf8Text(""));
  EXPECT_TRUE(IsUtf8Text("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x8c\x8d"));
  EXPECT_FALSE(IsUtf8Text(std::string_view("a\0b", 3)));
  EXPECT_FALSE(IsUtf8Text("\x80"));
  EXPECT_FALSE(IsUtf8Text("\xe0\x80\x80"));
}

}  // namespace
}  // namespace waymark::node
