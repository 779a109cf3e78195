# Ending what the demo started, and nothing else; sourced by demo.sh, and part of the `end` script that
# --keep leaves behind. Works with what every Debian has: /proc, and no ps.

# Nothing here runs in a subshell: a machine may have hundreds of processes, and a fork takes milliseconds.

# stat_of PID: sets STATE, PARENT and START of the process, from its line in /proc.
stat_of() {
  local line fields
  read -r line 2>/dev/null <"/proc/$1/stat" || return 1
  # The name of the program stands in brackets and may hold anything.
  read -ra fields <<<"${line##*) }"
  STATE=${fields[0]} PARENT=${fields[1]} START=${fields[19]}
}

# name_process PID: sets PROCESS to PID:START, which names a process also after its number was used again.
name_process() {
  local STATE PARENT START
  stat_of "$1" && [[ $STATE != Z ]] && PROCESS=$1:$START
}

still_runs() {
  local PROCESS
  name_process "${1%:*}" && [[ $PROCESS == "$1" ]]
}

# find_processes: sets PROCESSES to what this demo started and still runs: what is under its process, and what has
# the demo's own programs on its PATH, for a program whose parent has gone is under it no more.
find_processes() {
  local folder pid parent STATE PARENT START PROCESS
  local -A parent_of=() found=()
  for folder in /proc/[0-9]*; do
    if stat_of "${folder#/proc/}"; then parent_of[${folder#/proc/}]=$PARENT; fi
  done
  for pid in "${!parent_of[@]}"; do
    parent=${parent_of[$pid]}
    while [[ -n ${parent_of[$parent]:-} && $parent != "$$" ]]; do parent=${parent_of[$parent]}; done
    if [[ $parent == "$$" ]]; then found[$pid]=1; fi
  done
  for folder in $(grep -lsF "PATH=$ROOT/bin:" /proc/[0-9]*/environ); do
    folder=${folder%/environ}
    found[${folder#/proc/}]=1
  done
  PROCESSES=()
  for pid in "${!found[@]}"; do
    if name_process "$pid"; then PROCESSES+=("$PROCESS"); fi
  done
}

# end_processes PID:START...: asks each to end, and returns when all have. Who does not within 15 s is killed.
end_processes() {
  local process deadline=$((SECONDS + 15)) left
  for process in "$@"; do
    if still_runs "$process"; then kill "${process%:*}" 2>/dev/null || true; fi
  done
  while true; do
    left=()
    for process in "$@"; do
      if still_runs "$process"; then left+=("$process"); fi
    done
    # With its status: in a trap, a bare `return` gives what went before the trap.
    if ((${#left[@]} == 0)); then return 0; fi
    if ((SECONDS >= deadline)); then
      for process in "${left[@]}"; do kill -KILL "${process%:*}" 2>/dev/null || true; done
    fi
    sleep 0.05
  done
}
