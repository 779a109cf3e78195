#!/usr/bin/env bash
# network_root.sh PROGRAM [ARGUMENT...]: becomes a program with root's rights over the networks that it makes
# (namespace_network.h). Who is not root has them in a user namespace, which Debian allows everybody.
set -euo pipefail
((EUID == 0)) || exec unshare --user --map-current-user --keep-caps "$@"
exec "$@"
