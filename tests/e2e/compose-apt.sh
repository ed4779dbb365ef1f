#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Recipes become components by apt's own client, from an archive that the test makes: what is taken, what is refused, and
# what a lock names is fetched again.
. "$(dirname "$0")/../lib/e2e.sh"
need_program hv-imgparse
export HYPERNIX_IMGPARSE=$program
need_program hv-compose
for tool in apt-get apt-cache dpkg-deb python3 sha256sum; do
	command -v "$tool" >/dev/null || {
		skip "compose-apt no $tool"
		finish
	}
done
cd "$work" || exit 1
chmod 0755 "$work" # apt gives up its rights, and reads the archive
echo '<node/>' >node.xml
export HYPERNIX_URI=test://$work/node.xml HYPERNIX_CALIBRATION=reference:8
unset HYPERNIX_STATE

# ---- an archive ----
mkdir -p archive apt/lists/partial apt/cache/archives/partial apt/state
: >apt/status
cat >apt/apt.conf <<END
Dir::Etc::main "/dev/null";
Dir::Etc::parts "/nonexistent";
Dir::Etc::sourcelist "$work/apt/sources.list";
Dir::Etc::sourceparts "/nonexistent";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/nonexistent";
Dir::State "$work/apt/state";
Dir::State::Lists "$work/apt/lists";
Dir::State::status "$work/apt/status";
Dir::Cache "$work/apt/cache";
APT::Architecture "amd64";
APT::Sandbox::User "root";
Acquire::Languages "none";
END
export APT_CONFIG=$work/apt/apt.conf
echo "deb [trusted=yes] file:$work/archive ./" >apt/sources.list

# package NAME VERSION SCRIPT [DEPENDS]: a file of the archive; SCRIPT is the body of postinst, empty: none.
package() {
	local root=$work/root-$1
	rm -rf "$root"
	mkdir -p "$root/DEBIAN" "$root/usr/share/$1" "$root/usr/share/doc"
	printf 'Package: %s\nVersion: %s\nArchitecture: amd64\nMaintainer: x <x@example.com>\nDescription: x\n' \
		"$1" "$2" >"$root/DEBIAN/control"
	[ -z "${4-}" ] || echo "Depends: $4" >>"$root/DEBIAN/control"
	if [ -n "$3" ]; then
		printf '#!/bin/sh\n%s\n' "$3" >"$root/DEBIAN/postinst"
		chmod 0755 "$root/DEBIAN/postinst"
	fi
	echo "$1 $2" >"$root/usr/share/$1/what"
	dpkg-deb --root-owner-group -Zgzip -b "$root" archive >/dev/null
}
# lists [SHA256]: what apt knows of the archive; with another digest than the files have when one is given.
lists() {
	local file
	for file in archive/*.deb; do
		dpkg-deb -f "$file"
		printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "$(basename "$file")" "$(stat -c %s "$file")" \
			"${1:-$(sha256sum "$file" | cut -d ' ' -f 1)}"
	done >archive/Packages
	rm -rf apt/lists apt/cache
	mkdir -p apt/lists/partial apt/cache/archives/partial
	apt-get update -qq >update.log 2>&1
}
package hn-tool '1:2.3-4+deb12u5' "touch $work/was-run"
package hn-lib 18.1-1 ''
package hn-meta 1-1 '' 'hn-lib (>= 18), hn-tool'
if ! lists; then
	skip "compose-apt apt reads no list of a directory here: $(tail -n 1 update.log)"
	finish
fi

# ---- recipes ----
mkdir -p recipes/tool/root/etc recipes/contracts/tool
cat >recipes/contracts/tool/main.json <<'END'
{ "hypernix": 1, "contract": "tool/main", "version": "2.0.0", "cardinality": "one" }
END
echo "a file of the recipe" >recipes/tool/root/etc/tool.conf
# recipe SCRIPTS [BEGINS]
recipe() {
	cat >recipes/tool/recipe.json <<END
{
	"hypernix": 1,
	"packages": [
		{ "package": "hn-tool", "version": "${2-1:2.}", "exclude": ["/usr/share/doc/**"]$1 },
		{ "package": "hn-meta", "first-dependency": true, "version": "18." }
	],
	"manifest": { "hypernix": 1, "component": "tool", "kind": "base-os",
		"provides": [{ "contract": "tool/main", "version": "{upstream}" }] }
}
END
}
decided=', "scripts": ["postinst"], "decision": "ignored: only a test"'
recipe "$decided"
import() {
	"$program" import recipes/tool/recipe.json "$@"
}
# refused NAME STATUS PATTERN WORD...
refused() {
	local name=$1 expected=$2 pattern=$3 status=0
	shift 3
	"$@" >out 2>err </dev/null || status=$?
	if [ "$status" = "$expected" ] && grep -qE -- "$pattern" err; then
		ok "$name"
	else
		not_ok "$name: status $status, not $expected, or nothing like $pattern: $(head -c 400 err)"
	fi
}
# says NAME EXPRESSION: true of `said`, the answer in JSON.
says() {
	if python3 -c 'import json, sys
said = json.load(open("said"))
sys.exit(not eval("(" + sys.argv[1] + ")"))' "$2"; then
		ok "$1"
	else
		not_ok "$1: $(head -c 600 said)"
	fi
}

import --registry shop --dry-run --json >said
says "a dry run says what would be" 'said["components"][0]["version"] == "2.3.0+r40500" and not said["components"][0]["changed"]'
[ ! -e shop ] && ok "and writes nothing" || not_ok "and writes nothing: $(ls -R shop)"
import --registry shop --json >said
says "a recipe becomes a component" 'said["components"][0]["changed"] and said["contracts"][0]["changed"] and
	[one["package"] for one in said["packages"]] == ["hn-tool", "hn-lib"] and said["packages"][0]["downloaded"]'
says "its manifest is of its packages" 'said["components"][0]["manifest"]["payloads"][1]["upstream"] == "hn-lib 18.1-1" and
	said["components"][0]["manifest"]["provides"][0]["version"] == "2.3.0" and
	said["components"][0]["manifest"]["files"][0]["text"] == "a file of the recipe\n" and
	list(said["components"][0]["manifest"]["payloads"][0]["scripts"]) == ["postinst", "decision"]'
[ ! -e was-run ] && ok "no script was run" || not_ok "no script was run"
check "which is one of a registry" "$program" show tool 2.3.0+r40500 --registry shop
import --registry shop >out 2>/dev/null && grep -q "tool 2.3.0+r40500 is there already" out && ok "the same again is no fault" ||
	not_ok "the same again is no fault: $(cat out)"
for left in /tmp/hn-import.*; do
	[ ! -O "$left" ] || [ "$left" -ot node.xml ] || not_ok "$left is left over"
done

recipe "$decided, \"setuid\": []"
refused "what no recipe has is refused with its place" 6 "recipes/tool/recipe.json:4:[0-9]+: a package has no field 'setuid'" import --registry shop
recipe ''
refused "a script that nobody decided about is refused" 6 "recipe.json:4:3: hn-tool 1:2.3-4\+deb12u5 has postinst, about which" import --registry shop
recipe "$decided" 1:3.
refused "another version than the recipe is for is refused" 4 "apt offers no hn-tool whose version begins with 1:3\." import --registry new
recipe "$decided" 1:3.
refused "so it is of packages that are there" 4 "is to begin with 1:3\." import --registry new --packages shop/packages --offline
recipe "$decided"
echo "another" >recipes/tool/root/etc/tool.conf
refused "another manifest of this version is refused" 1 "is there, and is another" import --registry shop
import --registry shop --replace >out 2>/dev/null && grep -q "takes the place of another" out && ok "unless it is to be replaced" ||
	not_ok "unless it is to be replaced: $(cat out)"
sed -i 's/hn-tool"/hn-nothing"/' recipes/tool/recipe.json
refused "a package that apt does not know is refused" 4 "apt knows no package hn-nothing" import --registry new
recipe "$decided"
sed -i 's/hn-tool"/--help"/' recipes/tool/recipe.json
refused "an option is no package" 6 "'--help' is not a name of a package" import --registry new
recipe "$decided"
refused "packages that are not there are not had offline" 4 "the package hn-tool is not in nowhere" import --registry new --packages nowhere --offline
refused "without apt it is said where packages may come from" 4 "the program apt-cache is not on this machine" \
	env PATH=/nonexistent "$program" import recipes/tool/recipe.json --registry new
refused "an archive and a recipe are two things" 64 "is for an archive" import --tar x.tar

# ---- offline ----
import --registry copy --packages shop/packages --offline >/dev/null 2>&1
if cmp -s shop/manifests/tool/*.json copy/manifests/tool/*.json; then
	ok "packages that are there are enough"
else
	not_ok "packages that are there are enough"
fi
mkdir debs
cp archive/*.deb debs
check "also by the names that apt gives them" import --registry copy --packages debs --offline
cp debs/hn-lib_18.1-1_amd64.deb debs/hn-lib_18.2-1_amd64.deb
refused "two of one name are refused" 5 "several files of the package hn-lib" import --registry copy --packages debs --offline

# ---- at once ----
pids=()
for _ in 1 2 3; do
	import --registry both --quiet 2>>both.err &
	pids+=($!)
done
together=0
for pid in "${pids[@]}"; do
	wait "$pid" || together=1
done
if [ $together = 0 ] && [ ! -s both.err ] && [ "$(find both -type f | wc -l)" = 6 ] && cmp -s both/manifests/tool/*.json shop/manifests/tool/*.json; then
	ok "three at once do not disturb each other"
else
	not_ok "three at once do not disturb each other: $(cat both.err) $(find both)"
fi

# ---- a host ----
cat >tool.json <<'END'
{ "hypernix": 1, "blueprint": "tool", "version": "1.0.0", "components": [ { "component": "tool" } ] }
END
check "a lock" "$program" resolve tool.json --registry shop
export HYPERNIX_STATE=$state
check "what a lock names is fetched" "$program" fetch tool.lock.json --registry shop
"$program" fetch tool.lock.json --registry shop >out 2>&1 && grep -q "nothing is missing" out && ok "and is not fetched again" ||
	not_ok "and is not fetched again: $(cat out)"
check "an image is built of it" "$program" build tool.lock.json --registry shop
export HYPERNIX_STATE=$work/s2
import --json >said
says "a recipe goes to a host, with its packages" 'said["components"][0]["changed"] and said["packages"][0]["put"]'
check "and is one of its components" "$program" show tool 2.3.0+r40500
"$program" resolve tool.json --lock host.lock.json >/dev/null && "$program" fetch host.lock.json --json >said
says "whose payloads are all there" 'said == []'

# ---- what cannot be had any more ----
export HYPERNIX_STATE=$work/s3
cp -r archive kept
rm archive/hn-tool*
package hn-tool '1:2.3-4+deb12u6' "exit 0"
lists
refused "a version that is gone is said to be, and the rest is put" 4 "apt does not offer hn-tool 1:2.3-4\+deb12u5 any more" \
	"$program" fetch tool.lock.json --registry shop
grep -q "hn-lib 18.1-1" out && grep -q "1 of 2 missing" out && ok "it is counted" || not_ok "it is counted: $(cat out)"
refused "and offline, too" 4 "the package hn-tool is not in a directory of --packages" "$program" fetch tool.lock.json --registry shop --offline
check "a directory of packages helps" "$program" fetch tool.lock.json --registry shop --packages shop/packages
mkdir several
cp kept/hn-tool_*.deb archive/hn-tool_*.deb several
cp archive/hn-tool_*.deb several/hn-tool.deb
export HYPERNIX_STATE=$work/s6
check "which may have others of that name" "$program" fetch tool.lock.json --registry shop --packages several
import --registry shop >/dev/null 2>&1
[ -e shop/manifests/tool/2.3.0+r40600.json ] && [ -e shop/manifests/tool/2.3.0+r40500.json ] &&
	ok "a new version comes beside the old one" || not_ok "a new version comes beside the old one: $(ls shop/manifests/tool)"
rm archive/hn-tool*
package hn-tool '1:2.3a-1' "exit 0"
lists
refused "a newer one that would be the older of ours is refused" 5 "hn-tool 1:2.3a-1, which is newer than hn-tool 1:2.3-4\+deb12u6 of 2.3.0\+r40600" \
	import --registry shop
grep -q '"revision" that is above 40600' err && ok "and the way out is told" || not_ok "and the way out is told: $(cat err)"
sed -i 's/"packages": \[/"revision": 50000, &/' recipes/tool/recipe.json
import --registry shop --dry-run >out 2>&1 && grep -q "tool 2.3.0+r50000 would be new" out && ok "with which it is taken" ||
	not_ok "with which it is taken: $(cat out)"
"$program" add shop/manifests/tool/2.3.0+r40600.json --state "$work/s5" >/dev/null 2>&1
"$program" add shop/contracts/tool/main.json shop/manifests/tool/2.3.0+r40600.json --state "$work/s5" >/dev/null
recipe "$decided"
refused "so it is by a host" 5 "which is newer than hn-tool 1:2.3-4\+deb12u6" import --state "$work/s5" --dry-run
export HYPERNIX_STATE=$work/s4
rm -rf archive
mv kept archive
lists "$(printf '0%.0s' {1..64})"
refused "a file of another digest than the lock's is refused" 13 "has the SHA-256 0+, and the lock names" "$program" fetch tool.lock.json --registry shop
unset HYPERNIX_STATE
refused "one that is not what apt's lists say is refused" 13 "apt cannot download hn-tool=1:2.3-4\+deb12u5" import --registry new
lists
mkdir apts
printf '#!/bin/sh\ncp %s hn-tool_1_amd64.deb\n' "$work/archive/hn-lib_18.1-1_amd64.deb" >apts/apt-get
chmod 0755 apts/apt-get
refused "nor is one that apt did not check" 13 "has the SHA-256 [0-9a-f]+, and [0-9a-f]+ was to be there" \
	env PATH="$work/apts:$PATH" "$program" import recipes/tool/recipe.json --registry new
[ ! -e new/manifests ] && [ -z "$(ls new/packages 2>/dev/null)" ] && ok "and nothing of it is kept" || not_ok "and nothing of it is kept"
finish
