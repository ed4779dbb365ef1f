#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The disk of the state is full: changes are refused, reads go on, with a token too and by several at once, and two
# persons can break the glass. A state that was copied there without the file by which its users know of each other can
# be read too.
if [ -z "${FULL_DISK_INSIDE-}" ] && unshare --mount true 2>/dev/null; then
	FULL_DISK_INSIDE=1 exec unshare --mount --propagation private "$0"
fi
. "$(dirname "$0")/../lib/e2e.sh"
need_program hv-compute
compute=$program
need_program hv-cap
hvcap=$program
if [ -z "${FULL_DISK_INSIDE-}" ]; then
	skip "full-disk no right to mount a small file system"
	finish
fi
cd "$work" || exit 1
echo '<node/>' >node.xml
mkdir disk
mount -t tmpfs -o size=4m tmpfs disk || exit 1
trap 'cd / && umount -l "$work/disk"; e2e_clean' EXIT
export HYPERNIX_STATE=$work/disk/s HYPERNIX_URI=test://$work/node.xml HYPERNIX_CALIBRATION=reference:8
cat >units.json <<'END'
{ "hypernix": 1, "tags": { "full": { "set": { "description": "full" } } }, "units": {
   "db-1": { "overrides": { "memory.size": "128Mi", "compute.units": 10, "autostart": false } } } }
END

# cap WORD...: hv-cap, where it must succeed.
cap() {
	"$hvcap" "$@" >out 2>err </dev/null || not_ok "hv-cap $*: $(head -n 3 err)"
}
listed() {
	hv list --stored "$@" | grep -q db-1
}
fill() {
	dd if=/dev/zero of=disk/ballast bs=1k >/dev/null 2>&1
	check "the disk is full $1" sh -c '! (head -c 8192 /dev/zero >disk/more) 2>/dev/null'
	rm -f disk/more
}
# no_room NAME PROGRAM WORD...: ends with 13, and says why and what to do.
no_room() {
	local name=$1 status=0
	shift
	"$@" >out 2>err </dev/null || status=$?
	if [ "$status" = 13 ] && grep -q 'no space left' err && grep -q '^hint: free space' err; then
		ok "$name"
	else
		not_ok "$name: status $status: $(head -c 300 err)"
	fi
}

hv apply units.json --yes >out 2>&1 || not_ok "apply: $(tail -n 3 out)"
for person in ann bo admin; do
	cap keys new $person
done
cap init --cluster lab --approver ann=ann.pub --approver bo=bo.pub --break-glass outage=2
cap issue --for admin --verbs unit.read,unit.update,tag.apply,node.role,node.read,cap.read,audit.read --on 'unit/*' --on 'node/*' --on 'tag/default/*' \
	--ttl 8h --to admin.pub -o admin.cap
as=(--cap admin.cap --cap-key admin.key)

fill "for local operators"
check "a list" listed
check "and how it stands" "$hvcap" status
check "the log is whole" "$hvcap" audit verify
no_room "no tag" hv tag db-1 +full --no-apply
# together.py STATE URI HV: while one program has the state open another one reads it.
cat >together.py <<'END'
import subprocess, sys
import hypernix

state, uri, program = sys.argv[1:]
with hypernix.Host.open(state=state, uri=uri, program='there', calibration='reference:8') as host, \
        host.session_open_local(reason='stays', program='there') as operator:
    assert [unit.name for unit in operator.units_list('all')] == ['db-1']
    other = subprocess.run([program, 'list', '--stored'], capture_output=True, text=True)
    assert other.returncode == 0 and 'db-1' in other.stdout, other.stderr
END
# python NAME SCRIPT WORD...: with the package of this build, where there is one.
package=$(find "$build/bindings/python" -maxdepth 1 -name hypernix -type d 2>/dev/null | head -n 1)
python() {
	local name=$1
	shift
	if [ -n "$package" ]; then
		check "$name" env LD_LIBRARY_PATH="$build/lib" PYTHONPATH="$(dirname "$package")" PYTHONDONTWRITEBYTECODE=1 \
			python3 "$@"
	else
		skip "full-disk the build was configured without the Python package"
	fi
}
python "a list while another program has it open" together.py "$HYPERNIX_STATE" "$HYPERNIX_URI" "$compute"
check "and nobody was the last to leave" test -s "$HYPERNIX_STATE/hypernix.db-shm"
rm -f "$HYPERNIX_STATE"/hypernix.db-shm "$HYPERNIX_STATE"/hypernix.db-wal
fill "without the file that its users share"
check "a list of a copied state" listed
rm disk/ballast
cap local off --reason 'named persons only'

fill "for others"
check "a list with a token" listed "${as[@]}"
check "how it stands, with a token" "$hvcap" status "${as[@]}"
check "the log is whole, with a token" "$hvcap" audit verify "${as[@]}"
no_room "no tag with a token" hv tag db-1 +full --no-apply "${as[@]}"
check "the glass can be asked for" "$hvcap" break-glass request outage --ttl 1h --reason 'the disk is full' -o f.req
cap approve f.req --key ann.key -o f.ann
cap approve f.req --key bo.key -o f.bo
check "and broken" "$hvcap" break-glass activate f.req f.ann f.bo
check "and a list by it" listed --by-break-glass
rm disk/ballast
check "with room again a token changes" hv tag db-1 +full --no-apply "${as[@]}"
check "with room again local operators can be let in" "$hvcap" local on --reason 'there is room again' "${as[@]}"
check "all of it is on record" "$hvcap" audit verify
check "the opening of the glass too" sh -c "'$hvcap' audit tail -n 4096 --json | grep -q 'the disk is full'"
# A program that was there before the disk was full, and opened a session meanwhile: it changes something when there is
# room again, and is in the list then, where it can be cut.
cat >late.py <<'END'
import json, os, sys
import hypernix

def fill(path):
    with open(path, 'wb', buffering=0) as ballast:
        try:
            while True:
                ballast.write(bytes(1024))
        except OSError:
            pass

state, uri, token = sys.argv[1], sys.argv[2], open(sys.argv[3]).read().strip()
with hypernix.Host.open(state=state, uri=uri, program='late', calibration='reference:8') as host, \
        host.session_open_local(reason='looks', program='late') as operator:
    operator.units_list('all')
    fill('disk/ballast')
    with host.session_open(token, program='late') as session:
        assert [unit.name for unit in session.units_list('all')] == ['db-1']
        assert not json.loads(operator.list()), 'it could be put on record'
        os.unlink('disk/ballast')
        session.unit_tag('db-1', remove=['full'])
        there = [one['subject'] for one in json.loads(operator.list())]
        assert there == ['cap/late'], there
END
cap issue --for late --verbs unit.read,unit.update,tag.apply --on 'unit/*' --on 'tag/default/*' --ttl 10min --bearer -o late.cap
python "who came while it was full is in the list before he changes anything" late.py "$HYPERNIX_STATE" "$HYPERNIX_URI" late.cap
finish
