#!/usr/bin/env bash
# record.sh DOCUMENT PROGRAM [OPTION...]: runs the crash campaign on each of the hub's stores and, whatever the results,
# puts them in place of what stands in DOCUMENT under its last heading. Fails when one of them failed.
set -euo pipefail
readonly DOCUMENT=$1
shift

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
commit=$(git rev-parse --short HEAD)
[[ -z $(git status --porcelain) ]] || commit+=" with uncommitted changes"

status=0
for store in sqlite postgresql; do
  "$@" --store "$store" --report "$results/$store" || status=$?
  [[ -s $results/$store ]] || {
    echo "The campaign came to no result on $store; $DOCUMENT is as it was." >&2
    exit "$status"
  }
done

sed -i '/^## The last long run$/q' "$DOCUMENT"
cat >>"$DOCUMENT" <<TEXT

Written by \`./dev torture\` on $(date -u '+%Y-%m-%d %H:%M') UTC at commit $commit, on $(nproc) cores.

$(cat "$results/sqlite")

$(cat "$results/postgresql")
TEXT
exit "$status"
