#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# A host whose keys only hv-signer has: tokens issued, used, revoked, the log sealed and verified, all through its
# socket; verbs that need a fresh proof, by token and key file; and what is left while the signer is dead.
. "$(dirname "$0")/../lib/e2e.sh"

need_program hv-signer
signer=$program
need_program hv-cap
hvcap=$program
need_program hv-compute
hvcompute=$program
umask 077
cd "$work" || exit 1
socket=$work/socket
pid=
echo '<node/>' >node.xml
export HYPERNIX_URI=test://$work/node.xml HYPERNIX_CALIBRATION=reference:8

# start_signer [OPTION...]
start_signer() {
	"$signer" --socket "$socket" --keys "$work/keys" --origin hypernix.org/audit/lab/n1 "$@" >>signer.log 2>&1 &
	pid=$!
	until python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])' "$socket" 2>/dev/null; do
		kill -0 "$pid" 2>/dev/null || return 1
	done
}
end_signer() { # SIGNAL
	[ -n "$pid" ] || return 0
	kill "-$1" "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	pid=
}
trap 'end_signer KILL; e2e_clean' EXIT

cap() {
	timeout 120 "$hvcap" "$@" --signer "$socket"
}
compute() {
	timeout 120 "$hvcompute" "$@" --signer "$socket"
}
# refused NAME STATUS PATTERN COMMAND...: both the status and the words of it.
refused() {
	local name=$1 expected=$2 pattern=$3 status=0
	shift 3
	"$@" >out 2>err </dev/null || status=$?
	if [ "$status" != "$expected" ]; then
		not_ok "$name: status $status, not $expected: $(head -c 300 out err)"
	elif ! grep -qE -- "$pattern" err; then
		not_ok "$name: says nothing like $pattern: $(head -c 300 err)"
	else
		ok "$name"
	fi
}
cti_of() {
	"$hvcap" inspect "$1" --json | sed -n 's/^.*"cti": "\(.*\)".*$/\1/p' | head -n 1
}
as=(--cap admin.cap --cap-key operator.key)
facts() { # NAME: a number of `audit status`
	cap audit status --json "${as[@]}" | sed -n "s/^.*\"$1\": \([0-9]*\).*$/\1/p"
}
all_sealed() {
	cap audit checkpoint "${as[@]}" >note && cap audit verify "${as[@]}" &&
		[ "$(facts sealed)" = "$(facts records)" ] && grep -q 'hypernix.org/audit/lab/n1' note
}
sealed_now() { facts sealed; }

# --- the walk ---

if start_signer; then ok "hv-signer starts"; else not_ok "hv-signer starts: $(cat signer.log)"; fi
cat >units.json <<'END2'
{ "hypernix": 1, "units": {
  "web-1": { "overrides": { "memory.size": "128Mi", "compute.units": 10, "autostart": false } },
  "db-1": { "overrides": { "memory.size": "128Mi", "compute.units": 10, "autostart": false } } } }
END2
check "a declaration is applied" compute apply units.json --yes
for person in operator bo; do
	"$hvcap" keys new "$person" --quiet >out 2>&1 || not_ok "keys new $person: $(cat out)"
done
check "init takes the signer's issuer key" cap init --cluster lab --root-key root.key \
	--approver bo=bo.pub --break-glass outage=1
"$hvcap" trust show -o trust.cbor --signer "$socket" >out 2>&1 || not_ok "trust show: $(cat out)"
check "no key lies on the host" test ! -e "$state/keys"
same_key() { cap keys list --json | grep -q "$("$hvcap" trust show --json | sed -n 's/^.*"key": "\([0-9a-f]*\)".*$/\1/p' | head -n 1)"; }
check "the bundle has the key that the signer has" same_key
check "the local operator issues by the signer" cap issue --for operator --to operator.pub --ttl 8h -o admin.cap \
	--verbs unit.read,unit.start,cap.read,cap.issue,cap.revoke,key.rotate,audit.read,audit.export,node.role --on '**'
check "from now on only tokens act" cap local off --reason 'the walk'
refused "nobody acts without one" 8 'turned off' compute list

check "its holder issues: a fresh proof" cap issue --for bo --verbs unit.read,unit.start,unit.stop --on 'unit/*' --ttl 1h --to bo.pub -o bo.cap "${as[@]}"
check "what was issued so starts a unit" compute start web-1 --cap bo.cap --cap-key bo.key
refused "and does no more than it says" 8 'cap\.issue' cap issue --for eve --verbs unit.read --on 'unit/*' --ttl 10min --bearer --cap bo.cap --cap-key bo.key
refused "nor by the key of another" 64 "last holder" compute list --cap bo.cap --cap-key operator.key
refused "the strong verb without the key" 8 'token' cap issue --for eve --verbs unit.read --on 'unit/*' --ttl 10min --bearer --cap admin.cap
check "its holder narrows to a bearer token" "$hvcap" attenuate admin.cap --key operator.key --ttl 10min --bearer -o bearer.cap
check "which reads" compute list --cap bearer.cap
check "and proves by itself, as whoever has it does" cap issue --for eve --verbs unit.read --on 'unit/*' --ttl 10min --bearer -o eve.cap --cap bearer.cap
check "the issuer key is rotated: a fresh proof" cap keys rotate issuer "${as[@]}"
refused "a signer that knows no bundle signs by it: nobody would accept that" 6 'does not trust the key' \
	cap issue --for eve --verbs unit.read --on 'unit/*' --ttl 10min --bearer -o none.cap "${as[@]}"
check "and no token is left of it" test ! -e none.cap
end_signer TERM
if start_signer --trust trust.cbor; then ok "it starts with the bundle"; else not_ok "it starts with the bundle: $(tail -n 3 signer.log)"; fi
check "until the roots sign the new key the old one signs" cap issue --for eve --verbs unit.read --on 'unit/*' --ttl 10min --bearer -o eve.cap "${as[@]}"
check "a token is revoked by a token" cap revoke --cti "$(cti_of bo.cap)" --reason 'lost' "${as[@]}"
refused "it opens nothing more" 8 'revoked' compute list --cap bo.cap --cap-key bo.key
check "nor by a command without the signer's socket" sh -c "! '$hvcompute' list --stored --cap bo.cap --cap-key bo.key"
check "all is sealed, and verifies" all_sealed
cap audit key -o log.key "${as[@]}" && cap audit first-mac -o first.mac "${as[@]}" >out 2>&1 || not_ok "keys of the log: $(cat out)"
check "against what was taken off the host" cap audit verify --log-key log.key --first-mac first.mac "${as[@]}"
check "a record is proved" sh -c "'$hvcap' audit prove 3 -o record.tlog-proof --signer '$socket' --cap admin.cap --cap-key operator.key &&
	'$hvcap' audit check record.tlog-proof --log-key log.key"

# --- the signer is killed ---

end_signer KILL
esigner='hv-signer running'
check "reading goes on" compute list --stored "${as[@]}"
refused "a verb that seals first is refused" 7 "$esigner" cap revoke --subject eve --reason 'no signer' "${as[@]}"
refused "so is issuing" 7 "$esigner" cap issue --for eve --verbs unit.read --on 'unit/*' --ttl 10min --bearer -o late.cap "${as[@]}"
refused "and a checkpoint" 7 "$esigner" cap audit checkpoint "${as[@]}"
check "no token is left of it" test ! -e late.cap
check "what was refused is not revoked" compute list --stored --cap eve.cap
check "what needs no seal is done" compute start web-1 "${as[@]}"
before=$(cap audit tail -n 1 --json "${as[@]}" | sed -n 's/^.*"number": \([0-9]*\).*$/\1/p')
check "and on record" test "${before:-0}" -gt 0

if start_signer --trust trust.cbor; then ok "hv-signer starts again"; else not_ok "hv-signer starts again: $(tail -n 3 signer.log)"; fi
check "issuing works again" cap issue --for eve --verbs unit.read --on 'unit/*' --ttl 10min --bearer -o late.cap "${as[@]}"
check "revoking too" cap revoke --subject eve --reason 'signer is back' "${as[@]}"
refused "and holds" 8 'revoked' compute list --stored --cap eve.cap
check "what was done meanwhile is sealed, and verifies" all_sealed
check "against the same keys" cap audit verify --log-key log.key --first-mac first.mac "${as[@]}"
check "no record is missing" test "$(sealed_now)" -gt "$before"

# --- another signer ---

end_signer TERM
mv keys kept
if start_signer; then ok "a signer with other keys starts"; else not_ok "a signer with other keys starts: $(tail -n 3 signer.log)"; fi
refused "it seals nothing of this log, so nobody issues by it" 13 'older copy, or those of another signer' \
	cap issue --for eve --verbs unit.read --on 'unit/*' --ttl 10min --bearer -o none.cap "${as[@]}"
refused "that it is another one is seen" 13 'signer sealed only 0' cap audit verify --log-key log.key --first-mac first.mac "${as[@]}"
check "it has another key" cap audit key -o other.key "${as[@]}"
refused "by which the log is not signed" 13 'not signed by a key' cap audit verify --log-key other.key "${as[@]}"
end_signer TERM
finish
