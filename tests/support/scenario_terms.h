// Sara of scenario 1: what she says, and which fields her three consents list. For the tests of the
// rules as well as for the walk over real processes; times and needs are each test's own.
//
// Values; thread-safe.
#pragma once

#include <cstdint>
#include <string>

#include "google/protobuf/repeated_field.h"
#include "waymark/v1/consent.pb.h"
#include "waymark/v1/message.pb.h"

namespace waymark::testing {

// What an inquiry says of the need, and then, beyond that, to the interpreters and to the two
// places.
inline constexpr char kNeedFields[] =
    "NEED.need_ref, NEED.service_id, NEED.service_code, NEED.phase, NEED.quantity, NEED.unit, "
    "NEED.earliest_start, NEED.latest_start, NEED.mode";
inline constexpr char kInterpreterFields[] =
    "NEED.topic_class, LANG.preferred_language, LANG.interpreter_required, LANG.interpreter_mode, "
    "LANG.interpreter_gender, LANG.interpreter_exclusions";
inline constexpr char kRoomInquiryFields[] =
    "NEED.min_duration_days, NEED.area_wanted, NEED.recurring, LANG.interpreter_required, "
    "ELIG.condition_id, ELIG.answer, ELIG.alternatives_seen, PARTY.adults_band, "
    "PARTY.children_band, PARTY.youngest_age_band, PARTY.gender_for_placement, "
    "PREF.single_sex_setting";
// What the place that she chose learns: once she has accepted, then once she is there; those that
// need a yes of their own apart.
inline constexpr char kAcceptedFields[] =
    "NEED.person_rank, LANG.preferred_language, LANG.other_languages, LANG.reading_support, "
    "PARTY.age_band, ACCESS.quiet_or_private_space, ACCESS.device_access, PREF.worker_gender, "
    "SAFE.place_conflict, SAFE.staff_advice, SAFE.device_may_be_monitored, SAFE.confirmed_at, "
    "CONT.via_lead_only, CONT.if_no_answer, LOGI.arrival_window, LOGI.accompanied_by_lead";
inline constexpr char kAcceptedSpecialFields[] =
    "SAFE.being_looked_for, SAFE.do_not_contact, PREF.diet";
inline constexpr char kStartedFields[] =
    "IDEN.name_to_use, DEPN.relation, DEPN.age_years, DEPN.name_to_use";
inline constexpr char kStartedSpecialFields[] = "DEPN.health_alerts, DEPN.care_status";
// What comes back from there.
inline constexpr char kReturnFields[] =
    "PROG.status, PROG.review_date, PROG.next_need_codes, LOGI.meeting_point_kind, "
    "LOGI.meeting_point, LOGI.arrival_window";

// What she says, but for times.
v1::Sections WhatSaraSays();

// A consent as it is when notice, capture and read-back were as they should be; whose it is, to
// whom, to what and for how long is still to be filled in.
v1::ConsentRecord UnderstoodAndWritten();

// Appends the numbers of the fields that `names` lists; ends the test program if one is no field.
void Append(const std::string& names, google::protobuf::RepeatedField<uint32_t>* list);

// What is in `sections` of the fields that `names` lists.
v1::Sections Only(const v1::Sections& sections, const std::string& names);

}  // namespace waymark::testing
