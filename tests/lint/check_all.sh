#!/usr/bin/env bash
# check_all.sh REPORT STEP...: runs each step as `./dev STEP` and writes REPORT: date, commit, and the result
# and duration of every step. All steps run, whichever fail; the exit code tells whether all passed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
readonly REPORT=$1
shift

commit=$(git rev-parse --short HEAD)
[[ -z $(git status --porcelain) ]] || commit+=" with uncommitted changes"

rows='' failed=0
for step in "$@"; do
  echo "=== ./dev $step"
  start=$SECONDS
  # shellcheck disable=SC2086 # a step is a command with its arguments
  if ./dev $step; then
    result=passed
  else
    result=FAILED
    failed=1
  fi
  rows+="| \`./dev $step\` | $result | $((SECONDS - start)) s |"$'\n'
done

cat >"$REPORT" <<REPORT
# The last full check

Written by \`./dev check-all\`; do not edit.

- date: $(date -u '+%Y-%m-%d %H:%M') UTC
- commit: $commit
- machine: $(nproc) cores, $(sed -n 's/^PRETTY_NAME="\(.*\)"$/\1/p' /etc/os-release)

| step | result | duration |
|---|---|---|
$rows
REPORT
cat "$REPORT"
exit "$failed"
