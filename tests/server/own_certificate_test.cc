#include "server/own_certificate.h"

#include <cstdlib>
#include <filesystem>

#include "absl/time/clock.h"
#include "base/identity/files.h"
#include "base/status/status.h"
#include "gmock/gmock.h"
#include "tests/support/test_network.h"

namespace waymark::hub {
namespace {

using testing::HasSubstr;
using News = OwnCertificate::News;

constexpr absl::Duration kDay = absl::Hours(24);

std::string NewFolder() {
  std::string pattern = testing::TempDir() + "own_certificate_XXXXXX";
  return mkdtemp(pattern.data());
}

class OwnCertificateTest : public testing::Test {
 protected:
  OwnCertificateTest() {
    EXPECT_TRUE(WritePublicFile(folder_ + "/ca.crt", network_.ca_pem()).ok());
    Put(network_.IssueHub(90 * kDay));
  }
  ~OwnCertificateTest() override { std::filesystem::remove_all(folder_); }

  void Put(const KeyAndCertificate& keys) {
    EXPECT_TRUE(WriteSecretFile(folder_ + "/hub.key", keys.key_pem).ok());
    EXPECT_TRUE(WritePublicFile(folder_ + "/hub.crt", keys.certificate_pem).ok());
  }
  TlsFiles files() const {
    return {.key_path = folder_ + "/hub.key",
            .certificate_path = folder_ + "/hub.crt",
            .ca_path = folder_ + "/ca.crt"};
  }
  OwnCertificate::Sight After(absl::Duration time) { return own_.Look(start_ + time); }

  TestNetwork network_{3, absl::FromUnixSeconds(1'800'000'000)};
  const absl::Time start_ = network_.clock().Now();
  const std::string folder_ = NewFolder();
  OwnCertificate own_{files()};
};

TEST_F(OwnCertificateTest, NothingIsToldWhileTheEndIsFar) {
  EXPECT_EQ(After(absl::ZeroDuration()).news, News::kNone);
  EXPECT_EQ(After(30 * kDay).left, 60 * kDay);
  EXPECT_EQ(After(80 * kDay).news, News::kNone);
}

TEST_F(OwnCertificateTest, TheNearEndIsToldEveryDay) {
  EXPECT_EQ(After(80 * kDay + absl::Seconds(1)).news, News::kEndsSoon);
  EXPECT_EQ(After(80 * kDay + absl::Hours(23)).news, News::kNone);
  EXPECT_EQ(After(81 * kDay + absl::Minutes(1)).news, News::kEndsSoon);
}

TEST_F(OwnCertificateTest, TheEndIsToldAtOnceAndEveryDay) {
  ASSERT_EQ(After(90 * kDay - absl::Seconds(1)).news, News::kEndsSoon);
  const auto ended = After(90 * kDay);
  EXPECT_EQ(ended.news, News::kUnusable);
  EXPECT_EQ(ended.left, absl::ZeroDuration());
  EXPECT_EQ(ReasonOf(ended.status), v1::REASON_IDENTITY_MISSING);
  EXPECT_THAT(std::string(ended.status.message()), HasSubstr("hub.crt: the certificate ended at"));
  EXPECT_EQ(After(90 * kDay + absl::Hours(1)).news, News::kNone);
  EXPECT_EQ(After(91 * kDay).news, News::kUnusable);
}

TEST_F(OwnCertificateTest, AReplacementIsTold) {
  ASSERT_EQ(After(85 * kDay).news, News::kEndsSoon);
  network_.clock().Advance(85 * kDay);
  Put(network_.IssueHub(90 * kDay));
  EXPECT_EQ(After(85 * kDay + absl::Seconds(59)).news, News::kNone) << "not yet read again";
  const auto replaced = After(85 * kDay + absl::Minutes(1));
  EXPECT_EQ(replaced.news, News::kReplaced);
  EXPECT_EQ(replaced.left, 90 * kDay - absl::Minutes(1));
  EXPECT_EQ(After(85 * kDay + absl::Minutes(2)).news, News::kNone);
}

TEST_F(OwnCertificateTest, AReplacementThatDoesNotFitIsToldUntilItDoes) {
  ASSERT_EQ(After(absl::ZeroDuration()).news, News::kNone);
  ASSERT_TRUE(
      WritePublicFile(folder_ + "/hub.crt", network_.IssueHub(90 * kDay).certificate_pem).ok());
  const auto wrong = After(absl::Minutes(1));
  EXPECT_EQ(wrong.news, News::kUnusable);
  EXPECT_EQ(wrong.left, absl::ZeroDuration());
  EXPECT_THAT(std::string(wrong.status.message()), HasSubstr("hub.key"));
  Put(network_.IssueHub(90 * kDay));
  EXPECT_EQ(After(absl::Minutes(2)).news, News::kReplaced);
}

}  // namespace
}  // namespace waymark::hub
