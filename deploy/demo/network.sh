# Setting up the demo's network; sourced by demo.sh.

# The process ids that this demo started, and no others, are ended by it.
PIDS=()

title() { printf '\n\033[1m%s\033[0m\n' "$*"; }
say() { printf '  %s\n' "$*"; }
indent() { sed 's/^/    /'; }

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

# until_true SECONDS COMMAND...: waits until the command succeeds.
until_true() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    if ((SECONDS > deadline)); then
      echo "demo: gave up waiting for: $*" >&2
      return 1
    fi
    sleep 0.1
  done
}

# A port that nobody listens on, below those that the kernel hands out.
free_port() {
  local port
  while true; do
    port=$((RANDOM % 12000 + 20000))
    if ! (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
  done
  echo "$port"
}

create_network() {
  HUB_PORT=$(free_port)
  ENROLMENT_PORT=$(free_port)
  METRICS_PORT=$(free_port)
  waymark network create --dir "$ROOT/registry" --name "Demo network" \
    --hub "127.0.0.1:$HUB_PORT" --enrolment "127.0.0.1:$ENROLMENT_PORT" >/dev/null
  say "The registry operator made the authority's keys. They stay in the operator's folder."
}

start_hub() {
  local data=$ROOT/hub
  waymark-hub init --data "$data" --network "$ROOT/registry/network.json" >/dev/null
  registry sign-hub "$data/hub.csr" --out "$data/hub.crt" --dns localhost --ip 127.0.0.1 >/dev/null
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
  PIDS+=($!)
  until_true 20 test -s "$data/ready"
  say "The hub runs. It holds no key that opens a message or vouches for a member."
}

# invite HANDLE NAME CLASS UNIT
invite() {
  registry invite --handle "$1" --name "$2" --class "$3" --jurisdiction XA --pack us-vsp \
    --unit "$4=$2" --out "$ROOT/$1.invitation" >/dev/null
}

# ask_to_join HANDLE: makes the organisation's keys and asks for membership, in the background.
ask_to_join() {
  mkdir -p "$ROOT/$1"
  waymark-node join --data "$ROOT/$1/data" --invitation "$ROOT/$1.invitation" \
    --key-file "$ROOT/$1.key" --wait 60s >"$ROOT/$1.join.log" 2>&1 &
}

# approve HANDLE: the operator compares the fingerprint that the organisation reads out, and signs.
approve() {
  local log=$ROOT/$1.join.log fingerprint request
  until_true 20 grep -qE '([0-9A-Z]{5}-){4}[0-9A-Z]{5}' "$log"
  fingerprint=$(grep -oE '([0-9A-Z]{5}-){4}[0-9A-Z]{5}' "$log" | head -1)
  until_true 20 eval "registry requests | grep -qw $1"
  request=$(registry requests | grep -w "$1" | awk '{print $1}')
  registry approve "$request" --fingerprint "$fingerprint" >/dev/null
}

# start_node HANDLE: makes the first administrator and starts the daemon.
start_node() {
  local home=$ROOT/$1
  cat >"$home/node.yaml" <<YAML
data: data
socket: node.sock
master_key: {file: $ROOT/$1.key}
log: {level: info, format: text}
YAML
  echo "a demo passphrase" >"$home/passphrase"
  chmod 600 "$home/passphrase"
  waymark-node staff-init --config "$home/node.yaml" admin \
    --passphrase-file "$home/passphrase" >/dev/null
  waymark-node serve --config "$home/node.yaml" --ready-file "$home/ready" >"$ROOT/$1.log" 2>&1 &
  PIDS+=($!)
}

# open_accounts HANDLE UNIT: logs the administrator in, and a caseworker of the unit.
open_accounts() {
  local passphrase=$ROOT/$1/passphrase
  until_true 20 test -s "$ROOT/$1/ready"
  as_admin "$1" login admin --passphrase-file "$passphrase" >/dev/null
  until_true 20 as_admin "$1" staff put worker --role caseworker --unit "$1.$2" \
    --passphrase-file "$passphrase"
  as "$1" login worker --passphrase-file "$passphrase" >/dev/null
}

join_everyone() {
  invite qso "Quayside Outreach" NGO night
  invite bwi "Bridgeway Interpreters" INTERPRETER_POOL pool
  invite bea "Beacon Shelter" NGO intake
  invite lin "Linden House" NGO family
  invite stb "St Brannoc House" FAITH_BODY house
  invite cpl "City Police Liaison" LAW_ENFORCEMENT desk
  local who joining=()
  for who in $ORGANISATIONS; do
    ask_to_join "$who"
    joining+=($!)
  done
  for who in $ORGANISATIONS; do approve "$who"; done
  wait "${joining[@]}"
  for who in $ORGANISATIONS; do start_node "$who"; done
  local opening=()
  for who in qso.night bwi.pool bea.intake lin.family stb.house cpl.desk; do
    open_accounts "${who%.*}" "${who#*.}" &
    opening+=($!)
  done
  wait "${opening[@]}"
  say "Six organisations joined: each made its own keys, and the operator compared fingerprints."
}

stop_network() {
  local pid
  for pid in "${PIDS[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${PIDS[@]}"; do wait "$pid" 2>/dev/null || true; done
}

how_to_go_on() {
  title "The network is still running"
  say "Speak for an organisation by naming its socket and session:"
  local who
  for who in qso lin; do
    say "  export WAYMARK_SOCKET=$ROOT/$who/node.sock WAYMARK_SESSION=$ROOT/$who/session"
  done
  say "  waymark sent; waymark inbox; waymark show REFERRAL; waymark withdraw --case QSO-c-7714"
  say "The hub's metrics: http://127.0.0.1:$METRICS_PORT/metrics"
  say "End it with: kill ${PIDS[*]}; rm -r $ROOT"
}
