#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Bad declarations: each is refused with its documented exit status, names the place and what would be right,
# and leaves no trace on the host.
. "$(dirname "$0")/../lib/e2e.sh"

cd "$work" || exit 1

# refused NAME STATUS PATTERN: bad.json must be refused by check and by apply, and the message match PATTERN.
refused() {
	local name=$1 expected=$2 pattern=$3 status=0
	timeout 60 "$program" check bad.json >out 2>err || status=$?
	if [ "$status" != "$expected" ]; then
		not_ok "$name: exit status $status, not $expected"
		head -n 5 out err | cut -c1-300 | sed 's/^/    /'
	elif ! cat out err | grep -qE -- "$pattern"; then
		not_ok "$name: no message like: $pattern"
		head -n 5 out err | cut -c1-300 | sed 's/^/    /'
	else
		ok "$name"
	fi
	status=0
	timeout 60 "$program" apply bad.json --yes >out 2>err || status=$?
	if [ "$status" != "$expected" ]; then
		not_ok "$name, apply: exit status $status, not $expected"
		head -n 5 err | cut -c1-300 | sed 's/^/    /'
	fi
}

# unit 'MEMBERS': a document with one unit x that has these members, which begin on line 3.
unit() {
	printf '{ "hypernix": 1,\n  "units": { "x": {\n%s } } }\n' "$1" >bad.json
}
document() {
	printf '%s\n' "$1" >bad.json
}
# raw FORMAT: bytes that no shell variable can hold.
raw() {
	# shellcheck disable=SC2059
	printf "$1" >bad.json
}

program=$(find "$build/frontends" -name hv-compute -type f | head -n 1)
if [ -z "$program" ]; then
	skip "refusals no hv-compute in $build"
	finish
fi
mkdir -p "$state"
trace() {
	(cd "$work" && find s m -type f 2>/dev/null | sort | xargs -r ls -l --time-style=full-iso)
}

document '{ "hypernix": 1, "units": { "x": { "tags": [ } } }'
refused "broken JSON" 6 'bad\.json:1:[0-9]+'
document '{ "hypernix": 1 } trailing'
refused "something after the document" 6 'bad\.json:1:[0-9]+'
: >bad.json
refused "an empty file" 6 'bad\.json'
document '[1]'
refused "not an object" 6 'bad\.json:1:1'
document '{ "hypernix": 2 }'
refused "a version to come" 6 'bad\.json:1:[0-9]+.*(version|newer)|(version|newer).*bad\.json:1'
document '{ "units": {} }'
refused "no version" 6 'bad\.json:1.*hypernix|hypernix.*bad\.json:1'
document '{ "hypernix": 1, "unitz": {} }'
refused "unknown member, nearest name" 6 'bad\.json:1:[0-9]+(.|\n)*units'
unit '"overrides": { "memory.sise": "1Gi" }'
refused "unknown key, nearest name" 6 'memory\.size'
unit '"overrides": { "memory.sise": "1Gi" }'
refused "unknown key, its place" 6 'bad\.json:3:'
unit '"overrides": { "memory.size": true }'
refused "wrong type" 6 'bad\.json:3:'
unit '"overrides": { "autostart": "yes" }'
refused "wrong type of a bool" 6 'bad\.json:3:'
unit '"overrides": { "memory.size": "32GB" }'
refused "32GB" 6 'bad\.json:3:'
refused "32GB, what would be right" 6 '32G(i|\b)'
unit '"overrides": { "memory.size": "0.3Ki" }'
refused "0.3Ki" 6 'bad\.json:3:'
unit '"overrides": { "memory.size": "32 Gi" }'
refused "a space in a size" 6 'bad\.json:3:'
unit '"overrides": { "memory.size": "99999999999999999999Pi" }'
refused "overflow of a size" 6 'bad\.json:3:'
unit '"overrides": { "compute.units": 9223372036854775808 }'
refused "overflow of a number" 6 'bad\.json:3:'
unit '"overrides": { "compute.units": -1 }'
refused "below the range" 6 'bad\.json:3:'
unit '"overrides": { "memory.size": "33Mi" }'
refused "no multiple of the step, below the range" 6 'bad\.json:3:'
unit '"overrides": { "memory.size": "257Mi" }'
refused "no multiple of the step" 6 '2Mi'
unit '"overrides": { "boot.goal": "0.1m" }'
refused "a duration that could be minutes or months" 6 'min'
unit '"overrides": { "compute.overcommit": "1.0000001" }'
refused "a ratio with seven decimals" 6 'bad\.json:3:'
unit '"overrides": { "restart.policy": "sometimes" }'
refused "no word of the enumeration" 6 'on-failure'
unit '"overrides": { "restart.policy": { "$value": "no", "$priority": 10 } }'
refused "a priority that is nobody's to give" 6 'bad\.json:3:'
unit '"overrides": { "restart.policy": { "$value": "no", "$colour": 1 } }'
refused "an unknown dollar name" 6 'bad\.json:3:'
unit '"overrides": { "memory.size": "1Gi", "memory": { "size": "1Gi" } }'
refused "a key nested and dotted" 5 'memory\.size'
unit '"tags": ["no-such-tag"]'
refused "unknown tag" 4 'no-such-tag'
refused "unknown tag, its place" 4 'bad\.json:3:'
unit '"policies": ["no-such-policy"]'
refused "unknown policy" 4 'bad\.json:3:'
document '{ "hypernix": 1, "tags": { "a": { "kind": "no-such-kind" } } }'
refused "unknown kind" 4 'no-such-kind'
document '{ "hypernix": 1, "policies": { "p": { "select": "tag:web and and tag:db" } } }'
refused "selector syntax" 6 'bad\.json:1:[0-9]+'
document '{ "hypernix": 1, "policies": { "p": { "select": "tag:web or (" } } }'
refused "selector that stops in the middle" 6 'bad\.json:1:[0-9]+'
document '{ "hypernix": 1, "tags": { "a": { "implies": ["b"] },
 "b": { "implies": ["c"] },
 "c": { "implies": ["a"] } } }'
refused "cyclic implied tags" 5 'a.*b.*c'
document '{ "hypernix": 1, "tags": { "a": { "implies": ["a"] } } }'
refused "a tag that implies itself" 5 'bad\.json:1'
document '{ "hypernix": 1, "kinds": { "env": { "exclusive": true } },
 "tags": { "production": { "kind": "env" },
 "staging": { "kind": "env" } },
 "units": { "x": { "tags": ["production", "staging"] } } }'
refused "two exclusive tags" 5 'production.*staging|staging.*production'
document '{ "hypernix": 1, "kinds": { "env": { "exclusive": true } },
 "tags": { "production": { "kind": "env" }, "staging": { "kind": "env" },
 "web": { "implies": ["staging"] } },
 "units": { "x": { "tags": ["production", "web"] } } }'
refused "two exclusive tags, one implied" 5 'web'
document '{ "hypernix": 1, "units": { "x": {},
 "x": {} } }'
refused "duplicate unit" 5 'bad\.json:2'
cp "$here/examples/conflict.json" bad.json
refused "a conflict: both values" 5 'daily 02:00'
refused "a conflict: both places" 5 'bad\.json:5'
refused "a conflict: both places, the other" 5 'bad\.json:8'
refused "a conflict: the ways out" 5 'ways out'
python3 -c 'print("{ \"hypernix\": 1, \"description\": \"" + "x" * (200 << 20) + "\" }")' >bad.json
refused "a declaration of 200 MiB" 6 '16 ?MiB|16777216|limit'
python3 -c 'print("{ \"hypernix\": 1, \"units\": " + "{ \"a\": " * 10000 + "1" + "}" * 10001)' >bad.json
refused "10,000 levels" 6 '32|nest|deep|depth|level'
raw '{ "hypernix": 1, "units": { "x": { "overrides": { "description": "\xff\xfe" } } } }\n'
refused "invalid UTF-8" 6 'bad\.json:1|UTF-8'
raw '{ "hypernix": 1, "units": { "x": { "overrides": { "description": "\xc0\xaf" } } } }\n'
refused "overlong UTF-8" 6 'bad\.json:1|UTF-8'
document '{ "hypernix": 1, "units": { "x": { "overrides": { "description": "\ud800" } } } }'
refused "a lone surrogate" 6 'bad\.json:1'
document '{ "hypernix": 1, "units": { "a\u0000b": {} } }'
refused "NUL in a name" 6 'bad\.json:1'
raw '{ "hypernix": 1, "units": { "a\x00b": {} } }\n'
refused "a NUL byte" 6 'bad\.json'
for name in 'a/b' '..' '../../etc' 'A' '-a' '1a' 'a b' 'a<b' "a'b" 'ä' "$(printf 'a%.0s' {1..64})" ''; do
	document "{ \"hypernix\": 1, \"units\": { \"$name\": {} } }"
	refused "the name '$name'" 6 'bad\.json:1'
done
document '{ "hypernix": 1, "units": { "a\u0007b": {} } }'
refused "a control character in a name" 6 'bad\.json:1'
check "messages pass no control character on" sh -c "! LC_ALL=C grep -q '[[:cntrl:]]' err"
document '{ "hypernix": 1, "origins": { "/units/nobody": [0, 1, 1] }, "files": ["x"] }'
refused "an origin of nothing" 6 'bad\.json:1'
status=0
hv check no-such-file.json >out 2>err || status=$?
check "a file that is not there" test "$status" = 4
check "no refused declaration left a domain or a record" \
	sh -c "! find '$work/m' -name '*.xml' 2>/dev/null | grep -q . && ! HYPERNIX_STATE='$state' HYPERNIX_ROOT='$machine' '$program' list 2>/dev/null | grep -qE '^(x|db-main)( |\$)'"
finish
