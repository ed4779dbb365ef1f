#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Makes a registry of the components here from what Debian's apt offers today:
#   examples/components/import.sh DIR
# DIR then holds manifests/, contracts/ and the packages. Each package is held against the SHA-256 of
# apt's signed lists; none of its scripts runs. With HYPERNIX_STATE set, packages are also put into the
# store of that host (HV_COMPOSE: the program, if not in PATH).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
if [ $# -ne 1 ] || [ "${1#-}" != "$1" ]; then
	echo "usage: examples/components/import.sh DIR" >&2
	exit 64
fi
for tool in apt-get:apt apt-cache:apt dpkg-deb:dpkg b2sum:coreutils sha256sum:coreutils flock:util-linux python3:python3; do
	command -v "${tool%%:*}" >/dev/null || {
		echo "import: ${tool%%:*} is missing; on Debian: apt-get install ${tool##*:}" >&2
		exit 69
	}
done
mkdir -p "$1/packages"
dir=$(cd "$1" && pwd)
exec 9>"$dir/lock"
flock 9 # two at once would disturb each other

fail() {
	echo "import: $*" >&2
	exit 1
}

# offered PACKAGE BEGINNING: version and SHA-256 of the first that apt can download. One that is only
# installed here, or that another archive has under the same name, is not what the recipe means.
offered() {
	apt-cache show "$1" 2>/dev/null | awk -v begins="$2" '
		/^Version: / { version = $2 }
		/^SHA256: / { sha256 = $2 }
		/^$/ { tell() }
		END { tell() }
		function tell() {
			if (!told && sha256 != "" && index(version, begins) == 1) {
				print version, sha256
				told = 1
			}
			version = sha256 = ""
		}'
}

# fetch PACKAGE BEGINNING: the package in DIR/packages, downloaded unless it is there and right; its version
# begins so.
fetch() {
	local name=$1 version sha256 file
	apt-cache show "$name" >/dev/null 2>&1 || fail "apt knows no $name; run apt-get update first"
	read -r version sha256 < <(offered "$name" "$2") ||
		fail "apt offers no $name${2:+ $2}; it must come from the archive of Debian 12"
	file=$dir/packages/$name.deb
	if ! sha256sum --status -c - 2>/dev/null <<<"$sha256  $file"; then
		# apt drops its rights where it can: to a directory that it may enter.
		(cd "$scratch" && apt-get download -qq "$name=$version" 2>"$scratch/said") ||
			fail "apt cannot download $name: $(tail -n 1 "$scratch/said")"
		mv "$scratch/$name"_*.deb "$file.new"
		sha256sum --status -c - <<<"$sha256  $file.new" || fail "$name is not what apt's lists say: its SHA-256 differs"
		mv "$file.new" "$file"
	fi
	rm -rf "$dir/control/$name"
	mkdir -p "$dir/control/$name"
	dpkg-deb -e "$file" "$dir/control/$name"
	(cd "$dir/control/$name" && b2sum -l 256 -- *) >"$dir/control/$name.b2"
	python3 - "$name" "$version" "$sha256" "$file" <<'END' >"$dir/control/$name.json"
import json, os, sys
name, version, sha256, file = sys.argv[1:]
print(json.dumps({"name": name, "version": version, "sha256": sha256, "size": os.path.getsize(file)}))
END
}

scratch=$(mktemp -d /tmp/hn-import.XXXXXX)
trap 'rm -rf "$scratch" "$dir/control" "$dir/new"' EXIT
chmod 0755 "$scratch"
[ "$(id -u)" -ne 0 ] || ! id _apt >/dev/null 2>&1 || chown _apt "$scratch"

# words RECIPE: a line for each package, "first" before one whose first dependency is meant, and how its
# version begins.
words() {
	python3 -c 'import json, sys
for one in json.load(open(sys.argv[1]))["packages"]:
    print("first" if one.get("first-dependency") else "plain", one["package"],
		one.get("version", ""))' "$1"
}

rm -rf "$dir/new"
for recipe in "$here"/*/recipe.json; do
	: >"$scratch/names"
	while read -r how name begins; do
		if [ "$how" = first ]; then
			name=$(apt-cache depends "$name" 2>/dev/null | awk '/Depends:/ { print $2; exit }')
			[ -n "$name" ] || fail "apt does not know what $recipe names; run apt-get update first"
		fi
		fetch "$name" "$begins"
		echo "$name" | tee -a "$scratch/all" >>"$scratch/names"
	done < <(words "$recipe")
	python3 "$here/manifest.py" "$recipe" "$dir" "$scratch/names"
done
# What an earlier import made is not what apt offers now.
for file in "$dir"/packages/*.deb; do
	grep -qxF "$(basename "$file" .deb)" "$scratch/all" || rm "$file"
done
mkdir -p "$dir/new"
cp -r "$here/contracts" "$dir/new/contracts"
for part in manifests contracts; do
	rm -rf "${dir:?}/$part"
	mv "$dir/new/$part" "$dir/$part"
done
if [ -n "${HYPERNIX_STATE-}" ]; then
	"${HV_COMPOSE:-hv-compose}" put "$dir"/packages/*.deb >/dev/null
fi
