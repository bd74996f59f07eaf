#!/bin/sh
# Installs what the tests need and the machine lacks: Chromium, curl, Node.js with npm,
# and the npm packages by their lock file. Does nothing where all is there.
set -eu
cd "$(dirname "$0")/.."

have() { command -v "$1" >/dev/null 2>&1; }

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif have sudo; then
		sudo "$@"
	else
		echo "deps: root is needed for: $*" >&2
		return 1
	fi
}

updated=
install() { # install PACKAGE... FOR WHAT
	if ! have apt-get; then
		echo "deps: $* is missing and this system has no apt-get: install it by hand, then run again" >&2
		exit 1
	fi
	if [ -z "$updated" ]; then
		as_root apt-get update -qq
		updated=yes
	fi
	echo "deps: installing $*"
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

if [ -z "${CHROMIUM:-}" ] && ! have chromium && ! have chromium-browser && ! have google-chrome; then
	install chromium
fi
have curl || install curl
have node || install nodejs
have npm || install npm

packages() { # packages DIR: what its lock file names, unless that is there
	lock=$1/package-lock.json
	stamp=$1/node_modules/.installed
	if [ ! -f "$stamp" ] || ! cmp -s "$lock" "$stamp"; then
		echo "deps: installing the npm packages of $1/"
		(cd "$1" && npm ci --silent --no-fund --no-audit)
		cp "$lock" "$stamp"
	fi
}

packages js
packages tests/sdk
packages bench
