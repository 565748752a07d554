#!/usr/bin/env bash
# Starts the broker with its logins. At the first start it formats the log with the users that must exist before anybody can log
# in. Passwords come from files and go into files that only this user can read, never onto a command line.
set -euo pipefail
umask 077
bin=${KAFKA_BIN:-/opt/kafka/bin}
properties=${KAFKA_PROPERTIES:-/etc/cryptos/kafka/server.properties}
secrets=${SECRETS_DIR:-/run/secrets}
work=${KAFKA_WORK_DIR:-/tmp/kafka}
mkdir -p "$work"

password() { cat "$secrets/kafka_$1_password"; }

login() { # listener mechanism module options
  echo "listener.name.$1.$2.sasl.jaas.config=org.apache.kafka.common.security.$3 required $4;"
}

admin=$(password admin)
module=scram.ScramLoginModule
{
  # Who comes from this machine must be told the port that is published there.
  sed "s|^advertised\.listeners=.*|&,HOST://127.0.0.1:${KAFKA_PORT:-9094}|" "$properties"
  for listener in clients host; do
    login "$listener" scram-sha-512 "$module" "username=\"admin\" password=\"$admin\""
  done
  login controller plain plain.PlainLoginModule \
    "username=\"admin\" password=\"$admin\" user_admin=\"$admin\""
} >"$work/server.properties"

data=$(sed -n 's/^log\.dirs=//p' "$properties")
if [ ! -f "$data/meta.properties" ]; then
  {
    printf '%s\n' format --cluster-id "$("$bin/kafka-storage.sh" random-uuid | tail -n 1)"
    printf '%s\n' --config "$work/server.properties"
    for user in admin collector consumer up ui; do
      printf '%s\n' --add-scram "SCRAM-SHA-512=[name=$user,password=$(password "$user")]"
    done
  } >"$work/format.args"
  "$bin/kafka-storage.sh" "@$work/format.args"
  rm -f "$work/format.args"
fi
exec "$bin/kafka-server-start.sh" "$work/server.properties"
