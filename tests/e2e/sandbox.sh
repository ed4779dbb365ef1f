#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The sandbox around real programs: every profile's self-test; a guest that boots in QEMU inside CORE, and what
# a program there is killed for or denied.
. "$(dirname "$0")/../lib/e2e.sh"

program=$(find "$build/tests/e2e" -name e2e-sandbox -type f 2>/dev/null | head -n 1)
if [ -z "$program" ]; then
	skip sandbox needs e2e-sandbox
	finish
fi

for profile in parser signer edge nbd backup core payload; do
	if "$program" test "$profile" >"$work/out" 2>&1; then
		ok "sandbox self-test of $profile: $(grep -c '^held' "$work/out") tries, $(tail -n 1 "$work/out")"
	else
		not_ok "sandbox self-test of $profile"
		sed 's/^/    /' "$work/out"
	fi
done

# Debian's places; elsewhere the store or /usr has everything.
libraries=()
for path in /usr /lib /lib64 /bin /nix/store /etc/ld.so.cache; do
	[ ! -e "$path" ] || libraries+=(-x "$path")
done

# inside ARGUMENT...: in CORE, with the libraries of the system and our own directory.
inside() {
	timeout -k 5 300 "$program" run core "${libraries[@]}" -r /proc -w /dev/null -w /dev/urandom -w "$work" "$@"
}

# status_is WANTED COMMAND...
status_is() {
	local wanted=$1 status=0
	shift
	"$@" >"$work/out" 2>&1 </dev/null || status=$?
	[ "$status" = "$wanted" ] || { echo "status $status, not $wanted" && cat "$work/out" && return 1; }
}

sh=$(command -v sh)
check 'a program runs inside' status_is 0 inside "$sh" -c 'echo $((6 * 7)) && ls / >/dev/null 2>&1; test -r /proc/self/status'
check 'it sees its rights gone' status_is 0 inside "$sh" -c 'grep -q "^NoNewPrivs:.1" /proc/self/status &&
	grep -q "^Seccomp:.2" /proc/self/status && ! grep -q "^CapInh:.*[1-9a-f]" /proc/self/status'
check 'it writes in its directory' status_is 0 inside "$sh" -c "echo x >$work/file"
check 'and nowhere else' status_is 0 inside "$sh" -c "! echo x >/tmp/hn-sandbox-outside 2>/dev/null"
check 'it reads no file that was not given' status_is 0 inside "$sh" -c '! cat /etc/passwd 2>/dev/null'
if command -v unshare >/dev/null; then
	# 128 + SIGSYS, by the shell around it
	check 'a namespace kills' status_is 159 inside "$sh" -c "$(command -v unshare) --user true; exit \$?"
fi
if [ "$(id -u)" = 0 ] && command -v mount >/dev/null; then
	mkdir -p "$work/there"
	status=0
	inside "$(command -v mount)" -t tmpfs none "$work/there" >/dev/null 2>&1 || status=$?
	if [ "$status" != 0 ] && ! grep -q "$work/there" /proc/self/mounts; then ok 'mount fails'; else not_ok "mount fails: $status"; fi
fi

qemu=$(command -v qemu-system-x86_64)
if [ -z "$qemu" ] || [ ! -r "$guest/vmlinux" ]; then
	skip 'sandbox: a guest in CORE' needs qemu-system-x86_64 and the test guest
	finish
fi
status=0
inside -r "$guest" "$qemu" -machine q35 -accel tcg -m 192 -nodefaults -display none -no-reboot \
	-kernel "$guest/vmlinux" -initrd "$guest/initrd" -append 'console=ttyS0 panic=-1 hn.off' \
	-serial "file:$work/console" -qmp "unix:$work/qmp,server=on,wait=off" -netdev user,id=n -device virtio-net-pci,netdev=n \
	-sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny >"$work/qemu.out" 2>&1 </dev/null || status=$?
if [ "$status" = 0 ] && grep -q 'HN-INIT' "$work/console"; then
	ok 'a guest boots and powers off in a QEMU inside CORE'
else
	not_ok "a guest boots in a QEMU inside CORE (status $status)"
	tail -n 5 "$work/qemu.out" "$work/console" | sed 's/^/    /'
fi
finish
