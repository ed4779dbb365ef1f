#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Restart policies on real guests: QEMU killed -9 is restarted up to its limit and then counts as crashed;
# a guest that powers itself off, an end that nobody saw, a stop that was asked for; boots on record; a guest that
# says which contract it does not keep.
. "$(dirname "$0")/../lib/e2e.sh"
need_guest

unit() {
	cat <<END
"$1": { "resources": { "memory": { "size": "128Mi" } }, "overrides": { "boot.profile": "direct",
  "boot.kernel": "$guest/vmlinuz", "boot.initrd": "$guest/initrd", "boot.goal": "10ms",
  "boot.cmdline": ["console=ttyS0", "quiet", "panic=-1"$2], "autostart": false, "compute.units": 10,
  "restart.policy": "$3", "restart.limit": $4, "restart.backoff": "0s" } }
END
}
cat >"$work/fleet.json" <<END
{ "hypernix": 1, "units": { $(unit box '' on-failure 2), $(unit off ', "hn.off"' always 1),
  $(unit broken ', "hn.broken"' no 1) } }
END
cd "$work" || exit 1

# Ends when N events of a type were sent, or after five minutes.
events() {
	timeout 300 "$program" watch --since 0 --type "org.hypernix.unit.$1.v1" --count "$2" --json >"$work/events"
}
supervise() {
	"$program" supervise >"$work/supervise" 2>&1 &
	supervisor=$!
	timeout 60 grep -qm 1 supervising <(tail -n +1 -F "$work/supervise" 2>/dev/null)
}
leave() {
	kill -TERM "$supervisor" || return 1
	wait "$supervisor"
	[ $? -lt 128 ] # it ended by itself, not by the signal
}
kill_guest() {
	kill -9 "$(cat "$machine/run/qemu/$1.pid")"
}
need_program hv-compute

warm_root
hv apply fleet.json --yes >out 2>&1 || { not_ok "apply: $(tail -n 3 out)"; finish; }
hv start box --wait ready --timeout 240s >out 2>&1 || { not_ok "start: $(tail -n 3 out)"; finish; }
check "the boot missed its goal" sh -c "'$program' boot box --json | python3 -c '
import json, sys
a = json.load(sys.stdin)
missed = [p[\"name\"] for p in a[\"phases\"] if p[\"missed\"]]
assert len(missed) == 1 and a[\"goal_ns\"] == 10000000, a'"
check "the missed goal is one event" events boot.missed 1
check "ready is one event" events ready 1

supervise
"$program" stop box >out 2>&1
check "who owns the root is named to others" test $? = 7
kill_guest box
check "a killed guest is restarted" events restarted 1
check "a restarted guest becomes ready" events ready 2
kill_guest box
check "and again" events restarted 2
kill_guest box
check "at its limit it is given up" events crashed 1
check "and shown so" sh -c "'$program' list | grep -qE '^box +crashed'"
check "the supervisor ends when asked" leave
check "no guest runs" test -z "$(guests_running)"

check "a start by hand begins anew" hv start box --wait ready --timeout 240s
kill_guest box # nobody owns the root
supervise
check "the next owner restarts what ended meanwhile" events restarted 3
check "it is ready again" events ready 4
leave
check "stop --force ends it" hv stop box --force
supervise
check "a stop that was asked for stays" sh -c "'$program' list | grep -qE '^box +(stopped|defined)'"
leave

hv start off >out 2>&1 || not_ok "start off: $(tail -n 3 out)"
supervise
check "a guest that powers itself off is restarted" events restarted 4
check "until its limit" events crashed 2
leave

contract='org.hypernix.compose.contract.failed.v1'
began=$SECONDS
hv start broken --wait ready --timeout 900s >out 2>&1
check "a guest that keeps a contract not fails its start" test $? = 5
check "without waiting for the end of its time" test $((SECONDS - began)) -lt 600
check "the contract is named" grep -q 'does not keep contract service/http 1\.2\.0: 80: connection refused' out
check "it runs on" sh -c "'$program' list | grep -qE '^broken +running'"
check "the contract is an event of the unit" sh -c "timeout 300 '$program' watch --since 0 --type $contract --count 1 \
	--json | python3 -c '
import json, sys
event = json.loads(sys.stdin.readline())
assert event[\"name\"] == \"broken\" and event[\"subject\"].startswith(\"unit/\"), event
assert event[\"data\"] == {\"contract\": \"service/http\", \"version\": \"1.2.0\", \"ms\": 10010,
    \"detail\": \"80: connection refused\"}, event'"
check "its boot lists both checks" sh -c "'$program' boot broken --json | python3 -c '
import json, sys
checks = json.load(sys.stdin)[\"checks\"]
assert [(c[\"contract\"], c[\"ok\"]) for c in checks] == [(\"base/net\", True), (\"service/http\", False)], checks'"
check "and shows them" sh -c "'$program' boot broken | grep -qE '^service/http +1\.2\.0 +fail +10\.010 s +80: connection refused'"
check "the broken guest ends" hv stop broken --force
check "no guest is left" test -z "$(guests_running)"
finish
