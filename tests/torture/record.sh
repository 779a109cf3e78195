#!/usr/bin/env bash
# record.sh DOCUMENT PROGRAM [OPTION...]: runs the crash campaign in both its forms and, whatever their results, puts
# these in place of what stands in DOCUMENT under its last heading. The exit code is that of a form that failed.
set -euo pipefail
readonly DOCUMENT=$1
shift

results=$(mktemp -d)
trap 'rm -r "$results"' EXIT
commit=$(git rev-parse --short HEAD)
[[ -z $(git status --porcelain) ]] || commit+=" with uncommitted changes"

status=0
# First the one that needs more of the machine.
tests/torture/network_root.sh "$@" --store postgresql --network namespaces --report "$results/postgresql" || status=$?
"$@" --store sqlite --network proxy --report "$results/sqlite" || status=$?
[[ -s $results/postgresql && -s $results/sqlite ]] || {
  echo "The campaign came to no result; $DOCUMENT is as it was." >&2
  exit "$((status == 0 ? 1 : status))"
}

sed -i '/^## The last long run$/q' "$DOCUMENT"
cat >>"$DOCUMENT" <<TEXT

Written by \`./dev torture\` on $(date -u '+%Y-%m-%d %H:%M') UTC at commit $commit, on $(nproc) cores.

### Over PostgreSQL, in network namespaces

$(cat "$results/postgresql")

### Over SQLite, behind proxies

$(cat "$results/sqlite")
TEXT
exit "$status"
