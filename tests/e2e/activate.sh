#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# hv-activate on real guests, called as systemd would call it: two generations and back, a unit that fails,
# a dry run, a boot, a shutdown, a newer database. Guests outlive each call but that of the shutdown.
. "$(dirname "$0")/../lib/e2e.sh"
need_guest

need_program hv-activate qemu
export HYPERNIX_CALIBRATION=reference:8
. "$(dirname "$0")/../lib/activate.sh"

cd "$work" || exit 1
declare_units one.json "$(unit web '')" "$(unit db '')"
declare_units two.json "$(unit web ', "compute.units": 400, "memory.max": "256Mi"')"
head -c 8192 /dev/zero | tr '\0' 'x' >broken
declare_units three.json "$(unit web ', "compute.units": 200')" "$(unit db '')" \
	"$(unit bad '' | sed "s|$guest/vmlinuz|$work/broken|")"
echo '{ "hypernix": 1, "units": { "web": { "overrides": { "memory.sise": "1Gi" } } } }' >wrong.json
echo '{ "hypernix": 1 }' >none.json

# ends STATUS COMMAND...
ends() {
	local expected=$1 status=0
	shift
	"$@" || status=$?
	[ "$status" = "$expected" ] || {
		echo "exit status $status"
		cat out err
		return 1
	}
}
exits() { # STATUS CONFIG OPTION...
	local expected=$1
	shift
	ends "$expected" hook "$@"
}
said() { # PATTERN: the last call said this
	grep -qE -- "$1" out || {
		cat out err
		return 1
	}
}
runs() {
	local pid
	pid=$(pid_of "$1") && [ -n "$pid" ] && kill -0 "$pid"
}
no_domain() {
	! ls "$machine"/etc/qemu/*.xml 2>/dev/null
}
owner_is_nix() {
	hv show web --json | grep -q '"owner": "nix"'
}
service_is_on_record() {
	hv generations --json | grep -q '"service/activation"'
}
same_values() {
	values >values.now && diff values.one values.now
}
# The database must not get the number of a stream that is closed.
closed_streams() {
	(cd / && exec "$program" --config "$work/one.json" <&- >&- 2>&-) || return
	database >now && same_values
}
# Of a guest that had to be killed the event says "destroyed".
shut_down() {
	hv watch --once --since 0 --json --type '*.state.changed.v1' | grep -c '"detail":"shutdown"'
}
eventually() { # COMMAND...: within two minutes
	local tries
	for ((tries = 0; tries < 1200; tries++)); do
		"$@" && return
		read -rt 0.1 <> <(:) || :
	done
	return 1
}
# It waits an hour for the host that is held: the signal comes once it has opened the state.
cancelled_wait() {
	local status=0 pid
	env -i PATH="$PATH" HYPERNIX_STATE="$state" HYPERNIX_ROOT="$machine" \
		HYPERNIX_CALIBRATION="$HYPERNIX_CALIBRATION" \
		"$program" --config "$work/two.json" --lock-wait 3600s >out 2>err &
	pid=$!
	eventually has_open "$pid" "$state/hypernix.db"
	kill -TERM "$pid"
	eventually gone "$pid" || kill -9 "$pid"
	wait "$pid" || status=$?
	[ "$status" = 1 ] && grep -q 'cancelled while waiting' err
}
has_open() { # PID FILE
	ls -l "/proc/$1/fd" 2>/dev/null | grep -qF -- "$2"
}
gone() {
	! kill -0 "$1" 2>/dev/null
}

warm_root
check "a declaration that is not there is refused" exits 1 missing.json
check "before a state is made" test ! -e "$state"
check "a dry run on a fresh host" exits 0 one.json --dry-activate
check "shows what would be made" said '^web: create: would be done'
check "and makes nothing" test ! -e "$state" -a ! -e "$machine/etc"
check "a check on a fresh host" exits 0 one.json --check

check "the first generation" exits 0 one.json
check "says each step" said '^db: start: done'
web=$(pid_of web) db=$(pid_of db)
check "boots two guests" test "$(guests_running | wc -l)" = 2
check "is of the owner nix" owner_is_nix
check "is on record as the service" service_is_on_record
values >values.one
database >before
for round in 1 2 3; do
	check "no change, $round" exits 0 one.json
	check "nothing was to be done, $round" said 'nothing was to be done'
done
database >after
check "three idle runs leave the database as it is" diff before after
check "and the guests" test "$(pid_of web) $(pid_of db)" = "$web $db"

check "a dry run of the second generation" exits 0 two.json --dry-activate
check "tells the hot change with its line" said 'web: hot compute.units 100 -> 400: would be done  \(.*two.json:'
check "tells the deferred one" said 'web: restart memory.max .* would wait'
check "tells the unit that leaves" said 'db: stop: would be done'
database >after
check "a dry run leaves the database as it is" diff before after
check "and the guests" test "$(pid_of web) $(pid_of db)" = "$web $db"
check "a check of the second generation" exits 0 two.json --check
check "asks the hypervisor" said 'can be done'
check "a wrong declaration is refused" exits 1 wrong.json
check "by its line" grep -q 'wrong.json:1:[0-9]*: there is no key' err
check "and in a check" exits 1 wrong.json --check
database >after
check "a refusal leaves the database as it is" diff before after

check "a tag at run time" hv tag web +night --reason test
check "the second generation waits for a restart" exits 10 two.json
check "the weight is changed" said 'web: hot compute.units 100 -> 400: done'
check "the ceiling is deferred" said 'web: restart memory.max .*: pending'
check "the unit that leaves is stopped" said 'db: stop: done'
check "the guest is the same process" test "$(pid_of web)" = "$web"
check "the other is gone" gone "$db"
check "once more: still waits" exits 10 two.json
check "and does nothing" said 'applied: 0 steps; 1 for a restart'
check "the tag is still there" test "$(hv get web compute.limit)" = 60

check "back to the first generation" exits 0 one.json --runtime-tags drop
check "the tag is dropped" said 'web: untag night'
check "the guest is the same process" test "$(pid_of web)" = "$web"
check "the other runs again" runs db
check "all values are as before" same_values
check "nothing is left" exits 0 one.json
check "really nothing" said 'nothing was to be done'

db=$(pid_of db)
check "a unit that fails" exits 2 three.json
check "does not stop the others" said 'web: hot compute.units 100 -> 200: done'
check "is told with its reason" said 'bad: start: failed  \(.+\)'
check "is named at the end" said '^failed: .*\(bad\)'
check "the others run on" test "$(pid_of web) $(pid_of db)" = "$web $db"
check "the first generation again" exits 0 one.json
check "a failing generation with undo" exits 2 three.json --failure-policy undo
check "says so" said 'failed and undone'
check "the weight is as before" test "$(hv get web compute.units)" = 100
check "the guests are as before" test "$(pid_of web) $(pid_of db)" = "$web $db"

# No time at all: all is taken back. A unit that an undo could not mend. A host that somebody else holds.
check "an activation that takes too long" exits 2 two.json --timeout 1ns
check "is undone" said 'failed and undone'
check "values are as before" same_values
check "and so are the guests" test "$(pid_of web) $(pid_of db)" = "$web $db"
sql "UPDATE unit SET inconsistent = 1 WHERE name = 'db'"
check "an inconsistent unit" exits 3 one.json
check "is left alone" test "$(pid_of db)" = "$db"
hv repair db >/dev/null
check "until it is repaired" exits 0 one.json
mkfifo held
hv supervise 2>held &
supervisor=$!
exec 9<held
read -r _ <&9
check "a host that is held is refused" exits 1 two.json --lock-wait 0s
check "by whom" grep -q "process [0-9]" err
check "a wait for it ends with TERM" cancelled_wait
check "a dry run goes by the record" exits 0 two.json --dry-activate
check "and says the same" said 'web: hot compute.units 100 -> 400: would be done'
kill -TERM "$supervisor" $(pgrep -P "$supervisor")
wait "$supervisor"
exec 9<&-
check "closed streams do no harm" closed_streams

# As in the journal: systemd names the stream, lines begin with their priority.
: >out
(cd / && JOURNAL_STREAM=$(stat -c '%d:%i' "$work/out") "$program" --config "$work/one.json" <&- >>"$work/out" 2>"$work/err")
check "lines for the journal begin with their priority" said '^<6>applied'
check "the report for programs" exits 0 one.json --json
check "is JSON" python3 -c 'import json; a = json.load(open("out")); assert a["outcome"] == "applied" and a["status"] == 0, a'

# A host that was switched off, and a configuration that is wrong: what ran before runs again.
for pid in $(guests_running); do
	kill -9 "$pid"
done
check "a boot with a wrong declaration is refused" exits 1 wrong.json --boot
check "but starts what was declared last" test "$(guests_running | wc -l)" = 2
web=$(pid_of web)
check "and then the declaration is tried" exits 0 one.json --boot
check "the guest is the same process" test "$(pid_of web)" = "$web"

# A host that is switched off in order: nobody wished the guests down, so the next boot starts them.
declare_units patient.json "$(unit web ', "start.order": 100' | sed 's/"1s"/"60s"/')" \
	"$(unit db ', "start.order": 900' | sed 's/"1s"/"60s"/')"
check "guests with a long grace" exits 0 patient.json
for name in web db; do
	check "$name is up" hv wait "$name" --wait ready --timeout 240s
done
check "a dry run of the shutdown" ends 0 as_unit --stop --dry-activate
check "says what it would stop" said '^web: stop: would be done'
check "and stops nothing" test "$(guests_running | wc -l)" = 2
before=$(shut_down)
check "the shutdown" ends 0 as_unit --stop
check "stops all" said '^stopped: 2 guests'
check "those first that start last" test "$(grep -o '^[a-z]*: stop: done' out | tr '\n' ' ')" = 'db: stop: done web: stop: done '
check "no guest runs" test -z "$(guests_running)"
check "none was killed" test "$(shut_down)" = $((before + 2))
check "once more: nothing runs" ends 0 as_unit --stop
check "and it says so" said '^stopped: 0 guests'
check "the next boot" exits 0 one.json --boot
check "starts them again" test "$(guests_running | wc -l)" = 2
web=$(pid_of web)

# A database of a newer version.
sql "INSERT INTO schema_step VALUES ('host', 9999, 9999, 0)"
database >before
check "a newer database is refused" exits 1 two.json
check "by its number" grep -q '9999' err
check "in a dry run too" exits 1 two.json --dry-activate
database >after
check "and left as it is" diff before after
check "and so are the guests" test "$(pid_of web)" = "$web"
sql "DELETE FROM schema_step WHERE number = 9999"

# From now on root needs a token, but for what the configuration lets services do.
hvcap=$(find "$build/frontends" -name hv-cap -type f | head -n 1)
opened_at_once() { # the hook that changes nothing is on record too: process, program and login
	database >before && exits 0 none.json --on-remove keep && database >after && ! cmp -s before after &&
		hv list >out 2>err && return 1
	grep -q 'turned off' err && grep -q 'program hv-activate' after
}
check "a trust bundle" "$hvcap" init --cluster lab --root-key "$work/root.key"
check "local operators are turned off" "$hvcap" local off --yes --reason 'the walk'
check "root acts no more, the hook does, and is on record" opened_at_once
check "so does the supervision" hv supervise --count 1
check "an empty declaration ends all" exits 0 none.json --on-remove destroy
check "no guest runs" test -z "$(guests_running)"
check "no domain is left" no_domain
finish
