#!/usr/bin/env bash
# The demo: a network in a temporary folder, a hub and six organisations as real processes, and the
# story of docs/architecture.md from the capacity query to the first progress report.
#
# usage: demo.sh BUILD_FOLDER [--keep]
#   --keep  leaves the network running and prints how to go on by hand
set -euo pipefail

readonly HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly BUILD=$(cd "${1:?usage: demo.sh BUILD_FOLDER [--keep]}" && pwd)
KEEP=${2:-}
if [[ -n $KEEP && $KEEP != --keep ]]; then
  echo "demo: unknown argument '$KEEP'; there is only --keep" >&2
  exit 2
fi
export PATH=$BUILD/client:$BUILD/client/cli:$BUILD/server:$PATH
readonly ROOT=$(mktemp -d "${TMPDIR:-/tmp}/waymark-demo.XXXXXX")
readonly ORGANISATIONS="qso bwi bea lin stb cpl"
# shellcheck source=deploy/demo/network.sh
source "$HERE/network.sh"
# shellcheck source=deploy/demo/story.sh
source "$HERE/story.sh"

finish() {
  local status=$?
  trap - EXIT
  if [[ $status -ne 0 ]]; then
    echo "demo: stopped with an error. Logs: $ROOT/*.log" >&2
    stop_network
    exit "$status"
  fi
  if [[ $KEEP == --keep ]]; then
    how_to_go_on
  else
    stop_network
    rm -rf "$ROOT"
  fi
}
trap finish EXIT

started=$SECONDS
title "A network is set up"
create_network
start_hub
join_everyone
describe_services
tell_story
title "Done in $((SECONDS - started)) seconds"
