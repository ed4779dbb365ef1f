#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# examples/embed.c against the *installed* library: found by pkg-config, built, run.
. "$(dirname "$0")/../lib/e2e.sh"

DESTDIR='' meson install -C "$build" --no-rebuild --destdir "$work/stage" >"$work/install.log" 2>&1 || {
	not_ok "install ($(tail -n 1 "$work/install.log"))"
	finish
}
# The stage holds the prefix that the build was configured with.
configured=$(meson introspect --buildoptions "$build" | python3 -c '
import json, sys
print(next(option["value"] for option in json.load(sys.stdin) if option["name"] == "prefix"))')
staged=$work/stage$configured
pc=$(dirname "$(find "$work/stage" -name hypernix.pc | head -n 1)")
library=$(dirname "$(find "$work/stage" -name libhypernix.so | head -n 1)")
export PKG_CONFIG_PATH=$pc PKG_CONFIG_SYSROOT_DIR=$work/stage
export LD_LIBRARY_PATH=$library

check "pkg-config knows hypernix" pkg-config --exists --print-errors 'hypernix >= 0.1'
# shellcheck disable=SC2046
check "embed.c builds without warnings against the installed headers" \
	cc -std=gnu17 -Wall -Wextra -Wpedantic -Werror -o "$work/embed" "$here/examples/embed.c" $(pkg-config --cflags --libs hypernix)
check "the program needs no engine library itself" \
	sh -c "! readelf -d '$work/embed' | grep -E 'NEEDED.*(sqlite|virt|jansson|sodium|zstd|xml2)'"

cd "$here/examples" || exit 1
"$work/embed" fleet.json webserver memory.size >"$work/out" 2>"$work/err"
check "resolves and explains" grep -qx 'memory.size of webserver is 256Mi' "$work/out"
check "names the losers" grep -qE 'not won +600 +policy:web-tier +224Mi' "$work/out"
printf '<node/>\n' >"$work/node.xml"
"$work/embed" fleet.json webserver memory.size "$state" "test://$work/node.xml" >"$work/out" 2>"$work/err" || cat "$work/err"
check "plans six creations on the test driver" grep -qE '^6 to create, ' "$work/out"
"$work/embed" conflict.json db-main backup.schedule >"$work/out" 2>"$work/err"
status=$?
check "a conflict has its documented exit status" test "$status" = 5
check "a conflict names key and both values" grep -qE 'backup.schedule' "$work/err"
for file in share/man/man5/hypernix-declaration.5 share/man/man7/hypernix-keys.7 share/man/man3/hn_resolve.3 \
	include/hypernix/hypernix.h; do
	check "installs $file" test -s "$staged/$file"
done
finish
