#include "client/delivery/outward.h"

#include <utility>
#include <vector>

#include "base/crypto/hash.h"
#include "base/policy/section_fields.h"
#include "base/status/status.h"
#include "client/casework/referral.h"
#include "client/casework/sections.h"

namespace waymark::node {
namespace {

constexpr char kWhiteSpace[] = " \t\r\n";

absl::Time EndOf(const local::v1::TokenEntry& token) {
  return absl::UnixEpoch() + absl::Hours(token.valid_until_hour());
}

v1::LocalReferral About(const CaseworkContext& context, const local::v1::Referral& referral) {
  const auto directory = context.directory();
  v1::LocalReferral about;
  about.set_referral_id(referral.referral_id());
  about.set_service_code(referral.service_code());
  about.set_urgency(referral.urgency());
  about.set_state(referral.state());
  if (const auto state = StateOf(referral)) about.set_stage(StageOf(*state));
  if (referral.respond_by_ms() != 0) {
    about.mutable_respond_by()->set_seconds(referral.respond_by_ms() / 1000);
  }
  about.set_own_unit(HandleOf(*directory, *UnitId::FromBytes(referral.own_unit())));
  about.set_other_unit(HandleOf(*directory, *UnitId::FromBytes(referral.other_unit())));
  return about;
}

bool Arrived(const local::v1::Event& event) {
  return event.delivery() != v1::DELIVERY_STATE_REFUSED &&
         event.delivery() != v1::DELIVERY_STATE_DROPPED;
}

}  // namespace

absl::StatusOr<OutwardView> ViewOf(const CaseworkContext& context, const Reader& reader,
                                   const ReferralId& id) {
  ASSIGN_OR_RETURN(const local::v1::Referral referral, LoadReferral(reader, id));
  OutwardView view;
  view.referral = About(context, referral);
  const local::v1::TokenEntry* token = TokenInUse(referral);
  view.locked = token == nullptr || EndOf(*token) <= context.clock.Now();
  if (view.locked) return view;
  ASSIGN_OR_RETURN(view.sections, ReadAllSections(reader, id, SectionDirection::kReceived));
  ASSIGN_OR_RETURN(const v1::Sections sent, ReadAllSections(reader, id, SectionDirection::kSent));
  view.sections.MergeFrom(sent);
  return view;
}

absl::StatusOr<std::optional<std::string>> MapRecord(const LocalTarget& target,
                                                     const OutwardView& view, absl::Time now) {
  MappingArgs args = target.args;
  args["key"] = ReferralId::FromBytes(view.referral.referral_id())->hex();
  args["now"] = absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", now, absl::UTCTimeZone());
  const MappingProgram& mapping = *target.outward;
  ASSIGN_OR_RETURN(std::vector<std::string> records,
                   MapOutward(*target.runner, mapping, view.referral, view.sections,
                              FieldNumbersIn(view.sections), args));
  if (records.empty()) return std::optional<std::string>();
  if (records.size() > 1) {
    return Error(v1::REASON_MAPPING_OUTPUT_INVALID,
                 "mapping " + mapping.name + " returns " + std::to_string(records.size()) +
                     " records; a local system gets one record a referral");
  }
  const size_t first = records.front().find_first_not_of(kWhiteSpace);
  if (first == std::string::npos || records.front()[first] != '{') {
    return Error(v1::REASON_MAPPING_OUTPUT_INVALID,
                 "mapping " + mapping.name + " returns something other than an object");
  }
  return std::optional(std::move(records.front()));
}

std::string KeyOf(const local::v1::Delivery& delivery) {
  return ReferralId::FromBytes(delivery.referral_id()).value_or(ReferralId()).hex();
}

std::string FingerprintOf(const local::v1::Referral& referral) {
  std::string messages;
  for (const local::v1::Event& event : referral.events()) {
    if (!event.field_nos().empty() && Arrived(event)) messages += event.message_id();
  }
  std::string tokens;
  for (const local::v1::TokenEntry& token : referral.tokens()) {
    if (!token.revoked()) tokens += token.hash();
  }
  return Sha256("waymark local record", {referral.state(), std::to_string(referral.respond_by_ms()),
                                         std::to_string(referral.urgency()), messages, tokens});
}

}  // namespace waymark::node
