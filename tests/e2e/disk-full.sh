#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The disk fills up while applying: a clear error, nothing lost, and the next apply completes.
. "$(dirname "$0")/../lib/e2e.sh"

need_program hv-compute qemu
if ! unshare --mount true 2>/dev/null; then
	skip "disk-full no right to mount a small file system"
	finish
fi
fleet=$here/examples/fleet.json
hv apply "$fleet" --yes >"$work/out" 2>&1 || not_ok "apply on a disk with room: $(tail -n 3 "$work/out")"
cp -a "$machine/cache" "$work/cache"
rm -rf "$state" "$machine"

# Runs in a mount namespace of its own: state and root lie on a tmpfs of SIZE.
cat >"$work/inside" <<'END'
#!/usr/bin/env bash
size=$1
mount -t tmpfs -o size="$size" tmpfs "$mountpoint" || exit 99
umask 077
mkdir -p "$HYPERNIX_ROOT"
cp -a "$work/cache" "$HYPERNIX_ROOT/cache" || exit 98
# What is left is less than an apply needs.
left=$(($(df --output=avail -k "$mountpoint" | tail -n 1) - $2))
[ "$left" -le 0 ] || head -c "${left}K" /dev/zero >"$mountpoint/ballast" 2>/dev/null
"$program" apply "$fleet" --yes >"$work/full" 2>&1
echo "full $?"
rm -f "$mountpoint/ballast"
"$program" apply "$fleet" --yes >"$work/again" 2>&1
echo "again $?"
"$program" plan "$fleet" --exit-code >"$work/plan" 2>&1
echo "plan $?"
"$here/tests/lib/virsh" "$HYPERNIX_ROOT" list --all --name | grep -c .
END
chmod +x "$work/inside"
mountpoint=$work/d
mkdir -p "$mountpoint"
HYPERNIX_STATE=$mountpoint/s HYPERNIX_ROOT=$mountpoint/m
export work here program fleet mountpoint HYPERNIX_STATE HYPERNIX_ROOT
for left in 0 16 64 256 1000 2000 4000; do
	unshare --mount --propagation private "$work/inside" 24m "$left" >"$work/result" 2>&1
	full=$(awk '$1 == "full" { print $2 }' "$work/result")
	if [ "$full" = 0 ]; then
		ok "$left KiB left were enough"
	else
		check "$left KiB left: exit status 13 (storage)" test "$full" = 13
		if grep -q 'no space left' "$work/full" && grep -q '^hint: free space' "$work/full"; then
			ok "$left KiB left: says that there is no space, and what to do"
		else
			not_ok "$left KiB left: says: $(grep -v steps "$work/full")"
		fi
	fi
	check "$left KiB left: with room again apply completes" grep -qx 'again 0' "$work/result"
	check "$left KiB left: afterwards nothing is left to do" grep -qx 'plan 0' "$work/result"
	check "$left KiB left: six domains" test "$(tail -n 1 "$work/result")" = 6
done
finish
