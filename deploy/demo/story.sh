# The story that the demo tells; sourced by demo.sh after network.sh.

readonly CASE=QSO-c-7714

at() { date -d "$1" +%Y-%m-%dT%H:%M; }

# The next whole hour that is at least so far ahead: consents end on the hour.
hour_at() { date -d "@$((($(date -d "$1" +%s) / 3600 + 1) * 3600))" +%Y-%m-%dT%H:00; }

describe_services() {
  as_admin qso profile publish --duty CHILD_HARM --police NONE --faith NONE >/dev/null
  as_admin bwi profile publish --duty NONE_KNOWN --police NONE --faith NONE >/dev/null
  as_admin bea profile publish --duty CHILD_HARM --police CASE_BY_CASE --faith NONE >/dev/null
  as_admin lin profile publish --duty CHILD_HARM --police NONE --faith NONE >/dev/null
  as_admin stb profile publish --duty CHILD_HARM --police NONE --faith EXPECTED >/dev/null
  local entry
  for entry in bwi-601 bea-201 lin-206 stb-206 cpl-101; do
    as_admin "${entry%%-*}" service publish "$HERE/services/$entry.yaml" >/dev/null
  done
  for entry in bwi-601 bea-201 lin-206 stb-206; do
    until_true 10 as_admin "${entry%%-*}" capacity set "$entry" HAS_CAPACITY
  done
  until_true 15 eval "as qso directory | grep -c 'Has room\|HAS_CAPACITY' | grep -qx '[4-9]'"
  say "Each published what it offers, signed. Every node holds the whole directory."
}

# confirmed_consent NAME UNTIL: reads back, confirms and records; sets CONSENT to its id.
confirmed_consent() {
  CONSENT=$(new_id)
  local terms=("$CASE" --file "$HERE/consents/$1.yaml" --until "$2" --id "$CONSENT")
  local shown digest
  shown=$(as qso consent read-back "${terms[@]}")
  digest=$(grep -oE '[0-9a-f]{64,}' <<<"$shown" | tail -1)
  as qso consent record "${terms[@]}" --confirmed "$digest" >/dev/null
}

# send_inquiry CODE SERVICE: previews, confirms and sends; sets REFERRAL to its id.
send_inquiry() {
  REFERRAL=$(new_id)
  local shown digest
  shown=$(as qso preview inquiry "$CASE" "$1" "$2" --consent "$CONSENT")
  digest=$(sed -n 's|^confirm with: --confirmed ||p' <<<"$shown")
  as qso inquire "$CASE" "$1" "$2" --consent "$CONSENT" --id "$REFERRAL" --confirmed "$digest" \
    >/dev/null
}

# send_disclosure REFERRAL
send_disclosure() {
  local shown digest
  shown=$(as qso preview disclose "$1" --consent "$CONSENT")
  digest=$(sed -n 's|^confirm with: --confirmed ||p' <<<"$shown")
  as qso disclose "$1" --consent "$CONSENT" --confirmed "$digest" >/dev/null
}

# reaches ORGANISATION REFERRAL STATE: waits until the organisation's node shows the state.
reaches() { until_true 10 eval "as $1 show $2 | grep -qi '$3'"; }

note_what_she_says() {
  as qso case open "$CASE" --unit qso.night >/dev/null
  as qso case set "$CASE" \
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
    --dependant relation=CHILD,age_years=4,name_to_use=Dani,health_alerts=ALLERGY_PENICILLIN,care_status=WITH_PARENT \
    >/dev/null
  as qso case exclude "$CASE" cpl.desk >/dev/null
  local start=("NEED.phase=IMMEDIATE" "NEED.quantity=1" "NEED.earliest_start=$(at '+15 min')")
  as qso need add "$CASE" 206 --rank 1 --urgency U0 "${start[@]}" NEED.area_wanted=XA-M \
    NEED.mode=IN_PERSON NEED.min_duration_days=14 NEED.recurring=false \
    "NEED.latest_start=$(at '+5 hours')" >/dev/null
  as qso need add "$CASE" 201 --rank 1 --urgency U0 "${start[@]}" NEED.area_wanted=XA-M \
    NEED.mode=IN_PERSON NEED.min_duration_days=14 NEED.recurring=false \
    "NEED.latest_start=$(at '+5 hours')" >/dev/null
  as qso need add "$CASE" 601 --rank 2 --urgency U0 "${start[@]}" NEED.mode=REMOTE \
    NEED.topic_class=GENERAL "NEED.latest_start=$(at '+1 hour')" >/dev/null
}

ask_for_room() {
  title "1. Is there room? Nobody is named, and no consent is needed"
  as qso match "$CASE" 206 | indent
  as qso capacity ask "$CASE" 206 lin-206 >/dev/null
  as qso capacity ask "$CASE" 201 bea-201 >/dev/null
  until_true 10 eval "! as qso capacity answers | grep -q 'not yet'"
  as qso capacity answers | indent
  say "St Brannoc House (prayers expected, she avoids that) and the police desk were not asked."
}

find_interpreter() {
  title "2. An interpreter by phone, under a consent for just that"
  confirmed_consent interpreter "$(hour_at '+10 hours')"
  send_inquiry 601 bwi-601
  INTERPRETING=$REFERRAL
  reaches bwi "$INTERPRETING" inquired
  as bwi offer "$INTERPRETING" --start "$(at '+10 min')" >/dev/null
  reaches qso "$INTERPRETING" offered
  as qso accept "$INTERPRETING" --consent "$CONSENT" >/dev/null
  reaches bwi "$INTERPRETING" accepted
  as bwi start "$INTERPRETING" >/dev/null
  reaches qso "$INTERPRETING" started
  say "What Bridgeway Interpreters can open, all of it:"
  as bwi show "$INTERPRETING" | indent
}

ask_two_places() {
  title "3. Two places are asked, with bands instead of facts"
  confirmed_consent inquiry "$(hour_at '+12 hours')"
  send_inquiry 206 lin-206
  LINDEN=$REFERRAL
  send_inquiry 201 bea-201
  BEACON=$REFERRAL
  reaches lin "$LINDEN" inquired
  reaches bea "$BEACON" inquired
  title "4. They answer from their own systems"
  as bea decline "$BEACON" D07 >/dev/null
  as lin offer "$LINDEN" --start "$(at '+110 min')" --condition lin206-house \
    --condition lin206-sober >/dev/null
  reaches qso "$BEACON" declined
  reaches qso "$LINDEN" offered
  as qso sent | indent
}

she_decides() {
  title "5. She says yes; what she agreed to unlocks, stage by stage"
  confirmed_consent placement "$(hour_at '+14 days')"
  as qso accept "$LINDEN" --consent "$CONSENT" >/dev/null
  reaches lin "$LINDEN" accepted
  send_disclosure "$LINDEN"
  until_true 10 eval "as lin show $LINDEN | grep -q SAFE.staff_advice"
  title "6. Linden House says where to meet, and she arrives"
  as lin schedule "$LINDEN" --meeting-point-kind PUBLIC_NEUTRAL \
    --meeting-point "Pharmacy entrance, Tollgate Square" \
    --from "$(at '+90 min')" --to "$(at '+105 min')" >/dev/null
  reaches qso "$LINDEN" scheduled
  as lin start "$LINDEN" >/dev/null
  reaches qso "$LINDEN" started
  send_disclosure "$LINDEN"
  until_true 10 eval "as lin show $LINDEN | grep -q Dani"
  say "What Linden House can open now (the meeting point is gone at both ends):"
  as lin show "$LINDEN" | indent
}

next_morning() {
  title "7. The next morning: the first progress report"
  as lin progress "$LINDEN" --status ONGOING --review "$(date -d '+7 days' +%Y-%m-%d)" \
    --next 102,402,801 >/dev/null
  reaches qso "$LINDEN" ongoing
  say "Who received what, as Quayside Outreach can show her:"
  as qso disclosures "$CASE" | indent
}

what_the_hub_saw() {
  title "What the hub saw of all this"
  waymark-hub inspect --data "$ROOT/hub" | indent
  say "No service, no section, no value. The boxes are gone from its disk once delivered."
}

tell_story() {
  note_what_she_says
  ask_for_room
  find_interpreter
  ask_two_places
  she_decides
  next_morning
  what_the_hub_saw
}
