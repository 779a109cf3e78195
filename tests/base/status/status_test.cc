#include "base/status/status.h"

#include <gtest/gtest.h>

namespace waymark {
namespace {

TEST(StatusTest, ErrorTakesCodeAndCureFromTheTable) {
  const absl::Status status = Error(v1::REASON_TOKEN_EXPIRED, "token of referral 12ab");
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(status.message(), "token of referral 12ab. Renew the consent with the person.");
  EXPECT_EQ(ReasonOf(status), v1::REASON_TOKEN_EXPIRED);
}

TEST(StatusTest, EveryReasonHasACodeAndACure) {
  const auto* reasons = v1::Reason_descriptor();
  for (int i = 0; i < reasons->value_count(); ++i) {
    const auto reason = static_cast<v1::Reason>(reasons->value(i)->number());
    if (reason == v1::REASON_UNSPECIFIED) continue;
    EXPECT_TRUE(reasons->value(i)->options().HasExtension(v1::reason_info)) << ReasonName(reason);
    EXPECT_NE(ReasonCode(reason), absl::StatusCode::kOk) << ReasonName(reason);
    EXPECT_FALSE(ReasonCure(reason).empty()) << ReasonName(reason);
    EXPECT_EQ(ReasonFromName(ReasonName(reason)), reason);
  }
}

TEST(StatusTest, AnnotateKeepsTheReason) {
  const absl::Status status = Annotate(Error(v1::REASON_NOT_FOUND, "case 7"), "opening");
  EXPECT_EQ(ReasonOf(status), v1::REASON_NOT_FOUND);
  EXPECT_TRUE(status.message().substr(0, 9) == "opening: ");
}

TEST(StatusTest, ALineForPeopleEndsWithTheReason) {
  EXPECT_EQ(ErrorLine("waymark-node", Error(v1::REASON_FILE_UNUSABLE, "the file x is not there")),
            "waymark-node: the file x is not there. Put that right and try again. "
            "[FILE_UNUSABLE]\n");
  EXPECT_EQ(ErrorLine("waymark-hub", CommandLineError("--config is required")),
            "waymark-hub: --config is required; --help says what there is [FIELD_INVALID]\n");
}

TEST(StatusTest, ForeignErrorsAreInternal) {
  EXPECT_EQ(ReasonOf(absl::UnknownError("x")), v1::REASON_INTERNAL);
  EXPECT_EQ(ReasonOf(absl::OkStatus()), v1::REASON_UNSPECIFIED);
}

}  // namespace
}  // namespace waymark
