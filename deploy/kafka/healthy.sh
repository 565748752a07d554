#!/usr/bin/env bash
# Whether the broker answers ApiVersions, which needs no login. A broker that is not yet part of its cluster does not answer.
set -euo pipefail
exec 3<>"/dev/tcp/${1:-127.0.0.1}/${2:-9092}"
# 10 bytes: api 18, version 0, correlation 1, no client id.
printf '\x00\x00\x00\x0a\x00\x12\x00\x00\x00\x00\x00\x01\xff\xff' >&3
# Behind the length: correlation 1, error 0.
[ "$(head -c 10 <&3 | od -An -v -tx1 | tr -d ' \n' | cut -c 9-)" = 000000010000 ]
