#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Guests outlive their owner: found again, left alone, ended at once after a re-open.
. "$(dirname "$0")/../lib/e2e.sh"

need_guest
need_program e2e-machine
scenarios reopen half
finish
