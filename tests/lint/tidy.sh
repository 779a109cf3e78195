#!/usr/bin/env bash
# tidy.sh BUILD_DIR [--all]: clang-tidy on the sources that changed, or on all of them.
#
# Changed is what differs from the merge base with origin/main, or, on main itself, from eight commits ago;
# WAYMARK_LINT_BASE names another commit. A changed header counts through the source that belongs to it, or
# else through the first source that includes it. BUILD_DIR is configured, for --all with unity files, of which each
# stands for its sources; only its generated files are built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
readonly BUILD=$1 SCOPE=${2:-changed}

# The commit to compare with; empty when history is too short, which means everything.
base_commit() {
  if [[ -n ${WAYMARK_LINT_BASE:-} ]]; then
    git rev-parse --verify "$WAYMARK_LINT_BASE^{commit}"
    return
  fi
  local base
  base=$(git merge-base origin/main HEAD 2>/dev/null || true)
  if [[ -n $base && $base != "$(git rev-parse HEAD)" ]]; then
    echo "$base"
  else
    git rev-parse --verify --quiet 'HEAD~8^{commit}' || true
  fi
}

all_sources() { git ls-files --cached --others --exclude-standard -- '*.cc'; }

changed_files() {
  git diff --name-only --diff-filter=d "$1" -- '*.cc' '*.h'
  git ls-files --others --exclude-standard -- '*.cc' '*.h'
}

# Prints the source through which clang-tidy sees the file; nothing if no source includes it.
source_of() {
  local file=$1
  if [[ $file == *.cc ]]; then
    echo "$file"
  elif [[ -f ${file%.h}.cc ]]; then
    echo "${file%.h}.cc"
  else
    # xargs fails where any of its calls finds nothing.
    { all_sources | xargs grep -lF "#include \"$file\"" || true; } | sed -n 1p
  fi
}

selected_sources() {
  local base
  base=$(base_commit)
  if [[ -z $base ]]; then
    all_sources
  else
    changed_files "$base" | while read -r file; do source_of "$file"; done
  fi
}

# Without the fuzz targets and whatever else this build does not compile.
compiled() {
  while read -r file; do
    if grep -qF "\"file\": \"$PWD/$file\"" "$BUILD/compile_commands.json"; then echo "$file"; fi
  done
}

mapfile -t generated < <(ninja -C "$BUILD" -t targets all | sed -nE 's/^([^/].*\.(h|cc|inc)): CUSTOM_COMMAND$/\1/p')
ninja -C "$BUILD" "${generated[@]}" >/dev/null

# What this build compiles, without what protoc generated.
compiled_units() {
  sed -nE "s|^ *\"file\": \"$PWD/(.*)\"\$|\1|p" "$BUILD/compile_commands.json" | grep -vE '^build/[^/]*/proto/|\.pb\.cc$'
}

if [[ $SCOPE == --all ]]; then
  mapfile -t sources < <(compiled_units)
else
  mapfile -t sources < <(selected_sources | sort -u | compiled)
fi
echo "clang-tidy on ${#sources[@]} sources"
((${#sources[@]} == 0)) && exit
printf '%s\n' "${sources[@]}" | xargs --max-args=1 --max-procs="$(nproc)" tests/lint/tidy_one.sh "$BUILD"
