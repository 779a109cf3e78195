#include "client/connectors/fhir/flavour.h"

#include <algorithm>
#include <iterator>

namespace waymark::node {
namespace {

constexpr FhirCode kFulfil = {"http://hl7.org/fhir/CodeSystem/task-code", "fulfill",
                              "Fulfill the focal request"};

constexpr FhirFlavour kFlavours[] = {
    {.name = "plain",
     .request_profile = "",
     .task_profile = "",
     .task_code = kFulfil,
     .business_system = "",
     .asked_back = "received"},
    {.name = "sdohcc",
     .request_profile =
         "http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/SDOHCC-ServiceRequest",
     .task_profile = "http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/"
                     "SDOHCC-TaskForReferralManagement",
     .task_code = kFulfil,
     .business_system = "",
     .asked_back = "requested"},
    {.name = "bser",
     .request_profile =
         "http://hl7.org/fhir/us/bser/StructureDefinition/BSeR-ReferralServiceRequest",
     .task_profile = "http://hl7.org/fhir/us/bser/StructureDefinition/BSeR-ReferralTask",
     .task_code = kFulfil,
     .business_system = "http://hl7.org/fhir/us/bser/CodeSystem/TaskBusinessStatusCS",
     .asked_back = "received"},
};

// One table for all flavours, with the business status as a code of BSeR and as a word.
struct StateRow {
  std::string_view state;
  std::string_view task_status;
  std::string_view request_status;
  std::string_view code;
  std::string_view word;
  std::string_view status_reason;
};

constexpr StateRow kStates[] = {
    {"INQUIRED", "requested", "active", "2.0", "", ""},
    {"CLARIFYING", "received", "active", "2.0", "", ""},
    {"OFFERED", "accepted", "active", "3.0", "offered", ""},
    {"WAITLISTED", "on-hold", "on-hold", "3.0", "", ""},
    {"ACCEPTED", "accepted", "active", "3.0", "accepted", ""},
    {"SCHEDULED", "accepted", "active", "5.1.1", "scheduled", ""},
    {"STARTED", "in-progress", "active", "5.1.1", "", ""},
    {"ONGOING", "in-progress", "active", "5.1.1", "", ""},
    {"COMPLETED", "completed", "completed", "7.0", "", ""},
    {"ENDED_EARLY", "failed", "revoked", "6.0", "", "ended early"},
    {"DECLINED", "rejected", "revoked", "4.0", "", ""},
    {"EXPIRED", "cancelled", "revoked", "6.0", "", "expired"},
    {"CANCELLED", "cancelled", "revoked", "6.0", "", "cancelled"},
    {"WITHDRAWN", "cancelled", "revoked", "6.0", "", "withdrawn"},
    {"NOT_TAKEN_UP", "cancelled", "revoked", "6.0", "", "not taken up"},
    {"OFFER_LAPSED", "cancelled", "revoked", "6.0", "", "offer lapsed"},
    {"NOT_STARTED", "cancelled", "revoked", "6.0", "", "not started"},
};

struct BusinessStatus {
  std::string_view code;
  std::string_view display;
  int progress;
};

constexpr BusinessStatus kBusinessStatuses[] = {
    {"offered", "", 0},
    {"accepted", "", 1},
    {"scheduled", "", 2},
    {"2.0", "Service Request Created", 0},
    {"3.0", "Service Request Accepted", 1},
    {"5.1.1", "Service Request Event Scheduled", 2},
    {"5.1.2", "Scheduled Service Request Event Unattended", 3},
    {"5.1.3", "Scheduled Service Request Event Cancelled", 3},
    {"5.1.4", "Service Request Event Completed", 4},
    {"5.2", "Service Request Cancellation Requested", 5},
    {"4.0", "Service Request Declined", 6},
    {"6.0", "Service Request Fulfillment Cancelled", 6},
    {"7.0", "Service Request Fulfillment Completed", 6},
};

struct TaskStatus {
  std::string_view status;
  int progress;
};

// An end has nothing beyond it, whatever its business status.
constexpr int kEnd = 100;
constexpr int kBusinessSteps = 10;

constexpr TaskStatus kTaskStatuses[] = {
    {"draft", 0},     {"requested", 1},   {"received", 2},     {"ready", 2},
    {"accepted", 3},  {"on-hold", 4},     {"in-progress", 4},  {"completed", kEnd},
    {"failed", kEnd}, {"rejected", kEnd}, {"cancelled", kEnd}, {"entered-in-error", kEnd},
};

template <typename T, size_t kSize, typename Match>
const T* FindRow(const T (&table)[kSize], Match match) {
  const T* found = std::find_if(std::begin(table), std::end(table), match);
  return found == std::end(table) ? nullptr : found;
}

}  // namespace

const FhirFlavour* FindFlavour(std::string_view name) {
  return FindRow(kFlavours, [&](const FhirFlavour& flavour) { return flavour.name == name; });
}

std::optional<FhirState> FindState(const FhirFlavour& flavour, std::string_view state) {
  const StateRow* row = FindRow(kStates, [&](const StateRow& one) { return one.state == state; });
  if (row == nullptr) return std::nullopt;
  const bool asked_back = row->task_status == "received";
  return FhirState{.state = row->state,
                   .task_status = asked_back ? flavour.asked_back : row->task_status,
                   .request_status = row->request_status,
                   .business = flavour.business_system.empty() ? row->word : row->code,
                   .status_reason = row->status_reason};
}

std::string_view BusinessDisplay(std::string_view code) {
  const BusinessStatus* row =
      FindRow(kBusinessStatuses, [&](const BusinessStatus& one) { return one.code == code; });
  return row == nullptr ? std::string_view() : row->display;
}

int ProgressOf(std::string_view task_status, std::string_view business) {
  const TaskStatus* row =
      FindRow(kTaskStatuses, [&](const TaskStatus& one) { return one.status == task_status; });
  if (row == nullptr) return -1;
  const BusinessStatus* step =
      FindRow(kBusinessStatuses, [&](const BusinessStatus& one) { return one.code == business; });
  const bool end = row->progress == kEnd;
  return row->progress * kBusinessSteps + (end || step == nullptr ? 0 : step->progress);
}

}  // namespace waymark::node
