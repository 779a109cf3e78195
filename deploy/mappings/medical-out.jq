# Health care, outward: what your clinic system gets of a referral.
#
# The input is {referral, sections}: where the referral stands, and the opened fields that your unit
# may open, as canonical JSON (docs/mappings.md). A field that was not sent is not there: write
# `.a.b // null`, or leave the key out. Each output is one record of your system.
#
# Try it:  waymark map test medical-out.jq --sample medical-out.sample.json

# "INTERPRETER_MODE_PHONE" -> "phone"
def word($prefix): if . == null then null else ltrimstr($prefix) | ascii_downcase end;

{
  # The key of the record. The same referral always has the same one, so writing it twice is harmless.
  request_key: .referral.referral_id,
  status: .referral.state,
  urgency: (.referral.urgency | word("URGENCY_")),
  answer_by: .referral.respond_by,
  kind_of_care: .referral.service_code,
  language: .sections.lang.preferred_language,
  interpreter: (.sections.lang.interpreter_mode | word("INTERPRETER_MODE_")),
  interpreter_gender: (.sections.lang.interpreter_gender | word("GENDER_PREFERENCE_")),
  step_free: (.sections.access.step_free | word("ANSWER_")),
  during_care: [.sections.hlth.support_during_care[]? | word("CARE_SUPPORT_")],
  patient_name: .sections.iden.name_to_use
}
| with_entries(select(.value != null))
