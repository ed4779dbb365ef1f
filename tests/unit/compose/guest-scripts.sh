#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The scripts of busybox-base: guest-scripts.sh ROOT. The shell that will run them reads each; the probe is
# asked what is known; services that answer, do not, and are never started are waited for. Exit 77: skipped.
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

# --- ready and supervise, in a directory of their own ---

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$work/home/services" "$work/state"
for script in ready supervise probe; do
	sed -e "s#/lib/hypernix#$work/home#g" -e "s#/run/hypernix#$work/state#g" -e 's#^idle=.*#idle=300#' \
		-e "s#^export PATH.*#&:$work/bin#" "$root/lib/hypernix/$script" >"$work/home/$script"
	chmod +x "$work/home/$script"
done
mkdir "$work/bin" # of a guest, and not always of this machine
ln -s /bin/busybox "$work/bin/usleep"
# service NAME AFTER WITHIN COMMAND: a file as a build makes it; its probe is that command
service() {
	cat >"$work/home/services/$1" <<END
name=$1 after='$2' restart=always stop=KILL user='' directory=/ drop='' within=$3
ready() {
	$4
}
set -- /bin/busybox sleep 1000
. $work/home/supervise
END
}
started=
begin() {
	rm -rf "$work/state"
	mkdir -p "$work/state/ready" "$work/state/started" "$work/state/running"
	for service in "$work"/home/services/*; do
		/bin/busybox sh "$service" >/dev/null 2>&1 &
		started="$started $!"
	done
}
end() {
	: >"$work/state/stopping"
	for running in "$work"/state/running/*; do
		[ -r "$running" ] || continue
		read -r pid _ <"$running"
		kill -KILL "$pid" 2>/dev/null
	done
	# shellcheck disable=SC2086
	wait $started
	started=
	rm -f "$work"/home/services/*
}
# ready STATUS WORDS: a limit, so that one which waits for ever is a failure and not a hanging test
ready() {
	begin
	output=$(timeout 60 /bin/busybox sh "$work/home/ready" 2>&1)
	status=$?
	end
	count=$((count + 1))
	[ $status -eq "$1" ] && echo "$output" | grep -q -- "$2" && return
	echo "not ok: ready ended with $status and not $1, or does not say $2: $output"
	failed=1
}
service quick '' 30000 true
service simple quick 0 false
ready 0 '^HN-READY up='
service quick '' 30000 true
service silent '' 400 false
ready 1 '^HN-CHECK=init/services 1.0.0 fail [0-9]* the service silent was not ready within 400 ms$'
service behind silent 30000 true
service silent '' 400 false
ready 1 'fail [0-9]* the service silent was not ready'
service alone net 30000 true
ready 1 'fail [0-9]* the service alone, which waits for others, was not ready within 300 ms$'
echo "checks: $count"
exit $failed
