#!/usr/bin/env bash
# check_all.sh REPORT STEP...: runs each step as `./dev STEP` and writes its result, duration, date and commit into
# REPORT, where the other steps keep the line that they have. All steps run, whichever fail; the record is written
# after each; the exit code tells whether all of these passed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
readonly REPORT=$1
shift

commit=$(git rev-parse --short HEAD)
[[ -z $(git status --porcelain -- ":!$REPORT") ]] || commit+=" with uncommitted changes"

# The line of each step, in order of the steps' first appearance.
declare -A line=()
order=()
note() {
  [[ -n ${line[$1]:-} ]] || order+=("$1")
  line[$1]=$2
}

if [[ -e $REPORT ]]; then
  while IFS= read -r row; do
    step=${row#*\`./dev }
    note "${step%%\`*}" "$row"
  done < <(grep '^| `./dev ' "$REPORT" || true)
fi

write_record() {
  {
    cat <<'HEAD'
# The last full check

Written by `./dev check-all`; do not edit. Each step has the line of its last run, on
HEAD
    printf '%s cores, %s.\n\n' "$(nproc)" "$(sed -n 's/^PRETTY_NAME="\(.*\)"$/\1/p' /etc/os-release)"
    printf '%s\n' '| step | result | duration | ended | commit |' '|---|---|---|---|---|'
    local each
    for each in "${order[@]}"; do printf '%s\n' "${line[$each]}"; done
  } >"$REPORT.new"
  mv "$REPORT.new" "$REPORT"
}

failed=0
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
  note "$step" "| \`./dev $step\` | $result | $((SECONDS - start)) s | $(date -u '+%Y-%m-%d %H:%M') UTC | $commit |"
  write_record
done
cat "$REPORT"
exit "$failed"
