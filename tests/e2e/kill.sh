#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# kill -9 of `hv-compute apply` at 50 random points over the quickstart fleet, then apply again: the state is
# that of an undisturbed run, there is no orphan domain and no lost record.
. "$(dirname "$0")/../lib/e2e.sh"
. "$(dirname "$0")/../lib/kill.sh"

need_program hv-compute qemu
rounds=50
[ -z "${HYPERNIX_LONG-}" ] || rounds=200
fleet=$here/examples/fleet.json

# What must be equal after every recovery: names, states, every resolved value, what is left to do, and the
# domains that the hypervisor knows. UUIDs and times differ by nature.
state_of() {
	local unit
	hv list --json | python3 -c '
import json, sys
answer = json.load(sys.stdin)
for unit in sorted(answer["units"], key=lambda unit: unit["name"]):
    print(unit["name"], unit.get("status"), unit.get("pending"), unit.get("inconsistent"))'
	for unit in webserver api db-main db-replica report-batch web-test; do
		hv explain "$unit" --all
	done
	hv plan "$fleet" --exit-code
	echo "plan: exit status $?"
	"$here/tests/lib/virsh" "$machine" list --all --name | sort
	find "$machine/unit" -mindepth 1 -maxdepth 1 -type d | wc -l
}

fresh() { # a new state and root, with QEMU probed already
	rm -rf "$state" "$machine"
	mkdir -p "$machine"
	[ ! -d "$work/cache" ] || cp -a "$work/cache" "$machine/cache"
}

fresh
hv apply "$fleet" --yes >"$work/out" 2>&1 || {
	not_ok "undisturbed apply"
	sed 's/^/    /' "$work/out"
	finish
}
cp -a "$machine/cache" "$work/cache"
fresh
began=$(date +%s%N)
hv apply "$fleet" --yes >"$work/out" 2>&1
took=$((($(date +%s%N) - began) / 1000000))
state_of >"$work/expected" 2>&1
check "undisturbed: six domains" test "$("$here/tests/lib/virsh" "$machine" list --all --name | grep -c .)" = 6
check "undisturbed: nothing left to do" grep -qx 'plan: exit status 0' "$work/expected"

bad=0 killed=0 aim=$took
for ((round = 1; round <= rounds; round++)); do
	fresh
	kill_on_its_way "$program" apply "$fleet" --yes
	if ! hv apply "$fleet" --yes >"$work/second" 2>&1; then
		not_ok "round $round (seed $seed): killed after $after ms, the next apply failed"
		sed 's/^/    /' "$work/second" | head -n 20
		bad=$((bad + 1))
		continue
	fi
	state_of >"$work/got" 2>&1
	if ! cmp -s "$work/expected" "$work/got"; then
		not_ok "round $round (seed $seed): killed after $after ms, another state"
		diff "$work/expected" "$work/got" | head -n 20 | sed 's/^/    /'
		bad=$((bad + 1))
	fi
done
[ "$bad" -gt 0 ] || ok "kill -9 at $rounds random points of about $took ms ($killed hit), apply again: the same state"
check "most kills hit a running apply" test "$killed" -gt $((rounds / 2))
finish
