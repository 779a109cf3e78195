# Legal advice, inward: what your case system reports, as steps of the referral.
#
# The input is what the connector read, here the answer of GET /matters/changed, a list. Each output is one
# update: {referral_id, kind, outcome, sections}. No output: nothing to report. What you return is
# held against the schema and the consent as if somebody had typed it.
#
# Try it:  waymark map test legal-in.jq --sample legal-in.sample.json --direction in --service 702

def date: capture("^(?<y>[0-9]{4})-(?<m>[0-9]{2})-(?<d>[0-9]{2})")
  | {year: (.y | tonumber), month: (.m | tonumber), day: (.d | tonumber)};

.matters[]
| {referral_id: .request_key} +
  if .step == "conflict" then
    {kind: "KIND_DECLINE", sections: {prog: {decline_code: "DECLINE_CODE_POPULATION_NOT_SERVED"}}}
  elif .step == "appointment" then
    {kind: "KIND_SCHEDULE", sections: {logi: {appointment_at: .at, meeting_point_kind: "MEETING_POINT_KIND_PROVIDER_SITE"}}}
  elif .step == "open" then
    {kind: "KIND_PROGRESS", sections: {prog: {status: "PROGRESS_STATUS_ONGOING", review_date: (.review_on | date)}}}
  elif .step == "closed" then
    {kind: "KIND_CLOSE", outcome: "CLOSE_OUTCOME_COMPLETED"}
  else
    empty
  end
