# What the demo shows, in lines of at most 100 characters; sourced by demo.sh.

readonly WIDTH=100

title() { printf '\n\033[1m%s\033[0m\n' "$*"; }
say() { if ((${#1} + 2 <= WIDTH)); then printf '  %s\n' "$1"; else fit "  " <<<"$1"; fi; }
indent() { fit "    "; }

# fit INDENT: wraps long lines, and goes on below the last column of a table.
fit() {
  awk -v width=$((WIDTH - ${#1})) -v indent="$1" '
    {
      line = $0
      column = 0
      rest = line
      while (match(rest, /  +[^ ]/)) {
        column += RSTART + RLENGTH - 2
        rest = substr(rest, RSTART + RLENGTH - 1)
      }
      while (length(line) > width) {
        cut = width + 1
        while (cut > column + 1 && substr(line, cut, 1) != " ") cut--
        if (cut <= column + 1) cut = width + 1
        head = substr(line, 1, cut - 1)
        sub(/ +$/, "", head)
        print indent head
        line = substr(line, cut)
        sub(/^ +/, "", line)
        line = sprintf("%" column "s", "") line
      }
      sub(/ +$/, "", line)
      print line == "" ? "" : indent line
    }'
}

# columns NAME|NAME...: keeps these columns of a table.
columns() {
  awk -v wanted="$1" '
    NR == 1 {
      count = split(wanted, names, "|")
      rest = $0
      offset = 0
      cells = 0
      while (rest != "") {
        gap = match(rest, /  +/)
        cell = gap ? substr(rest, 1, gap - 1) : rest
        start[++cells] = offset + 1
        name[cells] = cell
        if (!gap) break
        offset += gap + RLENGTH - 1
        rest = substr(rest, gap + RLENGTH)
      }
    }
    {
      out = ""
      for (i = 1; i <= count; i++) {
        for (c = 1; c <= cells; c++) {
          if (name[c] == names[i]) {
            out = out (c < cells ? substr($0, start[c], start[c + 1] - start[c]) : substr($0, start[c]))
          }
        }
      }
      print out
    }'
}

# values: of `waymark show` and `waymark preview`, the table of fields alone.
values() { awk '/^FIELD / && !done { inside = 1 } inside && /^$/ { inside = 0; done = 1 } inside { print }'; }

# failed STEP OUTPUT: says which step failed, and with what, unless the demo is being ended and so everything fails.
failed() {
  if [[ -e $ROOT/ending ]]; then return 0; fi
  printf '\ndemo: this step failed: %.200s\n%s\n' "$1" "$2" >&2
}

# What follows runs its command in this shell: where it is a function, a subshell would cost a fork, which takes
# milliseconds. So while it runs, this shell's output is redirected, also for a trap; COMPLAINTS is not.
exec {COMPLAINTS}>&2

# start LOG COMMAND...: runs it in the background, with its output in the log, which is there at once, and nothing of
# this shell's.
start() {
  : >"$1"
  "${@:2}" >"$1" 2>&1 {COMPLAINTS}>&- &
}

# capture COMMAND...: runs it and keeps in SHOWN what it prints; an error shows it.
capture() {
  local status=0 shown=$ROOT/shown.$BASHPID
  "$@" >"$shown" 2>&1 || status=$?
  SHOWN=$(<"$shown")
  if ((status == 0)); then return; fi
  failed "$*" "$SHOWN"
  return 1
}

# quietly COMMAND...: runs it, and prints what it says only when it fails.
quietly() {
  local SHOWN
  capture "$@"
}

# refused COMMAND...: shows that the program says no.
refused() {
  if SHOWN=$("$@" 2>&1); then
    failed "$*" "It was to be refused."
    return 1
  fi
  printf '%s\n' "$SHOWN" | indent
}

# What a command returns that until_true need not try again.
readonly HOPELESS=9

# A pipe into which nobody writes: waiting to read from it is to sleep, without a process that does.
exec {SILENCE}<> <(:)
pause() { read -rt "$1" -u "$SILENCE" || true; }

# until_true SECONDS COMMAND...: waits until the command succeeds.
until_true() {
  local deadline=$((SECONDS + $1)) tries=0 status said=$ROOT/said.$BASHPID
  shift
  while true; do
    status=0
    "$@" >"$said" 2>&1 || status=$?
    if ((status == 0)); then return 0; fi
    if ((SECONDS > deadline || status == HOPELESS)); then
      failed "waiting for: $*" "$(<"$said")"
      return 1
    fi
    # Often at first; who takes longer needs the processor that asking takes.
    if ((++tries < 5)); then pause 0.05; else pause 0.2; fi
  done
}
