#!/usr/bin/env bash
# Run once by the image, on an empty data folder: a role and a database for cryptos, another pair for Airflow. Neither role
# is a superuser, may make roles or databases, or sees the other's database.
set -euo pipefail
secrets=${SECRETS_DIR:-/run/secrets}

make() {
  local role=$1 password
  # The database's own pages tell who is there; only the hash of a password gets into them.
  password=$(<"$secrets/postgres_${role}_password")
  psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres <<SQL
SET password_encryption = 'scram-sha-256';
SET log_statement = 'none';
SET log_min_error_statement = 'panic';
CREATE ROLE $role LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD '$password';
CREATE DATABASE $role OWNER $role;
REVOKE ALL ON DATABASE $role FROM PUBLIC;
SQL
}
make cryptos
make airflow
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres \
  --command 'REVOKE ALL ON DATABASE postgres FROM PUBLIC'
