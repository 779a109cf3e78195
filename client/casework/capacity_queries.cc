// The questions about room: they name a service and a window, and never a person.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/directory/room.h"
#include "base/status/status.h"
#include "client/casework/cases.h"
#include "client/casework/match.h"
#include "client/casework/origin.h"
#include "client/casework/referral.h"
#include "client/vault/typed.h"

namespace waymark::node {
namespace {

// The answer as it counts at `now`: UNKNOWN without numbers when its time is over, which it is
// after the longest lifetime of the unit at the latest, and after the shortest when it names no
// time. A service that the directory no longer has counts like one of places to sleep.
v1::CapacityReply AnswerAt(const local::v1::CapacityQueryEntry& entry, const ServiceEntry* service,
                           absl::Time now) {
  v1::CapacityReply answer = entry.reply();
  const RoomLifetime lifetime =
      LifetimeOf(service == nullptr ? v1::CAPACITY_UNIT_BED : service->service.capacity_unit());
  const absl::Time asked = absl::FromUnixMillis(entry.asked_at_ms());
  const absl::Time end = answer.valid_until_minute() == 0
                             ? asked + lifetime.shortest
                             : std::min(absl::FromUnixSeconds(answer.valid_until_minute() * 60),
                                        asked + lifetime.longest);
  if (now < end) return answer;
  answer.set_status(v1::CAPACITY_STATUS_UNKNOWN);
  answer.clear_available();
  answer.clear_window();
  return answer;
}

}  // namespace

absl::Status Origin::QueryCapacity(const Actor& actor, const v1::QueryCapacityRequest& request) {
  const auto person_id = CaseId::FromBytes(request.case_id());
  const auto need_id = NeedId::FromBytes(request.need_id());
  if (!person_id || !need_id)
    return Error(v1::REASON_FIELD_INVALID, "case_id and need_id are 16 bytes each");
  if (request.service_ids().empty() || request.service_ids_size() > 5 ||
      request.service_ids_size() != request.message_ids_size()) {
    return Error(v1::REASON_FIELD_INVALID, "name one to five services and one message id for each");
  }
  const auto directory = context_.directory();
  RETURN_IF_ERROR(context_.vault.Write([&](Transaction& t) -> absl::Status {
    ASSIGN_OR_RETURN(const CaseAndNeed asked_for, LoadNeed(t, *person_id, *need_id));
    RETURN_IF_ERROR(actor.RequireCaseworker(*UnitId::FromBytes(asked_for.person.unit_id())));
    for (int i = 0; i < request.service_ids_size(); ++i) {
      const auto service = ServiceId::FromBytes(request.service_ids(i));
      const auto message = MessageId::FromBytes(request.message_ids(i));
      if (!service || !message)
        return Error(v1::REASON_FIELD_INVALID, "service and message ids are 16 bytes each");
      RETURN_IF_ERROR(AskAboutRoom(t, *directory, asked_for, *service, *message));
    }
    return absl::OkStatus();
  }));
  context_.outbox_grew();
  return absl::OkStatus();
}

absl::Status Origin::AskAboutRoom(Transaction& transaction, const DirectorySnapshot& directory,
                                  const CaseAndNeed& asked_for, const ServiceId& service_id,
                                  const MessageId& message) const {
  if (transaction.Get(DocumentKind::kQuery, message).ok()) return absl::OkStatus();
  const ServiceEntry* service = directory.FindService(service_id);
  if (service == nullptr) return Error(v1::REASON_NOT_FOUND, "the directory has no such service");
  const v1::Need& need = asked_for.need;
  if (!Offers(service->service, need.service_code())) {
    return Error(v1::REASON_FIELD_INVALID, service->service.handle() +
                                               " is no service of the need's code " +
                                               std::to_string(need.service_code()));
  }
  const auto& excluded = asked_for.person.excluded();
  if (std::find(excluded.begin(), excluded.end(), service->unit.bytes()) != excluded.end() ||
      std::find(excluded.begin(), excluded.end(), service->organisation.bytes()) !=
          excluded.end()) {
    return Error(v1::REASON_EXCLUDED,
                 "the person excluded the unit of " + service->service.handle());
  }
  const ReferralId referral = ReferralId::Generate(context_.random);
  local::v1::CapacityQueryEntry entry;
  entry.set_message_id(message.bytes());
  entry.set_referral_id(referral.bytes());
  entry.set_need_id(need.need_id());
  entry.set_service_id(service_id.bytes());
  entry.set_unit_id(service->unit.bytes());
  entry.set_asked_at_ms(ToMillis(context_.clock.Now()));
  RETURN_IF_ERROR(PutMessage(transaction, DocumentKind::kQuery, message,
                             *NeedId::FromBytes(need.need_id()), entry));
  const v1::NeedSection& section = need.section();
  Outgoing outgoing;
  outgoing.id = message;
  outgoing.kind = v1::KIND_CAPACITY_QUERY;
  v1::CapacityQuery& query = *outgoing.payload.mutable_capacity_query();
  query.set_service_id(service_id.bytes());
  query.set_service_code(need.service_code());
  query.set_quantity(section.has_quantity() ? section.quantity() : 1);
  query.set_unit(service->service.capacity_unit());
  query.mutable_window()->set_from_minute(section.earliest_start().seconds() / 60);
  query.mutable_window()->set_to_minute(section.latest_start().seconds() / 60);
  return sender_.Send(transaction, directory,
                      {.referral = referral,
                       .from = *UnitId::FromBytes(asked_for.person.unit_id()),
                       .to = service->unit,
                       .urgency = need.urgency()},
                      std::move(outgoing));
}

absl::StatusOr<std::vector<v1::CapacityQueryRecord>> Origin::ListCapacityQueries(
    const Actor& actor, const std::optional<NeedId>& need) {
  RETURN_IF_ERROR(actor.RequireAnyCaseworker());
  const auto directory = context_.directory();
  std::vector<v1::CapacityQueryRecord> records;
  RETURN_IF_ERROR(context_.vault.Read([&](const Reader& reader) -> absl::Status {
    ASSIGN_OR_RETURN(auto entries, ParseAll<local::v1::CapacityQueryEntry>(
                                       need ? reader.List(DocumentKind::kQuery, *need)
                                            : reader.List(DocumentKind::kQuery)));
    std::reverse(entries.begin(), entries.end());
    for (const auto& [unused, entry] : entries) {
      v1::CapacityQueryRecord record;
      record.set_message_id(entry.message_id());
      const auto* service = directory->FindService(*ServiceId::FromBytes(entry.service_id()));
      if (service != nullptr) record.set_service_handle(service->service.handle());
      record.set_unit_handle(HandleOf(*directory, *UnitId::FromBytes(entry.unit_id())));
      record.mutable_asked_at()->set_seconds(entry.asked_at_ms() / 1000);
      if (entry.has_reply()) {
        *record.mutable_reply() = AnswerAt(entry, service, context_.clock.Now());
      }
      records.push_back(std::move(record));
    }
    return absl::OkStatus();
  }));
  return records;
}

}  // namespace waymark::node
