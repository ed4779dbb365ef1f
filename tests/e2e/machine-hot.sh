#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Devices plugged into and out of a running guest, disks grown and limited.
. "$(dirname "$0")/../lib/e2e.sh"

need_guest
need_program e2e-machine
scenarios hot
finish
