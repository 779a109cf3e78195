# Language support, inward: what your interpreter pool answers, as steps of the referral.
#
# The input is what the connector read, here one row of a file of answers. Each output is one
# update: {referral_id, kind, outcome, sections}. No output: nothing to report. What you return is
# held against the schema and the consent as if somebody had typed it.
#
# Try it:  waymark map test language-in.jq --sample language-in.sample.json --direction in --service 601

# A roster has whole minutes without a zone; here they are UTC.
def minute: . + ":00Z";

# A key that begins with '+' came to the spreadsheet with an apostrophe before it.
{referral_id: (.request_key | ltrimstr("'"))} +
if .answer == "proposed" then
  {kind: "KIND_OFFER", sections: {prog: {offer: {start: (.start | minute), quantity: (.hours | tonumber), hold_until: (.keep_until | minute)}}}}
elif .answer == "nobody" then
  {kind: "KIND_DECLINE", sections: {prog: {decline_code: "DECLINE_CODE_LANGUAGE_NOT_AVAILABLE"}}}
elif .answer == "all_booked" then
  {kind: "KIND_DECLINE", sections: {prog: {decline_code: "DECLINE_CODE_NO_CAPACITY"}}}
elif .answer == "fixed" then
  {kind: "KIND_SCHEDULE", sections: {logi: {appointment_at: (.start | minute), meeting_point_kind: "MEETING_POINT_KIND_REMOTE"}}}
elif .answer == "begun" then
  {kind: "KIND_START"}
elif .answer == "held" then
  {kind: "KIND_CLOSE", outcome: "CLOSE_OUTCOME_COMPLETED"}
elif .answer == "cut_short" then
  {kind: "KIND_CLOSE", outcome: "CLOSE_OUTCOME_ENDED_EARLY"}
elif .answer == "not_held" then
  {kind: "KIND_CLOSE", outcome: "CLOSE_OUTCOME_NOT_STARTED"}
else
  # An answer that the network does not need to know.
  empty
end
