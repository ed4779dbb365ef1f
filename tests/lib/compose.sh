# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
#
# For tests that boot what the recipes of examples/components make; after e2e.sh.
# HYPERNIX_COMPONENTS: what hv-compose import made of them, or where it is to.
# Sets program (hv-compose) and components.

if [ -z "${HYPERNIX_LONG:-}" ]; then
	skip "$(basename "$0" .sh) only in a long run: it downloads packages of Debian"
	finish
fi
need_program hv-imgparse
parser=$program
need_program hv-compose qemu
components=${HYPERNIX_COMPONENTS:-${XDG_CACHE_HOME:-$HOME/.cache}/hypernix/components}
for tool in apt-get dpkg-deb; do
	command -v "$tool" >/dev/null || {
		skip "$(basename "$0" .sh) no $tool"
		finish
	}
done
export HYPERNIX_IMGPARSE=$parser
mkdir -p "$(dirname "$components")"
# The recipes may have changed since; what is there is enough where apt cannot be asked.
if ! said=$(HYPERNIX_STATE='' "$program" import "$here"/examples/components/*/recipe.json --registry "$components" \
	--replace --quiet 2>&1) && [ ! -d "$components/manifests" ]; then
	skip "$(basename "$0" .sh) $(head -n 1 <<<"$said")"
	finish
fi
compose() {
	"$program" "$@" --quiet
}
# field FILE NAME: what hv-compose build --json said.
field() {
	python3 -c 'import json, sys
value = json.load(open(sys.argv[1]))
for name in sys.argv[2].split("."):
    value = value[name]
print(value)' "$1" "$2"
}
# build NAME REGISTRY LOCK [OPTION...]: its answer in $work/NAME
build() {
	local name=$1 registry=$2 lock=$3
	shift 3
	compose build "$lock" --registry "$registry" --json "$@" >"$work/$name"
}

# boot NAME MIB: $pid, $port; what the guest says goes to $machine/NAME.unit, its console to NAME.console.
boot() {
	local at=$machine/$1
	port=$(python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	mkfifo "$at.in" "$at.out"
	: >"$at.unit" >"$at.console"
	qemu-system-x86_64 -name "guest=$1" -M pc -accel tcg -m "$2" -nodefaults -no-user-config \
		-display none -no-reboot -kernel "$(field "$work/$1" kernel)" -initrd "$(field "$work/$1" path)" \
		-append "$(field "$work/$1" cmdline)" -serial "file:$at.console" -device virtio-serial-pci \
		-chardev "pipe,id=unit,path=$at" -device virtserialport,chardev=unit,name=org.hypernix.unit.0 \
		-netdev "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:$port-:80" \
		-device virtio-net-pci,netdev=net,romfile= -device virtio-rng-pci >"$at.qemu" 2>&1 &
	pid=$!
	cat "$at.out" >"$at.unit" &
}
# await SECONDS COMMAND...
await() {
	local until=$((SECONDS + $1))
	shift
	until "$@"; do
		if [ $SECONDS -ge $until ] || gone; then
			return 1
		fi
		sleep 0.2
	done
}
said() {
	grep -qE "$2" "$machine/$1.unit"
}
gone() {
	! kill -0 "$pid" 2>/dev/null
}
show_console() {
	[ "$e2e_failed" -eq 0 ] || tail -n 20 "$machine/$1.console" "$machine/$1.qemu" | sed 's/^/    /'
}
