#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Units of a libvirtd: started, weighed and stopped through it; it is killed, frozen and started again
# while a guest runs.
. "$(dirname "$0")/../lib/e2e.sh"

need_guest
need_program e2e-machine
reason=
[ "$(id -u)" = 0 ] || reason="needs root, for a mount namespace"
command -v libvirtd >/dev/null || reason="no libvirtd (package libvirt-daemon)"
[ -n "$reason" ] || unshare -m true 2>/dev/null || reason="no mount namespace may be made here"
if [ -n "$reason" ]; then
	skip machine-libvirtd "$reason"
	finish
fi

daemon() {
	"$here/tests/lib/libvirtd" "$1" "$work/d"
}
end_daemon() {
	local file
	for file in "$work"/d/libvirtd.pid "$work"/d/run/qemu/*.pid; do
		[ ! -s "$file" ] || kill -9 "$(cat "$file")" 2>/dev/null
	done
	e2e_clean
}
trap end_daemon EXIT

if ! uri=$(daemon start); then
	not_ok libvirtd-starts
	finish
fi
hv_uri() {
	hv --uri "$uri" "$@"
}

# --- through the program ---
cat >"$work/d.json" <<END
{"hypernix": 1, "units": {"web-1": {"overrides": {"compute.vcpus": 1, "compute.units": 60, "memory.size": "192Mi",
"boot.kernel": "$guest/vmlinux", "boot.initrd": "$guest/initrd", "boot.cmdline": ["quiet"], "autostart": false,
"restart.policy": "no"}}}}
END
scheduler() {
	virsh -q -c "$uri" schedinfo web-1 | sed -n "s/^$1 *: //p"
}
# The number of 100 units is 1024 on cgroup v1 and 100 on v2.
weight_is() {
	[ "$(scheduler cpu_shares)" = "$1" ] || [ "$(scheduler cpu_shares)" = "$2" ]
}
check defined hv_uri apply "$work/d.json" --yes
check start-to-ready hv_uri start web-1 --wait ready --timeout 240s
check weight-is-the-kernels weight_is 614 60
sed -i 's/"compute.units": 60/"compute.units": 400/' "$work/d.json"
check hot-weight hv_uri apply "$work/d.json" --yes
check hot-weight-is-the-kernels weight_is 4096 400
is_listed() {
	hv_uri list | grep -q "^web-1 *$1"
}
check is-running is_listed "running *yes"
check no-drift hv_uri drift
check stop hv_uri stop web-1
check is-stopped is_listed stopped
echo '{"hypernix": 1, "units": {}}' >"$work/d.json"
check removed hv_uri apply "$work/d.json" --yes --on-remove destroy --reason test

# --- a connection that breaks ---
HYPERNIX_E2E_URI=$uri HYPERNIX_DAEMON="$here/tests/lib/libvirtd" HYPERNIX_DAEMON_DIR=$work/d \
	timeout 600 "$program" daemon "$work/daemon" "$guest" || e2e_failed=1
finish
