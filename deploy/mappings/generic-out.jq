# Any service, outward: what your own system gets of a referral.
#
# The input is {referral, sections}: where the referral stands, and the opened fields that your unit
# may open, as canonical JSON (docs/mappings.md). A field that was not sent is not there: write
# `.a.b // null`, or leave the key out. Each output is one record of your system.
#
# Try it:  waymark map test generic-out.jq --sample generic-out.sample.json

# "INTERPRETER_MODE_PHONE" -> "phone"
def word($prefix): if . == null then null else ltrimstr($prefix) | ascii_downcase end;

{
  # The key of the record. The same referral always has the same one, so writing it twice is harmless.
  request_key: .referral.referral_id,
  status: .referral.state,
  urgency: (.referral.urgency | word("URGENCY_")),
  answer_by: .referral.respond_by,
  service: .referral.service_code,
  asked_by: .referral.other_unit,
  language: .sections.lang.preferred_language,
  quantity: .sections.need.quantity,
  from: .sections.need.earliest_start,
  until: .sections.need.latest_start
}
| with_entries(select(.value != null))
