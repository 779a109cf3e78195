#!/usr/bin/env bash
# schema.sh PROTO_DIR IMAGE: holds the schema against its style (buf.yaml) and against the schema last
# landed: what was written with IMAGE must stay readable. `./dev schema-image` renews IMAGE at a landing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
readonly PROTO_DIR=$1 IMAGE=$2
readonly BUF=tests/node_modules/.bin/buf

"$BUF" lint "$PROTO_DIR"
if [[ ! -s $IMAGE ]]; then
  echo "$IMAGE, the schema last landed, is missing: restore it, or make it with ./dev schema-image." >&2
  exit 1
fi
"$BUF" breaking "$PROTO_DIR" --against "$IMAGE"
