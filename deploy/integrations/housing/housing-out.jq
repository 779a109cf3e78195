# Housing, outward: what your bed register gets of a referral.
#
# The input is {referral, sections}: where the referral stands, and the opened fields that your unit
# may open, as canonical JSON (docs/mappings.md). A field that was not sent is not there: write
# `.a.b // null`. Each output is one record of your system; this one has a member for each parameter of
# the statement `write` (deploy/integrations/housing/node.yaml).
#
# Try it:  waymark map test housing-out.jq --sample housing-out.sample.json

# "INTERPRETER_MODE_PHONE" -> "phone"
def word($prefix): if . == null then null else ltrimstr($prefix) | ascii_downcase end;

# A band -> how many there are at least; null when nothing was said.
def at_least($prefix): {zero: 0, one: 1, two: 2, three_or_more: 3}[word($prefix) // ""];

.referral as $referral | .sections as $sections
| ($sections.party.adults_band | at_least("ADULTS_BAND_")) as $adults
| ($sections.party.children_band | at_least("CHILDREN_BAND_")) as $children
| {
  # Which of your services. Without the id, the register looks for the code.
  service_id: $sections.need.service_id,
  service_code: $referral.service_code,
  state: $referral.state,
  # In these states a bed is the person's; in all others it is free for somebody else. What an offer holds,
  # the node itself takes off the room that it tells.
  takes_bed: ($referral.state | IN("ACCEPTED", "SCHEDULED", "STARTED", "ONGOING")),
  urgency: ($referral.urgency | word("URGENCY_")),
  answer_by: $referral.respond_by,
  quantity: ($sections.need.quantity // 1),
  people: (if $adults == null and $children == null then null else ($adults // 1) + ($children // 0) end),
  adults: ($sections.party.adults_band | word("ADULTS_BAND_")),
  children: ($sections.party.children_band | word("CHILDREN_BAND_")),
  step_free: ($sections.access.step_free == "ANSWER_YES"),
  arrive_from: ($sections.logi.arrival_window.from_minute // null
    | if . == null then $sections.need.earliest_start else tonumber * 60 | todate end),
  arrive_until: ($sections.logi.arrival_window.to_minute // null
    | if . == null then $sections.need.latest_start else tonumber * 60 | todate end),
  nights: $sections.need.min_duration_days,
  language: $sections.lang.preferred_language,
  name_on_the_door: $sections.iden.name_to_use,
  advice: ([$sections.safe.staff_advice[]? | word("STAFF_ADVICE_")] | if . == [] then null else . end)
}
