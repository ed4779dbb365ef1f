#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A real guest from define to undefine: READY, weight in the kernel, console, graceful stop, nothing
# left. Its disk outlives it, a later handle of the process finds it, and it can be stopped while it
# boots.
. "$(dirname "$0")/../lib/e2e.sh"

need_guest
program=$(find "$build/tests/e2e" -name e2e-machine -type f 2>/dev/null | head -n 1)
if [ -z "$program" ]; then
	skip machine-life e2e-machine is not built
	finish
fi
export HYPERNIX_VIRSH=$here/tests/lib/virsh
for scenario in life disk twice booting; do
	machine=$work/$scenario
	warm_root
	timeout 600 "$program" "$scenario" "$machine" "$guest" || e2e_failed=1
done
finish
