#!/bin/sh
# Webserver and daemon of one container: when one ends, the other ends too. $1: address.
set -eu
csp prepare
export DAGSTER_HOME="${DAGSTER_HOME:-$CSP_HOME/dagster}"
dagster-daemon run --workspace workspace.yaml &
daemon=$!
dagster-webserver --host "${1:-127.0.0.1}" --port 3000 --workspace workspace.yaml &
web=$!
trap 'kill $daemon $web 2>/dev/null' EXIT INT TERM
while kill -0 $daemon 2>/dev/null && kill -0 $web 2>/dev/null; do sleep 5 & wait $!; done
exit 1
