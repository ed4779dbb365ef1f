#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# examples/embed.py with the *installed* package and library, and nothing of the build tree.
. "$(dirname "$0")/../lib/e2e.sh"

python=/usr/bin/python3
package=$(meson introspect --installed "$build" | "$python" -c '
import json, os, sys
found = [path for path in json.load(sys.stdin).values() if path.endswith("hypernix/_generated.py")]
print(os.path.dirname(os.path.dirname(found[0])) if found else "")')
if [ -z "$package" ]; then
	skip embed-python "the build was configured without the Python package"
	finish
fi
DESTDIR='' meson install -C "$build" --no-rebuild --destdir "$work/stage" >"$work/install.log" 2>&1 || {
	not_ok "install ($(tail -n 1 "$work/install.log"))"
	finish
}
LD_LIBRARY_PATH=$(dirname "$(find "$work/stage" -name libhypernix.so | head -n 1)")
PYTHONPATH=$work/stage$package
export LD_LIBRARY_PATH PYTHONPATH PYTHONDONTWRITEBYTECODE=1

cd "$here/examples" || exit 1
check "the package is the installed one" "$python" -c "
import hypernix, hypernix._runtime as r
assert hypernix.__file__.startswith('$work/stage'), hypernix.__file__
maps = open('/proc/self/maps').read()
assert '$work/stage' in maps and '$build/lib' not in maps, 'the library of the build tree was loaded'"
check "all that type checkers want is there" test -s "$PYTHONPATH/hypernix/__init__.pyi" -a -e "$PYTHONPATH/hypernix/py.typed"
check "an interpreter of the distribution looks there" "$python" -c "
import os, site, sys
sys.exit(not any(os.path.realpath('$package') == os.path.realpath(path) for path in site.getsitepackages()))"
"$python" ./embed.py fleet.json webserver memory.size >"$work/out" 2>"$work/err" || cat "$work/err"
check "resolves and explains" grep -qx 'memory.size of webserver is 256Mi' "$work/out"
printf '<node/>\n' >"$work/node.xml"
"$python" ./embed.py fleet.json webserver memory.size "$state" "test://$work/node.xml" >"$work/out" 2>"$work/err" || cat "$work/err"
check "plans six creations on the test driver" grep -qE '^6 to create, ' "$work/out"
check "and applies them" grep -qx 'webserver is defined' "$work/out"
finish
