#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Guests that misbehave: never ready, off at once, floods on the port and the console.
. "$(dirname "$0")/../lib/e2e.sh"

need_guest
need_program e2e-machine
scenarios guests
finish
