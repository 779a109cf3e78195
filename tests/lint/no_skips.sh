#!/usr/bin/env bash
# no_skips.sh CTEST_LOG TEST_OUTPUT: fails when a test did not run.
# A test that finds its server or tool missing must fail, not pass by doing nothing.
set -euo pipefail

# ctest's own word for it; then GoogleTest's skipped and disabled tests; then node's test runner.
readonly PATTERNS='did not run:|\[  SKIPPED \]|[0-9]+ DISABLED TESTS?|^(#|ℹ) (skipped|todo) [1-9]'

if grep -nE "$PATTERNS" "$@"; then
  echo "The tests above did not run. A test whose server or tool is missing must fail." >&2
  exit 1
fi
