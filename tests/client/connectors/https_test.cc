// Who an HTTP server is: certificates that are good, expired, of another name, of nobody.

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <memory>

#include "base/status/status.h"
#include "tests/client/connectors/script_server.h"
#include "tests/client/connectors/tried_system.h"
#include "tests/support/fake_clock.h"

namespace waymark::node {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const LocalRecord kSentRecord = {.key = "k-1", .json = "{\"note\":\"canary-7f3a\"}"};

class HttpsServer : public ::testing::Test {
 protected:
  void SetUp() override {
    MakeSelfSigned("ca");
    MakeSelfSigned("stranger");
    Certify("good", "localhost", "2");
    Certify("other", "other.example", "2");
    Certify("expired", "localhost", "-1");
    Certify("mutual", "localhost", "2");
    Certify("node", "node", "2");
    chmod((folder_ / "node.key").c_str(), 0600);
    auto server = ScriptServer::Start({WAYMARK_MISBEHAVING_SERVER, folder_ / ""});
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  void OpenSsl(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "/usr/bin/openssl");
    const absl::Status made = ::waymark::testing::RunToEnd(
        {.command = std::move(arguments), .output = folder_ / "openssl.log"});
    ASSERT_TRUE(made.ok()) << made;
  }

  // A request for a certificate, or one that nobody else has signed.
  void Request(const std::string& name, const std::string& host,
               const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"req",      "-nodes",
                                          "-newkey",  "ec",
                                          "-pkeyopt", "ec_paramgen_curve:P-256",
                                          "-subj",    "/CN=" + host,
                                          "-addext",  "subjectAltName=DNS:" + host,
                                          "-keyout",  folder_ / (name + ".key")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    OpenSsl(std::move(arguments));
  }

  void MakeSelfSigned(const std::string& name) {
    Request(name, "localhost", {"-x509", "-days", "2", "-out", folder_ / (name + ".pem")});
  }

  // A certificate of the authority; one of -1 days has ended yesterday.
  void Certify(const std::string& name, const std::string& host, const std::string& days) {
    const std::string request = folder_ / (name + ".csr");
    Request(name, host, {"-new", "-out", request});
    OpenSsl({"x509", "-req", "-in", request, "-days", days, "-copy_extensions", "copyall", "-CA",
             folder_ / "ca.pem", "-CAkey", folder_ / "ca.key", "-CAcreateserial", "-out",
             folder_ / (name + ".pem")});
  }

  // What becomes of a record that is written to the server of that name.
  WriteResult Write(const std::string& name, const std::string& lines) {
    const auto connector = MakeFrom("kind: http\ntime_limit: 5s\naddress: https://localhost:" +
                                        std::to_string(server_->port(name)) +
                                        "\nreferrals: {mapping: a, write: POST /asked}\n" + lines,
                                    clock_);
    EXPECT_TRUE(connector.ok()) << connector.status();
    return connector.ok() ? (*connector)->Write(kSentRecord) : WriteResult{};
  }

  std::string Ca() { return "ca: " + (folder_ / "ca.pem") + "\n"; }

  // Nothing of the record has left.
  void ExpectNothingCame() {
    HttpClient client = ClientOf(server_->port("http"));
    EXPECT_THAT(AskServer(client, "GET", "/journal"), Not(HasSubstr("canary")));
  }

  TestFolder folder_;
  std::unique_ptr<ScriptServer> server_;
  FakeClock clock_{absl::UnixEpoch()};
};

TEST_F(HttpsServer, IsKnownByItsCertificate) {
  EXPECT_EQ(Write("good", Ca()).outcome, WriteOutcome::kDone);
}

TEST_F(HttpsServer, WithoutAGoodCertificateGetsNothing) {
  for (const char* name : {"expired", "other", "stranger"}) {
    const WriteResult result = Write(name, Ca());
    EXPECT_EQ(result.outcome, WriteOutcome::kRefused) << name;
    EXPECT_THAT(result.detail, AllOf(HasSubstr("certificate"), Not(HasSubstr("canary")))) << name;
  }
  EXPECT_EQ(Write("good", "").outcome, WriteOutcome::kRefused)
      << "the authorities of the machine do not know it";
  const WriteResult missing = Write("good", "ca: /nowhere/ca.pem\n");
  EXPECT_EQ(missing.outcome, WriteOutcome::kRefused);
  EXPECT_THAT(missing.detail, HasSubstr("`ca`"));
  ExpectNothingCame();
}

TEST_F(HttpsServer, MayAskForOurs) {
  const std::string ours = "certificate: " + (folder_ / "node.pem") +
                           "\ncertificate_key: {file: " + (folder_ / "node.key") + "}\n";
  EXPECT_EQ(Write("mutual", Ca() + ours).outcome, WriteOutcome::kDone);
  // With TLS 1.3 the server's refusal comes after the record may have left.
  EXPECT_NE(Write("mutual", Ca()).outcome, WriteOutcome::kDone);
  const WriteResult wrong =
      Write("mutual", Ca() + "certificate: " + (folder_ / "node.pem") +
                          "\ncertificate_key: {file: " + (folder_ / "nowhere.key") + "}\n");
  EXPECT_EQ(wrong.outcome, WriteOutcome::kRefused);
}

TEST_F(HttpsServer, SpeaksTlsOrGetsNothing) {
  const WriteResult result = Write("http", Ca());
  EXPECT_EQ(result.outcome, WriteOutcome::kNotNow);
  ExpectNothingCame();
}

}  // namespace
}  // namespace waymark::node
