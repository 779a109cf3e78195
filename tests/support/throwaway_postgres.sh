#!/usr/bin/env bash
# throwaway_postgres.sh up NOTE | down NOTE
#
# A PostgreSQL server of Debian's package `postgresql` for tests and trials, in a folder of its own that nobody else can
# enter, reached through a socket there. `up` prints the URL of an empty database for a hub, and writes into the file NOTE
# where the folder is; `down` stops the server and deletes the folder. What it confirms is on the disk, as with a real one.
set -euo pipefail

die() {
  printf 'throw-away PostgreSQL: %s\n' "$*" >&2
  exit 1
}

[[ $# == 2 ]] || die "usage: throwaway_postgres.sh up|down NOTE"
readonly NOTE=$2
PROGRAMS=$(find /usr/lib/postgresql -maxdepth 3 -path '*/bin/postgres' -printf '%h\n' 2>/dev/null | sort -V | tail -1)
readonly PROGRAMS
[[ -n $PROGRAMS ]] || die "there is no server in /usr/lib/postgresql; install the package postgresql"

# PostgreSQL refuses to run as root.
as_server() {
  if ((EUID == 0)); then setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; else "$@"; fi
}

url_of() { printf 'postgresql://waymark@/waymark?host=%s\n' "$1"; }

up() {
  local folder
  if [[ -e $NOTE ]] && as_server "$PROGRAMS/pg_ctl" -D "$(<"$NOTE")/data" status >/dev/null 2>&1; then
    url_of "$(<"$NOTE")"
    return
  fi
  folder=$(mktemp -d "${TMPDIR:-/tmp}/waymark-postgres-XXXXXX")
  if ((EUID == 0)); then chown postgres: "$folder"; fi
  as_server "$PROGRAMS/initdb" -D "$folder/data" -U waymark -E UTF8 --locale=C.UTF-8 --data-checksums --auth=trust \
    >"$folder/initdb.log" || die "it could not be made; $folder/initdb.log says why"
  # No port: the socket in the folder is the only way in.
  as_server "$PROGRAMS/pg_ctl" -D "$folder/data" -l "$folder/server.log" -w -s \
    -o "-k '$folder' -c listen_addresses=''" start || die "it does not start; $folder/server.log says why"
  as_server "$PROGRAMS/createdb" -h "$folder" -U waymark waymark
  mkdir -p "$(dirname "$NOTE")"
  printf '%s\n' "$folder" >"$NOTE"
  url_of "$folder"
}

down() {
  [[ -e $NOTE ]] || die "none is up"
  local folder
  folder=$(<"$NOTE")
  [[ $folder == */waymark-postgres-?????? ]] || die "$NOTE does not name a folder of this script"
  as_server "$PROGRAMS/pg_ctl" -D "$folder/data" -m fast -w -s stop || true
  rm -rf "$folder" "$NOTE"
}

case $1 in
  up | down) "$1" ;;
  *) die "usage: throwaway_postgres.sh up|down NOTE" ;;
esac
