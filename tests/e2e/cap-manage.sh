#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# What those who run a host do with hv-cap: see how it stands, renew its issuer, take tokens back, keep secrets of units,
# turn local operators off without locking themselves out, and let words of the audit log go with two persons' approval.
. "$(dirname "$0")/../lib/e2e.sh"
need_program hv-cap
hvcap=$program
cd "$work" || exit 1
echo '<node/>' >node.xml
export HYPERNIX_URI=test://$work/node.xml HYPERNIX_CALIBRATION=reference:8

# refused NAME STATUS PATTERN WORD...: hv-cap ends with this status, and says this.
refused() {
	local name=$1 expected=$2 pattern=$3 status=0
	shift 3
	timeout 60 "$hvcap" "$@" >out 2>err </dev/null || status=$?
	if [ "$status" = "$expected" ] && grep -qE -- "$pattern" err; then
		ok "$name"
	else
		not_ok "$name: status $status, not $expected, or nothing like $pattern: $(head -c 300 err)"
	fi
}
# said NAME PATTERN WORD...: it succeeds, and says this.
said() {
	local name=$1 pattern=$2
	shift 2
	if timeout 60 "$hvcap" "$@" >out 2>err </dev/null && grep -qE -- "$pattern" out err; then
		ok "$name"
	else
		not_ok "$name: $(head -c 300 out err)"
	fi
}
member() { # of a JSON answer on standard input
	python3 -c 'import json, sys; print(eval(sys.argv[1], {"a": json.load(sys.stdin)}))' "$1"
}

cat >units.json <<'END'
{ "hypernix": 1, "units": { "db-1": { "overrides": { "memory.size": "128Mi", "compute.units": 10, "autostart": false } } } }
END
hv apply units.json --yes >out 2>&1 || not_ok "apply: $(tail -n 3 out)"
for person in root2 ann bo; do
	"$hvcap" keys new "$person" --quiet >/dev/null || not_ok "keys new $person"
done
said "a host without a bundle says so" 'no trust bundle' status
"$hvcap" init --cluster lab --approver ann=ann.pub --approver bo=bo.pub --break-glass outage=2 >init.out || not_ok "init"
node=$("$hvcap" status --json | member 'a["node"]')
check "init names the audit log, as it is called for good" grep -qE "audit log +hypernix.org/audit/[a-z]+/$node\$" init.out
check "the trust bundle has the key of the log" test \
	"$("$hvcap" trust show --json | member 'a["logs"][0]')" = "$("$hvcap" audit key)"
said "status names it too" "audit log +hypernix.org/audit/" status

# --- the issuer's month ---

"$hvcap" issue --for bo --verbs unit.read --on 'unit/*' --ttl 8h --to bo.pub -o bo.cap --quiet
said "renewed for three days" 'trust bundle 2 is loaded: this node issues until' trust renew --key lab-root.key --for 3d
said "status warns before the end" 'attention: this node can issue until .*hv-cap trust renew' status
said "and so does issue" 'this node issues until .*hv-cap trust renew' \
	issue --for bo --verbs unit.read --on 'unit/*' --ttl 8h --to bo.pub -o other.cap
said "renewed for a month" 'trust bundle 3 is loaded' trust renew --key lab-root.key
check "then nobody is warned" sh -c "! '$hvcap' status | grep 'can issue until'"
check "what was issued before is good" hv list --cap bo.cap --cap-key bo.key
refused "by a key that is no root's" 6 'bundle' trust renew --key root2.key
said "with the roots elsewhere" 'no root has signed' trust renew -o next.cbor
"$hvcap" trust sign next.cbor --key lab-root.key -o next.cbor --quiet >/dev/null
said "who sign it there" 'is loaded' trust update next.cbor
"$hvcap" keys rotate issuer -o rotated.pub >/dev/null || not_ok "keys rotate issuer"
check "the new key is in its file" sh -c "[ \"\$('$hvcap' keys public issuer)\" = \"\$(cat rotated.pub)\" ]"
said "status sees that a new key is not trusted yet" "attention: this node's key is no issuer" status
said "which renewing puts there" 'is loaded' trust renew --key lab-root.key
check "by the new key" test "$("$hvcap" status --json | member 'a["issuer"]')" = "$("$hvcap" keys public issuer)"
"$hvcap" issue --for bo --verbs unit.read --on 'unit/*' --ttl 8h --to bo.pub -o new.cap --quiet
check "a token of it is good" hv list --cap new.cap --cap-key bo.key
check "and one of the old is too" hv list --cap bo.cap --cap-key bo.key

# --- taken back ---

check "a dry run names what would end" test "$("$hvcap" revoke --subject bo --dry-run --json | member 'len(a)')" = 3
check "and ends nothing" hv list --cap bo.cap --cap-key bo.key
"$hvcap" issue --for once --verbs cap.read,cap.revoke --on 'node/*' --quota uses=1 --ttl 8h --to ann.pub -o once.cap --quiet ||
	not_ok "issue --quota"
said "one use is enough to revoke" 'revoked: subject nobody' revoke --subject nobody --cap once.cap --cap-key ann.key
refused "and there is no other" 7 'quota' revoke --subject nobody --cap once.cap --cap-key ann.key
issuer=$("$hvcap" list --json | member '[t for t in a if t["subject"] == "bo"][-1]["issuer"]') # the newest comes first
"$hvcap" revoke --issuer "$issuer" --reason 'the key was copied' >/dev/null || not_ok "revoke --issuer"
said "an issuer's tokens end at once" '^denied: unit.read' explain bo.cap unit.read unit:db-1 --key bo.key
check "their holder is told by what, and since when" grep -qE '^ended by: issuer, since 20[0-9TZ:-]+$' out
check "but not why" sh -c '! grep -q "^reason" out'
said "the operator is told why" '^reason: the key was copied$' explain bo.cap unit.read unit:db-1
check "in which record" grep -qE '^ended by: issuer, since 20[0-9TZ:-]+, record [0-9]+ of the audit log$' out
record=$("$hvcap" explain bo.cap unit.read unit:db-1 --json | member 'a["ended"]["record"]')
check "which is that of the revocation" test \
	"$("$hvcap" audit tail -n 4096 --json | member '[(r["kind"], r["reason"]) for r in a if r["number"] == '"$record"'][0][0]')" = epoch
if hv list --cap bo.cap --cap-key bo.key >out 2>err; then
	not_ok "what is over lists nothing"
else
	check "a command names the token that is over" grep -qE 'token [0-9a-f]{32}: its issuer key is revoked' err
	check "and what would help" grep -q 'ask for a new token' err
	check "which no new session is" sh -c '! grep -q "open a new one" err'
fi
check "the new issuer's do not" hv list --cap new.cap --cap-key bo.key
check "the list says by what" test "$("$hvcap" list --json | member '[t["revokedBy"] for t in a].count("issuer")')" = 2

# --- secrets ---

head -c 3000 /dev/urandom >secret.bin
check "a secret from standard input" sh -c "'$hvcap' secret put db-1 tls <secret.bin"
check "and from a descriptor" sh -c "printf hunter2 | '$hvcap' secret put unit:db-1 password --from fd:0"
check "they are listed by name" test "$("$hvcap" secret list db-1 --json | member 'sorted(s["name"] for s in a)')" = "['password', 'tls']"
check "what comes out went in" sh -c "'$hvcap' secret attach db-1 tls | cmp - secret.bin"
check "also into a descriptor" sh -c "[ \"\$('$hvcap' secret attach db-1 password --to fd:3 3>&1 >/dev/null)\" = hunter2 ]"
check "it is in no file of the state" sh -c "! grep -rqaF hunter2 '$state'"
"$hvcap" audit tail -n 4096 >out
check "what was done to which secret is on record" grep -qE 'allow +unit.secret on unit/[0-9a-f-]+: put password by ' out
check "with its version" grep -qE 'outcome +unit.secret on unit/[0-9a-f-]+: attach tls, version 1: ok, record [0-9]+$' out
refused "not on the command line" 64 'one word too many' secret put db-1 password hunter2
refused "an empty one" 64 'empty' secret put db-1 password
if script -qec true /dev/null >/dev/null 2>&1; then
	check "not onto a terminal" sh -c "script -qec \"'$hvcap' secret attach db-1 password\" /dev/null </dev/null | grep -q 'not printed on a terminal'"
else
	skip "not onto a terminal: no script(1) here"
fi
said "removed" 'is gone' secret remove db-1 password
refused "then it is not there" 4 'password' secret attach db-1 password

# --- two persons let words go ---

"$hvcap" issue --for records --verbs audit.prune --on 'node/*' --approval 2/15min --ttl 8h --to ann.pub -o records.cap --quiet ||
	not_ok "issue --approval"
check "the token says what it takes" sh -c "'$hvcap' inspect records.cap | grep -q 'count: 2'"
as=(--cap records.cap --cap-key ann.key)
check "a reason is on record" sh -c "'$hvcap' audit tail -n 4096 --json | grep -q 'the key was copied'"
refused "root alone erases nothing" 8 'quorum' audit erase bo --yes
refused "nor does one person" 8 'HN_EAPPROVAL|approv' audit erase bo --yes "${as[@]}"
said "a dry run counts" '[1-9][0-9]* records name' audit erase local/uid/0 --dry-run
refused "nobody is asked where nobody is" 8 'dry-run' audit erase local/uid/0 "${as[@]}"
"$hvcap" audit erase local/uid/0 --reason 'bo has left' "${as[@]}" --request-approval r.req --quiet || not_ok "request"
said "the request says whom" 'erase: local/uid/0' inspect r.req
for person in ann bo; do
	"$hvcap" approve r.req --key $person.key -o r.$person --quiet || not_ok "approve: $person"
done
"$hvcap" collect r.ann r.bo "${as[@]}" --quiet || not_ok "collect"
refused "of him alone" 8 'approv' audit erase bo --yes "${as[@]}"
said "two persons do" 'erased: [1-9][0-9]* texts about local/uid/0' audit erase local/uid/0 --yes "${as[@]}"
check "its reasons are gone" sh -c "! '$hvcap' audit tail -n 4096 --json | grep -q 'the key was copied'"
said "and the log is whole" '^whole: ' audit verify
said "no 256 records are that old" 'nothing to prune' audit prune --before 2020-01-01 --dry-run
refused "they approved one use" 8 'approv' audit prune --before 2020-01-01 --yes "${as[@]}"
refused "90 days stay" 6 '90 days' audit prune --before "$(date -u -d '80 days ago' +%F)" --yes "${as[@]}"

# --- two persons let these very bytes in ---

"$hvcap" issue --for keeper --verbs unit.read,unit.secret --on 'unit/*' --approval 2/15min --ttl 8h --to ann.pub -o keeper.cap \
	--quiet || not_ok "issue --approval for secrets"
as=(--cap keeper.cap --cap-key ann.key)
printf 'correct horse' >one.bin && printf 'battery stapl' >two.bin
"$hvcap" secret put db-1 pin --from one.bin --reason 'a new pin' "${as[@]}" --request-approval s.req --quiet || not_ok "request a put"
said "the request has a digest of the bytes" 'keyed: *[0-9a-f]{64}' inspect s.req
check "which is not their SHA-256" sh -c "! '$hvcap' inspect s.req --json | grep -q \"\$(sha256sum <one.bin | cut -c 1-64)\""
for person in ann bo; do
	"$hvcap" approve s.req --key $person.key -o s.$person --quiet || not_ok "approve: $person"
done
"$hvcap" collect s.ann s.bo "${as[@]}" --quiet || not_ok "collect for a secret"
refused "other bytes of that length are not approved" 8 'approv' secret put db-1 pin --from two.bin --reason 'a new pin' "${as[@]}"
said "those that were approved are kept" '13 bytes are kept' secret put db-1 pin --from one.bin --reason 'a new pin' "${as[@]}"
check "and are these" sh -c "'$hvcap' secret attach db-1 pin | cmp - one.bin"

# --- local operators off, and on again ---

refused "local off where nobody could undo it" 5 'nobody could turn local operators on again' local off --reason 'named persons only'
said "they act still" 'act without a token' status
"$hvcap" issue --for ann --verbs node.role,node.read,cap.read,audit.read --on 'node/*' --ttl 8h --to ann.pub -o admin.cap --quiet
said "with a way back it is done, and named" 'the way back is the token of ann, until ' local off --reason 'named persons only'
refused "root needs a token then" 8 'turned off' status
said "status warns before the way back ends" 'attention: local operators are off, and the last token' status --cap admin.cap --cap-key ann.key
said "the way back" 'act without a token' local on --reason 'end of the trial' --cap admin.cap --cap-key ann.key
said "root acts again" 'local operators +act without a token' status

# --- a clock that steps while they are off ---

stepped() { # the database has seen a later time than the clock shows
	python3 -c 'import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as database:
    assert database.execute("UPDATE clock_mark SET wall = wall + 86400000000000").rowcount == 1' "$HYPERNIX_STATE/hypernix.db"
}
by_ann=(--cap admin.cap --cap-key ann.key)
said "local operators are off again" 'the way back is the token of ann' local off --reason 'named persons only'
said "a token acts" 'clock +not suspect' status "${by_ann[@]}"
check "the clock steps" stepped
refused "no token is taken then" 7 'clock has stepped' status "${by_ann[@]}"
refused "nor does root act" 8 'turned off' clock accept --reason 'it is right'
"$hvcap" break-glass request outage --ttl 1h --reason 'the clock has stepped' -o step.req --quiet
"$hvcap" approve step.req --key ann.key -o step.ann --quiet
"$hvcap" approve step.req --key bo.key -o step.bo --quiet
check "two persons break the glass" "$hvcap" break-glass activate step.req step.ann step.bo
check "and accept the clock" "$hvcap" clock accept --by-break-glass --reason 'it is right'
said "a token acts again" 'clock +not suspect' status "${by_ann[@]}"
check "the way back is there again" "$hvcap" local on --reason 'end of the trial' "${by_ann[@]}"
check "a token ended long ago" python3 -c 'import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as database:
    database.execute("INSERT INTO cap_revoked VALUES (randomblob(16), 1, 0)")' "$HYPERNIX_STATE/hypernix.db"
check "the clock steps again" stepped
said "status says that nothing is forgotten" 'attention: tokens that ended long ago.* the clock is suspect' status
check "it is accepted" "$hvcap" clock accept --reason 'it is right'
check "it is forgotten then, or status says why not" sh -c "'$hvcap' clock status --json | grep -q '\"synchronised\": *true' ||
	'$hvcap' status | grep -q 'attention: tokens that ended long ago.* no time server sets the clock'"

export HYPERNIX_STATE=$work/other # whose break-glass is of units alone
"$hvcap" init --cluster lab --root-key other-root.key --approver ann=ann.pub --approver bo=bo.pub \
	--break-glass 'outage=2:unit.*:unit/**' --quiet || not_ok "init of the other"
"$hvcap" issue --for ann --verbs node.role,node.read,cap.read,audit.read --on 'node/*' --ttl 8h --to ann.pub -o other.cap --quiet
refused "local off where a step of the clock would shut everybody out" 5 'after a step of the clock.*clock\.accept' \
	local off --reason 'named persons only'
said "root acts still" 'act without a token' status
check "unless they want it so" "$hvcap" local off --yes --reason 'named persons only'
said "status says so" 'attention: local operators are off, and no break-glass gives clock.accept' status --cap other.cap --cap-key ann.key
finish
