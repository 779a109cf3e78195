#include "base/rpc/status_mapping.h"

#include "base/status/status.h"
#include "google/rpc/error.pb.h"
#include "gtest/gtest.h"

namespace waymark {
namespace {

TEST(StatusMappingTest, EveryReasonMakesTheRoundTrip) {
  const auto* reasons = v1::Reason_descriptor();
  for (int i = 0; i < reasons->value_count(); ++i) {
    const auto reason = static_cast<v1::Reason>(reasons->value(i)->number());
    if (reason == v1::REASON_UNSPECIFIED) continue;
    const absl::Status sent = Error(reason, "unit lin.family");
    const absl::Status received = FromGrpc(ToGrpc(sent));
    EXPECT_EQ(ReasonOf(received), reason);
    EXPECT_EQ(received.code(), sent.code());
    EXPECT_EQ(received.message(), sent.message());
  }
}

TEST(StatusMappingTest, OkIsOk) {
  EXPECT_TRUE(ToGrpc(absl::OkStatus()).ok());
  EXPECT_TRUE(FromGrpc(grpc::Status::OK).ok());
}

TEST(StatusMappingTest, TheDetailsAreTheErrorModelOfGrpc) {
  const grpc::Status status = ToGrpc(Error(v1::REASON_TOKEN_EXPIRED, "token"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  google::rpc::Status details;
  ASSERT_TRUE(details.ParseFromString(status.error_details()));
  EXPECT_EQ(details.code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(details.message(), status.error_message());
  ASSERT_EQ(details.details_size(), 1);
  EXPECT_EQ(details.details(0).type_url(), "type.googleapis.com/google.rpc.ErrorInfo");
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(details.details(0).UnpackTo(&info));
  EXPECT_EQ(info.reason(), "TOKEN_EXPIRED");
  EXPECT_EQ(info.domain(), "waymark");
}

TEST(StatusMappingTest, WithoutDetailsTheCodeDecides) {
  const auto reason = [](grpc::StatusCode code) {
    const absl::Status status = FromGrpc(grpc::Status(code, "text"));
    EXPECT_EQ(static_cast<int>(status.code()), static_cast<int>(code));
    EXPECT_EQ(status.message(), "text");
    return ReasonOf(status);
  };
  EXPECT_EQ(reason(grpc::StatusCode::UNAVAILABLE), v1::REASON_UNAVAILABLE);
  EXPECT_EQ(reason(grpc::StatusCode::UNAUTHENTICATED), v1::REASON_IDENTITY_MISSING);
  EXPECT_EQ(reason(grpc::StatusCode::DEADLINE_EXCEEDED), v1::REASON_PEER_STALLED);
  EXPECT_EQ(reason(grpc::StatusCode::CANCELLED), v1::REASON_INTERNAL);
  EXPECT_EQ(reason(grpc::StatusCode::UNIMPLEMENTED), v1::REASON_INTERNAL);
}

TEST(StatusMappingTest, ForeignAndBrokenDetailsAreNotBelieved) {
  google::rpc::ErrorInfo info;
  info.set_reason("TOKEN_EXPIRED");
  info.set_domain("elsewhere.test");
  google::rpc::Status details;
  details.add_details()->PackFrom(info);
  const grpc::Status foreign(grpc::StatusCode::UNAVAILABLE, "text", details.SerializeAsString());
  EXPECT_EQ(ReasonOf(FromGrpc(foreign)), v1::REASON_UNAVAILABLE);

  info.set_domain("waymark");
  info.set_reason("FROM_THE_FUTURE");
  details.mutable_details(0)->PackFrom(info);
  const grpc::Status newer(grpc::StatusCode::PERMISSION_DENIED, "text",
                           details.SerializeAsString());
  EXPECT_EQ(ReasonOf(FromGrpc(newer)), v1::REASON_INTERNAL);
  EXPECT_EQ(FromGrpc(newer).code(), absl::StatusCode::kPermissionDenied);

  const grpc::Status broken(grpc::StatusCode::UNAVAILABLE, "text", "\xff\xff");
  EXPECT_EQ(ReasonOf(FromGrpc(broken)), v1::REASON_INTERNAL);
}

TEST(StatusMappingTest, AnErrorWithoutAReasonIsInternal) {
  const absl::Status received = FromGrpc(ToGrpc(absl::NotFoundError("text")));
  EXPECT_EQ(ReasonOf(received), v1::REASON_INTERNAL);
  EXPECT_EQ(received.code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace waymark
