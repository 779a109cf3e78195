#!/usr/bin/env bash
# tidy_one.sh BUILD_DIR SOURCE: clang-tidy on one source; exit code 1 with a finding.
#
# A source that passed is not looked at again while it, all that it includes, the checks and clang-tidy are the
# same: a mark under the hash of these lies in WAYMARK_TIDY_CACHE (else ~/.cache/waymark-tidy). Findings leave none.
set -euo pipefail
readonly BUILD=$1 SOURCE=$2 CACHE=${WAYMARK_TIDY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/waymark-tidy}

# The compiler's command line of the source, ready to preprocess it: comments stay, for they silence findings.
command=$(sed -n "/\"command\": .* -c ${PWD//\//\\/}\/${SOURCE//\//\\/}\"/{s/^ *\"command\": \"//;s/ -o [^ ]* -c / -E -P -C /;s/\",\$//;s/\\\\\"/\"/g;p;q}" \
  "$BUILD/compile_commands.json")
key=$(
  {
    clang-tidy --version
    cat .clang-tidy tests/lint/tidy_one.sh
    echo "${command//$PWD/}"
    eval "$command"
  } | sha256sum | cut -d ' ' -f 1
)
if [[ -e $CACHE/$key ]]; then exit; fi

# The commands are g++'s, with warning options that clang does not have. It counts the warnings of third-party
# headers, which it does not show. The analyzer looks into calls only shallowly: deeply, it takes most of an hour
# for the tree, and the sanitizers see more. A unity file includes its sources, which are looked at as it is.
to_clang() { printf -- '--extra-arg=-Xclang\n--extra-arg=%s\n' "$@"; }
mapfile -t analyzer < <(to_clang -analyzer-config mode=shallow)
if [[ $SOURCE == */Unity/* ]]; then
  mapfile -t -O "${#analyzer[@]}" analyzer < <(to_clang -analyzer-opt-analyze-headers)
  analyzer+=(--checks=-bugprone-suspicious-include '--header-filter=/(base|server|client|tests)/[^.]*\.(h|cc)$')
fi
clang-tidy -p "$BUILD" --quiet --extra-arg=-Wno-unknown-warning-option "${analyzer[@]}" "$SOURCE" 2>&1 |
  { grep -vE '^[0-9]+ warnings? (generated|treated as errors?)' || true; }
mkdir -p "$CACHE"
: >"$CACHE/$key"
