#!/usr/bin/env bash
# Whether the node answers OPTIONS with SUPPORTED, which needs no login: an open port is not enough.
set -euo pipefail
exec 3<>"/dev/tcp/${1:-127.0.0.1}/${2:-9042}"
printf '\x04\x00\x00\x00\x05\x00\x00\x00\x00' >&3
[ "$(head -c 5 <&3 | od -An -v -tx1 | tr -d ' \n' | cut -c 9-)" = 06 ]
