// Logins: who gets in, and what ends a session.
#include "client/casework/staff.h"

#include <memory>
#include <string>

#include "base/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/vault/open_vault.h"
#include "tests/support/fake_clock.h"
#include "tests/support/seeded_random.h"

namespace waymark::node {
namespace {

using ::testing::HasSubstr;

constexpr ScryptCost kCheap{.n = 16, .r = 1, .p = 1};
constexpr char kPassphrase[] = "an invented passphrase";

class StaffTest : public ::testing::Test {
 protected:
  absl::Status Put(const std::string& name, v1::StaffRole role, const std::string& passphrase) {
    v1::PutStaffRequest request;
    request.set_name(name);
    request.set_role(role);
    request.set_passphrase(passphrase);
    if (role != v1::STAFF_ROLE_ADMINISTRATOR) request.add_unit_ids(unit_.bytes());
    return staff_.Put(request);
  }

  std::string LogIn(const std::string& name) {
    const auto login = staff_.Login(name, SecretBytes::CopyOf(kPassphrase));
    EXPECT_TRUE(login.ok()) << login.status();
    return login.ok() ? login->token() : "";
  }

  v1::Reason Refused(const std::string& token) {
    return ReasonOf(staff_.Authenticate(token).status());
  }

  void SetUp() override {
    ASSERT_TRUE(Put("admin", v1::STAFF_ROLE_ADMINISTRATOR, kPassphrase).ok());
    ASSERT_TRUE(Put("ana", v1::STAFF_ROLE_CASEWORKER, kPassphrase).ok());
  }

  FakeClock clock_{absl::FromUnixSeconds(1'800'000'000)};
  SeededRandom random_{7};
  const UnitId unit_ = UnitId::Generate(random_);
  const VaultFolder folder_;
  const std::unique_ptr<Vault> vault_ = folder_.Open();
  StaffRegister staff_{*vault_, clock_, random_, kCheap};
};

TEST_F(StaffTest, LogoutEndsOneSessionWhoeverHoldsItsToken) {
  const std::string one = LogIn("ana");
  const std::string other = LogIn("ana");
  EXPECT_TRUE(staff_.Logout(one).ok());
  EXPECT_EQ(Refused(one), v1::REASON_STAFF_NOT_ALLOWED);
  EXPECT_EQ(ReasonOf(staff_.Logout(one)), v1::REASON_STAFF_NOT_ALLOWED);
  EXPECT_TRUE(staff_.Authenticate(other).ok());
}

TEST_F(StaffTest, ListsEveryoneByNameAndNoSecret) {
  const auto listed = staff_.List();
  ASSERT_TRUE(listed.ok()) << listed.status();
  ASSERT_EQ(listed->size(), 2u);
  EXPECT_EQ(listed->at(0).name(), "admin");
  EXPECT_EQ(listed->at(1).name(), "ana");
  EXPECT_EQ(listed->at(1).role(), v1::STAFF_ROLE_CASEWORKER);
  EXPECT_EQ(listed->at(1).unit_ids(0), unit_.bytes());
}

TEST_F(StaffTest, WhoIsRemovedIsOutAtOnceAndStaysOutUnderTheSameName) {
  const std::string token = LogIn("ana");
  EXPECT_TRUE(staff_.Remove("ana").ok());
  EXPECT_EQ(Refused(token), v1::REASON_STAFF_NOT_ALLOWED);
  EXPECT_FALSE(staff_.Login("ana", SecretBytes::CopyOf(kPassphrase)).ok());
  EXPECT_EQ(ReasonOf(staff_.Remove("ana")), v1::REASON_NOT_FOUND);
  ASSERT_TRUE(Put("ana", v1::STAFF_ROLE_CASEWORKER, kPassphrase).ok());
  EXPECT_EQ(Refused(token), v1::REASON_STAFF_NOT_ALLOWED);
}

TEST_F(StaffTest, ANewPassphraseEndsTheSessions) {
  const std::string token = LogIn("ana");
  ASSERT_TRUE(Put("ana", v1::STAFF_ROLE_LOGISTICS, "").ok());
  EXPECT_TRUE(staff_.Authenticate(token).ok());
  ASSERT_TRUE(Put("ana", v1::STAFF_ROLE_LOGISTICS, "another passphrase").ok());
  EXPECT_EQ(Refused(token), v1::REASON_STAFF_NOT_ALLOWED);
}

TEST_F(StaffTest, OneAdministratorAlwaysStays) {
  const absl::Status removed = staff_.Remove("admin");
  EXPECT_EQ(ReasonOf(removed), v1::REASON_STATE_FORBIDS);
  EXPECT_THAT(std::string(removed.message()), HasSubstr("make another one first"));
  EXPECT_EQ(ReasonOf(Put("admin", v1::STAFF_ROLE_CASEWORKER, "")), v1::REASON_STATE_FORBIDS);
  ASSERT_TRUE(Put("second", v1::STAFF_ROLE_ADMINISTRATOR, kPassphrase).ok());
  EXPECT_TRUE(Put("admin", v1::STAFF_ROLE_CASEWORKER, "").ok());
  EXPECT_EQ(ReasonOf(staff_.Remove("second")), v1::REASON_STATE_FORBIDS);
}

}  // namespace
}  // namespace waymark::node
