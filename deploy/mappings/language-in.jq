# Language support, inward: what your interpreter roster reports, as steps of the referral.
#
# The input is what the connector read, here one changed line of the roster. Each output is one
# update: {referral_id, kind, outcome, sections}. No output: nothing to report. What you return is
# held against the schema and the consent as if somebody had typed it.
#
# Try it:  waymark map test language-in.jq --sample language-in.sample.json --direction in --service 601

# A roster has whole minutes without a zone; here they are UTC.
def minute: . + ":00Z";

{referral_id: .request_key} +
if .booking == "proposed" then
  {kind: "KIND_OFFER", sections: {prog: {offer: {start: (.start | minute), quantity: 1, hold_until: (.keep_until | minute)}}}}
elif .booking == "nobody" then
  {kind: "KIND_DECLINE", sections: {prog: {decline_code: "DECLINE_CODE_LANGUAGE_NOT_AVAILABLE"}}}
elif .booking == "fixed" then
  {kind: "KIND_SCHEDULE", sections: {logi: {appointment_at: (.start | minute), meeting_point_kind: "MEETING_POINT_KIND_REMOTE"}}}
elif .booking == "held" then
  {kind: "KIND_CLOSE", outcome: "CLOSE_OUTCOME_COMPLETED"}
else
  empty
end
