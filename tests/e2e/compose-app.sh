#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Two components that work together: nginx serves its page and hands /app to a program that node runs.
. "$(dirname "$0")/../lib/e2e.sh"
. "$here/tests/lib/compose.sh"

mkdir -p "$machine" "$work/app"
cp "$here/examples/blueprints/web-app.json" "$work/app/"
check "packages go into the store" compose put "$components"/packages/*.deb
check "something fits the blueprint" compose resolve "$work/app/web-app.json" --registry "$components"
# --image: a tree of this size is else made a squashfs, which is a disk.
check "the lock is built" build first "$components" "$work/app/web-app.lock.json" --image initramfs
[ "$e2e_failed" -eq 0 ] || finish

boot first 768
check "the guest is ready" await 500 said first '^READY=1$'
check "the contract of nginx is kept" said first '^CHECK=service/http 1\.2\.0 ok [0-9]+ '
check "the contract of the program is kept" said first '^CHECK=service/app 1\.0\.0 ok [0-9]+ HTTP/1\.[01] 200'
# fetch PATH FILE
fetch() {
	python3 -c 'import sys, urllib.request
open(sys.argv[2], "wb").write(urllib.request.urlopen(sys.argv[1], timeout=60).read())' "http://127.0.0.1:$port$1" "$2"
}
dpkg-deb --fsys-tarfile "$components/packages/nginx-common.deb" |
	tar -xO ./usr/share/nginx/html/index.html >"$work/wanted"
check "nginx answers" fetch / "$work/page"
check "with the page of the package" cmp "$work/wanted" "$work/page"
check "the program answers" fetch /app "$work/answer"
check "node of the recipe runs it, without rights" python3 - "$work/answer" <<'END'
import json, sys
answer = json.load(open(sys.argv[1]))
assert answer["app"] == "web-app" and answer["node"].startswith("v18.") and answer["user"] == 900, answer
END
check "nobody was warned" sh -c "! grep HN-WARN '$machine/first.console'"
echo STOP=1 >"$machine/first.in"
check "it stops when it is asked to" await 120 gone
kill "$pid" 2>/dev/null # did it not, that is said above
wait "$pid"
check "QEMU saw it power off" test $? -eq 0
show_console first
finish
