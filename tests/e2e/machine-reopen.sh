#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Guests outlive their owner: found again, left alone, ended at once after a re-open.
. "$(dirname "$0")/../lib/e2e.sh"

need_guest
program=$(find "$build/tests/e2e" -name e2e-machine -type f 2>/dev/null | head -n 1)
if [ -z "$program" ]; then
	skip machine-reopen e2e-machine is not built
	finish
fi
export HYPERNIX_VIRSH=$here/tests/lib/virsh
for scenario in reopen half; do
	machine=$work/$scenario
	warm_root
	timeout 600 "$program" "$scenario" "$machine" "$guest" || e2e_failed=1
done
finish
