#!/bin/bash
# SPDX-License-Identifier: MIT
#
# From recipes to a web server: packages that apt offers, a lock, an image that is the same wherever it is
# built, a guest that answers HTTP; and one that does not keep its contract.
. "$(dirname "$0")/../lib/e2e.sh"
. "$here/tests/lib/compose.sh"

same() {
	[ "$(field "$work/$1" "$3")" = "$(field "$work/$2" "$3")" ]
}
is() {
	[ "$(field "$work/$1" "$2")" = "$3" ]
}

# --- recipes, lock, image ---

mkdir -p "$machine" "$work/good"
cp "$here/examples/blueprints/web-static.json" "$work/good/"
lock=$work/good/web-static.lock.json
check "packages go into the store" compose put "$components"/packages/*.deb
check "something fits the blueprint" compose resolve "$work/good/web-static.json" --registry "$components"
check "the lock is built" build first "$components" "$lock"
check "every payload was read" is first work.payloads-cached 0
check "built again, nothing is done" build again "$components" "$lock"
check "it says so" is again work.reused True
check "the same image" same first again image

elsewhere() {
	export HYPERNIX_STATE=$work/t TZ=Asia/Tokyo LC_ALL=C.UTF-8 SOURCE_DATE_EPOCH=7
	umask 077
	registry=moved/$(basename "$components") # a registry has the name of its directory
	mkdir -p "$work/$registry" && cp -r "$components/manifests" "$components/contracts" "$work/$registry/" &&
		cp "$lock" "$work/moved/x.json" && cd "$work" && compose put "$components"/packages/*.deb &&
		build other "$registry" moved/x.json --workers 1
}
check "built in another place and time zone, with another umask" eval "(elsewhere)"
check "that image is the same" same first other image
check "that tree is the same" same first other tree
[ "$e2e_failed" -eq 0 ] || finish
check "byte by byte" cmp "$(field "$work/first" path)" "$(field "$work/other" path)"

# --- the guest ---

boot first 384
check "the guest is ready" await 300 said first '^READY=1$'
check "its contract is kept" said first '^CHECK=service/http 1\.2\.0 ok [0-9]+ '
dpkg-deb --fsys-tarfile "$components/packages/nginx-common.deb" |
	tar -xO ./usr/share/nginx/html/index.html >"$work/wanted"
check "nginx answers" python3 -c 'import sys, urllib.request
open(sys.argv[2], "wb").write(urllib.request.urlopen(sys.argv[1], timeout=30).read())' "http://127.0.0.1:$port/" "$work/page"
check "with the page of the package" cmp "$work/wanted" "$work/page"
check "nobody was warned" sh -c "! grep HN-WARN '$machine/first.console'"
echo STOP=1 >"$machine/first.in"
check "it stops when it is asked to" await 120 gone
kill "$pid" 2>/dev/null # did it not, that is said above
wait "$pid"
check "QEMU saw it power off" test $? -eq 0
show_console first

# --- a contract that is not kept: nginx listens elsewhere ---

mkdir "$work/bad"
cp -r "$components/manifests" "$components/contracts" "$here/examples/blueprints/web-static.json" "$work/bad/"
# of the newest, when the cache has several
nginx=$(printf '%s\n' "$work"/bad/manifests/nginx-optimized/*.json | sort -V | tail -n 1)
check "a manifest whose nginx listens on 8080" python3 - "$nginx" <<'END'
import json, sys
with open(sys.argv[1]) as file:
    manifest = json.load(file)
for one in manifest["files"]:
    one["text"] = one["text"].replace("listen 80 ", "listen 8080 ")
manifest["services"][0]["ready"] = {"tcp": 8080, "within": "200s"}
with open(sys.argv[1], "w") as file:
    json.dump(manifest, file)
END
check "it fits the blueprint" compose resolve "$work/bad/web-static.json" --registry "$work/bad"
check "it is built" build second "$work/bad" "$work/bad/web-static.lock.json"
[ "$e2e_failed" -eq 0 ] || finish
check "only the part of nginx is made again" is second work.parts-made 1
check "no payload is read again" is second work.payloads-read 0
boot second 384
check "the guest says which contract is not kept" await 300 said second '^CHECK=service/http 1\.2\.0 fail [0-9]+ '
check "its console says so" await 30 grep -q '^HN-FAIL a contract is not kept' "$machine/second.console"
check "it is not ready" sh -c "! grep READY=1 '$machine/second.unit'"
show_console second
kill "$pid" 2>/dev/null
wait "$pid" 2>/dev/null
finish
