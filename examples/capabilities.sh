#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Capabilities and the audit log from end to end, on a host of its own in a temporary directory: an operator issues a
# token for the units of one tag on weekdays, its holder narrows it offline, every yes and no is explained, a
# revocation closes an open console, two of five persons break the glass, and the audit log shows a flipped byte, a cut
# tail and an old database. Ends with "capabilities: OK".
#
#   examples/capabilities.sh [--no-guest]     --no-guest leaves out the console, for which a guest is booted
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
HYPERNIX_ARGUMENTS=("$@")
build=${HYPERNIX_BUILD:-${HYPERNIX_BUILDS:-$root/build}/quickstart}
guest=${HYPERNIX_GUEST:-${XDG_CACHE_HOME:-$HOME/.cache}/hypernix/guest}
work='' hv='' hvcap='' step_name='' no_guest='' opens='' hours=''
. "$root/tests/lib/packages.sh"
. "$root/tests/lib/build.sh"

step() {
	step_name=$*
	printf '\n== %s\n' "$*"
}

fail() {
	echo "capabilities: $*" >&2
	exit 1
}

show() { # PROGRAM WORD...: as somebody would type it
	local word shown=$1
	for word in "${@:2}"; do
		case $word in
		*[\ \*\']*) shown+=" '$word'" ;;
		*) shown+=" $word" ;;
		esac
	done
	printf '$ %s\n' "$shown"
}
cap() {
	show hv-cap "$@"
	"$hvcap" "$@"
}
compute() {
	show hv-compute "$@"
	"$hv" "$@"
}
# refused STATUS WORD COMMAND...: it must end with this status, and say this.
refused() {
	local expected=$1 says=$2 status=0
	shift 2
	"$@" >"$work/said" 2>&1 || status=$?
	cat "$work/said"
	[ "$status" = "$expected" ] || fail "should end with status $expected, not $status"
	grep -qF -- "$says" "$work/said" || fail "should say: $says"
}
# explained VERDICT WORD TOKEN VERB OBJECT [OPTION...]
explained() {
	local verdict=$1 says=$2
	shift 2
	cap explain "$@" >"$work/said" || fail "explain failed"
	sed '/^  yes/d' "$work/said"
	sed -n 2p "$work/said" | grep -q "^$verdict: " || fail "should be $verdict"
	grep -qF -- "$says" "$work/said" || fail "should say: $says"
}

# says LINE...: the last explanation has these lines, exactly.
says() {
	local line
	for line in "$@"; do
		grep -qxF -- "$line" "$work/said" || fail "should have the line: $line"
	done
}
# The line of it that says what ended the token, without what differs from run to run.
ended() {
	grep '^ended by: ' "$work/said" | sed -E \
		-e 's/[0-9a-f]{32}/NUMBER/' -e 's/[0-9-]{10}T[0-9:]{8}Z/TIME/' -e 's/record [0-9]+/record N/'
}

guests() {
	local process
	for process in /proc/[0-9]*; do
		if { tr '\0' ' ' <"$process/cmdline"; } 2>/dev/null | grep -qF -- "$work/m/"; then
			[ "${process#/proc/}" = $$ ] || echo "${process#/proc/}"
		fi
	done
}
clean_up() {
	local status=$? pid
	trap - EXIT
	if [ -n "$work" ] && [ -d "$work" ]; then
		for pid in $(guests); do
			kill -9 "$pid" 2>/dev/null || true
		done
		cd /
		rm -rf "$work"
	fi
	[ "$status" = 0 ] || echo "capabilities: FAILED${step_name:+ in step: $step_name}" >&2
	exit "$status"
}

# --- the machine ---

guest_missing() { # why no guest can be booted; nothing when one can
	[ -z "$no_guest" ] || { echo "--no-guest was given" && return; }
	command -v qemu-system-x86_64 >/dev/null || { echo "no QEMU here" && return; }
	[ -s "$guest/vmlinuz" ] && [ -s "$guest/initrd" ] && return
	"$root/tests/guest/build" "$guest" >"$work/guest.log" 2>&1 || echo "the guest could not be made: $(tail -n 1 "$work/guest.log")"
}

declare_units() {
	local boot=''
	if [ -z "$missing" ]; then
		boot='"boot.profile": "direct", "boot.kernel": "'$guest'/vmlinuz", "boot.initrd": "'$guest'/initrd",
    "boot.cmdline": ["console=ttyS0", "quiet", "panic=-1"],'
	else
		echo '<node/>' >"$work/node.xml"
		export HYPERNIX_URI=test://$work/node.xml
	fi
	cat >units.json <<-END
		{ "hypernix": 1, "tags": { "web": { "set": { "compute.units": 10 } } }, "units": {
		  "web-1": { "tags": ["web"], "overrides": { $boot "memory.size": "128Mi", "autostart": false } },
		  "web-2": { "tags": ["web"], "overrides": { "memory.size": "128Mi", "autostart": false } },
		  "db-1": { "overrides": { "memory.size": "128Mi", "compute.units": 10, "autostart": false } } } }
	END
	compute apply units.json --yes
}

uuid_of() {
	"$hv" show "$1" --json | sed -n 's/^.*"uuid": "\(.*\)".*$/\1/p' | head -n 1
}

# --- the steps ---

begin() {
	local person
	for person in operator bo ann ben cora dan eve; do
		cap keys new $person --quiet
	done
	cap init --cluster lab --approver ann=ann.pub --approver ben=ben.pub --approver cora=cora.pub \
		--approver dan=dan.pub --approver eve=eve.pub --break-glass 'outage=2:unit.*,clock.accept:unit/**,node/*:5min'
	cap trust show --out trust.cbor
}

issue() {
	local other
	cap issue --for bo --verbs unit.read,unit.start,unit.stop,unit.console --on 'unit/*' --tags-all web \
		--when 'Mon..Fri 09:00-17:30 Europe/Berlin' --ttl 29d --to bo.pub -o office.cap
	cap verify office.cap --trust trust.cbor
	# What holds at this minute, and what does not, whenever this script is run.
	opens=$(TZ=Europe/Berlin date -d '+3 days' +%F)
	other=$(LC_ALL=C date -d "$opens" +%a)
	cap issue --for bo --verbs unit.read,unit.start,unit.stop,unit.console --on 'unit/*' --tags-all web \
		--when 'Mon..Sun 00:00-24:00 Europe/Berlin' --ttl 8h --to bo.pub -o now.cap
	cap issue --for bo --verbs unit.read,unit.start --on 'unit/*' --tags-all web \
		--when "$other 09:00-17:30 Europe/Berlin" --ttl 8d --to bo.pub -o later.cap
	hours="schedule $other 09:00-17:30 Europe/Berlin"
	cap issue --for operator --verbs node.role,cap.read,breakglass.review --on 'node/*' --ttl 8h --to operator.pub -o admin.cap
}

# An instant in Berlin, in UTC.
berlin() {
	date -u -d "@$(date -d "TZ=\"Europe/Berlin\" $1" +%s)" +%Y-%m-%dT%H:%M:%SZ
}

office_hours() {
	local web="unit/$(uuid_of web-1)" offline=(--trust trust.cbor --tag web) monday saturday
	monday=$(TZ=Europe/Berlin date -d 'next monday' +%F)
	saturday=$(TZ=Europe/Berlin date -d "$monday + 5 days" +%F)
	explained denied "opens $monday 09:00" office.cap unit.start "$web" "${offline[@]}" --at "$(berlin "$monday 08:59:59")"
	explained allowed "until: $(berlin "$monday 17:30:00")" office.cap unit.start "$web" "${offline[@]}" --at "$(berlin "$monday 09:00:00")"
	explained allowed "until: $(berlin "$monday 17:30:00")" office.cap unit.start "$web" "${offline[@]}" --at "$(berlin "$monday 17:29:59")"
	explained denied 'schedule' office.cap unit.start "$web" "${offline[@]}" --at "$(berlin "$monday 17:30:00")"
	explained denied 'schedule' office.cap unit.start "$web" "${offline[@]}" --at "$(berlin "$saturday 12:00:00")"
	explained denied 'tags all web' office.cap unit.start "$web" --trust trust.cbor --tag db --at "$(berlin "$monday 12:00:00")"
}

now_and_later() {
	explained allowed 'until: ' now.cap unit.start unit:web-1 --key bo.key
	# Only the hours stand against it: the tag is there.
	explained denied "opens $opens" later.cap unit.start unit:web-1 --key bo.key
	says "because: $hours: closed now, opens $opens 09:00" "allowed again from: $(berlin "$opens 09:00:00")" \
		'  yes  link 0: tags all web' "  no   link 0: $hours: closed now, opens $opens 09:00"
	# Of a unit that is none of his at any hour a holder learns no more than of one that is not there; the operator does.
	explained denied 'tags all web' later.cap unit.start unit:db-1 --key bo.key
	says "because: tags all web: the unit's tags are not known"
	explained denied 'tags all web' later.cap unit.start unit:db-1
	says 'because: tags all web: the unit does not have all of the tags'
	! grep -q '^allowed again' "$work/said" || fail "waiting does not give it the tag"
	explained denied 'tags all web' now.cap unit.start unit:db-1 --key bo.key
	says "because: tags all web: the unit's tags are not known"
	explained denied 'no grant has this verb' now.cap unit.delete unit:web-1 --key bo.key
	# What may not be read looks as if it were not there.
	refused 4 'there is no unit "web-1"' compute start web-1 --cap later.cap --cap-key bo.key
	compute list --stored --cap now.cap --cap-key bo.key
}

attenuate() {
	local uuid other
	uuid=$(uuid_of web-1) other=$(uuid_of web-2)
	# Without any host: neither state nor network.
	HYPERNIX_STATE=/nowhere cap attenuate now.cap --key bo.key --on "unit/$uuid" --verbs read --ttl 10min --bearer -o read.cap
	HYPERNIX_STATE=/nowhere refused 6 'unit.delete' cap attenuate now.cap --key bo.key --verbs unit.delete --ttl 10min --bearer
	explained allowed 'until: ' read.cap unit.read unit:web-1
	explained denied 'verbs unit.read' read.cap unit.start unit:web-1
	explained denied 'resource' read.cap unit.read "unit/$other"
	refused 8 'unit.start on unit web-1' compute start web-1 --cap read.cap
	compute list --stored --cap read.cap
}

# The number of the token's first link.
cti_of() {
	"$hvcap" inspect "$1" --json | sed -n 's/^.*"cti": "\(.*\)".*$/\1/p' | head -n 1
}

# revoked_console TOKEN: `took` is how many ms after its revocation the console of its holder was closed.
revoked_console() {
	local token=$1 process revoked status=0
	show hv-compute console web-1 --cap "$token" --cap-key bo.key '&'
	"$hv" console web-1 --cap "$token" --cap-key bo.key </dev/null >console.log 2>console.err &
	process=$!
	timeout 60 sh -c 'until grep -q HB console.log; do sleep 0.05; done' || {
		cat console.err
		fail "the console shows nothing"
	}
	cap sessions list
	cap revoke --cti "$(cti_of "$token")" --reason 'the laptop is lost'
	revoked=$(date +%s%N)
	wait $process || status=$?
	took=$((($(date +%s%N) - revoked) / 1000000))
	cat console.err
	echo "the console was closed $took ms after the revocation"
	[ "$status" = 8 ] || fail "the console should end with status 8, not $status"
	grep -q 'revoked' console.err || fail "the console should say that its token is revoked"
}

console() {
	local took try
	compute start web-1 --cap now.cap --cap-key bo.key --wait ready --timeout 240s
	revoked_console now.cap
	# A machine that has much else to do may be late with anything: what always takes a second fails each time.
	for try in 2 3; do
		[ "$took" -ge 1000 ] || break
		echo "more than a second: try $try"
		cap issue --for bo --verbs unit.read,unit.console --on 'unit/*' --tags-all web --ttl 8h --to bo.pub -o "now-$try.cap"
		revoked_console "now-$try.cap"
	done
	[ "$took" -lt 1000 ] || fail "that is more than a second"
	refused 8 revoked compute list --cap read.cap
	compute stop web-1 --force
}

# A token that is revoked says so, to its holder and, with the reason, to the operator.
revoked() {
	local number told
	cap issue --for bo --verbs unit.read --on 'unit/*' --ttl 8h --to bo.pub -o lost.cap
	number=$(cti_of lost.cap)
	cap revoke --cti "$number" --reason 'the laptop is lost'
	explained denied 'because: link 0: revoked' lost.cap unit.read unit:web-1 --key bo.key
	told=$(ended)
	[ "$told" = 'ended by: token, link 0, NUMBER, since TIME' ] || fail "not: $told"
	! grep -q laptop "$work/said" || fail "the reason is not for the holder"
	explained denied 'because: link 0: revoked' lost.cap unit.read unit:web-1
	told=$(ended)
	[ "$told" = 'ended by: token, link 0, NUMBER, since TIME, record N of the audit log' ] || fail "not: $told"
	grep -qF "link 0, $number, since" "$work/said" || fail "not the number of the token"
	says 'reason: the laptop is lost'
	refused 8 "token $number: revoked" compute list --cap lost.cap --cap-key bo.key
	refused 8 'ask for a new token' compute list --cap lost.cap --cap-key bo.key
}

# Without a network where this can be had, since nobody is asked.
alone() {
	if unshare -n true 2>/dev/null; then
		unshare -n "$@"
	else
		"$@"
	fi
}

break_glass() {
	cap local off --reason 'from now on only tokens act'
	refused 8 'turned off' compute list
	show hv-cap break-glass request outage --ttl 15s --reason INC-7 -o incident.req
	alone "$hvcap" break-glass request outage --ttl 15s --reason INC-7 -o incident.req
	cap approve incident.req --key ann.key -o incident.ann
	refused 8 '1 of the 2 persons' cap break-glass activate incident.req incident.ann incident.ann
	cap approve incident.req --key dan.key -o incident.dan --quiet
	show hv-cap break-glass activate incident.req incident.ann incident.dan
	alone "$hvcap" break-glass activate incident.req incident.ann incident.dan
	compute list --stored --by-break-glass
	timeout 90 sh -c "while '$hv' list --stored --by-break-glass >/dev/null 2>&1; do sleep 0.2; done" || fail "break-glass does not end"
	refused 4 'no break-glass is active' compute list --by-break-glass
	cap local on --cap admin.cap --cap-key operator.key --reason 'end of the incident'
	cap break-glass review 1 --reason 'INC-7: as it should be'
	cap break-glass list
}

# The month of an issuer is renewed with the key of a root, which is brought for this alone.
renew() {
	cap trust renew --key lab-root.key
	cap trust show --out trust.cbor
	cap verify office.cap --trust trust.cbor
	cap status
}

audit() {
	cap audit key -o log.key
	cap audit first-mac -o first.mac
	cap audit tail -n 12
	cap audit prove 3 -o record.tlog-proof
	cap audit check record.tlog-proof --log-key log.key
	cap audit verify --log-key log.key --first-mac first.mac
}

# damaged NAME SQL: in a copy of the host, somebody with root goes past the triggers and changes the database.
damaged() {
	printf -- '-- %s\n' "$1: $2"
	rm -rf "$work/d"
	cp -a "$work/s" "$work/d"
	python3 - "$work/d/hypernix.db" "$2" <<-'END'
		import sqlite3, sys
		db = sqlite3.connect(sys.argv[1])
		db.create_function('flip', 1, lambda record: record[:40] + bytes([record[40] ^ 1]) + record[41:])
		for name, in db.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
		    db.execute(f'DROP TRIGGER "{name}"')
		if db.execute(sys.argv[2]).rowcount < 1:
		    raise SystemExit('nothing was damaged')
		db.commit()
	END
	HYPERNIX_STATE=$work/d refused 13 "$3" cap audit verify
}

tamper() {
	damaged 'a flipped bit' 'UPDATE audit SET rec = flip(rec) WHERE seq = 3' 'record 3 was changed'
	damaged 'a cut tail' 'DELETE FROM audit WHERE seq > (SELECT max(seq) - 3 FROM audit)' 'is missing'
	damaged 'no checkpoints' 'DELETE FROM audit_checkpoint' 'the last one that was made, is missing'
	damaged 'a checkpoint less' \
		'DELETE FROM audit_checkpoint WHERE size = (SELECT min(size) FROM audit_checkpoint)' 'checkpoints of the audit log are missing: 1 of the'
	HYPERNIX_STATE=$work/d cap status | grep 'attention: checkpoints of the audit log are missing: 1 of the'
	damaged 'no words' 'DELETE FROM audit_text' 'refers to a text that is missing'
	echo "-- an old database, put back whole"
	rm -rf "$work/d"
	cp -a "$work/s" "$work/d"
	rm -f "$work"/d/hypernix.db*
	cp "$work"/old/hypernix.db* "$work/d/"
	HYPERNIX_STATE=$work/d refused 13 'rolled back' cap audit verify
	HYPERNIX_STATE=$work/d cap status | grep 'attention: .*rolled back'
	HYPERNIX_STATE=$work/d refused 13 'rolled back' compute tag db-1 +web --no-apply
	HYPERNIX_STATE=$work/d compute list --stored
}

main() {
	trap clean_up EXIT
	trap 'exit 1' HUP INT TERM
	step "packages"
	if [ -n "$no_guest" ]; then need_packages capabilities build; else need_packages capabilities build run guest; fi
	work=$(mktemp -d /tmp/hn.XXXXXX)
	export HYPERNIX_STATE=$work/s HYPERNIX_ROOT=$work/m
	mkdir "$work/desk"
	cd "$work/desk"
	step "build"
	[ -n "${HYPERNIX_BUILD-}" ] || build_programs
	hv=$(built_program hv-compute) hvcap=$(built_program hv-cap)
	"$hvcap" --version
	missing=$(guest_missing)
	step "three units, two of them tagged web"
	declare_units
	step "persons make their keys, and the machine knows an issuer"
	begin
	cp -a "$work/s" "$work/old"
	step "an operator issues tokens"
	issue
	step "office hours in Berlin, decided offline"
	office_hours
	step "now and later, asked of the host"
	now_and_later
	step "the holder narrows a token offline"
	attenuate
	step "a revoked token, explained"
	revoked
	step "a revocation closes an open console"
	if [ -z "$missing" ]; then console; else echo "left out: $missing"; fi
	step "break-glass: two of five, offline"
	break_glass
	step "the issuer goes on for another month"
	renew
	step "the audit log"
	audit
	step "what somebody with root could do to the log, and what is seen of it"
	tamper
	step_name=''
	printf '\ncapabilities: OK\n'
}

case "${1-}" in
--no-guest) no_guest=1 ;;
'') ;;
*)
	echo "usage: examples/capabilities.sh [--no-guest]" >&2
	exit 64
	;;
esac
main
