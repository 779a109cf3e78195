#include "base/config/config.h"

#include "base/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace waymark {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

ConfigFile Parse(const std::string& text) {
  auto file = ConfigFile::Parse(text, "/etc/waymark/hub.yaml");
  EXPECT_TRUE(file.ok()) << file.status();
  return *std::move(file);
}

std::string Message(const absl::Status& status) {
  EXPECT_EQ(ReasonOf(status), v1::REASON_CONFIG_INVALID);
  return std::string(status.message());
}

TEST(ConfigTest, ReadsEveryType) {
  ConfigFile file = Parse(
      "text: hello\n"
      "relative: data/hub\n"
      "absolute: /srv/hub\n"
      "listen: 127.0.0.1:0\n"
      "listen6: '[::]:7443'\n"
      "format: json\n"
      "count: 12\n"
      "on: true\n"
      "wait: 30s\n"
      "buffer: 64KiB\n"
      "names: [a, b]\n");
  ConfigSection root = file.root();
  EXPECT_EQ(*root.String("text"), "hello");
  EXPECT_EQ(*root.Path("relative"), "/etc/waymark/data/hub");
  EXPECT_EQ(*root.Path("absolute"), "/srv/hub");
  EXPECT_EQ(*root.Address("listen"), "127.0.0.1:0");
  EXPECT_EQ(*root.Address("listen6"), "[::]:7443");
  EXPECT_EQ(*root.Choice("format", {"text", "json"}), "json");
  EXPECT_EQ(*root.Integer("count", 1, 20), 12);
  EXPECT_TRUE(*root.Bool("on"));
  EXPECT_EQ(*root.Duration("wait"), absl::Seconds(30));
  EXPECT_EQ(*root.Size("buffer"), 65536u);
  EXPECT_THAT(*root.Strings("names"), ElementsAre("a", "b"));
  EXPECT_TRUE(file.Finish().ok());
}

TEST(ConfigTest, AddressesToConnectToHaveAPort) {
  ConfigFile file =
      Parse("hubs: ['a.example:7443', '[::1]:7443']\nbad:\n  - a.example:1\n  - foo\n");
  ConfigSection root = file.root();
  EXPECT_THAT(*root.PeerAddresses("hubs"), ElementsAre("a.example:7443", "[::1]:7443"));
  EXPECT_TRUE(root.PeerAddresses("absent")->empty());
  EXPECT_THAT(Message(root.PeerAddresses("bad").status()), HasSubstr("hub.yaml:4: "));
}

TEST(ConfigTest, DurationsAndSizesKnowTheirUnits) {
  ConfigFile file = Parse("a: 500ms\nb: 10m\nc: 24h\nd: 7d\ne: 4096\nf: 1GiB\n");
  ConfigSection root = file.root();
  EXPECT_EQ(*root.Duration("a"), absl::Milliseconds(500));
  EXPECT_EQ(*root.Duration("b"), absl::Minutes(10));
  EXPECT_EQ(*root.Duration("c"), absl::Hours(24));
  EXPECT_EQ(*root.Duration("d"), absl::Hours(168));
  EXPECT_EQ(*root.Size("e"), 4096u);
  EXPECT_EQ(*root.Size("f"), 1u << 30);
}

TEST(ConfigTest, AbsentKeysTakeTheirFallback) {
  ConfigFile file = Parse("");
  ConfigSection root = file.root();
  EXPECT_EQ(*root.String("text", "x"), "x");
  EXPECT_EQ(*root.Path("path", "as/it/is"), "as/it/is");
  EXPECT_EQ(*root.Address("listen", "127.0.0.1:1"), "127.0.0.1:1");
  EXPECT_EQ(*root.Choice("format", {"text", "json"}, "text"), "text");
  EXPECT_EQ(*root.Integer("count", 1, 20, 7), 7);
  EXPECT_FALSE(*root.Bool("on", false));
  EXPECT_EQ(*root.Duration("wait", absl::Seconds(1)), absl::Seconds(1));
  EXPECT_EQ(*root.Size("buffer", 5), 5u);
  EXPECT_TRUE(root.Strings("names")->empty());
  EXPECT_TRUE(root.Sections("list")->empty());
  EXPECT_FALSE(root.Has("other"));
}

TEST(ConfigTest, ErrorsNameFileLineAndKey) {
  ConfigFile file = Parse("a: 1\ntls:\n  certificate: [x]\n  wait: soon\n");
  auto tls = file.root().Section("tls");
  ASSERT_TRUE(tls.ok());
  EXPECT_THAT(Message(tls->Path("certificate").status()),
              HasSubstr("/etc/waymark/hub.yaml:3: tls.certificate: expected a path, found a list"));
  EXPECT_THAT(Message(tls->Duration("wait").status()),
              HasSubstr("hub.yaml:4: tls.wait: expected a time such as"));
  EXPECT_THAT(Message(tls->String("key").status()), HasSubstr("tls.key: is missing"));
  EXPECT_THAT(Message(tls->Invalid("wait", "must be even")),
              HasSubstr(":4: tls.wait: must be even"));
}

TEST(ConfigTest, ErrorsNeverRepeatTheValue) {
  ConfigFile file = Parse("a: zebra\n");
  ConfigSection root = file.root();
  EXPECT_THAT(Message(root.Integer("a", 0, 9).status()), Not(HasSubstr("zebra")));
  EXPECT_THAT(Message(root.Choice("a", {"x", "y"}).status()), HasSubstr("one of x, y"));
}

TEST(ConfigTest, AbsentSectionNamesItsKeys) {
  ConfigFile file = Parse("a: 1\n");
  auto tls = file.root().Section("tls");
  ASSERT_TRUE(tls.ok());
  EXPECT_THAT(Message(tls->String("key").status()), HasSubstr("tls.key: is missing"));
}

TEST(ConfigTest, ListsOfSections) {
  ConfigFile file = Parse("units:\n- name: a\n- name: b\n  extra: 1\n");
  auto units = file.root().Sections("units");
  ASSERT_TRUE(units.ok());
  ASSERT_EQ(units->size(), 2u);
  EXPECT_EQ(*(*units)[0].String("name"), "a");
  EXPECT_EQ(*(*units)[1].String("name"), "b");
  EXPECT_THAT(Message(file.Finish()), HasSubstr(":4: units[1].extra: there is no such key"));
}

TEST(ConfigTest, UnknownKeysGetTheNearestKnownOne) {
  ConfigFile file = Parse("listen: a:1\nenrolment_lisen: a:2\n");
  ConfigSection root = file.root();
  ASSERT_TRUE(root.Address("listen").ok());
  ASSERT_TRUE(root.Address("enrolment_listen", "").ok());
  EXPECT_THAT(Message(file.Finish()),
              HasSubstr(":2: enrolment_lisen: there is no such key; did you mean "
                        "'enrolment_listen'?"));
}

TEST(ConfigTest, UnknownKeyFarFromAllListsThem) {
  ConfigFile file = Parse("zzzzzzzz: 1\n");
  ASSERT_TRUE(file.root().String("listen", "x").ok());
  EXPECT_THAT(Message(file.Finish()), HasSubstr("known here are: listen"));
}

TEST(ConfigTest, RefusesWhatIsNotAConfiguration) {
  for (const std::string text : {"- a\n", "a: 1\na: 2\n", "a: [1\n", "? [x]\n: 1\n", "just text"}) {
    auto file = ConfigFile::Parse(text, "x.yaml");
    EXPECT_EQ(ReasonOf(file.status()), v1::REASON_CONFIG_INVALID) << text;
  }
}

TEST(ConfigTest, RefusesNestingAndAliasesBeyondReason) {
  std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n";
  for (char c = 'b'; c < 'i'; ++c) {
    const std::string previous = "*" + std::string(1, static_cast<char>(c - 1));
    bomb += std::string(1, c) + ": &" + c + " [";
    for (int i = 0; i < 10; ++i) bomb += (i == 0 ? "" : ",") + previous;
    bomb += "]\n";
  }
  EXPECT_EQ(ReasonOf(ConfigFile::Parse(bomb, "x.yaml").status()), v1::REASON_CONFIG_INVALID);
  const std::string deep = "a: " + std::string(50, '[') + std::string(50, ']');
  EXPECT_EQ(ReasonOf(ConfigFile::Parse(deep, "x.yaml").status()), v1::REASON_CONFIG_INVALID);
}

TEST(ConfigTest, AddressesAreChecked) {
  for (const std::string bad :
       {"host", ":1", "host:", "host:70000", "::1:7", "a b:1", "http://x:1"}) {
    ConfigFile file = Parse("listen: '" + bad + "'\n");
    EXPECT_FALSE(file.root().Address("listen").ok()) << bad;
  }
}

TEST(ConfigTest, MissingFileIsNamed) {
  const absl::Status missing = ConfigFile::Load("/nonexistent/hub.yaml").status();
  EXPECT_EQ(ReasonOf(missing), v1::REASON_FILE_UNUSABLE);
  EXPECT_THAT(std::string(missing.message()), HasSubstr("/nonexistent/hub.yaml cannot be read"));
}

}  // namespace
}  // namespace waymark
