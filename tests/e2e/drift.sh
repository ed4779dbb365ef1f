#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# A unit whose domain was changed or destroyed behind our back is shown as drifted and repaired.
. "$(dirname "$0")/../lib/e2e.sh"
need_guest

need_program hv-compute qemu
virsh() {
	"$here/tests/lib/virsh" "$machine" "$@"
}
cat >"$work/one.json" <<END
{ "hypernix": 1, "units": { "web": { "overrides": {
  "boot.profile": "direct", "boot.kernel": "$guest/vmlinuz", "boot.initrd": "$guest/initrd",
  "memory.size": "256Mi", "memory.max": "256Mi", "memory.balloon": "manual", "restart.policy": "no",
  "autostart": false, "compute.units": 10 } } } }
END
warm_root
hv apply "$work/one.json" --yes >"$work/out" 2>&1 || not_ok "apply: $(tail -n 3 "$work/out")"
hv start web --wait ready --timeout 240s >"$work/out" 2>&1 || not_ok "start: $(tail -n 3 "$work/out")"
check "before: nothing to do" hv plan "$work/one.json" --exit-code

virsh setmem web 200M --live >"$work/out" 2>&1 || not_ok "virsh setmem: $(cat "$work/out")"
status=0
hv drift web >"$work/out" 2>&1 || status=$?
check "drift exits as HN_EDRIFT says: 16" test "$status" = 16
check "changed memory is shown" grep -qE 'memory\.size.*256Mi|memory\.size.*20[0-9]' "$work/out"
hv drift web --restore >"$work/out" 2>&1 || not_ok "drift --restore: $(tail -n 3 "$work/out")"
check "straight after the repair there is nothing to do" hv plan "$work/one.json" --exit-code
check "and no drift" hv drift web
check "changed memory is restored in the hypervisor" test "$(virsh dominfo web | awk '/Used memory:/ { print $3 }')" = 262144

pid=$(cat "$machine/run/qemu/web.pid")
virsh destroy web >"$work/out" 2>&1
check "the guest is gone" sh -c "! kill -0 '$pid' 2>/dev/null"
hv list >"$work/out" 2>&1
check "list does not say running" sh -c "! grep -qE '^web +running' '$work/out'"

virsh undefine web >"$work/out" 2>&1
hv plan >"$work/out" 2>&1
check "plan shows the missing domain" grep -qE '^web' "$work/out"
check "apply repairs it" hv apply "$work/one.json" --yes
check "the domain is back" sh -c "'$here/tests/lib/virsh' '$machine' list --all --name | grep -qx web"
check "afterwards nothing is left to do" hv plan "$work/one.json" --exit-code
check "it starts again" hv start web --wait ready --timeout 240s
virsh suspend web >"$work/out" 2>&1
check "a guest that somebody paused is left so" hv drift web --json
check "it is still there" sh -c "'$here/tests/lib/virsh' '$machine' domstate web | grep -qx paused"
virsh resume web >"$work/out" 2>&1
check "and stops" hv stop web

# As a program leaves it that is killed between making a guest and letting it run.
virsh start web --paused >"$work/out" 2>&1 || not_ok "virsh start --paused: $(cat "$work/out")"
pid=$(cat "$machine/run/qemu/web.pid")
check "a guest that never ran waits" kill -0 "$pid"
check "the next start takes it for none" hv start web --wait ready --timeout 240s
check "it is another process" test "$(cat "$machine/run/qemu/web.pid")" != "$pid"
check "the first is gone" sh -c "! kill -0 '$pid' 2>/dev/null"
check "and stops again" hv stop web
finish
