# The systems in which the demo's partners work: a bed register in PostgreSQL, an interpreter roster in files, a
# clinic's FHIR server, as deploy/integrations has them; sourced by demo.sh.

INTEGRATIONS=$(cd "$HERE/../integrations" && pwd)
# PostgreSQL does not run as root, so that its folder must be open to another user: it lies beside the demo's.
readonly INTEGRATIONS REGISTER=$ROOT.register ROSTER=$ROOT/bwi/roster

# The ids of the services that the systems know, by handle.
declare -A SERVICE_ID=()

base64_of() { printf '%b' "$(sed 's/../\\x&/g' <<<"$1")" | base64; }

# Starts the first two. The clinic's server is started when the clinic joins.
start_systems() {
  local service
  for service in lin-206 bwi-601 bay-402; do SERVICE_ID[$service]=$(new_id); done
  mkdir -p "$ROSTER"/{bookings,roster,answers}
  {
    start_register
    note_room lin
  } &
}

# PostgreSQL's own programs; those of their names on the PATH look for a cluster first, each time.
POSTGRES=$(printf '%s\n' /usr/lib/postgresql/*/bin | tail -1)
readonly POSTGRES

# beds_in DATABASE PSQL_OPTION...
beds_in() { "$POSTGRES/psql" --host "$REGISTER" --username house --dbname "$1" --no-psqlrc --quiet "${@:2}"; }

# register SQL [PSQL_OPTION...]: what Linden House enters into its register, or looks up in it.
register() { beds_in beds "${@:2}" --command "$1"; }

start_register() {
  local as_server=()
  mkdir -m 700 "$REGISTER"
  if [[ $(id -u) == 0 ]]; then
    chown postgres: "$REGISTER"
    as_server=(setpriv --reuid=postgres --regid=postgres --clear-groups)
  fi
  quietly env --chdir="$REGISTER" "${as_server[@]}" "$POSTGRES/initdb" --pgdata data --username house --auth trust \
    --encoding UTF8 --locale C.UTF-8 --no-sync
  start "$ROOT/register.log" env --chdir="$REGISTER" "${as_server[@]}" "$POSTGRES/postgres" -D data -k "$REGISTER" \
    -c listen_addresses= -c fsync=off -c shared_buffers=16MB
  until_true 20 beds_in template1 \
    --command "CREATE ROLE waymark LOGIN" --command "ALTER DATABASE postgres RENAME TO beds"
  quietly beds_in beds --single-transaction \
    --set node_role=waymark --file "$INTEGRATIONS/housing/register.sql"
}

start_clinic() {
  (umask 077 && new_id >"$ROOT/clinic.token")
  start "$ROOT/clinic.log" node "$INTEGRATIONS/medical/clinic_server.mjs" --token-file "$ROOT/clinic.token"
}

# Where it listens, which it says itself.
clinic_address() {
  until_true 20 grep -q port "$ROOT/clinic.log"
  echo "http://127.0.0.1:$(tr -cd '0-9' <"$ROOT/clinic.log")/r4"
}

# clinic WORDS...: what Bay Clinic's staff do in its system; see clinic.mjs.
clinic() { node "$HERE/clinic.mjs" "$(clinic_address)" "$ROOT/clinic.token" "$@"; }

# join_system HANDLE: adds the part of the configuration that joins the node to the organisation's system, which is
# that of the integration but for where the system is, and how often it is asked.
join_system() {
  local home=$ROOT/$1
  case $1 in
    lin)
      cp "$INTEGRATIONS"/housing/*.jq "$home"
      sed -e 's/poll: .*/poll: 200ms/' -e "s|host: .*|host: $REGISTER|" -e '/password:/d' "$INTEGRATIONS/housing/node.yaml"
      ;;
    bwi)
      cp "$INTEGRATIONS"/language/*.jq "$home"
      sed -e 's/poll: .*/poll: 200ms/' -e "s|/srv/roster|$ROSTER|" -e '/service-am/d' \
        -e "s|name: service, value: .*|name: service, value: $(base64_of "${SERVICE_ID[bwi-601]}")}|" \
        -e 's,^\( *\)folder: .*/\(roster\|answers\)$,&\n\1settle: 1s,' "$INTEGRATIONS/language/node.yaml"
      ;;
    bay)
      cp "$INTEGRATIONS"/medical/*.jq "$home"
      sed -e "s|address: .*|address: $(clinic_address)|" -e "s|{credential: .*}}|{file: $ROOT/clinic.token}}|" \
        -e "s|service-general-practice, value: .*|service-general-practice, value: $(base64_of "${SERVICE_ID[bay-402]}")}|" \
        -e 's/^\( *\)kind: fhir/&\n\1poll: 200ms/' "$INTEGRATIONS/medical/node.yaml"
      ;;
  esac >>"$home/node.yaml"
}

# note_room HANDLE: the organisation's staff note in its system what room there is.
note_room() {
  local id from until
  case $1 in
    lin)
      id=$(base64_of "${SERVICE_ID[lin-206]}")
      quietly register "INSERT INTO services (service_id, code, conditions) VALUES ('$id', 206, '{lin206-house,lin206-sober}');
        INSERT INTO beds (bed, service_id, sleeps) VALUES ('2.04', '$id', 3), ('2.05', '$id', 5)"
      ;;
    bwi)
      from=$(date -u -d '-1 hour' +%Y-%m-%dT%H:%M)
      until=$(date -u -d '+8 hours' +%Y-%m-%dT%H:%M)
      printf '%s\n' interpreter,language,from,until,state "17,ti,$from,$until,free" "17,ar,$from,$until,free" \
        >"$ROSTER/roster/tonight.csv"
      ;;
    bay) quietly clinic room general-practice capacity ;;
  esac
}

# booking_of REFERRAL: the booking's row, by columns.
booking_of() {
  local header row
  { read -r header && read -r row; } 2>/dev/null <"$ROSTER/bookings/$1.csv" || return 1
  paste -d' ' <(tr ',' '\n' <<<"${header%$'\r'}") <(tr ',' '\n' <<<"${row%$'\r'}")
}

# propose REFERRAL: the pool answers, in a row of a file.
propose() {
  local key
  key=$(booking_of "$1" | awk '$1 == "request_key" { print $2 }')
  printf '%s\n' request_key,answer,start,hours,keep_until \
    "$key,proposed,$(date -u -d '+10 min' +%Y-%m-%dT%H:%M),1,$(date -u -d '+50 min' +%Y-%m-%dT%H:%M)" >"$ROSTER/answers/$1.csv"
}

# has_stay REFERRAL CONDITION: whether the register has a stay of the referral of which that is true.
has_stay() { register "SELECT stay_id FROM stays WHERE referral_key = '$1' AND ($2)" --tuples-only | grep '[0-9]'; }
