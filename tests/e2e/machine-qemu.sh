#!/bin/bash
# SPDX-License-Identifier: MIT
#
# QEMU missing from PATH, not executable, or no program; two threads that start one unit; a unit that
# is deleted while it starts.
. "$(dirname "$0")/../lib/e2e.sh"

need_guest
need_program e2e-machine
scenarios threads vanish

name=qemu-system-$(uname -m)
without_qemu() {
	PATH=$work/bin HYPERNIX_WANTED=$2 timeout 60 "$program" no-qemu "$work/$1" "$guest" || e2e_failed=1
}
timeout=$(command -v timeout)
mkdir "$work/bin"
ln -s "$timeout" "$work/bin/timeout"
without_qemu q1 "there is no $name in PATH"
echo '#!/bin/false' >"$work/bin/$name"
without_qemu q2 "is not executable"
chmod +x "$work/bin/$name"
without_qemu q3 "libvirt cannot use"
finish
