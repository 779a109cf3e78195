# Setting up the demo's network; sourced by demo.sh.

# HANDLE.UNIT of every organisation.
readonly UNITS="qso.night bwi.pool bea.intake lin.family stb.house cpl.desk bay.clinic"

# The process of each node, by handle.
declare -A NODES=()

# as ORGANISATION COMMAND...: runs the command line for one organisation's staff.
as() {
  local who=$1
  shift
  WAYMARK_SOCKET=$ROOT/$who/node.sock WAYMARK_SESSION=$ROOT/$who/session waymark "$@"
}

# as_admin ORGANISATION COMMAND...: the same for its administrator.
as_admin() {
  local who=$1
  shift
  WAYMARK_SOCKET=$ROOT/$who/node.sock WAYMARK_SESSION=$ROOT/$who/session.admin waymark "$@"
}

# registry COMMAND...: the registry operator's command line.
registry() { WAYMARK_REGISTRY=$ROOT/registry waymark registry "$@"; }

new_id() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n'; }

# Three ports that nobody listens on, below those that the kernel hands out.
choose_ports() {
  local port
  local -A free=()
  while ((${#free[@]} < 3)); do
    port=$((RANDOM % 12000 + 20000))
    if ! (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then free[$port]=1; fi
  done
  set -- "${!free[@]}"
  HUB_PORT=$1 ENROLMENT_PORT=$2 METRICS_PORT=$3
}

create_network() {
  choose_ports
  quietly waymark network create --dir "$ROOT/registry" --name "Demo network" \
    --hub "127.0.0.1:$HUB_PORT" --enrolment "127.0.0.1:$ENROLMENT_PORT"
  say "The registry operator made the authority's keys. They stay in the operator's folder."
}

start_hub() {
  local data=$ROOT/hub
  quietly waymark-hub init --data "$data" --network "$ROOT/registry/network.json"
  quietly registry sign-hub "$data/hub.csr" --out "$data/hub.crt" --dns localhost --ip 127.0.0.1
  cat >"$data/hub.yaml" <<YAML
data: .
network: $ROOT/registry/network.json
listen: 127.0.0.1:$HUB_PORT
enrolment_listen: 127.0.0.1:$ENROLMENT_PORT
metrics_listen: 127.0.0.1:$METRICS_PORT
tls: {certificate: hub.crt, key: hub.key}
log: {level: info, format: text}
YAML
  waymark-hub serve --config "$data/hub.yaml" --ready-file "$data/ready" >"$ROOT/hub.log" 2>&1 &
  until_true 20 test -s "$data/ready"
  say "The hub runs. It holds no key that opens a message or vouches for a member."
}

# invite HANDLE NAME CLASS UNIT
invite() {
  mkdir -p "$ROOT/$1"
  quietly registry invite --handle "$1" --name "$2" --class "$3" --jurisdiction XA --pack us-vsp \
    --unit "$4=$2" --out "$ROOT/$1.invitation"
}

# join HANDLE: asks for membership, or fetches the certificate once that is granted.
join() {
  waymark-node join --data "$ROOT/$1/data" --invitation "$ROOT/$1.invitation" \
    --key-file "$ROOT/$1.key"
}

# run_node HANDLE: everything on the organisation's side, up to its daemon. Works in the background: its output
# is the node's log, and the `approved` file says that the operator has decided.
run_node() {
  local home=$ROOT/$1 status=0
  join "$1" || status=$?
  # 5: the operator has not decided yet.
  ((status == 5)) || return "$status"
  cat >"$home/node.yaml" <<YAML
data: data
socket: node.sock
master_key: {file: $ROOT/$1.key}
log: {level: info, format: text}
YAML
  join_system "$1"
  (umask 077 && echo "a demo passphrase" >"$home/passphrase")
  until_true 30 test -e "$home/approved"
  join "$1"
  waymark-node staff-init --config "$home/node.yaml" admin --passphrase-file "$home/passphrase"
  exec waymark-node serve --config "$home/node.yaml" --ready-file "$home/ready"
}

fingerprint_of() { grep -oE '([0-9A-Z]{5}-){4}[0-9A-Z]{5}' "$ROOT/$1.log"; }

every_request_is_in() {
  local unit
  capture registry requests || return 1
  for unit in $UNITS; do
    if grep -w "${unit%.*}" <<<"$SHOWN" && fingerprint_of "${unit%.*}"; then continue; fi
    tail -3 "$ROOT/${unit%.*}.log"
    name_process "${NODES[${unit%.*}]}" >/dev/null || return "$HOPELESS"
    return 1
  done
}

# approve HANDLE REQUESTS: the operator compares the fingerprint that the organisation reads out, and signs.
approve() {
  local request
  request=$(grep -w "$1" <<<"$2" | awk '{ print $1 }')
  quietly registry approve "$request" --fingerprint "$(fingerprint_of "$1")"
  touch "$ROOT/$1/approved"
}

# is_ready HANDLE: whether its node serves. When it has ended, its log says why.
is_ready() {
  if [[ -s $ROOT/$1/ready ]]; then return; fi
  tail -3 "$ROOT/$1.log"
  name_process "${NODES[$1]}" >/dev/null || return "$HOPELESS"
  return 1
}

# open_accounts HANDLE UNIT: logs the administrator in, who makes an account for a caseworker of the unit.
open_accounts() {
  local passphrase=$ROOT/$1/passphrase
  until_true 60 is_ready "$1"
  quietly as_admin "$1" login admin --passphrase-file "$passphrase"
  # The police desk and the house that is not asked take part in nothing, and the clinic works in its own system.
  case $1 in stb | cpl | bay) return ;; esac
  # The node takes the unit once it has read the directory.
  until_true 20 as_admin "$1" staff put worker --role caseworker --unit "$1.$2" \
    --passphrase-file "$passphrase"
  quietly as "$1" login worker --passphrase-file "$passphrase"
}

# publish HANDLE: what the organisation says about itself and about the service that it offers.
publish() {
  case $1 in
    qso) quietly as_admin qso profile publish --duty CHILD_HARM --police NONE --faith NONE ;;
    bwi) quietly as_admin bwi profile publish --duty NONE_KNOWN --police NONE --faith NONE ;;
    bea) quietly as_admin bea profile publish --duty CHILD_HARM --police CASE_BY_CASE --faith NONE ;;
    lin) quietly as_admin lin profile publish --duty CHILD_HARM --police NONE --faith NONE ;;
    stb) quietly as_admin stb profile publish --duty CHILD_HARM --police NONE --faith EXPECTED ;;
    bay) quietly as_admin bay profile publish --duty CHILD_HARM --police NONE --faith NONE ;;
  esac
  local file service
  for file in "$HERE/services/$1"-*.yaml; do
    [[ -e $file ]] || continue
    service=$(basename "$file" .yaml)
    until_true 20 as_admin "$1" service publish "$file" ${SERVICE_ID[$service]:+--id "${SERVICE_ID[$service]}"}
    case $1 in
      lin | bwi | bay) note_room "$1" ;;
      # The police desk does not say whether it has room.
      cpl) ;;
      *) until_true 20 as_admin "$1" capacity set "$service" HAS_CAPACITY ;;
    esac
  done
}

# settle HANDLE UNIT: works in the background.
settle() {
  open_accounts "$1" "$2"
  publish "$1"
  if [[ $1 == qso ]]; then note_what_she_says; fi
}

every_room_is_known() {
  capture as qso directory || return 1
  (($(grep -c 'Has room' <<<"$SHOWN") == 5)) && grep -w cpl-101 <<<"$SHOWN"
}

join_everyone() {
  invite qso "Quayside Outreach" NGO night
  invite bwi "Bridgeway Interpreters" INTERPRETER_POOL pool
  invite bea "Beacon Shelter" NGO intake
  invite lin "Linden House" NGO family
  invite stb "St Brannoc House" FAITH_BODY house
  invite cpl "City Police Liaison" LAW_ENFORCEMENT desk
  invite bay "Bay Clinic" HEALTH clinic
  local unit requests job jobs=()
  for unit in $UNITS; do
    run_node "${unit%.*}" >"$ROOT/${unit%.*}.log" 2>&1 &
    NODES[${unit%.*}]=$!
  done
  until_true 30 every_request_is_in
  capture registry requests
  requests=$SHOWN
  for unit in $UNITS; do approve "${unit%.*}" "$requests"; done
  say "Seven organisations joined: each made its own keys, and the operator compared fingerprints."
  for unit in $UNITS; do
    settle "${unit%.*}" "${unit#*.}" &
    jobs+=($!)
  done
  for job in "${jobs[@]}"; do wait "$job"; done
  until_true 20 every_room_is_known
  say "Each published what it offers, signed. Every node holds the whole directory."
  say "Three say whether they have room from the system in which they work: a bed register, a roster, a FHIR server."
}
