# Housing, inward: what your bed register reports, as steps of the referral.
#
# The input is what the connector read, here one changed row of the register. Each output is one
# update: {referral_id, kind, outcome, sections}. No output: nothing to report. What you return is
# held against the schema and the consent as if somebody had typed it.
#
# Try it:  waymark map test housing-in.jq --sample housing-in.sample.json --direction in --service 206

# The id of each of your reasons, and the code of the network for it.
def decline: {
  "full": "DECLINE_CODE_NO_CAPACITY",
  "too_large": "DECLINE_CODE_HOUSEHOLD_NOT_ACCOMMODATED",
  "no_language": "DECLINE_CODE_LANGUAGE_NOT_AVAILABLE"
}[.];

def date: capture("^(?<y>[0-9]{4})-(?<m>[0-9]{2})-(?<d>[0-9]{2})")
  | {year: (.y | tonumber), month: (.m | tonumber), day: (.d | tonumber)};

{referral_id: .request_key} +
if .state == "reserved" then
  {kind: "KIND_OFFER", sections: {prog: {offer: {start: .free_from, quantity: .rooms, hold_until: .held_until}}}}
elif .state == "refused" then
  {kind: "KIND_DECLINE", sections: {prog: {decline_code: (.reason | decline)}}}
elif .state == "arrived" then
  {kind: "KIND_START", sections: {prog: {started_on: (.arrived_on | date)}}}
elif .state == "left" then
  {kind: "KIND_CLOSE", outcome: "CLOSE_OUTCOME_COMPLETED"}
else
  # A state that the network does not need to know.
  empty
end
