# Housing, inward: what your bed register reports, as steps of the referral.
#
# The input is what the connector read, here one row of the register's view `answers`. Each output is one
# update: {referral_id, kind, outcome, sections}. No output: nothing to report. What you return is
# held against the schema and the consent as if somebody had typed it.
#
# Try it:  waymark map test housing-in.jq --sample housing-in.sample.json --direction in --service 206

# The id of each of your reasons, and the code of the network for it.
def decline: {
  "full": "DECLINE_CODE_NO_CAPACITY",
  "list_closed": "DECLINE_CODE_WAITLIST_CLOSED",
  "too_short": "DECLINE_CODE_DURATION_MISMATCH",
  "other_area": "DECLINE_CODE_OUT_OF_AREA",
  "household": "DECLINE_CODE_HOUSEHOLD_NOT_ACCOMMODATED",
  "language": "DECLINE_CODE_LANGUAGE_NOT_AVAILABLE",
  "access": "DECLINE_CODE_ACCESS_NEED_NOT_MET",
  "house_rule": "DECLINE_CODE_CONDITION_SOBRIETY_OR_HOUSE_RULE",
  "staffing": "DECLINE_CODE_STAFFING_OR_TRAINING",
  "closed": "DECLINE_CODE_TEMPORARY_CLOSURE"
}[. // ""] // "DECLINE_CODE_NO_REASON_GIVEN";

def date: capture("^(?<y>[0-9]{4})-(?<m>[0-9]{2})-(?<d>[0-9]{2})")
  | {year: (.y | tonumber), month: (.m | tonumber), day: (.d | tonumber)};

def minute: fromdate / 60 | floor;

# Keys without a value are left out.
def given: with_entries(select(.value != null));

.details as $said
| {referral_id} +
if .step == "offered" then
  {kind: "KIND_OFFER", sections: {prog: {offer: {
    start: $said.free_from, quantity: $said.quantity, hold_until: $said.held_until, conditions}}}}
elif .step == "waiting" then
  {kind: "KIND_WAITLIST", sections: {prog: {waitlist: {
    position: "POSITION_BAND_NOT_RANKED", wait: "WAIT_BAND_NOT_KNOWN", review_date: ($said.review_on | date)}}}}
elif .step == "refused" then
  {kind: "KIND_DECLINE", sections: {prog: {decline_code: ($said.reason | decline)}}}
elif .step == "expected" then
  {kind: "KIND_SCHEDULE", sections: {logi: {
    meeting_point_kind: "MEETING_POINT_KIND_PROVIDER_SITE",
    arrival_window: {from_minute: ($said.expected_from | minute), to_minute: ($said.expected_until | minute)}}}}
elif .step == "arrived" then
  {kind: "KIND_START"}
elif .step == "staying" then
  {kind: "KIND_PROGRESS", sections: {prog: ({
    status: "PROGRESS_STATUS_ONGOING",
    review_date: (if $said.review_on then $said.review_on | date else null end)} | given)}}
elif .step == "left" then
  {kind: "KIND_CLOSE", outcome: "CLOSE_OUTCOME_COMPLETED"}
elif .step == "left_early" then
  {kind: "KIND_CLOSE", outcome: "CLOSE_OUTCOME_ENDED_EARLY"}
elif .step == "not_come" then
  {kind: "KIND_CLOSE", outcome: "CLOSE_OUTCOME_NOT_STARTED"}
else
  # A step that the network does not need to know.
  empty
end
