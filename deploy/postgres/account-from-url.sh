#!/usr/bin/env bash
# The start of PostgreSQL's container, and its health check: account and database are those that DB_CONNECTION_STRING
# names, so that the password is written down once.
set -euo pipefail

if [[ ! ${DB_CONNECTION_STRING:-} =~ ^postgres(ql)?://([^:@/]+):([^:@/]+)@[^/]+/([^/?]+) ]]; then
  echo 'DB_CONNECTION_STRING must be a URL like postgresql://username:password@db:5432/orderdb' >&2
  exit 1
fi
decoded() { printf '%b' "${1//%/\\x}"; }
POSTGRES_USER=$(decoded "${BASH_REMATCH[2]}")
POSTGRES_PASSWORD=$(decoded "${BASH_REMATCH[3]}")
POSTGRES_DB=$(decoded "${BASH_REMATCH[4]}")
export POSTGRES_USER POSTGRES_PASSWORD POSTGRES_DB
exec docker-entrypoint.sh "$@"
