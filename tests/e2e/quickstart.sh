#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The quickstart that the README sends people to, twice: the second run finds the first one's leavings.
. "$(dirname "$0")/../lib/e2e.sh"
need_guest

for turn in first second; do
	HYPERNIX_BUILDS=$(dirname "$build") HYPERNIX_GUEST=$guest "$here/examples/quickstart.sh" >"$work/$turn" 2>&1
	if [ "$(tail -n 1 "$work/$turn")" = 'quickstart: OK' ]; then
		ok "quickstart, $turn run"
	else
		not_ok "quickstart, $turn run"
		tail -n 40 "$work/$turn" | sed 's/^/    /'
	fi
done
check "the conflict names key, both values and both places" \
	grep -qE "conflict in unit 'db-main': backup.schedule" "$work/first"
check "the explanation names every loser" \
	sh -c "grep -qE 'lost +600 +policy:web-tier' '$work/first' && grep -qE 'lost +1200' '$work/first' && grep -qE 'lost +1500 +schema' '$work/first'"
check "it says how long each step took" grep -qE '^ *[0-9]+\.[0-9] s  boot two units$' "$work/first"
finish
