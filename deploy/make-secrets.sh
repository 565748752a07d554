#!/bin/sh
# Makes one file with a random password for each user of docker-compose.yml: sh deploy/make-secrets.sh FOLDER
# What is already there is left alone, so that a second run adds what is missing. Nothing is printed.
set -eu
folder=${1:?sh deploy/make-secrets.sh FOLDER: say where the secret files shall be, outside of the clone}
umask 077
mkdir -p "$folder"
chmod 700 "$folder"
for name in \
  kafka_admin_password kafka_collector_password kafka_consumer_password kafka_up_password kafka_ui_password \
  cassandra_admin_password cassandra_cryptos_password cassandra_grafana_password \
  influxdb_admin_password influxdb_cryptos_password influxdb_grafana_password \
  postgres_admin_password postgres_cryptos_password postgres_airflow_password \
  airflow_admin_password airflow_viewer_password airflow_fernet_key airflow_jwt_secret airflow_api_secret \
  grafana_admin_password kafka_ui_login_password cryptos_token; do
  [ -s "$folder/$name" ] && continue
  # 40 letters and digits are 238 bits, and need no quoting in any of the servers' languages.
  head -c 4096 /dev/urandom | LC_ALL=C tr -dc 'A-Za-z0-9' | head -c 40 >"$folder/$name"
  # Each image runs as a user of its own and must read its file. Others of this machine can not: the folder is closed.
  chmod 444 "$folder/$name"
done
