#!/bin/sh
# Compose mounts a secret with the owner and mode that it has outside. cryptos reads only files that no other user can
# read, so each is copied into a memory file system of this container, for the user that runs it alone.
set -eu
umask 077
secrets=${SECRETS_DIR:-/run/secrets}
private=${PRIVATE_DIR:-/run/cryptos}
for file in "$secrets"/*; do
  if [ -f "$file" ]; then
    copy=$private/${file##*/}
    rm -f "$copy"
    cp "$file" "$copy"
    chmod 400 "$copy"
  fi
done
exec node "${CRYPTOS_HOME:-/app}/bin/cryptos.mjs" "$@"
