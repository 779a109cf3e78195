// HTTP servers that misbehave: what is told of each, and that nothing is written twice or told to
// strangers.

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cstdlib>
#include <memory>

#include "absl/time/clock.h"
#include "base/status/status.h"
#include "client/connectors/json_pointer.h"
#include "tests/client/connectors/script_server.h"
#include "tests/client/connectors/tried_system.h"
#include "tests/support/fake_clock.h"

namespace waymark::node {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kSecretVariable[] = "WAYMARK_TEST_HTTP_SECRET";
const LocalRecord kSomeRecord = {.key = "k-1", .json = "{\"note\":\"canary-7f3a\"}"};

class MisbehavingServer : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    // Nothing of it may matter to a connector.
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    setenv(kSecretVariable, "a:secret", 1);
  }

  void SetUp() override {
    auto server = ScriptServer::Start({WAYMARK_MISBEHAVING_SERVER});
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  std::string Address(const std::string& name = "http") const {
    return "http://127.0.0.1:" + std::to_string(server_->port(name));
  }

  // A connector; `lines` are indented as they are to be.
  std::unique_ptr<Connector> Open(const std::string& lines) {
    auto connector =
        OpenFrom("kind: http\ntime_limit: 1s\naddress: " + Address() + "\n" + lines, clock_);
    EXPECT_TRUE(connector.ok()) << connector.status();
    return connector.ok() ? *std::move(connector) : nullptr;
  }

  // What becomes of a record that is posted to the path, and that may not be posted twice.
  WriteResult Post(const std::string& path, bool keyed = false) {
    return Open("referrals:\n  mapping: a\n  keyed: " + std::string(keyed ? "true" : "false") +
                "\n  write: POST " + path + "\n")
        ->Write(kSomeRecord);
  }

  WriteResult Put(const std::string& path) {
    return Open("referrals: {mapping: a, write: 'PUT " + path + "?k={key}'}\n")->Write(kSomeRecord);
  }

  absl::StatusOr<FeedPage> Get(const std::string& path, const std::string& lines = "") {
    return Open("updates:\n  mapping: a\n  read: GET " + path + "\n" + lines)
        ->Read(Feed::kUpdates, "");
  }

  // What came to the server, each a JSON object.
  std::vector<std::string> Journal() {
    HttpClient client = ClientOf(server_->port("http"));
    return SplitJson(AskServer(client, "GET", "/journal")).value();
  }

  std::vector<std::string> InJournal(const std::string& pointer) {
    std::vector<std::string> texts;
    for (const std::string& request : Journal()) texts.push_back(JsonAt(request, pointer)->text);
    return texts;
  }

  std::unique_ptr<ScriptServer> server_;
  FakeClock clock_{absl::FromUnixSeconds(1000000)};
};

TEST_F(MisbehavingServer, AnAnswerSaysWhatBecameOfIt) {
  const struct {
    const char* query;
    WriteOutcome unkeyed;
    WriteOutcome keyed;
  } cases[] = {
      {"code=200", WriteOutcome::kDone, WriteOutcome::kDone},
      {"code=204", WriteOutcome::kDone, WriteOutcome::kDone},
      {"code=201&content-type=application/json&body=%7B%7D", WriteOutcome::kDone,
       WriteOutcome::kDone},
      {"code=400", WriteOutcome::kRefused, WriteOutcome::kRefused},
      {"code=401", WriteOutcome::kRefused, WriteOutcome::kRefused},
      {"code=403", WriteOutcome::kRefused, WriteOutcome::kRefused},
      {"code=404", WriteOutcome::kRefused, WriteOutcome::kRefused},
      {"code=408", WriteOutcome::kNotNow, WriteOutcome::kNotNow},
      {"code=409", WriteOutcome::kRefused, WriteOutcome::kNotNow},
      {"code=422", WriteOutcome::kRefused, WriteOutcome::kRefused},
      {"code=429", WriteOutcome::kNotNow, WriteOutcome::kNotNow},
      {"code=503", WriteOutcome::kNotNow, WriteOutcome::kNotNow},
      {"code=500", WriteOutcome::kUncertain, WriteOutcome::kNotNow},
      {"code=502", WriteOutcome::kUncertain, WriteOutcome::kNotNow},
      {"code=504", WriteOutcome::kUncertain, WriteOutcome::kNotNow},
      // The wrong type, and JSON that is none.
      {"code=200&content-type=text/html&body=%3Cp%3E", WriteOutcome::kUncertain,
       WriteOutcome::kNotNow},
      {"code=200&content-type=application/json&body=%7B", WriteOutcome::kUncertain,
       WriteOutcome::kNotNow},
  };
  for (const auto& one : cases) {
    const std::string path = std::string("/asked?") + one.query;
    EXPECT_EQ(Post(path).outcome, one.unkeyed) << path;
    EXPECT_EQ(Post(path, true).outcome, one.keyed) << path;
  }
}

TEST_F(MisbehavingServer, ALostAnswerIsUncertainUnlessKeyed) {
  for (const char* path : {"/drop", "/half", "/half-chunked", "/slow", "/slow-body"}) {
    EXPECT_EQ(Post(path).outcome, WriteOutcome::kUncertain) << path;
    EXPECT_EQ(Post(path, true).outcome, WriteOutcome::kNotNow) << path;
    EXPECT_EQ(Put(path).outcome, WriteOutcome::kNotNow) << path;
  }
  EXPECT_THAT(Journal(), SizeIs(15)) << "nothing is sent again by itself";
  EXPECT_EQ(Post("/half-refusal").outcome, WriteOutcome::kRefused) << "its code has been read";
}

TEST_F(MisbehavingServer, WhatNeverLeftIsNotUncertain) {
  const auto connector = OpenFrom(
      "kind: http\naddress: http://127.0.0.1:1\nreferrals: {mapping: a, write: POST /x}\n", clock_);
  ASSERT_TRUE(connector.ok()) << connector.status();
  EXPECT_EQ((*connector)->Write(kSomeRecord).outcome, WriteOutcome::kNotNow);
}

TEST_F(MisbehavingServer, TimeIsBounded) {
  const absl::Time start = absl::Now();
  EXPECT_THAT(Post("/slow").detail, HasSubstr("in time"));
  EXPECT_EQ(ReasonOf(Get("/slow-body").status()), v1::REASON_LOCAL_SYSTEM_UNAVAILABLE);
  EXPECT_LT(absl::Now() - start, absl::Seconds(30));
}

TEST_F(MisbehavingServer, SizeIsBounded) {
  const auto page = Get("/huge");
  EXPECT_EQ(ReasonOf(page.status()), v1::REASON_LOCAL_SYSTEM_REFUSED);
  EXPECT_THAT(std::string(page.status().message()), HasSubstr("8 MiB"));
}

TEST_F(MisbehavingServer, HalfAnAnswerIsNoPage) {
  for (const char* path : {"/half", "/half-chunked", "/drop"}) {
    EXPECT_EQ(ReasonOf(Get(path).status()), v1::REASON_LOCAL_SYSTEM_UNAVAILABLE) << path;
  }
  for (const char* query :
       {"content-type=text/html&body=[1]", "content-type=application/json&body=[1", "body=[1]"}) {
    EXPECT_EQ(ReasonOf(Get(std::string("/asked?") + query).status()),
              v1::REASON_LOCAL_SYSTEM_REFUSED)
        << query;
  }
}

TEST_F(MisbehavingServer, TheServerSaysWhenToComeAgain) {
  const std::string date = "Thu,%2026%20Nov%202026%2017:00:00%20GMT";
  const std::string later = "Thu,%2026%20Nov%202026%2017:02:05%20GMT";
  const struct {
    std::string query;
    int64_t seconds;
  } cases[] = {{"code=429&retry-after=7", 7},
               {"code=503&retry-after=120", 120},
               {"code=503&date=" + date + "&retry-after=" + later, 125},
               {"code=429&retry-after=999999999", 86400},
               {"code=429&retry-after=-5", 0},
               {"code=429&retry-after=soon", 0},
               {"code=503", 0}};
  for (const auto& one : cases) {
    const WriteResult result = Post("/asked?" + one.query);
    EXPECT_EQ(result.outcome, WriteOutcome::kNotNow) << one.query;
    EXPECT_EQ(result.retry_after_seconds, one.seconds) << one.query;
  }
}

TEST_F(MisbehavingServer, IsNotReadBeforeTheTimeThatItSaid) {
  const auto connector =
      Open("updates: {mapping: a, read: 'GET /asked?code=429&retry-after=60'}\n");
  EXPECT_FALSE(connector->Read(Feed::kUpdates, "").ok());
  EXPECT_FALSE(connector->Read(Feed::kUpdates, "").ok());
  EXPECT_THAT(Journal(), SizeIs(1));
  clock_.Advance(absl::Seconds(61));
  EXPECT_FALSE(connector->Read(Feed::kUpdates, "").ok());
  EXPECT_THAT(Journal(), SizeIs(2));
}

TEST_F(MisbehavingServer, ARedirectToElsewhereIsRefusedAndNamesTheHostOnly) {
  for (const char* code : {"301", "302", "303", "307", "308"}) {
    const WriteResult result = Post("/asked?code=" + std::string(code) + "&location=" +
                                    PercentEncode(Address("elsewhere") + "/x?canary-7f3a=1"));
    EXPECT_EQ(result.outcome, WriteOutcome::kRefused);
    EXPECT_THAT(result.detail,
                AllOf(HasSubstr("redirect to the host 127.0.0.1"), Not(HasSubstr("canary"))));
  }
  EXPECT_THAT(InJournal("/server"), Not(Contains("elsewhere")));
}

TEST_F(MisbehavingServer, NothingIsSaidOfBodiesAndQueries) {
  for (const char* query : {"code=400", "code=500", "code=429", "code=302", "code=200"}) {
    const WriteResult result =
        Post(std::string("/asked?") + query +
             "&content-type=text/html&location=%2Fcanary-7f3a&body=canary-7f3a&x=canary-7f3a");
    EXPECT_THAT(result.detail, AllOf(Not(IsEmpty()), Not(HasSubstr("canary")))) << query;
  }
  const auto page = Get("/asked?code=400&body=canary-7f3a");
  EXPECT_THAT(std::string(page.status().message()), Not(HasSubstr("canary")));
}

TEST_F(MisbehavingServer, ARecordComesWithItsKeyAndNothingElse) {
  EXPECT_EQ(Put("/asked").outcome, WriteOutcome::kDone);
  const std::string request = Journal().front();
  const std::map<std::string, std::string> expected = {{"/method", "PUT"},
                                                       {"/path", "/asked?k=k-1"},
                                                       {"/body", kSomeRecord.json},
                                                       {"/idempotency-key", "k-1"},
                                                       {"/content-type", "application/json"},
                                                       {"/accept", "application/json"},
                                                       {"/authorization", ""},
                                                       {"/user-agent", ""},
                                                       {"/cookie", ""}};
  for (const auto& [pointer, text] : expected) {
    EXPECT_EQ(JsonAt(request, pointer)->text, text) << pointer;
  }
}

// --- Erasures

TEST_F(MisbehavingServer, WhatIsGoneIsErased) {
  const auto erase = [&](const std::string& target) {
    return Open("referrals: {mapping: a, write: POST /x, erase: '" + target + "'}\n")
        ->Erase("k-1")
        .outcome;
  };
  EXPECT_EQ(erase("DELETE /asked?k={key}"), WriteOutcome::kDone);
  EXPECT_EQ(erase("DELETE /asked?k={key}&code=404"), WriteOutcome::kDone);
  EXPECT_EQ(erase("DELETE /asked?k={key}&code=410"), WriteOutcome::kDone);
  EXPECT_EQ(erase("DELETE /asked?k={key}&code=405"), WriteOutcome::kRefused);
  EXPECT_EQ(erase("DELETE /asked?k={key}&code=500"), WriteOutcome::kNotNow);
  EXPECT_EQ(erase("DELETE /drop?k={key}"), WriteOutcome::kNotNow) << "it may be repeated";
  EXPECT_EQ(erase("POST /asked"), WriteOutcome::kDone);
  EXPECT_EQ(erase("POST /asked?code=404"), WriteOutcome::kRefused) << "that names no record";
  EXPECT_THAT(InJournal("/body"), Contains("{\"key\":\"k-1\"}"));
  EXPECT_EQ(Open("referrals: {mapping: a, write: POST /x}\n")->Erase("k-1").outcome,
            WriteOutcome::kUnsupported);
}

// --- Logins

TEST_F(MisbehavingServer, ATokenIsKeptUntilShortlyBeforeItsEnd) {
  const auto connector =
      Open("login:\n  kind: oauth2\n  token_address: " + Address() +
           "/token\n  client_id: waymark\n  scope: a b\n  client_secret: {env: " + kSecretVariable +
           "}\nupdates: {mapping: a, read: GET /protected}\n");
  const auto read = [&] { return connector->Read(Feed::kUpdates, "").status(); };
  EXPECT_TRUE(read().ok()) << read();
  EXPECT_TRUE(read().ok());
  clock_.Advance(absl::Seconds(560));
  EXPECT_TRUE(read().ok());
  EXPECT_THAT(InJournal("/path"), ElementsAre("/token", "/protected", "/protected", "/protected"));
  clock_.Advance(absl::Seconds(20));
  EXPECT_TRUE(read().ok());
  EXPECT_THAT(InJournal("/authorization"), Contains("Bearer token-2"));
  EXPECT_EQ(JsonAt(Journal().front(), "/body")->text, "grant_type=client_credentials&scope=a%20b");
}

TEST_F(MisbehavingServer, ATokenThatIsNotTakenIsFetchedAnewOnce) {
  const auto connector =
      Open("login:\n  kind: oauth2\n  secret_in: body\n  token_address: " + Address() +
           "/token\n  client_id: waymark\n  client_secret: {env: " + kSecretVariable +
           "}\nreferrals: {mapping: a, write: POST /protected}\n"
           "updates: {mapping: a, read: 'GET /asked?code=401'}\n");
  EXPECT_EQ(connector->Write(kSomeRecord).outcome, WriteOutcome::kDone);
  HttpClient client = ClientOf(server_->port("http"));
  AskServer(client, "GET", "/forget-token");
  EXPECT_EQ(connector->Write(kSomeRecord).outcome, WriteOutcome::kDone);
  EXPECT_THAT(InJournal("/path"), ElementsAre("/token", "/protected", "/forget-token", "/protected",
                                              "/token", "/protected"));
  EXPECT_EQ(ReasonOf(connector->Read(Feed::kUpdates, "").status()),
            v1::REASON_LOCAL_SYSTEM_REFUSED);
  EXPECT_THAT(Journal(), SizeIs(9)) << "once, and not again and again";
}

TEST_F(MisbehavingServer, ALoginThatIsNotTakenSaysWhere) {
  setenv("WAYMARK_TEST_WRONG_SECRET", "canary-7f3a", 1);
  const auto oauth2 =
      Open("login: {kind: oauth2, token_address: '" + Address() +
           "/token', client_id: waymark, client_secret: {env: "
           "WAYMARK_TEST_WRONG_SECRET}}\nreferrals: {mapping: a, write: POST /x}\n");
  const WriteResult result = oauth2->Write(kSomeRecord);
  EXPECT_EQ(result.outcome, WriteOutcome::kRefused);
  EXPECT_THAT(result.detail, AllOf(HasSubstr("`token_address`"), Not(HasSubstr("canary"))));
  EXPECT_THAT(InJournal("/path"), Not(Contains("/x")));
}

TEST_F(MisbehavingServer, BasicAndBearerStandInTheHeader) {
  for (const char* login :
       {"{kind: basic, user: waymark, password: {env: ", "{kind: bearer, token: {env: "}) {
    EXPECT_EQ(Open("login: " + std::string(login) + kSecretVariable +
                   "}}\nreferrals: {mapping: a, write: POST /asked}\n")
                  ->Write(kSomeRecord)
                  .outcome,
              WriteOutcome::kDone);
  }
  EXPECT_THAT(InJournal("/authorization"),
              ElementsAre("Basic d2F5bWFyazphOnNlY3JldA==", "Bearer a:secret"));
  setenv("WAYMARK_TEST_WRONG_SECRET", "a\r\nX-Canary: 1", 1);
  EXPECT_EQ(Open("login: {kind: bearer, token: {env: WAYMARK_TEST_WRONG_SECRET}}\n"
                 "referrals: {mapping: a, write: POST /asked}\n")
                ->Write(kSomeRecord)
                .outcome,
            WriteOutcome::kRefused);
}

// --- Feeds

TEST_F(MisbehavingServer, FollowsLinksOnTheSameServerOnly) {
  const auto answer = [](const std::string& json) {
    return "GET /asked?content-type=application/json&body=" + PercentEncode(json);
  };
  const std::string second =
      "/asked?content-type=application/json&body=" + PercentEncode(R"({"items":[2],"links":{}})");
  const auto connector =
      Open("updates:\n  mapping: a\n  items: /items\n  next: /links/next\n  read: " +
           answer(R"({"items":[1],"links":{"next":")" + second + R"("}})") + "\n");
  const auto first = connector->Read(Feed::kUpdates, "");
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_THAT(first->items, ElementsAre("1"));
  EXPECT_TRUE(first->more);
  const auto last = connector->Read(Feed::kUpdates, first->cursor);
  ASSERT_TRUE(last.ok()) << last.status();
  EXPECT_THAT(last->items, ElementsAre("2"));
  EXPECT_FALSE(last->more);
  EXPECT_EQ(last->cursor, "") << "the next read is from the beginning";

  for (const std::string& link :
       {Address("elsewhere") + "/x", std::string("//evil.example/x"),
        std::string("https://evil.example/x"), std::string("file:///etc/passwd")}) {
    const auto page = Open("updates:\n  mapping: a\n  items: /items\n  next: /next\n  read: " +
                           answer(R"({"items":[],"next":")" + link + R"("})") + "\n")
                          ->Read(Feed::kUpdates, "");
    EXPECT_EQ(ReasonOf(page.status()), v1::REASON_LOCAL_SYSTEM_REFUSED) << link;
  }
  EXPECT_THAT(InJournal("/server"), Not(Contains("elsewhere")));
}

TEST_F(MisbehavingServer, GoesOnAtTheCursorOfTheAnswer) {
  const auto connector = Open(
      "updates:\n  mapping: a\n  items: /items\n  cursor: /now\n  start: a b\n  read: "
      "GET /asked?since={cursor}&content-type=application/json&body=" +
      PercentEncode(R"({"items":[{"a":1}],"now":"2026-11-26T17:00:00+01:00"})") + "\n");
  const auto page = connector->Read(Feed::kUpdates, "");
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_THAT(page->items, ElementsAre("{\"a\":1}"));
  EXPECT_TRUE(page->more);
  const auto again = connector->Read(Feed::kUpdates, page->cursor);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_FALSE(again->more) << "the cursor is where it was";
  EXPECT_THAT(InJournal("/path"),
              ElementsAre(HasSubstr("since=a%20b&"),
                          HasSubstr("since=2026-11-26T17%3A00%3A00%2B01%3A00&")));
}

TEST_F(MisbehavingServer, AnAnswerOfAnotherShapeIsRefused) {
  const auto get = [&](const std::string& body, const std::string& lines) {
    return ReasonOf(
        Get("/asked?content-type=application/json&body=" + PercentEncode(body), lines).status());
  };
  EXPECT_EQ(get("{\"a\":1}", "  items: /items\n"), v1::REASON_LOCAL_SYSTEM_REFUSED);
  EXPECT_EQ(get("{\"items\":\"x\"}", "  items: /items\n"), v1::REASON_LOCAL_SYSTEM_REFUSED);
  std::string many = "[1";
  for (int i = 0; i < 256; ++i) many += ",1";
  EXPECT_EQ(get(many + "]", ""), v1::REASON_LOCAL_SYSTEM_REFUSED);
}

}  // namespace
}  // namespace waymark::node
