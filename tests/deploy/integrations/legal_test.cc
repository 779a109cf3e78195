// The case system, behind HTTP and JSON.

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <map>

#include "absl/strings/str_cat.h"
#include "client/connectors/json_members.h"
#include "client/connectors/json_pointer.h"
#include "tests/client/connectors/script_server.h"
#include "tests/deploy/integrations/integration.h"

namespace waymark::node {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class LegalIntegrationTest : public ::testing::Test {
 protected:
  LegalIntegrationTest() {
    PutFile(token_, "a word that opens the system\n");
    chmod(token_.c_str(), 0600);
    auto started =
        ScriptServer::Start({IntegrationPath("legal/case_server.mjs"), "--token-file", token_});
    EXPECT_TRUE(started.ok()) << started.status();
    if (!started.ok()) std::abort();
    server_ = *std::move(started);
    cases_.emplace(
        "legal",
        ConfigChanges{{"https://cases.example", absl::StrCat("http://127.0.0.1:", server_->port())},
                      {"{credential: office-token}", "{file: " + token_ + "}"}});
  }

  // What the firm's staff do in their system.
  std::string Ask(const std::string& method, const std::string& path,
                  std::optional<std::string> body = std::nullopt) const {
    HttpClient client = ClientOf(
        server_->port(), "/api",
        {.kind = HttpLogin::Kind::kBearer, .secret = {SecretReference::Kind::kFile, token_}});
    return AskServer(client, method, path, std::move(body));
  }

  std::vector<std::string> Matters() const {
    return *SplitJson(JsonAt(Ask("GET", "/matters"), "/matters")->text);
  }

  static std::string At(const std::string& json, const std::string& pointer) {
    const auto value = JsonAt(json, pointer);
    return value ? value->text : "nothing";
  }

  TestFolder folder_;
  const std::string token_ = folder_ / "token";
  std::unique_ptr<ScriptServer> server_;
  std::optional<Integration> cases_;
  const std::string referral_ = ReferralIdOf('\x07');
  const std::string key_ = ReferralId::FromBytes(referral_)->hex();
};

TEST_F(LegalIntegrationTest, AReferralIsOneMatterUntilItIsErased) {
  v1::LocalOutward referral = cases_->Sample(referral_, "ACCEPTED");
  EXPECT_EQ(cases_->Write(referral).outcome, WriteOutcome::kDone);
  EXPECT_EQ(cases_->Write(referral).outcome, WriteOutcome::kDone);
  ASSERT_THAT(Matters(), SizeIs(1));
  EXPECT_EQ(At(Matters().front(), "/reference"), key_);
  EXPECT_EQ(At(Matters().front(), "/deadlines/0/last_day"), "2027-04-02");

  referral.mutable_referral()->set_state("STARTED");
  referral.mutable_sections()->mutable_iden()->set_name_to_use("Zoë \"Z\"");
  EXPECT_EQ(cases_->Write(referral).outcome, WriteOutcome::kDone);
  ASSERT_THAT(Matters(), SizeIs(1));
  EXPECT_EQ(At(Matters().front(), "/status"), "STARTED");
  EXPECT_EQ(At(Matters().front(), "/client_name"), "Zoë \"Z\"");

  EXPECT_EQ(cases_->Erase(referral_).outcome, WriteOutcome::kDone);
  EXPECT_EQ(cases_->Erase(referral_).outcome, WriteOutcome::kDone);
  EXPECT_THAT(Matters(), IsEmpty());
}

TEST_F(LegalIntegrationTest, TheFirmsStepsAreStepsOfTheReferral) {
  EXPECT_EQ(cases_->Write(cases_->Sample(referral_, "INQUIRED")).outcome, WriteOutcome::kDone);
  const std::pair<const char*, v1::Kind> steps[] = {
      {R"("step":"conflict","reason":"acts for somebody")", v1::KIND_DECLINE},
      {R"("step":"declined","reason":"full")", v1::KIND_DECLINE},
      {R"("step":"offered","at":"2027-03-12T09:00:00Z","held_until":"2027-03-10T18:00:00Z")",
       v1::KIND_OFFER},
      {R"("step":"appointment","at":"2027-03-12T09:00:00Z")", v1::KIND_SCHEDULE},
      {R"("step":"opened")", v1::KIND_START},
      {R"("step":"reviewed","review_on":"2027-04-01")", v1::KIND_PROGRESS},
      {R"("step":"closed")", v1::KIND_CLOSE},
      {R"("step":"ended")", v1::KIND_CLOSE},
      {R"("step":"not_opened")", v1::KIND_CLOSE},
  };
  for (const auto& [step, kind] : steps) {
    Ask("POST", "/matters/" + key_ + "/steps", absl::StrCat("{", step, "}"));
    Ask("POST", "/matters/" + key_ + "/steps", R"({"step":"billed"})");
    const std::vector<MappedUpdate> updates = cases_->ReadUpdates();
    ASSERT_THAT(updates, SizeIs(1)) << step;
    EXPECT_EQ(updates.front().update.kind(), kind) << step;
    EXPECT_EQ(updates.front().update.referral_id(), referral_);
  }
  EXPECT_THAT(cases_->ReadUpdates(), IsEmpty());
}

TEST_F(LegalIntegrationTest, ThatTheFirmActsForSomebodyElseIsNotTold) {
  Ask("POST", "/matters/" + key_ + "/steps", R"({"step":"conflict"})");
  const std::vector<MappedUpdate> updates = cases_->ReadUpdates();
  ASSERT_THAT(updates, SizeIs(1));
  EXPECT_EQ(updates.front().update.sections().prog().decline_code(),
            v1::DECLINE_CODE_NO_REASON_GIVEN);
}

TEST_F(LegalIntegrationTest, EveryReferralIsFoundByItsKey) {
  for (const char byte : {'\x00', '\x3f', '\x7e', '\xf8', '\xff'}) {
    std::string id = ReferralIdOf(byte);
    for (size_t i = 0; i < id.size(); i += 2)
      id[i] = static_cast<char>(id[i] + static_cast<char>(i));
    Ask("POST", "/matters/" + ReferralId::FromBytes(id)->hex() + "/steps", R"({"step":"opened"})");
    const std::vector<MappedUpdate> updates = cases_->ReadUpdates();
    ASSERT_THAT(updates, SizeIs(1));
    EXPECT_EQ(updates.front().update.referral_id(), id);
  }
}

TEST_F(LegalIntegrationTest, RoomIsWhatTheCaseSystemHas) {
  const auto room = [this](const std::string& opening) {
    Ask("PUT", "/openings/702", opening);
    const std::vector<v1::Capacity> said = cases_->ReadRoom(absl::Now());
    EXPECT_THAT(said, SizeIs(1)) << "nobody knows service 705";
    return absl::StrCat(v1::CapacityStatus_Name(said.front().status()), " ",
                        said.front().available());
  };
  Ask("PUT", "/openings/705", R"({"free":1})");
  EXPECT_EQ(room(R"({"free":2})"), "CAPACITY_STATUS_HAS_CAPACITY 2");
  EXPECT_EQ(room(R"({"free":0})"), "CAPACITY_STATUS_NO_CAPACITY 0");
  EXPECT_EQ(room(R"({"free":0,"assessment":true})"), "CAPACITY_STATUS_ASSESSMENT_REQUIRED 0");
}

}  // namespace
}  // namespace waymark::node
