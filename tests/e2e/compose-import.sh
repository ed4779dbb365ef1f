#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# An archive that nobody wrote a manifest for becomes a component: of a directory that is a registry, and of a host;
# and an image is built from it.
. "$(dirname "$0")/../lib/e2e.sh"
need_program hv-imgparse
export HYPERNIX_IMGPARSE=$program
need_program hv-compose
for tool in tar gzip python3; do
	command -v "$tool" >/dev/null || {
		skip "compose-import no $tool"
		finish
	}
done
cd "$work" || exit 1
echo '<node/>' >node.xml
export HYPERNIX_URI=test://$work/node.xml HYPERNIX_CALIBRATION=reference:8
mkdir -p root/etc root/bin shop
echo hello >root/etc/motd
echo x >root/bin/su
chmod 4755 root/bin/su
tar -C root --owner=0 --group=0 --numeric-owner -czf root.tar.gz .
import() {
	"$program" import --tar root.tar.gz --kind base-os --name mini --release "$@"
}
# refused NAME STATUS PATTERN WORD...
refused() {
	local name=$1 expected=$2 pattern=$3 status=0
	shift 3
	"$@" >out 2>err </dev/null || status=$?
	if [ "$status" = "$expected" ] && grep -qE -- "$pattern" err; then
		ok "$name"
	else
		not_ok "$name: status $status, not $expected, or nothing like $pattern: $(head -c 300 err)"
	fi
}

import 1.0.0 --registry shop --dry-run --json >tried
if [ ! -e shop/manifests ] && python3 -c 'import json, sys
said = json.load(open("tried"))
sys.exit(not (said["changed"] is False and said["remarks"] == 1 and said["manifest"]["payloads"][0]["kind"] == "tar"))'; then
	ok "a dry run writes nothing"
else
	not_ok "a dry run writes nothing: $(cat tried)"
fi
check "an archive becomes a component of a directory" import 1.0.0 --registry shop --summary "a small system"
check "which is one of a registry" "$program" show mini 1.0.0 --registry shop
import 1.0.0 --registry shop --summary "a small system" >out && grep -q "there already" out && ok "the same again is no fault" || not_ok "the same again is no fault"
refused "another of this version is refused" 1 "is there, and is another" import 1.0.0 --registry shop --summary "another one"
refused "no version is refused" 6 "version" import latest --registry shop
refused "nothing leads out of the directory" 6 "is not a name" "$program" import --tar root.tar.gz --kind base-os \
	--name ../../out --release 1.0.0 --registry shop
echo "no archive" >text.tar
refused "what is no archive is refused" 6 "payload" "$program" import --tar text.tar --kind base-os --name text --release 1.0.0 --registry shop

check "an archive becomes a component of the host" import 2.0.0 --json
cat >mini.json <<'END'
{ "hypernix": 1, "blueprint": "mini", "version": "1.0.0", "components": [ { "component": "mini" } ] }
END
check "it is chosen" "$program" resolve mini.json
check "and an image is built of it" "$program" build mini.lock.json
finish
