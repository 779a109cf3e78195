# Any service, inward: what your own system reports, as steps of the referral.
#
# The input is what the connector read, here one changed record. Each output is one
# update: {referral_id, kind, outcome, sections}. No output: nothing to report. What you return is
# held against the schema and the consent as if somebody had typed it.
#
# Try it:  waymark map test generic-in.jq --sample generic-in.sample.json --direction in --service 801

{referral_id: .request_key} +
({
  "offered": {kind: "KIND_OFFER", sections: {prog: {offer: {start: .start, quantity: 1, hold_until: .keep_until}}}},
  "refused": {kind: "KIND_DECLINE", sections: {prog: {decline_code: "DECLINE_CODE_NO_CAPACITY"}}},
  "started": {kind: "KIND_START"},
  "running": {kind: "KIND_PROGRESS", sections: {prog: {status: "PROGRESS_STATUS_ONGOING"}}},
  "finished": {kind: "KIND_CLOSE", outcome: "CLOSE_OUTCOME_COMPLETED"},
  "stopped": {kind: "KIND_CLOSE", outcome: "CLOSE_OUTCOME_ENDED_EARLY"}
}[.step] // empty)
