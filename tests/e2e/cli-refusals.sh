#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# On a host that has something to lose: whatever bad is applied, the exit status is the documented one,
# the message names the place, and the database has not one byte changed.
. "$(dirname "$0")/../lib/e2e.sh"

need_program hv-compute
cd "$work" || exit 1
echo '<node/>' >node.xml
export HYPERNIX_URI=test://$work/node.xml HYPERNIX_CALIBRATION=reference:8
cat >good.json <<'END'
{ "hypernix": 1, "tags": { "web": { "set": { "compute.units": 10 } }, "night": { "set": { "memory.max": "2Gi" } } },
  "units": { "kept": { "tags": ["web"], "overrides": { "memory.size": "128Mi", "autostart": false } } } }
END
if ! "$program" apply good.json --yes >out 2>err; then
	not_ok "a good declaration is applied first: $(tail -n 3 err)"
	finish
fi

# The bytes of everything that the host keeps. SQLite makes its index and an empty log anew at any open.
digest() {
	find "$state" -type f ! -name '*-shm' ! -name lock ! -size 0 -exec sha256sum {} + | sort
}
digest >before

# refused NAME STATUS PATTERN: apply, plan and check refuse bad.json so; PATTERN is in the message.
refused() {
	local name=$1 expected=$2 pattern=$3 command status
	for command in 'apply --yes' check; do
		status=0
		# shellcheck disable=SC2086
		timeout 60 "$program" $command bad.json >out 2>err || status=$?
		if [ "$status" != "$expected" ]; then
			not_ok "$name: $command exits with $status, not $expected: $(head -c 300 err)"
			return
		fi
		if ! grep -qE -- "$pattern" err; then
			not_ok "$name: $command says nothing like $pattern: $(head -c 300 err)"
			return
		fi
	done
	digest >after
	if cmp -s before after; then
		ok "$name"
	else
		not_ok "$name: the state changed: $(diff before after | head -n 4)"
		cp after before
	fi
}
document() {
	printf '%s\n' "$1" >bad.json
}
# The value of one key on line 2.
value() {
	printf '{ "hypernix": 1, "units": { "x": { "overrides": {\n  "%s": %s } } } }\n' "$1" "$2" >bad.json
}
named() {
	printf '{ "hypernix": 1, "units": {\n  "%b": {} } }\n' "$1" >bad.json
}

document '{ "hypernix": 1, "units": { "x": { "tags": [ } } }'
refused "broken JSON" 6 '^(hv-compute: )?bad\.json:1:[0-9]+'
value memory.sise '"1Gi"'
refused "unknown key: its place" 6 'bad\.json:2:[0-9]+'
refused "unknown key: the nearest name" 6 'memory\.size'
value memory.size true
refused "wrong type" 6 'bad\.json:2:[0-9]+'
value memory.size '"32GB"'
refused "32GB" 6 'bad\.json:2:[0-9]+.*32GB'
value memory.size '"0.3Ki"'
refused "0.3Ki" 6 'bad\.json:2:[0-9]+.*0\.3Ki'
value memory.size '"99999999999999999999Pi"'
refused "overflow" 6 'bad\.json:2:[0-9]+'
value compute.units 9223372036854775808
refused "overflow of an integer" 6 'bad\.json:2:[0-9]+'
document '{ "hypernix": 1, "units": {
  "x": { "tags": ["wbe"] } }, "tags": { "web": {} } }'
refused "unknown tag" 4 'bad\.json:2:[0-9]+.*wbe'
document '{ "hypernix": 1, "units": {
  "x": { "policies": ["no-such"] } } }'
refused "unknown policy" 4 'bad\.json:2:[0-9]+.*no-such'
document '{ "hypernix": 1, "policies": {
  "p": { "select": "tag:web and and tag:db" } } }'
refused "selector syntax" 6 'bad\.json:2:[0-9]+'
document '{ "hypernix": 1, "tags": {
  "a": { "implies": ["b"] },
  "b": { "implies": ["a"] } } }'
refused "cyclic implied tags" 5 'bad\.json:[23]:[0-9]+'
document '{ "hypernix": 1, "kinds": { "env": { "exclusive": true } },
  "tags": { "production": { "kind": "env" }, "staging": { "kind": "env" } },
  "units": { "x": { "tags": ["production", "staging"] } } }'
refused "two exclusive tags" 5 'production'
refused "two exclusive tags: the place" 5 'bad\.json:3:[0-9]+'
document '{ "hypernix": 1, "units": { "x": {},
  "x": {} } }'
refused "duplicate unit" 5 'bad\.json:2:[0-9]+'
truncate -s 200M bad.json
refused "200 MiB" 6 'bad\.json.*16777216'
python3 -c 'print("[" * 10000 + "]" * 10000)' >bad.json
refused "10,000 levels" 6 'bad\.json:1:[0-9]+'
printf '{ "hypernix": 1, "units": { "x": { "overrides": {\n "description": "\xff" } } } }\n' >bad.json
refused "invalid UTF-8" 6 'bad\.json:2(:[0-9]+)?'
named 'a\\u0000b'
refused "NUL in a name" 6 'bad\.json:2:[0-9]+'
for name in 'a/b/c' 'a/b' '/' '..' '../x' '.' 'A' '-x' 'a b' 'a\\nb' 'a\\u001bb'; do
	named "$name"
	refused "the name $name" 6 'bad\.json:2:[0-9]+'
done
printf '{ "hypernix": 1, "units": {\n "a\x1bb": {} } }\n' >bad.json
refused "a raw control character" 6 'bad\.json:2(:[0-9]+)?'
cp "$here/examples/conflict.json" bad.json
refused "a conflict" 5 'ways out'

# Finer points of the same.
document '{ "hypernix": 1 } trailing'
refused "something after the document" 6 'bad\.json:1:[0-9]+'
: >bad.json
refused "an empty file" 6 'bad\.json'
document '[1]'
refused "no object" 6 'bad\.json:1:1'
document '{ "hypernix": 2 }'
refused "a version to come" 6 'bad\.json:1:[0-9]+'
document '{ "units": {} }'
refused "no version" 6 'hypernix'
document '{ "hypernix": 1, "unitz": {} }'
refused "an unknown member: its place" 6 'bad\.json:1:[0-9]+'
refused "an unknown member: the nearest name" 6 'units'
value autostart '"yes"'
refused "wrong type of a bool" 6 'bad\.json:2:[0-9]+'
value memory.size '"32GB"'
refused "32GB: what would be right" 6 '32G(i|\b)'
value memory.size '"32 Gi"'
refused "a space in a size" 6 'bad\.json:2:[0-9]+'
value memory.size '"33Mi"'
refused "below the range" 6 'bad\.json:2:[0-9]+'
value memory.size '"257Mi"'
refused "no multiple of the step" 6 '2Mi'
value compute.units -1
refused "a negative number" 6 'bad\.json:2:[0-9]+'
value boot.goal '"0.1m"'
refused "m could be minutes or months" 6 'min'
value compute.overcommit '"1.0000001"'
refused "a ratio with seven decimals" 6 'bad\.json:2:[0-9]+'
value restart.policy '"sometimes"'
refused "no word of the enumeration" 6 'on-failure'
value restart.policy '{ "$value": "no", "$priority": 10 }'
refused "a priority that is nobody's to give" 6 'bad\.json:2:[0-9]+'
value restart.policy '{ "$value": "no", "$colour": 1 }'
refused "an unknown dollar name" 6 'bad\.json:2:[0-9]+'
value memory.size '"1Gi", "memory": { "size": "1Gi" }'
refused "a key nested and dotted" 5 'memory\.size'
document '{ "hypernix": 1, "tags": { "a": { "kind": "no-such-kind" } } }'
refused "an unknown kind" 4 'no-such-kind'
document '{ "hypernix": 1, "policies": { "p": { "select": "tag:web or (" } } }'
refused "a selector that stops in the middle" 6 'bad\.json:1:[0-9]+'
document '{ "hypernix": 1, "tags": { "a": { "implies": ["a"] } } }'
refused "a tag that implies itself" 5 'bad\.json:1'
document '{ "hypernix": 1, "kinds": { "env": { "exclusive": true } },
 "tags": { "production": { "kind": "env" }, "staging": { "kind": "env" }, "web": { "implies": ["staging"] } },
 "units": { "x": { "tags": ["production", "web"] } } }'
refused "two exclusive tags, one implied" 5 'web'
cp "$here/examples/conflict.json" bad.json
refused "a conflict: both values" 5 'daily 02:00'
refused "a conflict: one place" 5 'bad\.json:5'
refused "a conflict: the other place" 5 'bad\.json:8'
printf '{ "hypernix": 1, "units": { "x": { "overrides": {\n "description": "\xc0\xaf" } } } }\n' >bad.json
refused "overlong UTF-8" 6 'bad\.json:2'
value description '"\ud800"'
refused "a lone surrogate" 6 'bad\.json:2'
printf '{ "hypernix": 1, "units": { "a\x00b": {} } }\n' >bad.json
refused "a NUL byte" 6 'bad\.json'
for name in '1a' "a'b" 'a<b' 'ä' "$(printf 'a%.0s' {1..64})" ''; do
	named "$name"
	refused "the name '$name'" 6 'bad\.json:2:[0-9]+'
done
named 'a\\u001b[2Jb'
refused "a terminal command in a name" 6 'bad\.json:2:[0-9]+'
check "no message passes a control character on" sh -c "! LC_ALL=C grep -q '[[:cntrl:]]' err"
document '{ "hypernix": 1, "origins": { "/units/nobody": [0, 1, 1] }, "files": ["x"] }'
refused "an origin of nothing" 4 'bad\.json:1'
rm bad.json
refused "a file that is not there" 4 'bad\.json'
mkdir bad.json
refused "a directory" 13 'bad\.json'
rmdir bad.json

# The same of commands that take a name, a key, a value.
# command NAME STATUS PATTERN ARGUMENTS...
command_refused() {
	local name=$1 expected=$2 pattern=$3 status=0
	shift 3
	timeout 60 "$program" "$@" >out 2>err </dev/null || status=$?
	digest >after
	if [ "$status" != "$expected" ]; then
		not_ok "$name: exits with $status, not $expected: $(head -c 300 err)"
	elif ! grep -qE -- "$pattern" err; then
		not_ok "$name: says nothing like $pattern: $(head -c 300 err)"
	elif ! cmp -s before after; then
		not_ok "$name: the state changed"
		cp after before
	else
		ok "$name"
	fi
}

# Rows of all tables but the audit log, and how many records the audit log has.
content() {
	python3 - "$state/hypernix.db" <<'END'
import sqlite3, sys
base = sqlite3.connect(sys.argv[1])
print("\n".join(line for line in base.iterdump() if ' "audit' not in line and " audit" not in line))
END
}
records() {
	python3 -c 'import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute("SELECT count(*) FROM audit").fetchone()[0])' "$state/hypernix.db"
}

# A denial is on record (caps: nothing is refused unseen); nothing else changes.
# command_denied NAME PATTERN ARGUMENTS...
command_denied() {
	local name=$1 pattern=$2 status=0 known
	shift 2
	content >rows
	known=$(records)
	timeout 60 "$program" "$@" >out 2>err </dev/null || status=$?
	content >rows.after
	if [ "$status" != 8 ] || ! grep -qE -- "$pattern" err; then
		not_ok "$name: exits with $status and says: $(head -c 300 err)"
	elif ! cmp -s rows rows.after; then
		not_ok "$name: more than the audit log changed: $(diff rows rows.after | head -n 4)"
	elif [ "$(records)" -le "$known" ]; then
		not_ok "$name: the denial is not in the audit log"
	else
		ok "$name"
	fi
	digest >before
}
command_refused "create: a bad name" 64 'name' create ../x
command_refused "create: an unknown tag" 4 'no-such' create api --tags no-such
command_refused "create: an unknown key" 6 'memory\.size' create api --set memory.sise=1Gi
command_refused "create: a bad value" 6 '1GB' create api --set memory.size=1GB
command_refused "create: no value" 64 'KEY=VALUE' create api --set memory.size
command_refused "create: a unit that is there" 1 'kept' create kept
command_refused "tag: an unknown tag" 4 'no-such' tag kept +no-such
command_refused "tag: an unknown unit" 4 'nobody' tag nobody +web
command_refused "tag: no sign" 64 'neither' tag kept web
command_refused "set: a declared unit" 8 'declared' set kept memory.size 256Mi
command_denied "force: no reason" 'reason' force kept compute.units 20 --for 1h
command_refused "force: longer than a week" 6 '.' force kept compute.units 20 --for 8d --reason x
command_refused "force: no time" 64 '--for' force kept compute.units 20 --reason x
command_refused "rollback: no such generation" 4 '999' rollback 999 --yes
command_refused "rollback: no number" 64 'no generation' rollback x
command_refused "apply: a stored plan that is not there" 4 '999' apply --plan 999 --yes
command_refused "rm: nobody to ask" 8 'yes' rm kept --reason x
command_refused "rm: an unknown unit" 4 'nobody' rm nobody --yes --reason x
command_refused "start: an unknown unit" 4 'nobody' start nobody
command_refused "get: an unknown key" 6 'memory\.size' get kept memory.sise
command_refused "select: syntax" 6 '.' select 'tag:'

# Who changes a unit while another owns the machine is told that what he said is kept, and how to make it real.
busy() { # NAME PATTERN ARGUMENTS...
	local name=$1 pattern=$2 status=0
	shift 2
	python3 - "$machine/lock" "$program" "$@" >out 2>err <<'END' || status=$?
import fcntl, subprocess, sys
with open(sys.argv[1], "r+") as file:
    fcntl.lockf(file, fcntl.LOCK_EX)
    sys.exit(subprocess.run(sys.argv[2:], timeout=60, stdin=subprocess.DEVNULL).returncode)
END
	if [ "$status" = 7 ] && grep -qE -- "$pattern" err; then
		ok "$name"
	else
		not_ok "$name: exits with $status and says: $(head -c 400 err)"
	fi
}
busy "tag: the tag is stored, the unit busy" '^stored: what was said of kept.*hv-compute apply --unit kept' tag kept +night
check "the tag is there" sh -c "'$program' list --stored --select tag:night | grep -q '^kept'"
busy "the same as JSON" '^\{"error": ?\{"code": ?"HN_EBUSY".*\}, ?"stored": ?"kept"\}$' tag kept -night --json
check "the tag is gone" sh -c "! '$program' list --stored --select tag:night | grep -q '^kept'"
check "what it says to do makes it real" "$program" apply --unit kept --yes
busy "an apply is refused as it was" HN_EBUSY apply --unit kept --yes --json
check "it has stored nothing, and says nothing of that" sh -c '! grep -q stored err'
check "afterwards the host is as it was" sh -c "'$program' list --stored | grep -q '^kept'"
finish
