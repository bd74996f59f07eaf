#!/bin/sh
# Runs every fuzz target of the module for the given time each (default 30s), and sums up.
set -eu
cd "$(dirname "$0")/.."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
sum=
for file in $(git ls-files '*_test.go'); do
	for target in $(sed -nE 's/^func (Fuzz[A-Za-z0-9_]*)\(.*/\1/p' "$file"); do
		echo "fuzz: $target in $(dirname "$file")"
		if ! go test -run '^$' -fuzz "^$target\$" -fuzztime "${1:-30s}" "./$(dirname "$file")" >"$log" 2>&1; then
			cat "$log"
			# On a busy machine go test may report the end of the time itself, in the middle of an
			# execution, as a failure. A finding comes with its input.
			if grep -q 'Failing input written' "$log" || ! grep -q '^ *context deadline exceeded$' "$log"; then
				exit 1
			fi
		fi
		execs=$(sed -nE 's/.*execs: ([0-9]+).*/\1/p' "$log" | tail -n 1)
		echo "fuzz: ${execs:-0} executions, nothing found"
		sum="$sum
$target	${execs:-0}"
	done
done
echo "fuzz: executions without a finding$sum"
