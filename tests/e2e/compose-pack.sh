#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# A directory is packed twice, from two places, by two umasks and zones: the same bytes; tar and sha256sum agree
# with what is said of it, and the host's store takes it by the payload line.
. "$(dirname "$0")/../lib/e2e.sh"
need_program hv-imgparse
export HYPERNIX_IMGPARSE=$program
need_program hv-compose
for tool in tar zstd b2sum python3; do
	command -v "$tool" >/dev/null || {
		skip "compose-pack no $tool"
		finish
	}
done
cd "$work" || exit 1
echo '<node/>' >node.xml
export HYPERNIX_URI=test://$work/node.xml HYPERNIX_CALIBRATION=reference:8
mkdir -p a/etc elsewhere
echo hello >a/etc/motd
ln -s etc/motd a/motd
cp -a a elsewhere/b
touch -d 2001-01-01 elsewhere/b/etc/motd elsewhere/b

"$program" pack a -o a.tar.zst --json >a.said || not_ok "pack"
(umask 077 && cd elsewhere && TZ=Asia/Tokyo LANG=de_DE.UTF-8 "$program" pack ./b -o ../b.tar.zst --quiet >../b.said) || not_ok "pack again"
check "both are the same bytes" cmp a.tar.zst b.tar.zst
member() {
	python3 -c 'import json, sys
value = json.load(open("a.said"))
for name in sys.argv[1].split("."): value = value[name]
print(value)' "$1"
}
[ "$(member payload.sha256)" = "$(sha256sum <a.tar.zst | cut -d' ' -f1)" ] && ok "its SHA-256" || not_ok "its SHA-256"
[ "$(member b2)" = "b2:$(b2sum -l 256 <a.tar.zst | cut -d' ' -f1)" ] && ok "its BLAKE2b-256" || not_ok "its BLAKE2b-256"
[ "$(member payload.size)" = "$(stat -c %s a.tar.zst)" ] && ok "its size" || not_ok "its size"
TZ=UTC tar --zstd --numeric-owner -tvf a.tar.zst >all
if ! grep -v ' 0/0 ' all && ! grep -v 1970-01-01 all && [ "$(wc -l <all)" = 4 ]; then ok "tar lists it: root's, without times"; else not_ok "tar lists it: $(cat all)"; fi
mkfifo a/pipe
if "$program" pack a -o c.tar.zst >out 2>err || ! grep -q pipe err || [ -e c.tar.zst ]; then not_ok "a pipe is refused"; else ok "a pipe is refused"; fi
rm a/pipe
chmod u+s a/etc/motd
if "$program" pack a -o c.tar.zst >out 2>err || ! grep -q setuid err; then not_ok "a setuid file is refused"; else ok "a setuid file is refused"; fi
check "unless it is told to take it" "$program" pack a -o c.tar.zst --allow-setuid
check "the store of a host takes it" "$program" put a.tar.zst
finish
