#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# kill -9 of hv-activate at 30 random points on its way between two generations, then run again: the state is
# that of an undisturbed run, there is no orphan, and the guest that both declare is never restarted.
. "$(dirname "$0")/../lib/e2e.sh"
need_guest

need_program hv-activate qemu
export HYPERNIX_CALIBRATION=reference:8
. "$(dirname "$0")/../lib/activate.sh"
. "$(dirname "$0")/../lib/kill.sh"

rounds=30
[ -z "${HYPERNIX_LONG-}" ] || rounds=150
cd "$work" || exit 1
off=', "autostart": false'
declare_units one.json "$(unit web '')" "$(unit db '')" "$(unit batch "$off")" "$(unit old "$off")"
declare_units two.json "$(unit web ', "compute.units": 400, "memory.max": "256Mi"')" \
	"$(unit batch "$off, \"compute.units\": 200")" "$(unit new "$off")"

# Units, values, definitions, processes. What has left the declaration is destroyed, so that each way has
# removals and creations.
state_of() {
	values
	(cd "$machine/etc/qemu" && ls -- *.xml)
	grep -ho "<memory unit='KiB'>[0-9]*" "$machine"/etc/qemu/*.xml
	echo "guests: $(guests_running | wc -l)"
	ls "$machine/unit" | wc -l
}
# go FILE: an activation that is not disturbed; 0 and 10 are well.
go() {
	hook "$1" --on-remove destroy
	case $? in 0 | 10) return 0 ;; *) return 1 ;; esac
}
# As the unit would run it, and as one process: that is the one to kill.
run_hook() {
	cd / && exec "$program" --config "$work/$1" --on-remove destroy <&-
}
must_go() {
	go "$1" && return
	not_ok "undisturbed activation of $1"
	cat out err | sed 's/^/    /'
	finish
}

warm_root
must_go one.json
web=$(pid_of web)
must_go two.json
state_of >expected.two
began=$(date +%s%N)
must_go one.json
took=$((($(date +%s%N) - began) / 1000000))
state_of >expected.one
check "two ways, two states" sh -c '! cmp -s expected.one expected.two'

bad=0 killed=0 aim=$took config=one.json
for ((round = 1; killed < rounds && round <= 2 * rounds; round++)); do
	[ "$config" = one.json ] && config=two.json || config=one.json
	kill_on_its_way run_hook "$config"
	if ! go "$config"; then
		not_ok "round $round (seed $seed): killed after $after ms on the way to $config, the next run failed"
		cat first out err | sed 's/^/    /' | head -n 30
		bad=$((bad + 1))
		continue
	fi
	state_of >got 2>&1
	if ! cmp -s "expected.${config%.json}" got; then
		not_ok "round $round (seed $seed): killed after $after ms on the way to $config, another state"
		{
			diff "expected.${config%.json}" got
			cat first out err
		} | head -n 40 | sed 's/^/    /'
		bad=$((bad + 1))
	fi
	if [ "$(pid_of web)" != "$web" ]; then
		not_ok "round $round (seed $seed): the guest was restarted"
		bad=$((bad + 1)) web=$(pid_of web)
	fi
done
[ "$bad" -gt 0 ] || ok "kill -9 at $killed random points of about $took ms (seed $seed), run again: the same state"
check "$rounds kills hit a running activation" test "$killed" = "$rounds"
check "a last run does nothing" go "$config"
check "really nothing" grep -qE 'nothing was to be done|applied: 0 steps' out
finish
