#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# From a bare Debian machine to a running virtual machine that was declared by tags: installs what is missing,
# builds, makes a small guest, applies examples/fleet.json, boots two of its units, changes one while it runs,
# shows a conflict, composes a web server from Debian's packages, boots it and fetches its page, and removes
# everything that it made. Safe to run again. Ends with "quickstart: OK".
#
#   examples/quickstart.sh [--keep]     --keep leaves the units and their state there, and says where
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
HYPERNIX_ARGUMENTS=("$@")
build=${HYPERNIX_BUILDS:-$root/build}/quickstart
guest=${HYPERNIX_GUEST:-${XDG_CACHE_HOME:-$HOME/.cache}/hypernix/guest}
components=${HYPERNIX_COMPONENTS:-${XDG_CACHE_HOME:-$HOME/.cache}/hypernix/components}
keep=''
compose='' port=''
work='' hv='' began=0 step_name='' times=()
booted=(webserver db-main)
. "$root/tests/lib/packages.sh"
. "$root/tests/lib/build.sh"

now() { # tenths of a second
	echo $(($(date +%s%N) / 100000000))
}

step_end() {
	local took
	[ -n "$step_name" ] || return 0
	took=$(($(now) - began))
	times+=("$(printf '%6d.%d s  %s' $((took / 10)) $((took % 10)) "$step_name")")
	step_name=''
}

step() {
	step_end
	step_name=$*
	began=$(now)
	printf '\n== %s\n' "$*"
}

# Shows the command as somebody would type it, then runs it.
hypernix() {
	local shown=() word
	for word in "$@"; do
		case $word in
		*' '*) shown+=("'$word'") ;;
		*) shown+=("$word") ;;
		esac
	done
	printf '$ hv-compute %s\n' "${shown[*]}"
	"$hv" "$@"
}

fail() {
	echo "quickstart: $*" >&2
	exit 1
}

# QEMU processes of our own machine root.
guests() {
	local process
	for process in /proc/[0-9]*; do
		if { tr '\0' ' ' <"$process/cmdline"; } 2>/dev/null | grep -qF -- "$work/m/"; then
			[ "${process#/proc/}" = $$ ] || echo "${process#/proc/}"
		fi
	done
}

clean_up() {
	local status=$? pid
	trap - EXIT
	if [ -n "$work" ] && [ -d "$work" ]; then
		for pid in $(guests); do
			kill -9 "$pid" 2>/dev/null || true
		done
		cd /
		rm -rf "$work"
	fi
	[ "$status" = 0 ] || echo "quickstart: FAILED${step_name:+ in step: $step_name}" >&2
	exit "$status"
}

# fleet.json names no path of this machine: what the two units boot comes in a second document.
write_boot_document() {
	local unit separator=''
	{
		printf '{ "hypernix": 1, "units": {\n'
		for unit in "${booted[@]}"; do
			printf '%s  "%s": { "overrides": { "boot.profile": "direct",\n' "$separator" "$unit"
			printf '    "boot.kernel": "%s/vmlinuz", "boot.initrd": "%s/initrd" } }' "$guest" "$guest"
			separator=$',\n'
		done
		printf '\n} }\n'
	} >"$work/boot.json"
}

# What the hypervisor itself says the guest has, in KiB; asked by virsh, not by our own program.
memory_of() {
	"$root/tests/lib/virsh" "$work/m" dominfo "$1" | awk '/Used memory:/ { print $3 }'
}

retag() {
	local before after
	before=$(memory_of webserver)
	hypernix tag webserver +quiet-hours --reason 'the shop is closed at night'
	after=$(memory_of webserver)
	echo "virsh reads back from the hypervisor: memory of webserver $before KiB -> $after KiB"
	[ "$before" = 262144 ] && [ "$after" = 196608 ] || fail "the hot change did not reach the hypervisor"
	hypernix explain webserver memory.size
}

conflict() {
	local status=0
	hypernix check examples/conflict.json || status=$?
	echo "exit status $status"
	[ "$status" = 5 ] || fail "a conflict should exit with 5"
}

free_port() {
	python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

composed() {
	printf '$ hv-compose %s\n' "$*"
	"$compose" "$@"
}

# Debian's own packages, as apt offers them today; none of their scripts runs.
import_components() {
	compose=$(built_program hv-compose)
	HYPERNIX_IMGPARSE=$(built_program hv-imgparse)
	export HYPERNIX_IMGPARSE
	mkdir -p "$(dirname "$components")"
	composed import examples/components/*/recipe.json --registry "$components" --replace
	composed list --registry "$components"
}

fetch_page() { # PATH WORDS
	local page url=http://127.0.0.1:$port$1
	page=$(python3 -c 'import sys, urllib.request
sys.stdout.write(urllib.request.urlopen(sys.argv[1], timeout=120).read().decode())' "$url") || fail "nothing answers at $url"
	echo "$url: $(grep -m 1 -F "$2" <<<"$page")"
	grep -qF "$2" <<<"$page" || fail "$url is not what it should be: $page"
}

serve() {
	port=$(free_port)
	sed "s/127.0.0.1:8080:/127.0.0.1:$port:/" examples/web-app.json >"$work/web-app.json"
	hypernix apply examples/fleet.json "$work/boot.json" "$work/web-app.json" --yes
	hypernix start web-app --wait ready --timeout 600s
	fetch_page / 'Welcome to nginx'
	fetch_page /app '"node"'
	hypernix explain web-app memory.size
}

remove_everything() {
	local left
	hypernix stop "${booted[@]}" web-app
	printf '{ "hypernix": 1 }\n' >"$work/nothing.json"
	hypernix apply "$work/nothing.json" --on-remove destroy --yes --reason 'end of the quickstart'
	left=$(guests)
	[ -z "$left" ] || fail "these processes are left: $left"
	[ -z "$("$root/tests/lib/virsh" "$work/m" list --all --name | tr -d '\n')" ] || fail "domains are left"
}

main() {
	cd "$root"
	trap clean_up EXIT
	trap 'exit 1' HUP INT TERM
	step "packages"
	need_packages quickstart build run guest
	# A machine root may have 50 bytes.
	work=$(mktemp -d /tmp/hn.XXXXXX)
	export HYPERNIX_STATE=$work/s HYPERNIX_ROOT=$work/m
	step "build"
	build_programs
	hv=$(built_program hv-compute)
	"$hv" --version
	step "guest from Debian's cloud kernel and busybox"
	"$root/tests/guest/build" "$guest"
	write_boot_document
	step "check: what would every unit get?"
	hypernix check examples/fleet.json
	step "explain, before anything is applied"
	hypernix explain webserver memory.size --file examples/fleet.json
	step "apply"
	hypernix apply examples/fleet.json "$work/boot.json" --yes
	step "boot two units"
	hypernix start "${booted[@]}" --wait ready --timeout 240s
	hypernix boot webserver
	step "list"
	hypernix list
	step "re-tag a running unit"
	retag
	step "apply again: no changes"
	hypernix plan examples/fleet.json "$work/boot.json" --exit-code || fail "there should be nothing to do"
	hypernix apply examples/fleet.json "$work/boot.json" --yes
	step "a conflict"
	conflict
	step "components from Debian's packages"
	import_components
	step "an image of those that fit a blueprint"
	cp examples/blueprints/web-app.json "$work/"
	composed blueprint "$work/web-app.json" --registry "$components" --quiet
	composed blueprint "$work/web-app.json" --registry "$components"
	step "a unit that boots from it"
	serve
	if [ -n "$keep" ]; then
		step_end
		trap - EXIT
		printf '\nkept: HYPERNIX_STATE=%s HYPERNIX_ROOT=%s %s list\n' "$work/s" "$work/m" "$hv"
	else
		step "stop and remove everything"
		remove_everything
		step_end
	fi
	printf '\n== how long each step took\n'
	printf '%s\n' "${times[@]}"
	echo "quickstart: OK"
}

case "${1-}" in
--keep) keep=1 ;;
'') ;;
*)
	echo "usage: examples/quickstart.sh [--keep]" >&2
	exit 64
	;;
esac
main
