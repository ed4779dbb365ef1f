#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The scripts of busybox-base: guest-scripts.sh ROOT. The shell that will run them reads each; the probe is
# asked what is known. Exit 77: skipped.
set -u
root=$1
[ -x /bin/busybox ] || {
	echo "skip guest-scripts there is no /bin/busybox, Debian: busybox-static"
	exit 77
}
count=0
failed=0
is() {
	want=$1
	shift
	count=$((count + 1))
	"$@" >/dev/null 2>&1
	[ $? -eq "$want" ] || {
		echo "not ok: $* did not end with $want"
		failed=1
	}
}
probe() {
	/bin/busybox sh "$root/lib/hypernix/probe" "$@"
}

for script in "$root"/init "$root"/lib/hypernix/* "$root"/etc/acpi/PWRF/*; do
	is 0 /bin/busybox sh -n "$script"
	is 0 test -x "$script"
done
is 0 probe file "$root"
is 1 probe file "$root/none"
is 1 probe --within 300 file "$root/none"
is 0 probe exec /bin/busybox true
is 1 probe exec /bin/busybox false
is 0 probe --within 1000 exec /bin/busybox test 'a b' = 'a b'
is 1 probe unix "$root/none"
is 1 probe tcp 1
is 1 probe http 1/
is 1 probe unknown x
echo "checks: $count"
exit $failed
