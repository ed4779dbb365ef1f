#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# kill -9 of hv-activate at 30 random points on its way between two generations, then run again: the state is
# that of an undisturbed run, there is no orphan, and the guest that both declare is never restarted.
. "$(dirname "$0")/../lib/e2e.sh"
need_guest

program=$(find "$build/frontends" -name hv-activate -type f | head -n 1)
if [ -z "$program" ] || ! command -v qemu-system-x86_64 >/dev/null; then
	skip "activate-kill no hv-activate in $build, or no QEMU"
	finish
fi
export HYPERNIX_CALIBRATION=reference:8
. "$(dirname "$0")/../lib/activate.sh"

rounds=30
[ -z "${HYPERNIX_LONG-}" ] || rounds=150
seed=${HYPERNIX_SEED:-$$}
RANDOM=$seed
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

# What is aimed at follows the load of the machine: a kill that came too late shortens it.
bad=0 killed=0 aim=$took config=one.json
for ((round = 1; killed < rounds && round <= 2 * rounds; round++)); do
	[ "$config" = one.json ] && config=two.json || config=one.json
	after=$((RANDOM * (aim + aim / 10) / 32768))
	(cd / && exec "$program" --config "$work/$config" --on-remove destroy <&- >"$work/first" 2>&1) &
	pid=$!
	sleep "$((after / 1000)).$(printf %03d $((after % 1000)))"
	kill -9 "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	if [ $? = 137 ]; then
		killed=$((killed + 1)) aim=$((aim + aim / 32))
	else
		aim=$((after > 100 ? after : 100))
	fi
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
