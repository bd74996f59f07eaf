#!/bin/sh
# Installs what the benchmarks need beside the tests' own: the clients, by their lock
# file, and mosquitto. Does nothing where all is there.
set -eu
cd "$(dirname "$0")"

stamp=node_modules/.installed
if [ ! -f "$stamp" ] || ! cmp -s package-lock.json "$stamp"; then
	echo "deps: installing the npm packages of bench/"
	npm ci --silent --no-fund --no-audit
	cp package-lock.json "$stamp"
fi

PATH=$PATH:/usr/sbin
if [ "${1:-}" = "--brokers" ] && ! command -v mosquitto >/dev/null 2>&1; then
	as_root=
	[ "$(id -u)" = 0 ] || as_root=sudo
	echo "deps: installing mosquitto"
	$as_root apt-get update -qq
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mosquitto >/dev/null
fi
