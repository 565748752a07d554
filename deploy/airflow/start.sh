#!/usr/bin/env bash
# Starts one part of Airflow: start.sh init | api-server | scheduler | dag-processor | triggerer
# Secrets come as files. They go into files that the user of this container alone can read, in memory, and into no environment:
# what a task starts inherits that.
set -euo pipefail
umask 077
secrets=${SECRETS_DIR:-/run/secrets}
private=${PRIVATE_DIR:-/run/cryptos}
: "${AIRFLOW_HOME:?}" "${AIRFLOW_DATABASE:=postgres:5432/airflow}"

mkdir -p "$AIRFLOW_HOME"
for file in "$secrets"/*; do
  copy=$private/${file##*/}
  rm -f "$copy"
  cp "$file" "$copy"
  chmod 400 "$copy"
done
secret() { cat "$private/$1"; }

# Fernet wants 32 bytes in base64 for URLs, a token's key 64 bytes or more.
fernet=$(secret airflow_fernet_key | head -c 32 | base64 | tr '+/' '-_')
jwt=$(secret airflow_jwt_secret | sha512sum)
cat >"$AIRFLOW_HOME/airflow.cfg" <<CONFIG
[core]
fernet_key = $fernet
simple_auth_manager_users = admin:admin,viewer:viewer
simple_auth_manager_passwords_file = $AIRFLOW_HOME/passwords.json
[database]
sql_alchemy_conn = postgresql+psycopg2://airflow:$(secret postgres_airflow_password)@$AIRFLOW_DATABASE
[api]
secret_key = $(secret airflow_api_secret)
[api_auth]
jwt_secret = ${jwt%% *}
CONFIG
printf '{"admin":"%s","viewer":"%s"}\n' "$(secret airflow_admin_password)" "$(secret airflow_viewer_password)" \
  >"$AIRFLOW_HOME/passwords.json"

case ${1:?what shall be started} in
  init)
    airflow db migrate
    # A task whose pool does not exist is never run.
    exec airflow pools import "${AIRFLOW_POOLS:?}"
    ;;
  # Else they would serve logs too; those lie in a volume that all share.
  scheduler | triggerer) exec airflow "$1" --skip-serve-logs ;;
  *) exec airflow "$@" ;;
esac
