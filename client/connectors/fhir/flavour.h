// The ways in which networks use FHIR R4 for referrals: what differs between them, as data.
//
// A flavour says the profiles of a ServiceRequest and its Task, the Task's code, and its lifecycle:
// what each state of a referral is as a status. Thread-safe.
#pragma once

#include <optional>
#include <string_view>

namespace waymark::node {

struct FhirCode {
  std::string_view system;
  std::string_view code;
  std::string_view display;
};

// One state of a referral as FHIR has it.
struct FhirState {
  std::string_view state;
  std::string_view task_status;
  std::string_view request_status;
  // The Task's business status: a code of the flavour's business_system, or a word where there is
  // none; empty: it has none.
  std::string_view business;
  // Why a Task ended; empty: the status says all.
  std::string_view status_reason;
};

struct FhirFlavour {
  std::string_view name;
  // Empty: none is named.
  std::string_view request_profile;
  std::string_view task_profile;
  FhirCode task_code;
  // Empty: business statuses are words.
  std::string_view business_system;
  // The status of a Task about which the performer asks back.
  std::string_view asked_back;
};

// The flavour of that name; nullptr when there is none.
const FhirFlavour* FindFlavour(std::string_view name);

// What the state of a referral is in this flavour; nullopt when there is no such state.
std::optional<FhirState> FindState(const FhirFlavour& flavour, std::string_view state);

// What a code of the flavour's business_system means, in English; empty when it is not known.
std::string_view BusinessDisplay(std::string_view code);

// How far a Task with this status is: one that is further on is not set back, and of two ends the
// first counts. -1 for a status that is none.
int ProgressOf(std::string_view task_status, std::string_view business);

}  // namespace waymark::node
