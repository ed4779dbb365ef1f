#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The same life of a guest under a uid that has no entry in passwd and no rights on cgroups.
. "$(dirname "$0")/../lib/e2e.sh"

need_guest
need_program e2e-machine
if [ "$(id -u)" != 0 ] || ! command -v setpriv >/dev/null; then
	skip machine-user needs root and setpriv
	finish
fi
machine=$work/u
warm_root
mkdir -p "$machine" "$work/g"
cp "$guest/vmlinux" "$guest/initrd" "$work/g/"
cp "$program" "$work/program"
chown -R 54321:54321 "$machine" "$work/g" "$work/program"
chmod 755 "$work"
timeout 600 setpriv --reuid 54321 --regid 54321 --clear-groups \
	env -i PATH=/usr/bin:/bin HOME="$machine" "$work/program" life "$machine" "$work/g" || e2e_failed=1
finish
