#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Locks, artefacts that are missing or empty, a root that is too long, an edited qemu.conf.
. "$(dirname "$0")/../lib/e2e.sh"

need_guest
need_program e2e-machine
scenarios locks artefacts
finish
