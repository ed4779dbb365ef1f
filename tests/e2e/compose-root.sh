#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Units boot from an image that is a disk: busybox-base of the examples with the test guest's kernel, too large
# to be unpacked into memory. Two units read it at once and write beside it; a service that never answers ends
# the start.
. "$(dirname "$0")/../lib/e2e.sh"

need_guest
need_program hv-imgparse
export HYPERNIX_IMGPARSE=$program
need_program hv-compose qemu
[ -s "$guest/modules.tar" ] || {
	skip "compose-root no $guest/modules.tar (tests/guest/build makes it)"
	finish
}
[ -x /bin/busybox ] || {
	skip "compose-root no /bin/busybox, Debian: busybox-static"
	finish
}
compose() {
	"$program" "$@" --quiet
}
mkdir -p "$machine" "$work/r/manifests"
warm_root
cd "$work" || exit 1

# --- components: the base of the examples, the test guest's kernel, and a service that writes what it serves ---

head -c 41943040 /dev/zero >ballast
read -r first second < <(python3 -c 'import socket
sockets = [socket.socket(), socket.socket()]
for one in sockets:
    one.bind(("127.0.0.1", 0))
print(*[one.getsockname()[1] for one in sockets])')
# components VERSION TEXT PORT: the service of that version is ready when it answers there
components() {
	python3 - "$here/examples/components" "$guest" "$@" <<'END'
import hashlib, json, os, sys
examples, guest, version, text, port = sys.argv[1:]

def payload(source, **rest):
    with open(source, "rb") as file:
        body = file.read()
    return {"sha256": hashlib.sha256(body).hexdigest(), "size": len(body), **rest}

def write(manifest):
    os.makedirs(f"r/manifests/{manifest['component']}", exist_ok=True)
    with open(f"r/manifests/{manifest['component']}/{manifest['version']}.json", "w") as file:
        json.dump({"hypernix": 1, **manifest}, file, indent=1)

with open(f"{examples}/busybox-base/recipe.json") as file:
    base = json.load(file)["manifest"]
root = f"{examples}/busybox-base/root"
for folder, _, names in sorted(os.walk(root)):
    for name in sorted(names):
        path = os.path.join(folder, name)
        with open(path) as file:
            base["files"].append({"path": path[len(root):], "text": file.read(),
                                  "mode": "0755" if os.access(path, os.X_OK) else "0644"})
write({**base, "version": "1.0.0", "settings": {"memory.size": "128Mi"},
       "payloads": [payload("/bin/busybox", kind="blob", path="/bin/busybox", mode="0755")]})
write({"component": "kernel", "version": "1.0.0", "kind": "runtime",
       "kernel": {"modules": ["virtio_pci", "virtio_mmio", "virtio_blk", "virtio_net", "virtio_console",
                              "virtio_rng", "squashfs", "overlay"]},
       "payloads": [payload(f"{guest}/vmlinuz", kind="blob", role="kernel", path="/boot/vmlinuz"),
                    payload(f"{guest}/modules.tar", kind="tar")]})
start = f"""#!/bin/sh
mkdir -p /srv/www
echo start >>/srv/www/starts
grep ' / ' /proc/mounts >/srv/www/root
cat /sys/block/vda/serial /sys/block/vda/ro >/srv/www/disk
cp /www/page /srv/www/page
exec httpd -f -p 80 -h /srv/www
"""
write({"component": "page", "version": version, "kind": "service",
       "requires": [{"contract": "init/services", "range": "^1"}],
       "provides": [{"contract": "service/http", "version": "1.2.0",
                     "fields": {"port": 80, "max-body": "1Mi", "tls": False}}],
       "files": [{"path": "/www/page", "mode": "0644", "text": text + "\n"},
                 {"path": "/usr/sbin/page", "mode": "0755", "text": start}],
       "services": [{"name": "page", "exec": ["/usr/sbin/page"], "after": ["net"],
                     "ready": {"tcp": int(port), "within": "60s" if port == "80" else "4s"}}],
       "payloads": [payload("ballast", kind="blob", path="/opt/ballast")]})
END
}
check "components are made" components 1.0.0 "the first page" 80
cp -r "$here/examples/components/contracts" r/
cat >site.json <<'END'
{"hypernix":1,"blueprint":"site","version":"1.0.0",
 "components":[{"component":"busybox-base"},{"component":"kernel"},{"component":"page"}],
 "image":{"root":"auto","compression":"zstd:1"},"settings":{"boot.goal":"3min"}}
END
unit() { # PORT
	echo "{\"blueprint\":\"site\",\"overrides\":{\"nics.lan.kind\":\"user\",\"network.forward\":[\"tcp:127.0.0.1:$1:80\"]}}"
}
echo "{\"hypernix\":1,\"units\":{\"one\":$(unit "$first"),\"two\":$(unit "$second")}}" >fleet.json
refused() { # WORDS COMMAND...
	local words=$1 output
	shift
	output=$("$@" 2>&1) && return 1
	grep -qF -- "$words" <<<"$output" || {
		echo "$output"
		return 1
	}
}
field() {
	python3 -c 'import json, sys
print(json.load(open("built"))[sys.argv[1]])' "$1"
}

# --- the image ---

check "payloads go into the store" compose put /bin/busybox "$guest/vmlinuz" "$guest/modules.tar" ballast
check "it is built and taken into use" eval 'compose blueprint site.json --registry r --json >built'
[ "$e2e_failed" -eq 0 ] || finish
check "a tree that large is a disk" test "$(field writer)" = squashfs
check "what is unpacked into memory is small" test "$(field initrd-bytes)" -lt 4194304
image=$(field path)
before=$(sha256sum <"$image")

# --- two units on one disk ---

check "two units are made and started" hv apply fleet.json --yes --quiet
check "the first is ready" hv wait one --wait ready --timeout 300s --quiet
check "the second is ready" hv wait two --wait ready --timeout 300s --quiet
[ "$e2e_failed" -eq 0 ] || {
	for console in "$machine"/unit/*/console.log; do
		tail -n 30 "$console" | sed 's/^/    /'
	done
	finish
}
serves() { # PORT PATH TEXT
	local said
	said=$(python3 -c 'import sys, urllib.request
sys.stdout.buffer.write(urllib.request.urlopen(sys.argv[1], timeout=60).read())' "http://127.0.0.1:$1/$2")
	[ "$said" = "$3" ] || {
		echo "$said"
		return 1
	}
}
for port in "$first" "$second"; do
	check "its page is there" serves "$port" page "the first page"
	check "its root is the disk that nobody writes to" serves "$port" disk $'hnroot1'
done
check "with a file system over it" eval 'serves "$first" root "" | grep "^overlay / overlay"'
check "both read one file" test "$(for one in one two; do hv show "$one" --json; done | grep -cF "$image")" -ge 2
check "explain names the blueprint" eval 'hv explain one disks.hnroot.source | grep -F blueprint:site'

# --- another version, and what was written is gone ---

check "another version of the page" components 1.1.0 "the second page" 80
check "it is chosen" compose resolve site.json --registry r --update page
check "it is built" eval 'compose blueprint site.json --registry r --json >built'
check "the plan tells of a restart" eval 'hv plan fleet.json | grep disks.hnroot.source | grep -q restart'
check "it is taken, to wait for a restart" hv apply fleet.json --yes --quiet
check "what runs is left alone" serves "$first" page "the first page"
check "the unit is restarted" hv restart one --quiet
check "it is ready again" hv wait one --wait ready --timeout 300s --quiet
check "with the new page" serves "$first" page "the second page"
check "and nothing of what it had written" serves "$first" starts start
check "the other one still has the old page" serves "$second" page "the first page"
check "nobody wrote to the disk" test "$(sha256sum <"$image")" = "$before"

# --- a service that never answers ---

check "a version that listens elsewhere" components 1.2.0 "the third page" 81
check "that is chosen" compose resolve site.json --registry r --update page
check "and built" compose blueprint site.json --registry r
check "and taken" hv apply fleet.json --yes --quiet
check "its start ends with what it does not keep" refused "init/services" hv restart one --wait ready --quiet

check "all of it is removed" eval 'echo "{\"hypernix\":1}" >none.json && hv apply none.json --on-remove destroy --yes --quiet --reason end'
check "no guest is left" test -z "$(guests_running)"
finish
