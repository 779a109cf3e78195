// HTTP and FHIR servers in the configuration, and the texts that are made for them.

#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "base/status/status.h"
#include "client/connectors/fhir/bundle.h"
#include "client/connectors/fhir/fhir_updates.h"
#include "client/connectors/fhir/flavour.h"
#include "client/connectors/http/url.h"
#include "client/connectors/http/verdict.h"
#include "client/connectors/json_pointer.h"
#include "tests/client/connectors/tried_system.h"
#include "tests/support/fake_clock.h"

namespace waymark::node {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string SettingsProblem(const std::string& settings) {
  FakeClock clock(absl::UnixEpoch());
  const auto connector = OpenFrom(settings, clock);
  return connector.ok() ? "" : std::string(connector.status().message());
}

std::string HttpSettingsWith(const std::string& lines) {
  return "kind: http\n" + lines + "\nreferrals: {mapping: a, write: 'PUT /x/{key}'}\n";
}

TEST(HttpConnectorSettings, TlsCannotBeLeftOut) {
  for (const char* address : {"http://cases.example", "http://127.example", "http://10.0.0.1",
                              "http://localhost.example", "http://127.0.0.1.example"}) {
    EXPECT_THAT(SettingsProblem(HttpSettingsWith("address: " + std::string(address))),
                HasSubstr("must begin with https://"))
        << address;
  }
  for (const char* address : {"https://cases.example/api/", "http://localhost:80",
                              "http://127.0.0.1:8080/x", "'http://[::1]:8080'"}) {
    EXPECT_EQ(SettingsProblem(HttpSettingsWith("address: " + std::string(address))), "") << address;
  }
  for (const char* key : {"verify: false", "insecure: true", "proxy: http://x"}) {
    EXPECT_THAT(
        SettingsProblem(HttpSettingsWith("address: https://a.example\n" + std::string(key))),
        HasSubstr("there is no such key"))
        << key;
  }
}

TEST(HttpConnectorSettings, ASecretThatIsNotThereIsMissedAtOnce) {
  const std::string at = "\naddress: https://a.example\n";
  const std::string secret = "{env: WAYMARK_TEST_NO_SUCH_SECRET}";
  for (const std::string& settings :
       {HttpSettingsWith(absl::StrCat(at, "login: {kind: bearer, token: ", secret, "}")),
        HttpSettingsWith(absl::StrCat(at, "certificate: node.pem\ncertificate_key: ", secret)),
        absl::StrCat("kind: fhir", at, "login: {kind: basic, user: a, password: ", secret,
                     "}\nflavour: plain\nkey_system: https://a.example/key\n"
                     "referrals: {mapping: a, erase: delete}\n"),
        absl::StrCat("kind: command\nenvironment: [{name: TOKEN, secret: ", secret,
                     "}]\nreferrals: {mapping: a, write: [/bin/true]}\n")}) {
    EXPECT_THAT(SettingsProblem(settings),
                HasSubstr("the environment variable WAYMARK_TEST_NO_SUCH_SECRET"))
        << settings;
    FakeClock clock(absl::UnixEpoch());
    const auto connector = MakeFrom(settings, clock);
    ASSERT_TRUE(connector.ok()) << connector.status();
    EXPECT_EQ(ReasonOf((*connector)->Ready()), v1::REASON_LOCAL_SYSTEM_REFUSED) << settings;
  }
}

TEST(HttpConnectorSettings, NamesTheKeyAndTheWayOut) {
  const std::string address = "kind: http\naddress: https://a.example\n";
  const struct {
    std::string settings;
    const char* said;
  } cases[] = {
      {HttpSettingsWith("address: cases.example/x?a=canary"), "address: expected https://"},
      {HttpSettingsWith("address: https://user:canary@a.example"), "without a user"},
      {HttpSettingsWith("address: ftp://a.example"), "address: expected https://"},
      {HttpSettingsWith("address: https://a.example\nlogin: {kind: bearer}"), "login.token"},
      {HttpSettingsWith("address: https://a.example\nlogin: {kind: bearer, token: canary}"),
       "{credential: NAME}"},
      {HttpSettingsWith("address: https://a.example\ncertificate: a.pem"), "certificate_key"},
      {HttpSettingsWith("address: https://a.example\nconnect_limit: 2m"), "expected 1s to 1m"},
      {HttpSettingsWith("address: https://a.example\nlogin: {kind: oauth2, token_address: "
                        "'http://id.example', client_id: a, client_secret: {env: A}}"),
       "login.token_address: must begin with https://"},
      {address + "referrals: {mapping: a, write: PUT /x}\n", "PUT needs {key}"},
      {address + "referrals: {mapping: a, write: GET /x}\n", "expected a method (PUT POST)"},
      {address + "referrals: {mapping: a, write: 'POST x'}\n", "begins with '/'"},
      {address + "referrals: {mapping: a, write: 'POST //evil.example/x'}\n", "begins with '/'"},
      {address + "referrals: {mapping: a, write: 'POST /{name}'}\n", "names in it: {key}"},
      {address + "referrals: {mapping: a, write: 'PUT /{key}', keyed: false}\n", "is keyed"},
      {address + "referrals: {mapping: a, write: POST /x, erase: DELETE /x}\n", "DELETE needs"},
      {address + "updates: {mapping: a, read: 'GET /x?a={cursor}'}\n", "both or neither"},
      {address + "updates: {mapping: a, read: GET /x, cursor: /a}\n", "both or neither"},
      {address + "updates: {mapping: a, read: GET /x, items: a}\n", "expected a JSON pointer"},
      {address + "updates: {mapping: a, read: GET /x, start: a}\n", "which is not there"},
      {address + "updates: {mapping: a, read: 'GET /{cursor}', item_cursor: /a, next: /b}\n",
       "neither cursor nor next"},
  };
  for (const auto& one : cases) {
    EXPECT_THAT(SettingsProblem(one.settings), AllOf(HasSubstr(one.said), Not(HasSubstr("canary"))))
        << one.settings;
  }
}

TEST(HttpConnectorSettings, OfFhirNameTheKeyAndTheWayOut) {
  const std::string fhir = "kind: fhir\naddress: https://a.example/r4\nflavour: bser\n";
  const std::string system = "key_system: https://a.example/waymark\n";
  EXPECT_EQ(SettingsProblem(fhir + system + "referrals: {mapping: a}\n"), "");
  EXPECT_THAT(SettingsProblem(fhir + "referrals: {mapping: a}\n"), HasSubstr("key_system"));
  EXPECT_THAT(SettingsProblem(fhir + "key_system: 'a|b'\nreferrals: {mapping: a}\n"),
              HasSubstr("absolute URI"));
  EXPECT_THAT(SettingsProblem(fhir + system + "referrals: {mapping: a, erase: never}\n"),
              HasSubstr("one of delete, entered-in-error"));
  EXPECT_THAT(SettingsProblem(fhir + system + "capacity: {mapping: a, search: 'Patient?x=1'}\n"),
              HasSubstr("a search of HealthcareService"));
}

// --- Addresses

TEST(HttpUrl, KnowsItsOrigin) {
  const auto url = HttpUrl::Parse("https://A.example/api?x=1");
  ASSERT_TRUE(url.has_value());
  EXPECT_EQ(url->host(), "a.example");
  EXPECT_TRUE(url->has_query());
  EXPECT_EQ(url->path_and_query(), "/api?x=1");
  EXPECT_TRUE(url->SameOrigin(*HttpUrl::Parse("https://a.example:443/other")));
  EXPECT_FALSE(url->SameOrigin(*HttpUrl::Parse("https://a.example:444/api")));
  EXPECT_FALSE(url->SameOrigin(*HttpUrl::Parse("http://a.example/api")));
  EXPECT_EQ(url->Resolve("/y?z")->path_and_query(), "/y?z");
  EXPECT_EQ(url->Resolve("//b.example/y")->host(), "b.example");
  for (const char* text :
       {"", "a.example/x y", "https://", "file:///etc/passwd", "https://u@a/", "https://a/#f"}) {
    EXPECT_FALSE(HttpUrl::Parse(text).has_value()) << text;
  }
}

TEST(HttpUrl, EncodesEverythingThatIsNotPlain) {
  EXPECT_EQ(PercentEncode("aZ0-._~"), "aZ0-._~");
  EXPECT_EQ(PercentEncode("a b/?&#%|\xc3\xa9\n"), "a%20b%2F%3F%26%23%25%7C%C3%A9%0A");
}

TEST(RetryAfter, IsSecondsOrADateAgainstTheServersOwn) {
  const char* date = "Thu, 26 Nov 2026 17:00:00 GMT";
  EXPECT_EQ(RetryAfterSeconds("12", ""), 12);
  EXPECT_EQ(RetryAfterSeconds("Thu, 26 Nov 2026 17:01:00 GMT", date), 60);
  EXPECT_EQ(RetryAfterSeconds("Thu, 26 Nov 2026 16:01:00 GMT", date), 0);
  EXPECT_EQ(RetryAfterSeconds("Thu, 26 Nov 2099 16:01:00 GMT", date), 86400);
  for (const char* text : {"", "soon", "-1", "1.5", "Thu, 26 Nov", "99999999999999999999"}) {
    EXPECT_EQ(RetryAfterSeconds(text, date), 0) << text;
  }
  EXPECT_EQ(RetryAfterSeconds("Thu, 26 Nov 2026 17:01:00 GMT", ""), 0);
}

// --- JSON

TEST(JsonPointer, FindsAValue) {
  const std::string json = R"({"a":{"b/c":[1,"x",{"~":null}]},"":true})";
  EXPECT_EQ(JsonAt(json, "")->kind, JsonValue::Kind::kNested);
  EXPECT_EQ(JsonAt(json, "/a/b~1c/1")->text, "x");
  EXPECT_EQ(JsonAt(json, "/a/b~1c/2/~0")->kind, JsonValue::Kind::kNull);
  EXPECT_EQ(JsonAt(json, "/")->text, "true");
  for (const char* pointer : {"/b", "/a/b~1c/3", "/a/b~1c/-1", "/a/b~1c/x", "/a/b~1c/0/0"}) {
    EXPECT_FALSE(JsonAt(json, pointer).has_value()) << pointer;
  }
  EXPECT_FALSE(JsonAt("{", "").has_value());
  EXPECT_TRUE(IsJsonPointer("") && IsJsonPointer("/a~0~1"));
  EXPECT_FALSE(IsJsonPointer("a") || IsJsonPointer("/a~") || IsJsonPointer("/~2"));
}

TEST(FhirTexts, AnOutcomeHasCodesOnly) {
  EXPECT_EQ(OutcomeCodes(R"({"resourceType":"OperationOutcome","issue":[
    {"code":"required","diagnostics":"canary"},{"code":"Canary 7f3a"},{"code":"required"},
    {"code":"code-invalid"},{"details":{"text":"canary"}}]})"),
            "required, code-invalid");
  EXPECT_THAT(OutcomeCodes("{\"resourceType\":\"Patient\"}"), IsEmpty());
  EXPECT_THAT(OutcomeCodes("canary"), IsEmpty());
}

TEST(FhirTexts, EveryStateHasItsStatus) {
  for (const char* flavour : {"plain", "sdohcc", "bser"}) {
    const auto state = FindState(*FindFlavour(flavour), "NOT_STARTED");
    ASSERT_TRUE(state.has_value());
    EXPECT_EQ(state->task_status, "cancelled");
    EXPECT_EQ(state->request_status, "revoked");
    EXPECT_EQ(state->status_reason, "not started");
    EXPECT_FALSE(FindState(*FindFlavour(flavour), "BEGUN").has_value());
  }
  EXPECT_EQ(FindFlavour("other"), nullptr);
  EXPECT_LT(ProgressOf("accepted", "3.0"), ProgressOf("accepted", "5.1.1"));
  EXPECT_LT(ProgressOf("accepted", ""), ProgressOf("accepted", "accepted"));
  EXPECT_LT(ProgressOf("accepted", "accepted"), ProgressOf("accepted", "scheduled"));
  EXPECT_LT(ProgressOf("accepted", "5.2"), ProgressOf("in-progress", ""));
  EXPECT_EQ(ProgressOf("completed", "7.0"), ProgressOf("rejected", ""));
  EXPECT_LT(ProgressOf("unheard-of", ""), ProgressOf("draft", ""));
}

FhirTask ChangedTask(const std::string& id, const std::string& at) {
  return {.json = "{}", .version = "1", .last_updated = at, .id = id, .status = "", .business = ""};
}

TEST(FhirPosition, KnowsWhatItHasReadOfAnInstant) {
  auto position = FhirPosition::Parse("");
  ASSERT_TRUE(position.ok());
  EXPECT_TRUE(*position->MoveTo(ChangedTask("a", "2026-11-26T17:00:00.001Z")));
  EXPECT_TRUE(*position->MoveTo(ChangedTask("b", "2026-11-26T17:00:00.001Z")));
  auto later = FhirPosition::Parse(position->Cursor());
  ASSERT_TRUE(later.ok()) << later.status();
  EXPECT_EQ(later->Cursor(), position->Cursor());
  EXPECT_THAT(later->Path("urn:x"), HasSubstr("_lastUpdated=ge2026-11-26T17%3A00%3A00.001Z"));
  EXPECT_FALSE(*later->MoveTo(ChangedTask("a", "2026-11-26T17:00:00.001Z")));
  EXPECT_TRUE(*later->MoveTo(ChangedTask("c", "2026-11-26T18:00:00.001+01:00")));
  EXPECT_TRUE(*later->MoveTo(ChangedTask("a", "2026-11-26T17:00:01Z")));
  EXPECT_FALSE(later->MoveTo(ChangedTask("d", "2026-11-26T17:00:00Z")).ok()) << "not sorted";
  EXPECT_FALSE(later->MoveTo(ChangedTask("d", "yesterday")).ok());
  EXPECT_FALSE(FhirPosition::Parse("/rooms").ok());
  for (int i = 0; i < 439; ++i) {
    ASSERT_TRUE(later->MoveTo(ChangedTask(std::to_string(i), "2026-11-26T17:00:01Z")).ok());
  }
  EXPECT_LE(later->Cursor().size(), 4096U);
  EXPECT_FALSE(later->MoveTo(ChangedTask("one more", "2026-11-26T17:00:01Z")).ok());
}

}  // namespace
}  // namespace waymark::node
