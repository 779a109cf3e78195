#!/usr/bin/env bash
# record.sh DOCUMENT PROGRAM [OPTION...]: runs the crash campaign and, whatever its result, puts it in place of
# what stands in DOCUMENT under its last heading. The exit code is the program's.
set -euo pipefail
readonly DOCUMENT=$1
shift

result=$(mktemp)
trap 'rm -f "$result"' EXIT
commit=$(git rev-parse --short HEAD)
[[ -z $(git status --porcelain) ]] || commit+=" with uncommitted changes"

status=0
"$@" --report "$result" || status=$?
[[ -s $result ]] || {
  echo "The campaign came to no result; $DOCUMENT is as it was." >&2
  exit "$status"
}

sed -i '/^## The last long run$/q' "$DOCUMENT"
cat >>"$DOCUMENT" <<TEXT

Written by \`./dev torture\` on $(date -u '+%Y-%m-%d %H:%M') UTC at commit $commit, on $(nproc) cores.

$(cat "$result")
TEXT
exit "$status"
