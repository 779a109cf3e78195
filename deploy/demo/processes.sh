# Ending what the demo started, and nothing else; sourced by demo.sh, and part of the `end` script that
# --keep leaves behind. Works with what every Debian has: /proc, and no ps.

# stat_of PID: prints "state parent start" of the process, from its line in /proc.
stat_of() {
  local line fields
  read -r line 2>/dev/null <"/proc/$1/stat" || return 1
  # The name of the program stands in brackets and may hold anything.
  read -ra fields <<<"${line##*) }"
  echo "${fields[0]} ${fields[1]} ${fields[19]}"
}

# name_process PID: prints PID:START, which names a process also after its number was used again.
name_process() {
  local state parent start
  read -r state parent start < <(stat_of "$1") || return 1
  [[ $state != Z ]] && echo "$1:$start"
}

still_runs() { [[ $(name_process "${1%:*}") == "$1" ]]; }

# descendants PID: names the processes under it, among them the subshells in which this is asked.
descendants() {
  local folder pid state parent start
  local -A parent_of=()
  for folder in /proc/[0-9]*; do
    pid=${folder#/proc/}
    if read -r state parent start < <(stat_of "$pid"); then parent_of[$pid]=$parent; fi
  done
  for pid in "${!parent_of[@]}"; do
    parent=${parent_of[$pid]}
    while [[ -n ${parent_of[$parent]:-} && $parent != "$1" ]]; do parent=${parent_of[$parent]}; done
    if [[ $parent == "$1" ]]; then name_process "$pid" || true; fi
  done
}

# find_processes: sets PROCESSES to what this demo started and still runs. A program whose parent has gone is no
# descendant any more; that the demo's own programs are on its PATH tells it.
find_processes() {
  local process file
  PROCESSES=()
  while read -r process; do
    if still_runs "$process"; then PROCESSES+=("$process"); fi
  done <<<"$(
    descendants $$
    for file in $(grep -lsF "PATH=$ROOT/bin:" /proc/[0-9]*/environ); do
      file=${file#/proc/}
      name_process "${file%/environ}" || true
    done
  )"
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
