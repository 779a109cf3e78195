#!/usr/bin/env bash
# The demo: a network in a temporary folder, a hub and seven organisations as real processes, three of them with
# the system in which they work, and the story of docs/architecture.md from the capacity query to the first
# progress report.
#
# usage: demo.sh BUILD_FOLDER [--keep]
#   --keep  leaves the network running and prints how to go on by hand
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
BUILD=$(cd "${1:?usage: demo.sh BUILD_FOLDER [--keep]}" && pwd)
readonly HERE BUILD
readonly KEEP=${2:-}
if [[ -n $KEEP && $KEEP != --keep ]]; then
  echo "demo: unknown argument '$KEEP'; there is only --keep" >&2
  exit 2
fi
ROOT=$(mktemp -d "${TMPDIR:-/tmp}/waymark-demo.XXXXXX")
readonly ROOT
# shellcheck source=deploy/demo/output.sh
source "$HERE/output.sh"
# shellcheck source=deploy/demo/processes.sh
source "$HERE/processes.sh"
# shellcheck source=deploy/demo/network.sh
source "$HERE/network.sh"
# shellcheck source=deploy/demo/systems.sh
source "$HERE/systems.sh"
# shellcheck source=deploy/demo/story.sh
source "$HERE/story.sh"
# shellcheck source=deploy/demo/by_hand.sh
source "$HERE/by_hand.sh"

# end_everything: ends what this demo started, whatever it is doing, and removes its folder.
end_everything() {
  touch "$ROOT/ending"
  find_processes
  while ((${#PROCESSES[@]} > 0)); do
    end_processes "${PROCESSES[@]}"
    find_processes
  done
  wait
  rm -rf "$ROOT" "$REGISTER"
}

# finish: the last that runs, whatever ends the demo. `set -e` must not end it half-way.
finish() {
  local status=$?
  set +e
  trap '' INT TERM HUP
  trap - EXIT
  if [[ $status == 0 && $KEEP == --keep ]]; then return; fi
  end_everything
  case $status in
    0) ;;
    129 | 130 | 143) echo "demo: stopped; its processes have ended and its folder is gone." ;;
    *) echo "demo: stopped by the error above; its processes have ended and its folder is gone." ;;
  esac >&"$COMPLAINTS"
  exit "$status"
}

trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

mkdir "$ROOT/bin"
ln -s "$BUILD/client/waymark-node" "$BUILD/client/cli/waymark" "$BUILD/server/waymark-hub" "$ROOT/bin"
export PATH=$ROOT/bin:$PATH

title "A network is set up"
start_systems
create_network
start_hub
join_first
tell_story
title "Done in $SECONDS seconds"
how_to_go_on
