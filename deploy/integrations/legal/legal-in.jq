# Legal advice, inward: what your case system reports, as steps of the referral.
#
# The input is what the connector read, here one of the list at GET /changes. Each output is one
# update: {referral_id, kind, outcome, sections}. No output: nothing to report. What you return is
# held against the schema and the consent as if somebody had typed it.
#
# Try it:  waymark map test legal-in.jq --sample legal-in.sample.json --direction in --service 702

# The reference of a matter is the referral's id in 32 hexadecimal digits; here it is in base64 again.
def id:
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" as $digits
  | [explode[] | if . > 96 then . - 87 else . - 48 end] + [0]
  | [range(0; 33; 3) as $i | .[$i] * 256 + .[$i + 1] * 16 + .[$i + 2] | (. / 64 | floor), . % 64]
  | map($digits[.:. + 1]) | add + "==";

# The id of each of your reasons, and the code of the network for it. That you act for somebody else is nobody's
# business: a conflict has no reason.
def decline: {
  "full": "DECLINE_CODE_NO_CAPACITY",
  "list_closed": "DECLINE_CODE_WAITLIST_CLOSED",
  "other_law": "DECLINE_CODE_SERVICE_NOT_OFFERED",
  "other_area": "DECLINE_CODE_OUT_OF_AREA",
  "language": "DECLINE_CODE_LANGUAGE_NOT_AVAILABLE",
  "funding": "DECLINE_CODE_COST_OR_FUNDING",
  "documents": "DECLINE_CODE_CONDITION_DOCUMENTS",
  "staffing": "DECLINE_CODE_STAFFING_OR_TRAINING"
}[. // ""] // "DECLINE_CODE_NO_REASON_GIVEN";

def date: capture("^(?<y>[0-9]{4})-(?<m>[0-9]{2})-(?<d>[0-9]{2})")
  | {year: (.y | tonumber), month: (.m | tonumber), day: (.d | tonumber)};

{referral_id: (.reference | id)} +
if .step == "offered" then
  {kind: "KIND_OFFER", sections: {prog: {offer: {start: .at, quantity: 1, hold_until: .held_until}}}}
elif .step == "declined" or .step == "conflict" then
  {kind: "KIND_DECLINE", sections: {prog: {decline_code: (.reason | decline)}}}
elif .step == "appointment" then
  {kind: "KIND_SCHEDULE", sections: {logi: {appointment_at: .at, meeting_point_kind: "MEETING_POINT_KIND_PROVIDER_SITE"}}}
elif .step == "opened" then
  {kind: "KIND_START"}
elif .step == "reviewed" then
  {kind: "KIND_PROGRESS", sections: {prog: {status: "PROGRESS_STATUS_ONGOING", review_date: (.review_on | date)}}}
elif .step == "closed" then
  {kind: "KIND_CLOSE", outcome: "CLOSE_OUTCOME_COMPLETED"}
elif .step == "ended" then
  {kind: "KIND_CLOSE", outcome: "CLOSE_OUTCOME_ENDED_EARLY"}
elif .step == "not_opened" then
  {kind: "KIND_CLOSE", outcome: "CLOSE_OUTCOME_NOT_STARTED"}
else
  # A step that the network does not need to know.
  empty
end
