#!/usr/bin/env bash
# Who may do what: acls.sh BROKER, for example acls.sh kafka:9092. May run again. What is not allowed here is refused, and only
# `admin` may make topics or look after the cluster.
#
#   collector  writes the topics of what was collected; `cryptos collect`, `backfill` and `publish` of a scheduler
#   consumer   reads those and the judgements, each store as a group of its own; writes dead letters; `cryptos process`
#   up         both, and judges: writes what it found, reads as the group `judge`; reads dead letters; `cryptos up`, Airflow's tasks
#   ui         reads and describes
set -euo pipefail
umask 077
broker=${1:?acls.sh BROKER: say where the broker is, for example kafka:9092}
bin=${KAFKA_BIN:-/opt/kafka/bin}
secrets=${SECRETS_DIR:-/run/secrets}
work=${KAFKA_WORK_DIR:-/tmp/kafka}
mkdir -p "$work"
{
  echo 'security.protocol=SASL_PLAINTEXT'
  echo 'sasl.mechanism=SCRAM-SHA-512'
  echo "sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \
username=\"admin\" password=\"$(cat "$secrets/kafka_admin_password")\";"
} >"$work/admin.properties"

collected='market.quotes.v1 market.metrics.v1 source.events.v1 quota.events.v1'
judged='market.consensus.v1'
dead='dead-letter.v1'

allow() { # arguments of kafka-acls.sh
  "$bin/kafka-acls.sh" --bootstrap-server "$broker" --command-config "$work/admin.properties" --add "$@" >/dev/null
}
topics() { # names; live ones, and those of simulated data
  for name in "$@"; do printf -- '--topic %s --topic sandbox.%s ' "$name" "$name"; done
}

# shellcheck disable=SC2046,SC2086 # each name is an argument of its own
{
  allow --allow-principal User:collector --allow-principal User:up \
    --operation Write --operation Describe --operation DescribeConfigs $(topics $collected $dead)
  allow --allow-principal User:up \
    --operation Write --operation Describe --operation DescribeConfigs $(topics $judged)
  allow --allow-principal User:consumer --allow-principal User:up \
    --operation Read --operation Describe --operation DescribeConfigs $(topics $collected $judged)
  allow --allow-principal User:consumer \
    --operation Write --operation Describe --operation DescribeConfigs $(topics $dead)
  # `cryptos dlq` of Airflow's tasks. It reads without a group, so no group is needed.
  allow --allow-principal User:up --operation Read $(topics $dead)
  allow --allow-principal User:ui --operation Read --operation Describe --operation DescribeConfigs \
    $(topics $collected $judged $dead)
  allow --allow-principal User:consumer --allow-principal User:up --resource-pattern-type prefixed \
    --operation Read --operation Describe --group sink. --group sandbox.sink.
  allow --allow-principal User:up --operation Read --operation Describe --group judge --group sandbox.judge
  allow --allow-principal User:ui --operation Describe --operation DescribeConfigs --group '*' --cluster
}
rm -f "$work/admin.properties"
echo 'Kafka has its rules.'
