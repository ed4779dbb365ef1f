#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Two applies at once: one waits or says who holds the lock; the state is right afterwards.
. "$(dirname "$0")/../lib/e2e.sh"

need_program hv-compute qemu
fleet=$here/examples/fleet.json
python3 - "$fleet" "$work/other.json" <<'END'
import json, sys
with open(sys.argv[1]) as file:
    fleet = json.load(file)
fleet["units"]["api"]["overrides"] = {"compute.units": 33}
with open(sys.argv[2], "w") as file:
    json.dump(fleet, file)
END

for turn in 1 2 3 4 5; do
	"$program" apply "$fleet" --yes >"$work/a" 2>&1 &
	first=$!
	"$program" apply "$work/other.json" --yes >"$work/b" 2>&1 &
	second=$!
	a=0 b=0
	wait "$first" || a=$?
	wait "$second" || b=$?
	if { [ "$a" = 0 ] || [ "$a" = 7 ]; } && { [ "$b" = 0 ] || [ "$b" = 7 ]; } && [ $((a + b)) -le 7 ]; then
		ok "turn $turn: exit statuses $a and $b"
	else
		not_ok "turn $turn: exit statuses $a and $b"
		cat "$work/a" "$work/b" | head -n 20 | sed 's/^/    /'
	fi
	for output in a b; do
		status=${!output}
		if [ "$status" = 7 ]; then
			# Whoever lost the race reads who holds the lock, or that the plan was overtaken.
			if grep -qE 'locked by .+, process [0-9]+|the plan no longer fits: the state has changed' "$work/$output"; then
				ok "turn $turn: the refusal says why"
			else
				not_ok "turn $turn: the refusal says: $(cat "$work/$output")"
			fi
		fi
	done
done
hv apply "$fleet" --yes >"$work/out" 2>&1
check "afterwards nothing is left to do" hv plan "$fleet" --exit-code
check "six domains" test "$("$here/tests/lib/virsh" "$machine" list --all --name | grep -c .)" = 6
check "no unit is inconsistent" sh -c "! '$program' list --json | grep -q '\"inconsistent\": *true'"
finish
