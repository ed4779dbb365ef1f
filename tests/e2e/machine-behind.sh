#!/bin/bash
# SPDX-License-Identifier: MIT
#
# What somebody did behind our back with virsh is seen, and mended by a start.
. "$(dirname "$0")/../lib/e2e.sh"

need_guest
need_program e2e-machine
scenarios behind
finish
