#include "base/rpc/status_mapping.h"

#include <string>
#include <string_view>

#include "base/status/status.h"
#include "google/rpc/error.pb.h"

namespace waymark {
namespace {

constexpr std::string_view kDomain = "waymark";

std::string DetailsOf(const absl::Status& status) {
  google::rpc::ErrorInfo info;
  info.set_reason(std::string(ReasonName(ReasonOf(status))));
  info.set_domain(std::string(kDomain));
  google::rpc::Status details;
  details.set_code(static_cast<int>(status.code()));
  details.set_message(std::string(status.message()));
  details.add_details()->PackFrom(info);
  return details.SerializeAsString();
}

v1::Reason ReasonFromCode(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::UNAVAILABLE:
      return v1::REASON_UNAVAILABLE;
    case grpc::StatusCode::UNAUTHENTICATED:
      return v1::REASON_IDENTITY_MISSING;
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return v1::REASON_PEER_STALLED;
    default:
      return v1::REASON_INTERNAL;
  }
}

v1::Reason ReasonFromDetails(const grpc::Status& status) {
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) return v1::REASON_INTERNAL;
  for (const google::protobuf::Any& detail : details.details()) {
    google::rpc::ErrorInfo info;
    if (!detail.UnpackTo(&info) || info.domain() != kDomain) continue;
    const v1::Reason reason = ReasonFromName(info.reason());
    return reason == v1::REASON_UNSPECIFIED ? v1::REASON_INTERNAL : reason;
  }
  return ReasonFromCode(status.error_code());
}

}  // namespace

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), std::string(status.message()),
                      DetailsOf(status));
}

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  return ErrorFromPeer(static_cast<absl::StatusCode>(status.error_code()), status.error_message(),
                       ReasonFromDetails(status));
}

}  // namespace waymark
