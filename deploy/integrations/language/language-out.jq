# Language support, outward: what your interpreter roster gets of a referral.
#
# The input is {referral, sections}: where the referral stands, and the opened fields that your unit
# may open, as canonical JSON (docs/mappings.md). A field that was not sent is not there: write
# `.a.b // null`, or leave the key out. Each output is one booking, and every member a single value: it fits a
# JSON file as well as a row of a spreadsheet (deploy/integrations/language/node.yaml).
#
# Try it:  waymark map test language-out.jq --sample language-out.sample.json

# "INTERPRETER_MODE_PHONE" -> "phone"
def word($prefix): if . == null then null else ltrimstr($prefix) | ascii_downcase end;

def list: if . == [] then null else join(" ") end;

{
  # What your answer must repeat. The same referral always has the same one.
  request_key: .referral.referral_id,
  status: .referral.state,
  urgency: (.referral.urgency | word("URGENCY_")),
  answer_by: .referral.respond_by,
  language: .sections.lang.preferred_language,
  also: (.sections.lang.other_languages // [] | list),
  sign_language: .sections.lang.sign_language,
  mode: (.sections.lang.interpreter_mode | word("INTERPRETER_MODE_")),
  interpreter_gender: (.sections.lang.interpreter_gender | word("GENDER_PREFERENCE_")),
  # What the interpreter must satisfy: remote_only different_area not_same_community no_camera professional_only
  must: ([.sections.lang.interpreter_exclusions[]? | word("INTERPRETER_EXCLUSION_")] | list),
  subject: (.sections.need.topic_class | word("TOPIC_CLASS_")),
  hours: (.sections.need.quantity // 1),
  from: .sections.need.earliest_start,
  until: .sections.need.latest_start
}
| with_entries(select(.value != null))
