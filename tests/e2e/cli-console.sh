#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# A real guest through hv-compute: console log and live line, boot phases, pause and resume, restart with
# pending values, and what is left behind at the end.
. "$(dirname "$0")/../lib/e2e.sh"
need_guest

overrides='"boot.profile": "direct", "boot.kernel": "'$guest'/vmlinuz", "boot.initrd": "'$guest'/initrd",
  "boot.cmdline": ["console=ttyS0", "quiet", "panic=-1"], "autostart": false, "compute.units": 10'
cat >"$work/guest.json" <<END
{ "hypernix": 1, "tags": { "web": { "set": { "stop.grace": "40s" } } }, "units": {
  "box": { "resources": { "memory": { "size": "128Mi" } }, "overrides": { $overrides } },
  "side": { "resources": { "memory": { "size": "96Mi" } }, "overrides": { $overrides } } } }
END
cd "$work" || exit 1
need_program hv-compute
warm_root
hv apply guest.json --yes >out 2>&1 || { not_ok "apply: $(tail -n 3 out)"; finish; }
hv start box --wait ready --timeout 240s >out 2>err || { not_ok "start: $(tail -n 3 out err)"; finish; }
check "start again is no error" hv start box --wait ready --timeout 240s
check "list shows it running and ready" sh -c "'$program' list | grep -qE '^box +running +yes'"
check "the log has the guest's words" sh -c "'$program' console box --log | grep -q HN-READY"
# A busy machine gives the guest less time to say something.
patiently() { # COMMAND...: with a time for --for behind it, a longer one when that was too short
	"$@" 3s || "$@" 15s || "$@" 120s
}
followed() {
	timeout 300 "$program" console box --follow --for "$1" >log
	[ "$(grep -c '^HB' log)" -gt 1 ]
}
on_the_line() {
	timeout 300 "$program" console box --for "$1" </dev/null >live
	grep -q 'HB' live
}
check "the log is followed" patiently followed
check "boot names the phases" sh -c "'$program' boot box | grep -q '^ready\|^userspace'"
check "boot as JSON" sh -c "'$program' boot box --json | python3 -c '
import json, sys
a = json.load(sys.stdin)
assert a[\"phases\"] and a[\"total_ns\"] > 0 and a[\"cpu_ns\"] > 0, a'"
check "the live line brings what the guest prints" patiently on_the_line

# On a terminal the key ^] leaves, and the terminal is as it was.
leave() {
	timeout 120 python3 - "$program" <<'END'
import os, pty, sys, termios
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], [sys.argv[1], "console", "box"])
before = termios.tcgetattr(fd)
text = b""
while b"HB" not in text:
    text += os.read(fd, 4096)
os.write(fd, b"\x1d")
while True:
    try:
        if not os.read(fd, 4096):
            break
    except OSError:
        break
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
assert b"leaves" in text
END
}
check "^] leaves" leave
check "the guest runs on" sh -c "'$program' list | grep -qE '^box +running'"

# An operator's session that holds a console is listed, and cutting it ends the console; the guest serves the next one.
need_program hv-cap
hvcap=$program
need_program hv-compute
cut_operator() {
	local holder id status=0
	"$program" console box </dev/null >held 2>held.err &
	holder=$!
	if timeout 300 sh -c 'until grep -q HB held; do sleep 0.1; done' && id=$("$hvcap" sessions list --json | python3 -c '
import json, sys
print(next(row["id"] for row in json.load(sys.stdin) if row["pid"] == int(sys.argv[1])))' "$holder") &&
		"$hvcap" sessions cut "$id" && timeout 300 tail --pid="$holder" -f /dev/null; then
		wait "$holder" || status=$?
		cat held.err
		[ "$status" = 8 ] && grep -q 'cut' held.err
	else
		kill "$holder"
		return 1
	fi
}
check "a cut ends an operator's console" cut_operator
check "the next one is served" patiently on_the_line

# Who holds a console keeps nobody from changing units, by a right that ends when the unit leaves its reach.
hold() { # NAME OPTION...: `holder` listens to box from now on
	local name=$1
	shift
	: >held
	"$program" console box "$@" </dev/null >held 2>held.err &
	holder=$!
	check "$name" timeout 300 sh -c 'until grep -q HB held; do kill -0 "$1" && sleep 0.1 || exit 1; done' sh "$holder"
}
hears_on() {
	local before
	before=$(grep -c HB held)
	timeout 300 sh -c 'until [ "$(grep -c HB held)" -gt "$2" ]; do kill -0 "$1" && sleep 0.1 || exit 1; done' sh "$holder" "$before"
}
ended() { # NAME STATUS PATTERN: not by `check`, whose subshell has other children
	local status=0
	timeout 300 tail --pid="$holder" -f /dev/null || kill "$holder"
	wait "$holder" || status=$?
	if [ "$status" = "$2" ] && grep -qE "$3" held.err; then
		ok "$1"
	else
		not_ok "$1: status $status: $(head -c 300 held.err)"
	fi
}
in_use() {
	local status=0
	timeout 60 "$program" console box --for 1s </dev/null 2>err >/dev/null || status=$?
	cat err
	[ "$status" = 7 ] && grep -q "in use by hv-compute, process $holder" err
}
check "a tag for a token" hv tag box +web
"$hvcap" init --cluster lab --quiet >out 2>&1 && "$hvcap" keys new bo --quiet >out 2>&1 &&
	"$hvcap" issue --for bo --verbs unit.read,unit.console --on 'unit/*' --tags-all web --ttl 1h --to bo.pub -o bo.cap >out 2>&1 ||
	not_ok "issue: $(tail -n 3 out)"
hold "a console by a token" --cap bo.cap --cap-key bo.key
check "beside it a unit is tagged" hv tag side +web
check "beside it a value is forced" hv force box description beside --for 1h --reason test --no-apply
check "beside it a declaration is applied" hv apply guest.json --yes
check "beside it another unit starts" hv start side --timeout 240s
check "beside it another unit stops" hv stop side --force
check "beside it this unit is paused" hv pause box
check "beside it this unit is resumed" hv resume box
check "the console goes on hearing" hears_on
check "the second client is told who is served" in_use
check "the first goes on" hears_on
check "the tag is taken away" hv tag box -web
ended "the console ends, and says why" 8 'the right to the console of box is over'
check "the reason is the tag" grep -q 'does not have all of the tags' held.err

check "pause" hv pause box
check "is paused" sh -c "'$program' list | grep -qE '^box +paused'"
check "resume" hv resume box
check "runs again" sh -c "'$program' list | grep -qE '^box +running'"

sed -i 's/"128Mi"/"160Mi"/' guest.json
check "a restart value is planned" sh -c "'$program' plan guest.json | grep -qE '^box +restart +memory.size +128Mi -> 160Mi'"
check "apply leaves it pending" hv apply guest.json --yes
check "pending shows it" sh -c "'$program' pending | grep -qE '^box +.* memory.size +128Mi -> 160Mi'"
check "restart takes it" hv restart --pending --rolling --timeout 240s
check "nothing is pending" sh -c "'$program' pending --json | grep -q '\"pending\": \[\]'"
check "nothing to do" hv plan guest.json --exit-code
hold "a console of a unit that is to stop"
check "stop" hv stop box
ended "the console ends with the unit, and says so" 0 'box has stopped'
check "is stopped" sh -c "'$program' list | grep -qE '^box +(stopped|defined)'"
check "a declared unit is not removed by rm" sh -c "! '$program' rm box --yes --reason 'end of the test' 2>err && grep -q declar err"
echo '{ "hypernix": 1 }' >nothing.json
check "it goes with its declaration" hv apply nothing.json --yes --on-remove destroy --reason 'end of the test'
check "it is gone" sh -c "! '$program' show box"
check "no guest is left" test -z "$(guests_running)"
check "nothing is left of the unit" sh -c "! find '$machine/unit' -mindepth 1 2>/dev/null | grep -q ."
finish
