#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# A registry is signed by a key that hv-cap has made, and believed by its public half alone.
. "$(dirname "$0")/../lib/e2e.sh"
need_program hv-cap
hvcap=$program
need_program hv-compose
cd "$work" || exit 1
cp -R "$here/tests/golden/compose/input/components" shop
"$hvcap" keys new alice --quiet >alice.said
"$hvcap" keys new mallory --quiet >mallory.said

# refused NAME STATUS PATTERN WORD...: hv-compose index ends with this status, and says this.
refused() {
	local name=$1 expected=$2 pattern=$3 status=0
	shift 3
	"$program" index --registry shop "$@" >out 2>err </dev/null || status=$?
	if [ "$status" = "$expected" ] && grep -qE -- "$pattern" err; then
		ok "$name"
	else
		not_ok "$name: status $status, not $expected, or nothing like $pattern: $(head -c 300 err)"
	fi
}
index() {
	"$program" index --registry shop "$@"
}
member() {
	python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$1" "$2"
}

index --sign alice.key --not-after 90d --dry-run --json >tried && [ ! -e shop/index.cbor ] && ok "a dry run writes nothing" ||
	not_ok "a dry run writes nothing"
check "a registry is signed" index --sign alice.key --not-after 90d
check "and believed by the public key" index --issuer "$(cat alice.pub)"
index --sign alice.key --json >second
[ "$(member second serial)" = 2 ] && ok "the serial goes up" || not_ok "the serial goes up: $(cat second)"
check "one that was seen is taken again" index --issuer "$(cat alice.pub)" --serial 2
refused "one that is older than what was seen is refused" 8 "has serial 2, 3 was seen" --issuer "$(cat alice.pub)" --serial 3
refused "so is one by another key" 8 "none of the 1 trusted issuers" --issuer "$(cat mallory.pub)"
refused "nobody else goes on from it" 8 "none of the 1 trusted issuers" --sign mallory.key
refused "nor is the serial put back" 8 "is not above it" --sign alice.key --serial 2
cp shop/manifests/nodejs/18.20.4.json kept
sed -i 's/"summary": "/&evil /' shop/manifests/nodejs/18.20.4.json
refused "a manifest that was changed is refused" 13 "its digest is b2:" --issuer "$(cat alice.pub)"
cp kept shop/manifests/nodejs/18.20.4.json
check "put back it is good again" index --issuer "$(cat alice.pub)"
index --sign alice.key --not-after 1s --quiet
until ! index --issuer "$(cat alice.pub)" --quiet 2>/dev/null; do :; done
refused "one whose time is over is refused" 8 "ended 0 days" --issuer "$(cat alice.pub)"
check "and taken when that is wanted" index --issuer "$(cat alice.pub)" --allow-expired
check "what is signed can be resolved" "$program" resolve "$here/tests/golden/compose/input/web-app.json" \
	--registry shop --lock out.lock.json
finish
