# Health care, inward: what your clinic system reports, as steps of the referral.
#
# The input is what the connector read, here one appointment of the clinic. Each output is one
# update: {referral_id, kind, outcome, sections}. No output: nothing to report. What you return is
# held against the schema and the consent as if somebody had typed it.
#
# Try it:  waymark map test medical-in.jq --sample medical-in.sample.json --direction in --service 402

{referral_id: .request_key} +
if .status == "proposed" then
  {kind: "KIND_OFFER", sections: {prog: {offer: {start: .start, quantity: 1, hold_until: .keep_until}}}}
elif .status == "booked" then
  {kind: "KIND_SCHEDULE", sections: {logi: {appointment_at: .start, meeting_point_kind: "MEETING_POINT_KIND_PROVIDER_SITE"}}}
elif .status == "arrived" then
  # That a person came is the whole message; what was done stays with the clinic.
  {kind: "KIND_START"}
elif .status == "fulfilled" then
  {kind: "KIND_CLOSE", outcome: "CLOSE_OUTCOME_COMPLETED"}
elif .status == "noshow" then
  {kind: "KIND_CLOSE", outcome: "CLOSE_OUTCOME_NOT_STARTED"}
else
  empty
end
