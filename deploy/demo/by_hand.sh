# How to go on by hand after the demo; sourced by demo.sh.

# block HEADING COMMAND...: commands to be pasted together.
block() {
  printf '\n  %s\n' "$1"
  shift
  printf '    %s\n' "$@"
}

# speak_for ORGANISATION SESSION: what makes `waymark` speak for it.
speak_for() {
  printf 'export PATH=%s/bin:$PATH\n' "$ROOT"
  printf 'export WAYMARK_SOCKET=%s/%s/node.sock\n' "$ROOT" "$1"
  printf 'export WAYMARK_SESSION=%s/%s/%s\n' "$ROOT" "$1" "$2"
}

# write_end_script: the script `end` of the demo's folder.
write_end_script() {
  local PROCESSES
  find_processes
  {
    echo '#!/usr/bin/env bash'
    echo "# Ends the demo's processes, waits for them, and removes the demo's folder."
    echo 'set -euo pipefail'
    declare -f stat_of name_process still_runs end_processes
    echo 'main() {'
    echo "  end_processes ${PROCESSES[*]}"
    printf '  rm -rf %q %q\n' "$ROOT" "$REGISTER"
    echo "  echo 'The demo has ended; its folder is gone.'"
    echo '}'
    echo 'main; exit'
  } >"$ROOT/end"
  chmod 700 "$ROOT/end"
}

how_to_go_on() {
  if [[ $KEEP == --keep ]]; then
    write_end_script
    title "The network is still running. Go on by hand: paste one block at a time"
    commands_by_role
    block "End it, and remove its folder:" "$ROOT/end"
  else
    title "Go on by hand"
    block "The same again, but the network stays, and what to paste is printed in full:" "./dev demo --keep"
    commands_by_role | sed -e '/^    export/d' -e "s|$ROOT|FOLDER|g" -e "s|${LINDEN:0:8}|REFERRAL|g"
  fi
}

commands_by_role() {
  local case_lines partner_lines admin_lines
  mapfile -t case_lines < <(speak_for qso session)
  mapfile -t partner_lines < <(speak_for lin session)
  mapfile -t admin_lines < <(speak_for lin session.admin)
  block "A caseworker of Quayside Outreach, who can also take everything back for her:" \
    "${case_lines[@]}" "waymark sent --all" "waymark show ${LINDEN:0:8}" \
    "waymark disclosures $CASE" "waymark withdraw --case $CASE"
  block "A partner, Linden House (after a withdrawal, its node has erased what it held):" \
    "${partner_lines[@]}" "waymark inbox --all" "waymark show ${LINDEN:0:8}"
  block "An administrator of Linden House:" \
    "${admin_lines[@]}" "waymark login admin --passphrase-file $ROOT/lin/passphrase" \
    "waymark staff put deputy --role caseworker --unit lin.family \\" \
    "  --passphrase-file $ROOT/lin/passphrase" \
    "waymark local list --all" "waymark status"
  block "The bed register in which Linden House works; leaving frees her room for everyone:" \
    "psql --host $REGISTER --username house beds --command 'SELECT * FROM beds'" \
    "psql --host $REGISTER --username house beds --command \"UPDATE stays SET step = 'left'\""
  block "The registry operator, and what the hub's disk tells:" \
    "export PATH=$ROOT/bin:\$PATH" "export WAYMARK_REGISTRY=$ROOT/registry" "waymark registry requests" \
    "waymark registry suspend bea" "waymark registry reinstate bea" \
    "waymark-hub inspect --data $ROOT/hub"
}
