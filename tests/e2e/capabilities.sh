#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The walk-through of capabilities that the README shows, and what hv-cap refuses: files that others can read, tokens
# that are none or stand in argv, words that do not exist, passphrases that are wrong, a host that knows no issuer.
. "$(dirname "$0")/../lib/e2e.sh"
need_program hv-cap
hvcap=$program
cd "$work" || exit 1

# --- the walk-through ---

HYPERNIX_BUILD=$build HYPERNIX_GUEST=$guest "$here/examples/capabilities.sh" >walk 2>&1
if [ "$(tail -n 1 walk)" = 'capabilities: OK' ]; then
	ok "the walk-through"
else
	not_ok "the walk-through"
	tail -n 40 walk | sed 's/^/    /'
fi
if grep -q '^left out: ' walk; then
	skip "the console is closed by a revocation: $(sed -n 's/^left out: //p' walk)"
else
	check "the console is closed within a second" grep -qE '^the console was closed [0-9]{1,3} ms after' walk
fi
check "an edge of office hours in Berlin is told" grep -q 'closed now, opens' walk
check "a flipped bit is seen" grep -q 'audit record 3 was changed' walk
check "a cut tail is seen" grep -qE 'audit record [0-9]+ is missing' walk
check "missing checkpoints are seen" grep -q 'checkpoints of the audit log are missing: 1 of the' walk
check "and told by status" grep -q '^attention: checkpoints of the audit log are missing: 1 of the' walk
check "missing texts are seen" grep -q 'refers to a text that is missing' walk
check "an old database is seen" grep -q 'the database was rolled back' walk

# --- refusals ---

echo '<node/>' >node.xml
export HYPERNIX_URI=test://$work/node.xml HYPERNIX_CALIBRATION=reference:8
cat >units.json <<'END'
{ "hypernix": 1, "tags": { "web": {} }, "units": {
  "web-1": { "tags": ["web"], "overrides": { "memory.size": "128Mi", "compute.units": 10, "autostart": false } } } }
END
hv apply units.json --yes >out 2>&1 || not_ok "apply: $(tail -n 3 out)"

# refused NAME STATUS PATTERN PROGRAM WORD...
refused() {
	local name=$1 expected=$2 pattern=$3 status=0
	shift 3
	timeout 60 "$@" >out 2>err </dev/null || status=$?
	if [ "$status" != "$expected" ]; then
		not_ok "$name: status $status, not $expected: $(head -c 300 err)"
	elif ! grep -qE -- "$pattern" err; then
		not_ok "$name: says nothing like $pattern: $(head -c 300 err)"
	else
		ok "$name"
	fi
}
hvcompute=$(find "$build/frontends" -name hv-compute -type f | head -n 1)

"$hvcap" keys new bo --quiet >bo.line 2>err || not_ok "keys new: $(cat err)"
check "a key file is of its owner alone" test "$(stat -c %a bo.key)" = 600
check "its public half is printed and in a file" cmp -s bo.line bo.pub
refused "a key is not overwritten" 1 'bo\.key' "$hvcap" keys new bo

# A host without a trust bundle.
refused "no bundle: trust show" 4 'no trust bundle' "$hvcap" trust show
refused "no bundle: issue" 6 'no trust bundle' "$hvcap" issue --for bo --verbs unit.read --on 'unit/*' --ttl 1h --to bo.pub
refused "no bundle: break-glass" 6 'no trust bundle' "$hvcap" break-glass request outage --reason x
refused "no bundle: local off would lock everybody out" 6 'nobody could act' "$hvcap" local off --reason x
refused "init without a name" 64 'cluster' "$hvcap" init
refused "break-glass without persons" 64 'needs persons' "$hvcap" init --cluster lab --break-glass outage=2
check "what was refused made no root key's bundle" sh -c "! '$hvcap' trust show"

printf 'correct horse\n' >pass && chmod 600 pass
printf 'wrong horse\n' >wrong && chmod 600 wrong
check "init with a passphrase" "$hvcap" init --cluster lab --passphrase-file pass --approver bo=bo.pub --break-glass outage=1 --root-key root.key
check "the root key is of its owner alone" test "$(stat -c %a root.key)" = 600
refused "init twice" 1 'already' "$hvcap" init --cluster lab
"$hvcap" trust show -o trust.cbor --quiet
refused "wrong passphrase" 6 'root\.key|passphrase' "$hvcap" trust sign trust.cbor --key root.key --passphrase-file wrong -o t2
check "no file is left of it" test ! -e t2
check "the right one, by a descriptor" sh -c "'$hvcap' trust sign trust.cbor --key root.key --passphrase-file fd:3 -o t2 3<pass"
chmod 644 pass
refused "a passphrase that others can read" 6 'others can read' "$hvcap" trust sign trust.cbor --key root.key --passphrase-file pass -o t3
chmod 600 pass
check "the bundle that is loaded already is no change" sh -c "'$hvcap' trust update trust.cbor | grep -q 'nothing to do'"

issue() {
	"$hvcap" issue --for bo --verbs unit.read,unit.start --on 'unit/*' --ttl 10min "$@"
}
check "issue to a key" issue --to bo.pub -o bo.cap
check "issue to whoever has it" issue --bearer -o bearer.cap
check "tokens are of their owner alone" test "$(stat -c %a bo.cap bearer.cap | sort -u)" = 600
refused "issue to nobody" 64 'who can use' "$hvcap" issue --for bo --verbs unit.read --on 'unit/*' --ttl 10min
refused "an unknown verb: the nearest" 64 'unit\.start' "$hvcap" issue --for bo --verbs unit.strat --on 'unit/*' --ttl 10min --bearer
refused "an unknown verb to explain: the nearest" 64 'unit\.start' "$hvcap" explain bearer.cap unit.strat unit:web-1
refused "a unit that is not there" 4 'web-9' "$hvcap" issue --for bo --verbs start --on unit:web-9 --ttl 10min --bearer
refused "a schedule that is none" 64 'schedule|Mondy' "$hvcap" issue --for bo --verbs unit.read --on 'unit/*' --ttl 10min --bearer --when 'Mondy 09:00-10:00 Europe/Berlin'
refused "a zone that is none" 6 'HN_EZONE.*Atlantis' "$hvcap" --json issue --for bo --verbs unit.read --on 'unit/*' --ttl 10min --bearer --when 'Mon 09:00-10:00 Europe/Atlantis'
refused "a bearer token for an hour" 6 '15' "$hvcap" issue --for bo --verbs unit.read --on 'unit/*' --ttl 1h --bearer
refused "a command that is none: the nearest" 64 'attenuate' "$hvcap" atenuate bo.cap

cat >templates.json <<'END'
{ "hypernixCapabilities": 1, "cluster": "lab", "templates": { "operator": { "ttl": "8h",
  "grants": [{ "verbs": ["unit.read"], "on": "unit/*" }] } } }
END
template() {
	"$hvcap" issue --template operator --templates templates.json "$@"
}
check "issue by a template" template --for alice --to bo.pub -o alice.cap
check "the token names it" sh -c "'$hvcap' inspect alice.cap | grep -q 'template: operator'"
refused "for longer than the template gives" 6 'at most 8h' "$hvcap" issue --template operator --templates templates.json --for alice --ttl 9h --to bo.pub
refused "a template that is none" 4 'no template' "$hvcap" issue --template oprator --templates templates.json --for alice --to bo.pub

# Tokens: where from, and whose.
refused "a token in argv" 64 'everybody' "$hvcompute" list --cap "$(cat bearer.cap)"
refused "a token in argv, inspected" 64 'everybody' "$hvcap" inspect "$(cat bearer.cap)"
refused "no such file" 4 'none\.cap' "$hvcompute" list --cap none.cap
echo 'no token' >bad.cap
refused "a file that is no token" 8 'token' "$hvcompute" list --cap bad.cap
head -c 40000 /dev/zero | tr '\0' a >long.cap
refused "a file that is too long" 6 '32768' "$hvcompute" list --cap long.cap
: >empty.cap
refused "an empty file" 64 'nothing in it' "$hvcompute" list --cap empty.cap
sed 's/.$//' bearer.cap >cut.cap
refused "a token with its end cut off" 8 'token' "$hvcompute" list --cap cut.cap
chmod 644 bearer.cap
refused "a bearer token that others can read" 6 'others can read' "$hvcompute" list --cap bearer.cap
chmod 600 bearer.cap
"$hvcap" seal bo.cap --key bo.key -o sealed.cap >/dev/null
chmod 644 sealed.cap
refused "a sealed token that others can read" 6 'sealed token' "$hvcompute" list --cap sealed.cap
refused "another's token without the key" 8 'token' "$hvcompute" list --cap bo.cap
refused "a key without a token" 64 'give --cap' "$hvcompute" list --cap-key bo.key
chmod 644 bo.key
refused "a key that others can read" 6 'bo\.key' "$hvcompute" list --cap bo.cap --cap-key bo.key
chmod 600 bo.key
refused "two rights at once" 5 'both say' "$hvcompute" list --cap bo.cap --by-break-glass
check "with the key" "$hvcompute" list --cap bo.cap --cap-key bo.key
check "by a descriptor" sh -c "'$hvcompute' list --cap fd:4 4<bearer.cap"
check "by the environment" env HYPERNIX_CAP_FILE=bearer.cap "$hvcompute" list
refused "what the token does not give" 8 'unit\.stop' "$hvcompute" stop web-1 --cap bearer.cap
refused "activation by a token that gives too little" 1 'unit|denied' \
	"$(find "$build/frontends" -name hv-activate -type f | head -n 1)" --config units.json --cap bearer.cap --on-remove destroy
check "no token and no passphrase is in the state or in the log" sh -c \
	"! grep -rqaF -e 'correct horse' -e \"\$(cat bearer.cap)\" '$state' out err"

# Completion knows the commands and their words.
check "completion offers the second word" sh -c "'$hvcap' completion bash | bash -c '
	source /dev/stdin; COMP_WORDS=(hv-cap audit v) COMP_CWORD=2; _hv_cap; [ \"\${COMPREPLY[*]}\" = verify ]'"
check "completion offers a verb" sh -c "'$hvcap' complete VERB | grep -qx unit.start"
check "completion offers a unit" sh -c "'$hvcap' complete OBJECT | grep -qx unit:web-1"
finish
