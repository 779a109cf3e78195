# Legal advice, outward: what your case system gets of a referral.
#
# The input is {referral, sections}: where the referral stands, and the opened fields that your unit
# may open, as canonical JSON (docs/mappings.md). A field that was not sent is not there: write
# `.a.b // null`, or leave the key out. Each output is one matter of your system; its reference is in the
# address to which it is put (deploy/integrations/legal/node.yaml).
#
# Try it:  waymark map test legal-out.jq --sample legal-out.sample.json

# "INTERPRETER_MODE_PHONE" -> "phone"
def word($prefix): if . == null then null else ltrimstr($prefix) | ascii_downcase end;

# {"year": 2027, "month": 4, "day": 2} -> "2027-04-02"
def two: tostring | if length < 2 then "0" + . else . end;
def day: "\(.year)-\(.month | two)-\(.day | two)";

{
  service: .referral.service_code,
  status: .referral.state,
  urgency: (.referral.urgency | word("URGENCY_")),
  answer_by: .referral.respond_by,
  asked_by: .referral.other_unit,
  topics: [.sections.legl.topics[]? | word("LEGAL_TOPIC_")],
  deadlines: [.sections.legl.deadlines[]? | {
    topic: (.topic | word("LEGAL_TOPIC_")),
    last_day: (.date | day)
  }],
  check_conflicts: (.sections.legl.conflict_check_required // false),
  from: .sections.need.earliest_start,
  until: .sections.need.latest_start,
  language: .sections.lang.preferred_language,
  interpreter: (.sections.lang.interpreter_required | word("ANSWER_")),
  client_name: .sections.iden.name_to_use
}
| with_entries(select(.value != null))
