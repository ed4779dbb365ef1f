#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A real guest from define to undefine: READY, weight in the kernel, console, graceful stop, nothing
# left. Its disk outlives it, a later handle of the process finds it, and it can be stopped while it
# boots.
. "$(dirname "$0")/../lib/e2e.sh"

need_guest
need_program e2e-machine
scenarios life disk twice booting
finish
