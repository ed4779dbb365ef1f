#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A killed QEMU is a crash; a guest that hears nothing is stopped by force.
. "$(dirname "$0")/../lib/e2e.sh"

need_guest
need_program e2e-machine
scenarios crash deaf
finish
