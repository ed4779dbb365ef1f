#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# One lock, built in other folders, by another user, with another umask, time zone, locale, clock of the inputs, order
# of files and number of workers: the same bytes, as an initramfs and as squashfs. An unchanged lock does no work, a
# changed component only its own.
. "$(dirname "$0")/../lib/e2e.sh"
need_program hv-imgparse
parser=$program
need_program hv-compose
for tool in tar zstd sha256sum python3 setpriv; do
	command -v "$tool" >/dev/null || {
		skip "compose-reproducible no $tool"
		finish
	}
done
chmod 0755 "$work"
cd "$work" || exit 1

# --- components: a kernel, a base with files enough for several blocks, and an application ---

payload() { # FILE FIELDS
	printf '{%s"size":%s,"sha256":"%s"}' "$2" "$(stat -c %s "$1")" "$(sha256sum <"$1" | cut -d' ' -f1)"
}
mkdir -p r/manifests/base r/manifests/app files/usr/share/data files/usr/lib/modules
echo "a kernel" >kernel
python3 - <<'PY'
import random
chance = random.Random(5)
for i in range(120):
    with open(f'files/usr/share/data/{i:03}', 'wb') as file:
        file.write(bytes(chance.choices(b'abcdefgh \n', k=chance.randrange(9000))))
with open('files/usr/share/big', 'wb') as file:
    file.write(bytes(chance.choices(b'0123456789abcdef', k=900000)))
PY
ln files/usr/share/data/001 files/usr/share/data/twin
ln -s data/002 files/usr/share/link
for module in virtio_blk squashfs overlay; do echo "$module" >"files/usr/lib/modules/$module"; done
mkdir -p app
echo one >app/page
app() { # VERSION: of what is in app/
	"$program" pack app -o "app-$1.tar.zst" --parser "$parser" --quiet >/dev/null || not_ok "pack app"
	printf '{"hypernix":1,"component":"app","version":"%s","kind":"service","payloads":[%s]}\n' "$1" \
		"$(payload "app-$1.tar.zst" '"kind":"tar",')" >"r/manifests/app/$1.json"
}
"$program" pack files -o files.tar.zst --parser "$parser" --quiet >/dev/null || not_ok "pack"
cat >r/manifests/base/1.0.0.json <<EOF
{"hypernix":1,"component":"base","version":"1.0.0","kind":"base-os","kernel":{"cmdline":["quiet"]},
 "files":[{"path":"/init","mode":"0755","text":"#!/bin/sh\\n"},{"path":"/bin/sh","mode":"0755","text":"a shell\\n"}],
 "payloads":[$(payload kernel '"kind":"blob","role":"kernel","path":"/boot/vmlinuz",'),$(payload files.tar.zst '"kind":"tar",')]}
EOF
app 1.0.0
echo '{"hypernix":1,"blueprint":"site","version":"1.0.0","components":[{"component":"base"},{"component":"app"}]}' >site.json
echo '<node/>' >node.xml
export HYPERNIX_URI=test://$work/node.xml HYPERNIX_CALIBRATION=reference:8 HYPERNIX_IMGPARSE=$parser
unset HYPERNIX_STATE HYPERNIX_ROOT SOURCE_DATE_EPOCH

# --- builders ---

# in_place NAME: a directory with what a builder brings, and his state in it.
in_place() {
	mkdir -p "$work/$1"
	cp kernel ./*.tar.zst "$work/$1/"
}
field() { # FILE NAME
	python3 -c 'import json, sys
value = json.load(open(sys.argv[1]))
for name in sys.argv[2].split("."): value = value[name]
print(value)' "$1" "$2" 2>/dev/null
}
# build NAME REGISTRY KIND [OPTION...]: in $work/NAME by the words of `as`; the answer in NAME.KIND.json
as=()
build() {
	local name=$1 registry=$2 kind=$3
	shift 3
	(
		cd "$work/$name" || exit 1
		"${as[@]}" "$program" put kernel ./*.tar.zst --state "$work/$name/s" --quiet >/dev/null &&
			"${as[@]}" "$program" build "$work/site.lock.json" --registry "$registry" --state "$work/$name/s" \
				--image "$kind" --level 3 --json --quiet "$@"
	) >"$name.$kind.json" 2>"$name.err" || {
		not_ok "$name builds an image of kind $kind"
		sed 's/^/    /' "$name.err"
	}
}
same() { # WHAT NAME KIND: as the first builder's, byte for byte
	local one other
	one=$(field "first.$3.json" path) other=$(field "$2.$3.json" path)
	check "$1: the same $3" cmp "$one" "$other"
	[ "$(field "first.$3.json" tree)" = "$(field "$2.$3.json" tree)" ] && ok "$1: the same tree" || not_ok "$1: the same tree"
	[ "$one" != "$other" ] || not_ok "$1: it is the same file"
}

in_place first
check "a lock" "$program" lock site.json --registry r --state "$work/first/s" --epoch 1 --quiet
for kind in initramfs squashfs; do build first "$work/r" "$kind" --workers 1; done

cp site.lock.json before.json
check "a lock that holds" env SOURCE_DATE_EPOCH=86400 "$program" lock site.json --registry r --state "$work/first/s" --quiet
check "keeps its epoch, whatever the environment says" cmp site.lock.json before.json
in_place elsewhere
mkdir -p other/place/r
# As tar gives them back: other times, and in another order of creation, so of reading too.
(cd r && find . -type f | sort -r) | tar -C r --no-recursion -cf - -T - | tar -C other/place/r --mtime=2001-01-01 --touch -xf -
(cd other/place/r && find . -exec touch -d '2033-05-18 03:33:20' {} +)
as=(env -i "PATH=$PATH" "HYPERNIX_URI=$HYPERNIX_URI" HYPERNIX_CALIBRATION=reference:8 "HYPERNIX_IMGPARSE=$parser" TZ=Asia/Kathmandu
	LC_ALL=tr_TR.UTF-8 LANG=de_DE.ISO-8859-1 SOURCE_DATE_EPOCH=1700000000 HOME=/nowhere USER=somebody TMPDIR=/dev/shm)
for kind in initramfs squashfs; do
	(umask 000 && build elsewhere "$work/other/place/r" "$kind" --workers 5)
	same "other folder, umask, zone, locale, times, order, workers" elsewhere "$kind"
done

# Nobody on the host; in his own user namespace root, as hv-compose wants it, and without any network.
nobody=(setpriv --reuid 4711 --regid 4712 --clear-groups --no-new-privs unshare --map-root-user --net env HOME=/nowhere)
if [ "$(id -u)" = 0 ] && "${nobody[@]}" true 2>/dev/null; then
	in_place unprivileged
	chown -R 4711:4712 unprivileged
	as=("${nobody[@]}")
	for kind in initramfs squashfs; do
		(umask 077 && build unprivileged "$work/other/place/r" "$kind" --workers 2)
		same "a user who is nobody" unprivileged "$kind"
	done
else
	skip "compose-reproducible only root can become another user, with namespaces of his own"
fi

# --- no work, and as little as there can be ---

as=()
build first "$work/r" initramfs
[ "$(field first.initramfs.json work.reused)" = True ] &&
	[ "$(field first.initramfs.json work.payloads-read)$(field first.initramfs.json work.parts-made)" = 00 ] &&
	ok "an unchanged lock does no work" || not_ok "an unchanged lock does no work: $(cat first.initramfs.json)"
check "built twice by --check" "$program" build site.lock.json --registry r --state "$work/first/s" --image squashfs --level 3 --check
echo two >app/page
app 1.1.0
cp app-1.1.0.tar.zst first/
check "another version of one component" "$program" resolve site.json --registry r --state "$work/first/s" --update app --quiet
build first "$work/r" initramfs
work_of() {
	field "first.$1.json" "work.$2"
}
[ "$(work_of initramfs payloads-read) $(work_of initramfs payloads-cached) $(work_of initramfs parts-made) $(work_of initramfs parts-reused)" = "1 2 1 1" ] &&
	ok "only its payload is read, only its part is made" || not_ok "only its payload is read: $(cat first.initramfs.json)"
build first "$work/r" squashfs
[ "$(work_of squashfs payloads-read)" = 0 ] && [ "$(work_of squashfs parts-reused)" -gt "$(work_of squashfs parts-made)" ] &&
	ok "most blocks of squashfs are taken again" || not_ok "most blocks of squashfs are taken again: $(cat first.squashfs.json)"
finish
