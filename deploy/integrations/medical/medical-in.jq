# Health care, inward: what your clinic system reports, as steps of the referral.
#
# The input is what the connector read, here a Task of FHIR R4 whose status the clinic has changed. Each output
# is one update: {referral_id, kind, outcome, sections}. No output: nothing to report. What you return is
# held against the schema and the consent as if somebody had typed it. What was done stays with the clinic.
#
# Try it:  waymark map test medical-in.jq --sample medical-in.sample.json --direction in --service 402

# The key of a Task is the referral's id in 32 hexadecimal digits; here it is in base64 again.
def id:
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" as $digits
  | [explode[] | if . > 96 then . - 87 else . - 48 end] + [0]
  | [range(0; 33; 3) as $i | .[$i] * 256 + .[$i + 1] * 16 + .[$i + 2] | (. / 64 | floor), . % 64]
  | map($digits[.:. + 1]) | add + "==";

# A time of any zone, in whole minutes of UTC: "2027-03-15T08:30:00+01:00" -> "2027-03-15T07:30:00Z"
def minute:
  capture("^(?<day>[-0-9]{10})T(?<hour>[0-9]{2}:[0-9]{2})[^-+Z]*(?<sign>[-+Z])(?<h>[0-9]{2})?:?(?<m>[0-9]{2})?$")
  | ("\(.day)T\(.hour):00Z" | fromdate)
    - (if .sign == "Z" then 0 else (.h | tonumber) * 3600 + (.m | tonumber) * 60 end) * (if .sign == "-" then -1 else 1 end)
  | todate;

def date: capture("^(?<y>[0-9]{4})-(?<m>[0-9]{2})-(?<d>[0-9]{2})")
  | {year: (.y | tonumber), month: (.m | tonumber), day: (.d | tonumber)};

# A text of Task.statusReason, and the code of the network for it.
def decline: {
  "no capacity": "DECLINE_CODE_NO_CAPACITY",
  "waiting list closed": "DECLINE_CODE_WAITLIST_CLOSED",
  "out of area": "DECLINE_CODE_OUT_OF_AREA",
  "not offered": "DECLINE_CODE_SERVICE_NOT_OFFERED",
  "language not available": "DECLINE_CODE_LANGUAGE_NOT_AVAILABLE",
  "clinically unsuitable": "DECLINE_CODE_CLINICALLY_UNSUITABLE",
  "staffing": "DECLINE_CODE_STAFFING_OR_TRAINING",
  "closed": "DECLINE_CODE_TEMPORARY_CLOSURE"
}[. // "" | ascii_downcase] // "DECLINE_CODE_NO_REASON_GIVEN";

# An appointment is made: by the code that BSeR has for it, and elsewhere in words.
def is_scheduled: any(.businessStatus.coding[]?; .code == "5.1.1") or (.businessStatus.text // "" | ascii_downcase) == "scheduled";

# The key is the identifier of the node's own system. Without that in $args, it is told by its form.
([.identifier[] | select((.system == $args.key_system) or $args.key_system == null)
  | .value | select(test("^[0-9a-f]{32}$"))] | first) as $key
| {referral_id: ($key | id)} +
if .status == "accepted" and is_scheduled then
  {kind: "KIND_SCHEDULE", sections: {logi: {
    appointment_at: (.executionPeriod.start | minute), meeting_point_kind: "MEETING_POINT_KIND_PROVIDER_SITE"}}}
elif .status == "accepted" then
  {kind: "KIND_OFFER", sections: {prog: {offer: {
    start: (.executionPeriod.start | minute), quantity: 1, hold_until: (.restriction.period.end | minute)}}}}
elif .status == "on-hold" then
  {kind: "KIND_WAITLIST", sections: {prog: {waitlist: {
    position: "POSITION_BAND_NOT_RANKED", wait: "WAIT_BAND_NOT_KNOWN", review_date: (.restriction.period.end | date)}}}}
elif .status == "rejected" then
  {kind: "KIND_DECLINE", sections: {prog: {decline_code: (.statusReason.text | decline)}}}
elif .status == "in-progress" then
  # That a person came is the whole message.
  {kind: "KIND_START"}
elif .status == "completed" then
  {kind: "KIND_CLOSE", outcome: "CLOSE_OUTCOME_COMPLETED"}
elif .status == "failed" then
  {kind: "KIND_CLOSE", outcome: "CLOSE_OUTCOME_ENDED_EARLY"}
elif .status == "cancelled" then
  {kind: "KIND_CLOSE", outcome: "CLOSE_OUTCOME_NOT_STARTED"}
else
  # Received, ready: a status that the network does not need to know.
  empty
end
