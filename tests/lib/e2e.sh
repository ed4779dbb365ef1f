# SPDX-License-Identifier: MIT
# Sourced by tests/e2e/*.sh. Gives a short private directory $work with state $state and machine root
# $machine, the program `hv` = hv-compute on them, the guest's directory $guest, and the words
#   ok NAME / not_ok NAME [WHY] / skip NAME REASON / check NAME COMMAND... / need_guest / need_program / finish
# Set by tests/run.sh: HYPERNIX_BUILD (build directory), HYPERNIX_GUEST (vmlinuz, vmlinux, initrd).
set -u

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${HYPERNIX_BUILD:-$here/build/release}
guest=${HYPERNIX_GUEST:-${XDG_CACHE_HOME:-$HOME/.cache}/hypernix/guest}
# A machine root may have 50 bytes, so this is not below TMPDIR.
work=$(mktemp -d /tmp/hn.XXXXXX)
state=$work/s
machine=$work/m
export HYPERNIX_STATE=$state HYPERNIX_ROOT=$machine
e2e_failed=0

hv() {
	local program
	program=$(find "$build/frontends" -name hv-compute -type f | head -n 1)
	"${program:-hv-compute}" "$@"
}

ok() {
	echo "ok $*"
}
not_ok() {
	echo "not ok $*"
	e2e_failed=1
}
skip() {
	echo "skip $*"
}
# check NAME COMMAND...: shows what the command said when it fails.
check() {
	local name=$1 output
	shift
	if output=$("$@" 2>&1); then
		ok "$name"
	else
		not_ok "$name ($*)"
		printf '%s\n' "$output" | head -n 40 | sed 's/^/    /'
	fi
}

# QEMU processes of our own root, found by the root in their command line.
guests_running() {
	local process
	for process in /proc/[0-9]*; do
		if { tr '\0' ' ' <"$process/cmdline"; } 2>/dev/null | grep -q -- "-name guest=.*$machine/"; then
			echo "${process#/proc/}"
		fi
	done
}

e2e_clean() {
	local pid
	for pid in $(guests_running); do
		kill -9 "$pid" 2>/dev/null
	done
	cd / && rm -rf "$work"
}
trap e2e_clean EXIT
trap 'exit 1' HUP INT TERM

# A root whose QEMU was probed before starts in a second instead of many.
warm_root() {
	local cache=${HYPERNIX_WARM:-}
	if [ -n "$cache" ] && [ -d "$cache" ]; then
		mkdir -p "$machine/cache"
		cp -a "$cache/." "$machine/cache/"
	fi
}

# First line of a script that boots guests.
need_guest() {
	local file
	for file in vmlinuz vmlinux initrd; do
		if [ ! -s "$guest/$file" ]; then
			skip "$(basename "$0" .sh) no $guest/$file (tests/guest/build makes it)"
			finish
		fi
	done
}

# need_program NAME [qemu]: `program` is the path of a program of this build; with qemu the script needs QEMU too.
need_program() {
	program=$(find "$build/frontends" "$build/tests/e2e" -name "$1" -type f 2>/dev/null | head -n 1)
	if [ -z "$program" ]; then
		skip "$(basename "$0" .sh) no $1 in $build"
		finish
	fi
	if [ "${2-}" = qemu ] && ! command -v qemu-system-x86_64 >/dev/null; then
		skip "$(basename "$0" .sh) no QEMU"
		finish
	fi
}

# scenarios NAME...: those of e2e-machine, each in a root of its own.
scenarios() {
	local scenario
	export HYPERNIX_VIRSH=$here/tests/lib/virsh
	for scenario; do
		machine=$work/$scenario
		warm_root
		timeout 600 "$program" "$scenario" "$machine" "$guest" || e2e_failed=1
	done
}

finish() {
	exit "$e2e_failed"
}
