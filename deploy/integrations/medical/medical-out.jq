# Health care, outward: what your clinic system gets of a referral, in FHIR R4.
#
# The input is {referral, sections}: where the referral stands, and the opened fields that your unit
# may open, as canonical JSON (docs/mappings.md). A field that was not sent is not there: write
# `.a.b // null`, or leave the key out. The output is {state, request, task, patient}: members of a
# ServiceRequest, of its Task and of a Patient. The connector adds what makes them one record: key, status, references,
# profiles (docs/connectors.md).
#
# Try it:  waymark map test medical-out.jq --sample medical-out.sample.json --arg now=2027-03-09T19:41:00Z

# "INTERPRETER_MODE_PHONE" -> "phone"
def word($prefix): if . == null then null else ltrimstr($prefix) | ascii_downcase end;

# {"year": 2027, "month": 4, "day": 2} -> "2027-04-02"
def two: tostring | if length < 2 then "0" + . else . end;
def day: if . == null then null else "\(.year)-\(.month | two)-\(.day | two)" end;

# Members without a value are left out, and so are empty lists and objects: FHIR has none.
def given: with_entries(select(.value != null and .value != [] and .value != {})) | select(. != {});

# Codes of the implementation guide for social care.
def temporary($code): {
  system: "http://hl7.org/fhir/us/sdoh-clinicalcare/CodeSystem/SDOHCC-CodeSystemTemporaryCodes", $code};

.referral as $referral | .sections as $sections
| {URGENCY_U0: "stat", URGENCY_U1: "asap", URGENCY_U2: "urgent"}[$referral.urgency] // "routine" | . as $priority
| {
  state: $referral.state,
  request: ({
    category: (if $args.flavour == "sdohcc" then [{coding: [temporary("sdoh-category-unspecified")]}] else null end),
    priority: $priority,
    # The network's code. Put your own beside it, if your system books by one.
    code: {coding: [{system: "urn:waymark:service", code: "\($referral.service_code)"}]},
    # What the clinic must offer.
    orderDetail: [
      (if $sections.cont.via_lead_only then {coding: [temporary("contacting-subject-prohibited")],
        text: "reach the person through the lead only"} else empty end),
      ($sections.lang.interpreter_mode | word("INTERPRETER_MODE_") // empty | {text: "interpreter: \(.)"}),
      ($sections.lang.interpreter_gender | word("GENDER_PREFERENCE_") // empty | {text: "interpreter's gender: \(.)"}),
      ($sections.pref.worker_gender | word("GENDER_PREFERENCE_") // empty | {text: "worker's gender: \(.)"}),
      (if $sections.access.step_free == "ANSWER_YES" then {text: "step-free access"} else empty end),
      ($sections.hlth.support_during_care[]? | word("CARE_SUPPORT_") | {text: "during care: \(.)"})
    ],
    occurrencePeriod: ({start: $sections.need.earliest_start, end: $sections.need.latest_start} | given // null),
    requester: {display: $referral.other_unit},
    performer: [{display: $referral.own_unit}]
  } | given),
  task: ({
    identifier: (if $args.flavour == "bser" then [{
      type: {coding: [{system: "http://terminology.hl7.org/CodeSystem/v2-0203", code: "PLAC"}]},
      value: $args.key}] else null end),
    priority: $priority,
    authoredOn: $args.now,
    requester: {display: $referral.other_unit},
    owner: {display: $referral.own_unit},
    # When an answer is due.
    restriction: (if $referral.respond_by then {period: {end: $referral.respond_by}} else null end)
  } | given),
  patient: ({
    name: [
      ($sections.iden.name_to_use // empty | {use: "usual", text: .}),
      ($sections.iden.legal_name // empty | {use: "official", text: .})
    ],
    birthDate: ($sections.iden.date_of_birth | day),
    communication: [$sections.lang.preferred_language // empty
      | {language: {coding: [{system: "urn:ietf:bcp:47", code: .}]}, preferred: true}]
  } | given // null)
}
