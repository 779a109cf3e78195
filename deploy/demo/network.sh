# Setting up the demo's network; sourced by demo.sh.

# Who is there before the story begins, by handle. First, whoever has most to do until then.
readonly FIRST=(bwi qso lin bea stb cpl)

# By handle: the process of each node, and of what is being prepared there.
declare -A NODES=() PREPARED=()

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

new_id() { printf '%08x' $SRANDOM $SRANDOM $SRANDOM $SRANDOM; }

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
  start "$ROOT/hub.log" waymark-hub serve --config "$data/hub.yaml" --ready-file "$data/ready"
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

# has_come HANDLE COMMAND...: whether its node has come so far that the command succeeds. If not, says how its log
# ends; when the node has ended too, there is nothing to wait for.
has_come() {
  local who=$1 log from
  shift
  if "$@"; then return; fi
  mapfile -t log <"$ROOT/$who.log"
  from=$((${#log[@]} - 3))
  printf '%s\n' "${log[@]:from > 0 ? from : 0}"
  name_process "${NODES[$who]}" || return "$HOPELESS"
  return 1
}

# has_asked HANDLE: whether its request is with the operator; sets FINGERPRINT to that which the node has said.
has_asked() {
  local log
  log=$(<"$ROOT/$1.log")
  [[ $log == *"waits for the operator"* && $log =~ ([0-9A-Z]{5}-){4}[0-9A-Z]{5} ]] && FINGERPRINT=${BASH_REMATCH[0]}
}

# approve HANDLE REQUESTS: the operator compares the fingerprint that the organisation reads out, and signs.
approve() {
  local request FINGERPRINT
  has_asked "$1"
  if ! [[ $2 =~ $'\n'([0-9a-f]+)' '+"$1 " ]]; then
    failed "looking for the request of $1" "$2"
    return 1
  fi
  request=${BASH_REMATCH[1]}
  quietly registry approve "$request" --fingerprint "$FINGERPRINT"
  : >"$ROOT/$1/approved"
}

# hire HANDLE UNIT: the administrator, who is logged in, makes an account for a caseworker of the unit.
hire() {
  local passphrase=$ROOT/$1/passphrase
  # The node takes the unit once it has read the directory.
  until_true 20 as_admin "$1" staff put worker --role caseworker --unit "$1.$2" \
    --passphrase-file "$passphrase"
  quietly as "$1" login worker --passphrase-file "$passphrase"
}

# publish HANDLE: what the organisation says about itself and about the service that it offers.
publish() {
  local file service
  for file in "$HERE/services/$1"-*.yaml; do
    [[ -e $file ]] || continue
    service=${file##*/} service=${service%.yaml}
    until_true 20 as_admin "$1" service publish "$file" ${SERVICE_ID[$service]:+--id "${SERVICE_ID[$service]}"}
    case $1 in
      bea | stb) until_true 20 as_admin "$1" capacity set "$service" HAS_CAPACITY ;;
      # A room of a service that is not published yet would be refused.
      bwi) note_room bwi ;;
    esac
  done
  case $1 in
    qso) quietly as_admin qso profile publish --duty CHILD_HARM --police NONE --faith NONE ;;
    bwi) quietly as_admin bwi profile publish --duty NONE_KNOWN --police NONE --faith NONE ;;
    bea) quietly as_admin bea profile publish --duty CHILD_HARM --police CASE_BY_CASE --faith NONE ;;
    lin) quietly as_admin lin profile publish --duty CHILD_HARM --police NONE --faith NONE ;;
    stb) quietly as_admin stb profile publish --duty CHILD_HARM --police NONE --faith EXPECTED ;;
    bay) quietly as_admin bay profile publish --duty CHILD_HARM --police NONE --faith NONE ;;
  esac
}

# settle HANDLE: what a member does to be found by the others.
settle() {
  until_true 60 has_come "$1" test -s "$ROOT/$1/ready"
  quietly as_admin "$1" login admin --passphrase-file "$ROOT/$1/passphrase"
  publish "$1"
  if [[ $1 == qso ]]; then
    hire qso night
    note_what_she_says
  fi
}

# are_listed TEXT SERVICE...: whether Quayside Outreach's directory says that of each service.
are_listed() {
  local service
  capture as qso directory || return 1
  for service in "${@:2}"; do [[ $SHOWN =~ $'\n'"$service "[^$'\n']*"$1" ]] || return 1; done
}

# admit HANDLE...: starts their nodes, which ask for membership, and grants it. Then each settles, in the background.
admit() {
  local who requests
  for who in "$@"; do
    start "$ROOT/$who.log" run_node "$who"
    NODES[$who]=$!
  done
  for who in "$@"; do until_true 30 has_come "$who" has_asked "$who"; done
  capture registry requests
  requests=$SHOWN
  for who in "$@"; do
    approve "$who" "$requests"
    prepare "$who" settle "$who"
  done
}

# prepare HANDLE COMMAND...: goes on in the background with what the story will need of the organisation.
prepare() {
  "${@:2}" &
  PREPARED[$1]=$!
}

# is_prepared HANDLE: waits for that.
is_prepared() {
  if wait "${PREPARED[$1]}"; then return; fi
  failed "what $1 had to prepare" "$(tail -3 "$ROOT/$1.log")"
  return 1
}

join_first() {
  local who
  invite qso "Quayside Outreach" NGO night
  invite bwi "Bridgeway Interpreters" INTERPRETER_POOL pool
  invite bea "Beacon Shelter" NGO intake
  invite lin "Linden House" NGO family
  invite stb "St Brannoc House" FAITH_BODY house
  invite cpl "City Police Liaison" LAW_ENFORCEMENT desk
  admit "${FIRST[@]}"
  say "Six organisations joined: each made its own keys, and the operator compared fingerprints."
  for who in "${FIRST[@]}"; do is_prepared "$who"; done
  until_true 20 are_listed 'Has room' lin-206 bwi-601 bea-201 stb-206
  until_true 20 are_listed '' cpl-101
  say "Each published what it offers, signed. Every node holds the whole directory."
  say "Two say whether they have room from the system in which they work: a bed register, a roster."
}

join_clinic() {
  start_clinic
  invite bay "Bay Clinic" HEALTH clinic
  admit bay
  note_room bay
  is_prepared bay
}
