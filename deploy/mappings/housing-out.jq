# Housing, outward: what your bed register gets of a referral.
#
# The input is {referral, sections}: where the referral stands, and the opened fields that your unit
# may open, as canonical JSON (docs/mappings.md). A field that was not sent is not there: write
# `.a.b // null`, or leave the key out. Each output is one record of your system.
#
# Try it:  waymark map test housing-out.jq --sample housing-out.sample.json

# "INTERPRETER_MODE_PHONE" -> "phone"
def word($prefix): if . == null then null else ltrimstr($prefix) | ascii_downcase end;

{
  # The key of the record. The same referral always has the same one, so writing it twice is harmless.
  request_key: .referral.referral_id,
  status: .referral.state,
  urgency: (.referral.urgency | word("URGENCY_")),
  answer_by: .referral.respond_by,
  rooms: (.sections.need.quantity // 1),
  arrive_from: .sections.need.earliest_start,
  arrive_until: .sections.need.latest_start,
  nights: .sections.need.min_duration_days,
  adults: (.sections.party.adults_band | word("ADULTS_BAND_")),
  children: (.sections.party.children_band | word("CHILDREN_BAND_")),
  step_free: (.sections.access.step_free | word("ANSWER_")),
  language: .sections.lang.preferred_language,
  name_on_the_door: .sections.iden.name_to_use
}
# Keys without a value are left out.
| with_entries(select(.value != null))
