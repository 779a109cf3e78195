#!/usr/bin/env bash
# trial.sh start DIR | primary DIR | kill DIR NAME | revive DIR NAME | members DIR | stop DIR
#
# The recipe of this folder on one machine: etcd, three PostgreSQL servers under Patroni, and HAProxy, on free loopback
# ports, from the same files that an administrator copies. For tests and for trying a failover by hand. `start` writes
# DIR/url, the database's address as the hub's configuration takes it. `kill` sends SIGKILL to Patroni and all of its
# PostgreSQL, as a machine that is switched off; `revive` switches it on again. Programs: Debian's patroni, haproxy,
# etcd-server, postgresql.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly HERE NAMES=(database-1 database-2 database-3)

die() {
  printf 'trial: %s\n' "$*" >&2
  exit 1
}

free_ports() {
  python3 - "$1" <<'PYTHON'
import socket, sys
held = [socket.socket() for _ in range(int(sys.argv[1]))]
for one in held:
    one.bind(("127.0.0.1", 0))
print(*(one.getsockname()[1] for one in held))
PYTHON
}

# fill FILE NAME=VALUE...: the file with its placeholders replaced; fails when one is left.
fill() {
  local file=$1 text pair
  shift
  text=$(<"$file")
  for pair in "$@"; do text=${text//"@${pair%%=*}@"/${pair#*=}}; done
  if grep -oE '@[A-Z_0-9]+@' <<<"$text"; then die "$file has placeholders that nothing fills"; fi
  printf '%s\n' "$text"
}

# Starts a program in the background, as the leader of a group, so that all of it can be killed at once; its output
# and its process id go to DIR/NAME.log and DIR/NAME.pid. PostgreSQL refuses to run as root.
start_program() {
  local name=$1 user=()
  shift
  if ((EUID == 0)) && [[ $1 == patroni ]]; then
    user=(env HOME="$DIR" setpriv --reuid=postgres --regid=postgres --clear-groups)
  fi
  set -m
  "${user[@]}" "$@" >>"$DIR/$name.log" 2>&1 </dev/null &
  set +m
  echo $! >"$DIR/$name.pid"
}

# A certificate for the loopback address that is its own authority.
make_certificate() {
  openssl req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -days 2 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$1/server.key" -out "$1/server.crt" 2>/dev/null
  chmod 600 "$1/server.key"
}

# wait_for SECONDS WHAT COMMAND...
wait_for() {
  local deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@"; do
    ((SECONDS < deadline)) || die "$what did not come about in time; the logs are in $DIR"
    sleep 0.2
  done
}

rest_port() { sed -n "s/^$1 //p" "$DIR/rest_ports"; }

answers() { [[ $(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$(rest_port "$1")/$2") == 200 ]]; }

primary() {
  local name
  for name in "${NAMES[@]}"; do
    if answers "$name" primary; then
      echo "$name"
      return
    fi
  done
  return 1
}

has_primary() { primary >/dev/null; }
has_synchronous_standby() {
  local name
  for name in "${NAMES[@]}"; do
    if answers "$name" synchronous; then return; fi
  done
  return 1
}

through_proxy() {
  PGPASSWORD=$(<"$DIR/superuser") psql -XAtq "host=127.0.0.1 port=$(<"$DIR/port") user=postgres sslmode=require dbname=$1" -c "$2"
}
proxy_leads_to_primary() { [[ $(through_proxy postgres 'SELECT NOT pg_is_in_recovery()' 2>/dev/null) == t ]]; }

start() {
  mkdir -p "$DIR"
  [[ ! -e $DIR/url ]] || die "$DIR holds a cluster; stop it first"
  local ports programs user name index
  read -ra ports <<<"$(free_ports 9)"
  programs=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -1)
  user=$(id -un)
  if ((EUID == 0)); then user=postgres; fi
  make_certificate "$DIR"
  openssl rand -hex 16 >"$DIR/superuser"
  openssl rand -hex 16 >"$DIR/password"
  mkdir -p "$DIR/sockets"
  if ((EUID == 0)); then chown -R postgres: "$DIR"; fi

  start_program etcd etcd --data-dir "$DIR/etcd" --listen-client-urls "http://127.0.0.1:${ports[0]}" \
    --advertise-client-urls "http://127.0.0.1:${ports[0]}" --listen-peer-urls "http://127.0.0.1:${ports[1]}" \
    --initial-advertise-peer-urls "http://127.0.0.1:${ports[1]}" \
    --initial-cluster "default=http://127.0.0.1:${ports[1]}"

  : >"$DIR/rest_ports"
  for index in 0 1 2; do
    name=${NAMES[index]}
    echo "$name ${ports[5 + index]}" >>"$DIR/rest_ports"
    fill "$HERE/patroni.yml" NAME="$name" ADDRESS=127.0.0.1 PORT="${ports[2 + index]}" REST_PORT="${ports[5 + index]}" \
      ETCD="127.0.0.1:${ports[0]}" DATA="$DIR/$name" PROGRAMS="$programs" PGPASS="$DIR/$name.pgpass" \
      SOCKETS="$DIR/sockets" CIDR=127.0.0.1/32 CERTIFICATE="$DIR/server.crt" KEY="$DIR/server.key" CA="$DIR/server.crt" \
      SUPERUSER_PASSWORD="$(<"$DIR/superuser")" REPLICATION_PASSWORD="$(openssl rand -hex 16)" \
      REWIND_PASSWORD="$(<"$DIR/superuser")" SYSTEM_USER="$user" WATCHDOG=off >"$DIR/$name.yml"
  done
  # All members share the passwords of their roles.
  local replication
  replication=$(openssl rand -hex 16)
  sed -i -E "/username: replicator/{n;s/\"[^\"]*\"/\"$replication\"/}" "$DIR"/database-?.yml
  chmod 600 "$DIR"/database-?.yml
  if ((EUID == 0)); then chown postgres: "$DIR"/database-?.yml; fi
  for name in "${NAMES[@]}"; do start_program "$name" patroni "$DIR/$name.yml"; done
  fill "$HERE/haproxy.cfg" LISTEN_PORT="${ports[8]}" STATUS_SOCKET="$DIR/haproxy.sock" \
    SERVER_1="127.0.0.1:${ports[2]}" SERVER_2="127.0.0.1:${ports[3]}" SERVER_3="127.0.0.1:${ports[4]}" \
    REST_PORT_1="${ports[5]}" REST_PORT_2="${ports[6]}" REST_PORT_3="${ports[7]}" >"$DIR/haproxy.cfg"
  start_program haproxy haproxy -db -f "$DIR/haproxy.cfg"
  echo "${ports[8]}" >"$DIR/port"

  wait_for 60 'a primary' has_primary
  wait_for 60 'a synchronous standby' has_synchronous_standby
  wait_for 30 'the way through HAProxy' proxy_leads_to_primary
  through_proxy postgres "CREATE ROLE waymark LOGIN PASSWORD '$(<"$DIR/password")'"
  through_proxy postgres 'CREATE DATABASE waymark OWNER waymark'
  echo "postgresql://waymark@127.0.0.1:${ports[8]}/waymark?sslmode=verify-ca&sslrootcert=$DIR/server.crt" >"$DIR/url"
  echo "The database is at $(<"$DIR/url"), its password in $DIR/password."
}

# Kills the group that PID leads; one that is gone already is no error.
kill_group() { kill -KILL -- "-$1" 2>/dev/null || true; }

kill_member() {
  # PostgreSQL has left Patroni's group: it is found by its data folder.
  kill_group "$(<"$DIR/$1.pid")"
  if [[ -s $DIR/$1/postmaster.pid ]]; then
    local postmaster
    postmaster=$(head -1 "$DIR/$1/postmaster.pid")
    pkill -KILL -P "$postmaster" 2>/dev/null || true
    kill -KILL "$postmaster" 2>/dev/null || true
  fi
}

stop() {
  local name
  for name in "${NAMES[@]}"; do [[ ! -e $DIR/$name.pid ]] || kill_member "$name"; done
  for name in haproxy etcd; do [[ ! -e $DIR/$name.pid ]] || kill_group "$(<"$DIR/$name.pid")"; done
  # What has just been killed may still be on its way out.
  wait_for 10 'an empty folder' rm -rf -- "$DIR"
}

[[ $# -ge 2 ]] || die "usage: start DIR | primary DIR | kill DIR NAME | revive DIR NAME | members DIR | stop DIR"
DIR=$(realpath -m "$2")
readonly DIR
case $1 in
  start) start ;;
  primary) primary || die 'there is no primary now' ;;
  kill) kill_member "$3" ;;
  revive) start_program "$3" patroni "$DIR/$3.yml" ;;
  members) curl -s "http://127.0.0.1:$(rest_port "$(primary)")/cluster" ;;
  stop) stop ;;
  *) die "there is no command $1" ;;
esac
