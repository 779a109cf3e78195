# The story that the demo tells; sourced by demo.sh after network.sh.

readonly CASE=QSO-c-7714

at() { date -d "$1" +%Y-%m-%dT%H:%M; }

# The next whole hour that is at least so far ahead: consents end on the hour.
hour_at() { date -d "@$((($(date -d "$1" +%s) / 3600 + 1) * 3600))" +%Y-%m-%dT%H:00; }

# What is shown to people of a read-back or a preview: all but its last line, the word for the next command.
without_confirmation() {
  local shown=${SHOWN%$'\n'confirm with: *}
  printf '%s\n' "${shown%$'\n'}"
}

# confirmed_consent NAME UNTIL: reads back, shows what is read out, and records her yes; sets CONSENT to its id.
confirmed_consent() {
  CONSENT=$(new_id)
  local terms=("$CASE" --file "$HERE/consents/$1.yaml" --until "$2" --id "$CONSENT")
  capture as qso consent read-back "${terms[@]}"
  without_confirmation | indent
  capture as qso consent record "${terms[@]}" --confirmed "${SHOWN##*--confirmed }"
  say "She says yes to each line; what she heard is what is recorded:"
  indent <<<"$SHOWN"
}

# preview KIND WORDS...: shows the values that would go out, exactly; sets CONFIRMED to the word that confirms them.
preview() {
  capture as qso preview "$@" --consent "$CONSENT"
  CONFIRMED=${SHOWN##*--confirmed }
  without_confirmation
}

# send_inquiry ID CODE SERVICE
send_inquiry() {
  local CONFIRMED SHOWN
  preview inquiry "$CASE" "$2" "$3" >"$ROOT/$3.preview"
  quietly as qso inquire "$CASE" "$2" "$3" --consent "$CONSENT" --id "$1" --confirmed "$CONFIRMED"
}

# send_disclosure ID
send_disclosure() {
  local CONFIRMED SHOWN
  preview disclose "$1" >"$ROOT/disclosure.preview"
  quietly as qso disclose "$1" --consent "$CONSENT" --confirmed "$CONFIRMED"
}

# reaches ORGANISATION REFERRAL STATE: waits until the organisation's node shows the state.
reaches() { until_true 15 holds "$1" "$2" "\"state\":\"$3\""; }

# holds ORGANISATION REFERRAL TEXT: whether what the node shows of the referral has the text.
holds() {
  local SHOWN
  capture as "$1" show "$2" --json && [[ $SHOWN == *"$3"* ]]
}

note_what_she_says() {
  quietly as qso case open "$CASE" --unit qso.night
  quietly as qso case set "$CASE" \
    LANG.preferred_language=ti LANG.other_languages=en LANG.interpreter_required=YES \
    LANG.interpreter_mode=PHONE LANG.interpreter_gender=FEMALE LANG.reading_support=READ_ALOUD \
    LANG.interpreter_exclusions=REMOTE_ONLY,DIFFERENT_AREA,NO_CAMERA,PROFESSIONAL_ONLY \
    PARTY.adults_band=ONE PARTY.children_band=ONE PARTY.youngest_age_band=2_TO_4 \
    PARTY.gender_for_placement=FEMALE PARTY.age_band=25_TO_39 \
    ACCESS.quiet_or_private_space=YES ACCESS.device_access=OWN \
    PREF.single_sex_setting=PREFERRED PREF.worker_gender=FEMALE PREF.diet=NO_PORK \
    PREF.faith_setting=AVOID \
    SAFE.being_looked_for=YES SAFE.areas_to_avoid=XA-N1 SAFE.device_may_be_monitored=UNKNOWN \
    SAFE.staff_advice=NO_CALLER_ID,DO_NOT_DISCUSS_IN_SHARED_SPACE \
    SAFE.do_not_contact=POLICE,PARTNER,COMMUNITY "SAFE.confirmed_at=$(at now)" \
    CONT.via_lead_only=true CONT.if_no_answer=TELL_LEAD "CONT.confirmed_at=$(at now)" \
    "LOGI.arrival_window=$(at '+90 min')/$(at '+120 min')" LOGI.accompanied_by_lead=true \
    IDEN.name_to_use=Sara \
    --condition lin206-age=YES,alternatives_seen=yes \
    --dependant relation=CHILD,age_years=4,name_to_use=Dani,health_alerts=ALLERGY_PENICILLIN,care_status=WITH_PARENT
  local start=(--urgency U0 NEED.phase=IMMEDIATE NEED.quantity=1 "NEED.earliest_start=$(at '+15 min')")
  local bed=(NEED.area_wanted=XA-M NEED.mode=IN_PERSON NEED.min_duration_days=14 NEED.recurring=false
    "NEED.latest_start=$(at '+5 hours')")
  quietly as qso need add "$CASE" 206 --rank 1 "${start[@]}" "${bed[@]}"
  quietly as qso need add "$CASE" 201 --rank 1 "${start[@]}" "${bed[@]}"
  quietly as qso need add "$CASE" 601 --rank 2 "${start[@]}" NEED.mode=REMOTE \
    NEED.topic_class=GENERAL "NEED.latest_start=$(at '+1 hour')"
  quietly as qso need add "$CASE" 101 --rank 3 "${start[@]}" NEED.area_wanted=XA-M NEED.mode=IN_PERSON
}

every_answer_is_in() {
  capture as qso capacity answers || return 1
  [[ $SHOWN != *'not yet'* ]]
}

ask_for_room() {
  title "1. Is there room? Nobody is named, and no consent is needed"
  say "Sara needs a place for tonight, with her child. The node looks for one in its own directory:"
  as qso match "$CASE" 206 | columns "SERVICE|VERDICT|LOOKED AT|FINDING" | indent
  say "St Brannoc House is not asked: it expects prayers, and she avoids that."
  quietly as qso case exclude "$CASE" cpl.desk
  say "Nor is the police desk; she wants them to know nothing, and that kind is closed anyway:"
  as qso match "$CASE" 101 | columns "SERVICE|VERDICT|LOOKED AT|FINDING" | indent
  refused as qso capacity ask "$CASE" 101 cpl-101
  quietly as qso capacity ask "$CASE" 206 lin-206
  quietly as qso capacity ask "$CASE" 201 bea-201
  until_true 15 every_answer_is_in
  say "The two that fit are asked whether they have room for so many, from when and for how long:"
  as qso capacity answers | indent
}

find_interpreter() {
  title "2. An interpreter by phone, under a consent for just that"
  confirmed_consent interpreter "$(hour_at '+10 hours')"
  INTERPRETING=$(new_id)
  send_inquiry "$INTERPRETING" 601 bwi-601
  until_true 15 booking_of "$INTERPRETING"
  say "Bridgeway Interpreters find it as a row beside their roster, and answer in another:"
  booking_of "$INTERPRETING" | grep -E '^(language|mode|must|subject|hours) ' | indent
  propose "$INTERPRETING"
  # A file is taken once it has not changed for a second: time to prepare what comes later.
  prepare bwi hire bwi pool
  prepare bea hire bea intake
  prepare lin hire lin family
  reaches qso "$INTERPRETING" OFFERED
  quietly as qso accept "$INTERPRETING" --consent "$CONSENT"
  is_prepared bwi
  reaches bwi "$INTERPRETING" ACCEPTED
  quietly as bwi start "$INTERPRETING"
  reaches qso "$INTERPRETING" STARTED
  say "What Bridgeway Interpreters can open, all of it:"
  as bwi show "$INTERPRETING" | values | indent
}

ask_two_places() {
  title "3. Two places are asked, with bands instead of facts"
  confirmed_consent inquiry "$(hour_at '+12 hours')"
  LINDEN=$(new_id)
  BEACON=$(new_id)
  local job
  send_inquiry "$BEACON" 201 bea-201 &
  job=$!
  send_inquiry "$LINDEN" 206 lin-206
  wait "$job"
  say "The caseworker sees, and confirms, the exact values before they go to Linden House:"
  indent <"$ROOT/lin-206.preview"
  is_prepared bea
  reaches bea "$BEACON" INQUIRED
  quietly as bea decline "$BEACON" D07
  until_true 15 has_stay "$LINDEN" "state = 'INQUIRED'"
  quietly register "UPDATE stays SET step = 'offered', free_from = now() + interval '110 min', held_until = now() + interval '50 min'
    WHERE referral_key = '$LINDEN'"
  prepare bay join_clinic
  title "4. They answer: a decline is a code, an offer says from when and under which conditions"
  reaches qso "$BEACON" DECLINED
  reaches qso "$LINDEN" OFFERED
  say "Beacon Shelter, with code D07:"
  as qso show "$BEACON" | values | grep '^PROG' | indent
  say "Linden House:"
  as qso show "$LINDEN" | values | grep '^PROG' | indent
  as qso sent --all | columns "REFERRAL|STATE|OTHER UNIT|WHAT" | indent
}

she_decides() {
  title "5. She says yes to Linden House; what she agreed to unlocks, stage by stage"
  confirmed_consent placement "$(hour_at '+14 days')"
  quietly as qso accept "$LINDEN" --consent "$CONSENT"
  until_true 15 has_stay "$LINDEN" "state = 'ACCEPTED'"
  say "Her yes takes a room in the register of Linden House:"
  register "SELECT bed, sleeps, coalesce(state, 'free') AS state, people, nights FROM beds LEFT JOIN stays USING (stay_id)
    ORDER BY bed" --pset border=0 --pset footer=off | sed '/^$/d' | indent
  send_disclosure "$LINDEN"
  say "Now that the offer is accepted, this goes out, and no name yet:"
  indent <"$ROOT/disclosure.preview"
  is_prepared lin
  until_true 15 holds lin "$LINDEN" staff_advice
}

she_arrives() {
  title "6. Linden House says where to meet, and she arrives"
  quietly as lin schedule "$LINDEN" --meeting-point-kind PUBLIC_NEUTRAL \
    --meeting-point "Pharmacy entrance, Tollgate Square" \
    --from "$(at '+90 min')" --to "$(at '+105 min')"
  reaches qso "$LINDEN" SCHEDULED
  say "What Quayside Outreach reads of it:"
  as qso show "$LINDEN" | values | grep '^LOGI.meeting' | indent
  quietly register "UPDATE stays SET step = 'arrived' WHERE referral_key = '$LINDEN'"
  reaches qso "$LINDEN" STARTED
  send_disclosure "$LINDEN"
  say "Linden House notes in its register that she has arrived. Only now, the rest:"
  indent <"$ROOT/disclosure.preview"
  until_true 15 holds lin "$LINDEN" Dani
  say "What Linden House can open now, all of it (where they met is gone at both ends):"
  as lin show "$LINDEN" | values | indent
}

report_progress() {
  title "7. The first progress report (here at once; in life, the next morning)"
  quietly as lin progress "$LINDEN" --status ONGOING --review "$(date -d '+7 days' +%Y-%m-%d)" \
    --next 102,402,801
  reaches qso "$LINDEN" ONGOING
  say "What Quayside Outreach reads of it:"
  as qso show "$LINDEN" | values | grep -E '^PROG.(status|started|review|next)' | indent
}

see_a_doctor() {
  title "8. A doctor, whose clinic works in a FHIR server"
  is_prepared bay
  until_true 20 are_listed 'Has room' bay-402
  say "Bay Clinic has joined meanwhile. From that server, too, its node says whether there is room."
  quietly as qso need add "$CASE" 402 --rank 4 --urgency U1 NEED.phase=SHORT_TERM NEED.quantity=1 NEED.mode=IN_PERSON \
    "NEED.earliest_start=$(at '+1 day')" "NEED.latest_start=$(at '+6 days')"
  confirmed_consent clinic "$(hour_at '+14 days')"
  DOCTOR=$(new_id)
  send_inquiry "$DOCTOR" 402 bay-402
  quietly clinic offer "$DOCTOR" "$(date -u -d '+2 days' +%Y-%m-%dT%H:00:00Z)" "$(date -u -d '+20 hours' +%Y-%m-%dT%H:00:00Z)"
  reaches qso "$DOCTOR" OFFERED
  quietly as qso accept "$DOCTOR" --consent "$CONSENT"
  say "Bay Clinic has accepted the Task, and she the offer. What the clinic sees; her name follows when she is there:"
  clinic show "$DOCTOR" | indent
}

who_received_what() {
  title "9. Who received what, as Quayside Outreach can show her"
  as qso disclosures "$CASE" | columns "TO|STAGE|UNTIL|WHAT" | indent
}

what_the_hub_saw() {
  title "What the hub saw of all this (receipts left out)"
  waymark-hub inspect --data "$ROOT/hub" | grep -v ' RECEIPT ' | indent
  say "No service, no section, no value. The boxes are gone from its disk once delivered."
}

tell_story() {
  ask_for_room
  find_interpreter
  ask_two_places
  she_decides
  she_arrives
  report_progress
  see_a_doctor
  who_received_what
  what_the_hub_saw
}
