#!/bin/sh
# Installs what the tests need and the machine lacks: PostgreSQL, systemd-analyze, RabbitMQ 4, Chromium, Firefox, Mosquitto, curl, dbus-daemon, libnotify,
# Node.js with npm, and the npm packages by their lock files; with the argument "long" what the whole of tests/interop needs as
# well: RabbitMQ 3, npm packages; with "database" the first two alone; with "cluster" that and RabbitMQ 4.
# Does nothing where all is there.
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
update() { # once
	if [ -z "$updated" ]; then
		as_root apt-get update -qq
		updated=yes
	fi
}

install() { # install PACKAGE...
	if ! have apt-get; then
		echo "deps: $* is missing and this system has no apt-get: install it by hand, then run again" >&2
		exit 1
	fi
	update
	echo "deps: installing $*"
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# Packages of servers would start them: the tests start servers of their own, so what may start
# one is told not to while they are installed.
servers() { # servers PACKAGE...
	policy=/usr/sbin/policy-rc.d
	ours=
	if [ ! -e "$policy" ]; then
		ours=yes
		printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
		as_root chmod 755 "$policy"
		trap 'as_root rm -f "$policy"' EXIT
	fi
	install "$@"
	if [ -n "$ours" ]; then
		as_root rm -f "$policy"
		trap - EXIT
	fi
}

# PostgreSQL: Debian keeps its programs out of PATH.
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || have initdb || servers postgresql
[ "$(uname)" != Linux ] || have systemd-analyze || install systemd # which looks at the unit in deploy/
[ "${1:-}" != database ] || exit 0

mirror() { # where this Debian's packages are from
	apt-get indextargets --format '$(ORIGIN) $(COMPONENT) $(SITE)' "Codename: $(. /etc/os-release && echo "${VERSION_CODENAME:-}")" |
		sed -n 's/^Debian main //p' | head -n 1
}

# A root of Debian 13 with RabbitMQ 4.x for tests/cluster, which runs nodes in it by chroot:
# older systems have RabbitMQ 3.x. The packages are only unpacked, so what their scripts would
# have made is made here.
cluster() {
	suite=trixie
	list=rabbitmq-server,ca-certificates,base-files,coreutils,dash,grep,libc-bin,netbase,sed
	root=.cache/rabbitmq
	[ "$(cat $root/.made 2>/dev/null)" != "$suite $list" ] || return 0
	have mmdebstrap || install mmdebstrap
	[ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || install debian-archive-keyring
	# From where this system has its own packages, where it is a Debian; its lists tell, which an image may lack.
	mirror=$(mirror)
	if [ -z "$mirror" ]; then
		update
		mirror=$(mirror)
	fi
	eval "$(apt-config shell proxy Acquire::http::Proxy)"
	echo "deps: unpacking RabbitMQ of Debian 13 into $root/"
	mkdir -p .cache
	new=$(mktemp -d "$PWD/.cache/rabbitmq.XXXXXX")
	as_root mmdebstrap --quiet --variant=extract --include="$list" \
		${proxy:+--aptopt="Acquire::http::Proxy \"$proxy\""} $suite "$new" ${mirror:+"$mirror"}
	as_root sh -eu -c '
		cd "$1"
		mkdir -p proc dev node
		printf "127.0.0.1 localhost\n" >etc/hosts
		printf "root:x:0:0:root:/node:/bin/sh\n" >etc/passwd
		cat usr/share/ca-certificates/mozilla/*.crt >etc/ssl/certs/ca-certificates.crt
		chmod 755 .
		printf "%s\n" "$2" >.made
	' sh "$new" "$suite $list"
	as_root rm -rf $root
	mv "$new" $root
}

if [ "${1:-}" = cluster ]; then
	cluster
	exit 0
fi

if [ -z "${CHROMIUM:-}" ] && ! have chromium && ! have chromium-browser && ! have google-chrome; then
	install chromium
fi
if [ -z "${FIREFOX:-}" ] && ! have firefox-esr && ! have firefox; then
	install firefox-esr
fi
have curl || install curl
have dbus-daemon || install dbus-daemon
ls /usr/lib/*/libnotify.so.4 >/dev/null 2>&1 || install libnotify4 # by which Firefox shows notifications
have node || install nodejs
have npm || install npm

# Vite asks for a newer Node.js than some systems have: npm has one, which the Makefile puts first.
if [ "$(node -p 'process.versions.node.split(".")[0]')" -lt 20 ]; then
	echo "deps: installing Node.js 22 into .cache/node/"
	npm install --silent --no-fund --no-audit --no-save --prefix .cache/node node@22.23.3
fi

# The brokers of tests/interop, of which its short form needs Mosquitto alone.
brokers=
have mosquitto || [ -x /usr/sbin/mosquitto ] || brokers="$brokers mosquitto"
if [ "${1:-}" = long ]; then
	[ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || brokers="$brokers rabbitmq-server"
fi
# shellcheck disable=SC2086
[ -z "$brokers" ] || servers $brokers

cluster

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
packages tests/bundlers
packages js/examples
packages bench
[ "${1:-}" != long ] || packages tests/interop
