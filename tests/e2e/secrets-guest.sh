#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# A real guest gets its secrets: it reads what was put, also after a crash and after a change; nothing of them is in
# definitions, command lines, logs, files of the machine root, the database, answers, and cores of the programs.
. "$(dirname "$0")/../lib/e2e.sh"
. "$(dirname "$0")/../lib/leaks.sh"
need_guest
need_program hv-cap
cap=$program
need_program hv-compute qemu
chmod 700 "$work"
cd "$work" || exit 1
mkdir plants out

# fleet NAME...: the unit with secrets of these names.
fleet() {
	local names
	names=$(printf ', "%s"' "$@")
	cat >fleet.json <<END
{ "hypernix": 1, "units": { "box": { "resources": { "memory": { "size": "128Mi" } }, "overrides": { "boot.profile": "direct",
  "boot.kernel": "$guest/vmlinuz", "boot.initrd": "$guest/initrd", "disks.data.size": "1Mi", "disks.data.format": "raw",
  "boot.cmdline": ["console=ttyS0", "quiet", "panic=-1", "hn.secrets"], "autostart": false, "compute.units": 10,
  "restart.policy": "on-failure", "restart.limit": 5, "restart.backoff": "0s", "secrets": [${names#, }] } } } }
END
}
put() { # NAME PLANT
	"$cap" secret put box "$1" --from "plants/$2"
}
# told NAME PLANT: the guest has told the sum of this plant, and that nobody but root may read it.
told() {
	grep -aq "HN-SECRET $1 400 $(sha256sum <"plants/$2" | cut -c1-64)" "$console"
}
# Ends when the console has said this so often, or after five minutes.
says() { # COUNT TEXT
	# not to /dev/null itself: there grep ends with the first
	timeout 300 grep -am "$1" "$2" <(tail -c +1 -F "$console" 2>/dev/null) | cat >/dev/null
	[ "$(grep -ac "$2" "$console")" -ge "$1" ]
}
qemu_pid() {
	cat "$machine/run/qemu/box.pid"
}
# Everything that is about the running guest, but what its memory is.
collect() {
	local pid
	pid=$(qemu_pid)
	cp "/proc/$pid/cmdline" "out/qemu.cmdline"
	cp "/proc/$pid/environ" "out/qemu.environ"
	hv show box --json >out/show.json
	"$cap" secret list box --json >out/secrets.json
	"$cap" audit tail --json >out/audit.json
	hv xml box >out/xml
	hv pending --json >out/pending.json
	hv drift box --json >out/drift.json
}
leaks() {
	# sockets are no files; the database has its log beside it
	find "$machine" "$state" out -type f -print0 | xargs -0 python3 "$leaks_search" plants
}

head -c 3000 /dev/urandom >plants/password
head -c 32 /dev/urandom >plants/key
warm_root
fleet password key
check "a unit without its secrets is made" hv apply fleet.json --yes
hv start box >out/refused 2>&1
check "but not started: which secret and which line" \
	grep -Eq "unit 'box' has no secret 'key', which its values name at fleet.json:[0-9]+:[0-9]+" out/refused
check "secrets are put" put password password
check "and another" put key key
check "the guest starts" hv start box --wait ready --timeout 300s
console=$(echo "$machine"/unit/*/console.log)
check "it was told the one" told password password
check "and the other" told key key
check "the disk is found by its serial, read-only, and behind the disk of the unit" \
	sh -c "grep -aq 'HN-DISK vdb hn-secrets read-only=1' '$console' && grep -aq 'HN-DISK vda data read-only=0' '$console'"
check "the guest can take the disk away" grep -aq "HN-SECRETS removed" "$console"
check "no drift" sh -c "! '$program' drift box | grep -i 'differs.*secret\|secret.*differs'"
collect
check "which version the guest has is told" grep -q '"given": *1' out/secrets.json
check "what it was given is on record" grep -q 'unit/[0-9a-f-]*/secret/password' out/audit.json
check "nothing in files, definitions, command line and answers" leaks
check "the stored and the live definition name a descriptor" \
	sh -c "grep -q \"fdgroup='hn-secrets'\" '$machine'/etc/qemu/box.xml && grep -q \"fdgroup='hn-secrets'\" '$machine'/run/qemu/box.xml"
if core_of "$(qemu_pid)" "$work/qemu-core"; then
	check "nothing in a core of QEMU" python3 "$leaks_search" plants qemu-core
	rm -f qemu-core
else
	skip "secrets-guest no core file could be made here (gcore)"
fi

"$program" supervise >out/supervise 2>&1 &
supervisor=$!
timeout 60 grep -qm 1 supervising <(tail -n +1 -F out/supervise 2>/dev/null)
kill -9 "$(qemu_pid)"
check "after a crash the supervisor starts it again" says 2 "HN-READY"
check "with its secrets" [ "$(grep -ac "HN-SECRET password 400 $(sha256sum <plants/password | cut -c1-64)" "$console")" = 2 ]
check "who started it has no descriptor of them any more" \
	sh -c "! ls -l /proc/$supervisor/fd | grep -q hypernix-secret"
check "and QEMU has one" sh -c "ls -l /proc/$(qemu_pid)/fd | grep -q hypernix-secret"
if core_of "$supervisor" "$work/supervisor-core"; then
	check "nothing in a core of it" python3 "$leaks_search" plants supervisor-core
	rm -f supervisor-core
fi
kill -TERM "$supervisor"
wait "$supervisor"

head -c 32 /dev/urandom >plants/new
check "a secret is changed" put key new
check "the unit waits for a restart" sh -c "'$program' pending | grep -q box"
check "the restart takes it" hv restart --pending --wait ready --timeout 300s
check "the guest has the new one" told key new
check "nothing is pending" sh -c "'$program' pending | grep -q 'nothing is pending'"
collect
check "still nothing anywhere else" leaks
check "it stops" hv stop box --force
check "and leaves no process" sh -c "[ -z \"$(guests_running)\" ]"
finish
