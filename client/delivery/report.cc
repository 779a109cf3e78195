#include "client/delivery/report.h"

#include <string>

#include "base/status/status.h"
#include "google/protobuf/descriptor.h"

namespace waymark::node {
namespace {

template <typename Request>
Request RequestFor(const v1::LocalUpdate& update, const MessageId& message) {
  Request request;
  request.set_referral_id(update.referral_id());
  request.set_message_id(message.bytes());
  return request;
}

bool Carries(v1::Kind kind, int section) {
  switch (kind) {
    case v1::KIND_SCHEDULE:
      return section == v1::Sections::kLogiFieldNumber;
    case v1::KIND_START:
      return false;
    default:
      return section == v1::Sections::kProgFieldNumber;
  }
}

}  // namespace

std::vector<MappingFinding> FindSurplus(const v1::LocalUpdate& update) {
  std::vector<MappingFinding> findings;
  std::vector<const google::protobuf::FieldDescriptor*> present;
  v1::Sections::GetReflection()->ListFields(update.sections(), &present);
  for (const auto* section : present) {
    if (Carries(update.kind(), section->number())) continue;
    findings.push_back({v1::REASON_CONTENT_FORBIDDEN, "sections." + section->name(),
                        "does not go with a step of this kind"});
  }
  return findings;
}

absl::Status DoReported(Provider& provider, const Catalogue& catalogue, const Actor& actor,
                        const v1::LocalUpdate& update, const MessageId& message) {
  const v1::Sections& sections = update.sections();
  switch (update.kind()) {
    case v1::KIND_OFFER: {
      auto request = RequestFor<v1::OfferRequest>(update, message);
      *request.mutable_prog() = sections.prog();
      return provider.Offer(actor, request).status();
    }
    case v1::KIND_WAITLIST: {
      auto request = RequestFor<v1::WaitlistRequest>(update, message);
      *request.mutable_prog() = sections.prog();
      return provider.Waitlist(actor, request);
    }
    case v1::KIND_DECLINE: {
      auto request = RequestFor<v1::DeclineRequest>(update, message);
      const v1::DeclineInfo* decline = catalogue.FindDecline(sections.prog().decline_code());
      if (decline != nullptr) request.set_code(decline->id());
      return provider.Decline(actor, request);
    }
    case v1::KIND_SCHEDULE: {
      auto request = RequestFor<v1::ScheduleRequest>(update, message);
      *request.mutable_logi() = sections.logi();
      return provider.Schedule(actor, request);
    }
    case v1::KIND_START:
      return provider.Start(actor, RequestFor<v1::StartRequest>(update, message));
    case v1::KIND_PROGRESS: {
      auto request = RequestFor<v1::ReportProgressRequest>(update, message);
      *request.mutable_prog() = sections.prog();
      return provider.ReportProgress(actor, request);
    }
    case v1::KIND_CLOSE: {
      auto request = RequestFor<v1::CloseRequest>(update, message);
      request.set_outcome(update.outcome());
      *request.mutable_next_need_codes() = sections.prog().next_need_codes();
      return provider.Close(actor, request);
    }
    default:
      return Error(v1::REASON_ENUM_UNKNOWN, "a local system reports no step of this kind");
  }
}

}  // namespace waymark::node
