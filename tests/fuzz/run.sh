#!/usr/bin/env bash
# run.sh BUILD_DIR SECONDS: runs each libFuzzer target of BUILD_DIR/tests/fuzz (programs named *_fuzz) for
# SECONDS from its corpus, tests/fuzz/corpus/NAME for the target NAME_fuzz. New inputs stay in BUILD_DIR; an
# input that breaks a target is kept there too, and its path is printed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
readonly BUILD=$1 SECONDS_EACH=$2

mapfile -t targets < <(find "$BUILD/tests/fuzz" -maxdepth 1 -name '*_fuzz' -type f -perm -u+x 2>/dev/null | sort)
if ((${#targets[@]} == 0)); then
  echo "There is no fuzz target in $BUILD/tests/fuzz." >&2
  exit 1
fi

broken=()
for target in "${targets[@]}"; do
  name=$(basename "$target" _fuzz)
  corpus=tests/fuzz/corpus/$name found=$BUILD/fuzz/$name
  if [[ ! -d $corpus ]]; then
    echo "$name: its corpus $corpus is missing." >&2
    exit 1
  fi
  mkdir -p "$found/corpus"
  echo "== fuzz $name for $SECONDS_EACH s"
  "$target" -max_total_time="$SECONDS_EACH" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 \
    -artifact_prefix="$found/" "$found/corpus" "$corpus" || broken+=("$name")
done

if ((${#broken[@]} > 0)); then
  echo "Findings in: ${broken[*]}. The inputs are in $BUILD/fuzz; once mended, add them to tests/fuzz/corpus." >&2
  exit 1
fi
echo "== fuzz: ${#targets[@]} targets, no finding"
