#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A declared unit boots from what was built of its blueprint: the test guest as a component, and one that
# serves a page, which a port of the host leads to. Another version of that one, and the unit wants a restart.
# One that does not answer on the port that its contract has is told by name.
. "$(dirname "$0")/../lib/e2e.sh"

need_guest
need_program hv-imgparse
export HYPERNIX_IMGPARSE=$program
need_program hv-compose qemu
for tool in cpio tar sha256sum python3 gzip; do
	command -v "$tool" >/dev/null || {
		skip "compose-unit no $tool"
		finish
	}
done
compose() {
	"$program" "$@" --quiet
}

mkdir -p "$machine" "$work/r/manifests/guest" "$work/r/manifests/page" "$work/base"
warm_root
cd "$work" || exit 1

# --- components: the test guest as it is, but that it starts what others bring; and a page ---

(cd base && gzip -dc "$guest/initrd" | cpio -idm --quiet && rmdir dev proc sys tmp)
sed -i 's/^if has broken .*; then$/[ ! -x \/etc\/start ] || \/etc\/start\nif [ -x \/etc\/check ] \&\& ! \/etc\/check >\&3; then :\nel&/' base/init
check "the guest's init starts what others bring" grep -q /etc/start base/init
tar -C base --owner=0 --group=0 --numeric-owner -czf base.tar.gz .
# manifest FILE KIND PATH ROLE: a payload of it
payload() {
	printf '{"kind":"%s",%s"size":%s,"sha256":"%s"}' "$2" "$3" "$(stat -c %s "$1")" "$(sha256sum <"$1" | cut -d' ' -f1)"
}
cat >r/manifests/guest/1.0.0.json <<END
{"hypernix":1,"component":"guest","version":"1.0.0","kind":"base-os",
 "provides":[{"contract":"base/guest","version":"1.0.0"}],
 "kernel":{"cmdline":["console=ttyS0","panic=-1","quiet"]},
 "settings":{"memory.size":"128Mi"},"tags":["composed"],
 "files":[{"path":"/dev/.keep","mode":"0644","text":""},{"path":"/proc/.keep","mode":"0644","text":""},
  {"path":"/sys/.keep","mode":"0644","text":""},{"path":"/tmp/.keep","mode":"0644","text":""}],
 "payloads":[$(payload "$guest/vmlinuz" blob '"role":"kernel","path":"/boot/vmlinuz",'),$(payload base.tar.gz tar '')]}
END
page() { # VERSION TEXT [MORE [PORT]]: what it serves, and where; more of its manifest
	cat >"r/manifests/page/$1.json" <<END
{"hypernix":1,"component":"page","version":"$1","kind":"service","requires":[{"contract":"base/guest","range":"^1"}],
 "settings":{"boot.cmdline":["hn.page"]},${3-}
 "files":[{"path":"/www/index.html","mode":"0644","text":"$2\\n"},
  {"path":"/etc/check","mode":"0755",
   "text":"#!/bin/sh\\nwget -q -O /dev/null http://127.0.0.1:80/ && exec echo CHECK=service/http 1.2.0 ok 5 80\\necho CHECK=service/http 1.2.0 fail 5 80: nobody answers\\nexit 1\\n"},
  {"path":"/etc/start","mode":"0755",
   "text":"#!/bin/sh\\nifconfig lo 127.0.0.1 up\\nifconfig eth0 10.0.2.15 netmask 255.255.255.0 up\\nhttpd -h /www -p ${4:-80}\\n"}]}
END
}
page 1.0.0 "the first page"
mkdir -p r/contracts/base
cat >r/contracts/base/guest.json <<'END'
{"hypernix":1,"contract":"base/guest","version":"1.0.0","cardinality":"one","fields":{},"checks":[]}
END
cat >site.json <<'END'
{"hypernix":1,"blueprint":"site","version":"1.0.0","components":[{"component":"guest"},{"component":"page"}],
 "image":{"root":"initramfs","compression":"zstd:1"},"settings":{"boot.goal":"2min"}}
END
port=$(python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >fleet.json <<END
{"hypernix":1,"tags":{"composed":{"set":{"stop.grace":"9s"}}},
 "units":{"web":{"blueprint":"site","overrides":{"nics.lan.kind":"user","network.forward":["tcp:127.0.0.1:$port:80"]}}}}
END

# --- before there is an image, and with one ---

check "payloads go into the store" compose put "$guest/vmlinuz" base.tar.gz
refused() { # WORDS COMMAND...
	local words=$1 output
	shift
	output=$("$@" 2>&1) && return 1
	grep -qF -- "$words" <<<"$output" || {
		echo "$output"
		return 1
	}
}
check "without an image the unit is refused" refused "hv-compose blueprint site.json" hv apply fleet.json --yes --quiet
check "nothing runs" test -z "$(guests_running)"
check "one command builds and takes into use" compose blueprint site.json --registry r
told=$("$program" blueprint site.json --registry r --json)
check "again it is no change" grep -q '"new": false' <<<"$told"
check "and no work" grep -q '"reused": true' <<<"$told"
[ "$e2e_failed" -eq 0 ] || finish
check "the unit is made and started" hv apply fleet.json --yes --quiet
check "it is ready" hv wait web --wait ready --timeout 240s --quiet
[ "$e2e_failed" -eq 0 ] || finish
fetched() {
	python3 -c 'import sys, urllib.request
sys.stdout.buffer.write(urllib.request.urlopen(sys.argv[1], timeout=60).read())' "http://127.0.0.1:$port/"
}
is_page() {
	[ "$(fetched)" = "$1" ]
}
check "its page is there" is_page "the first page"
explained() { # KEY WORDS
	hv explain web "$1" | grep -qF -- "$2"
}
check "explain names the component" explained memory.size component:guest
check "and the line of its manifest" explained memory.size "r/manifests/guest/1.0.0.json:4:"
check "and the blueprint" explained boot.goal blueprint:site
check "a tag of a component counts" explained stop.grace tag:composed

# --- a port is one unit's ---

cat >second.json <<END
{"hypernix":1,"units":{"late":{"blueprint":"site","overrides":{"nics.lan.kind":"user","network.forward":["tcp:127.0.0.1:$port:80"]}}}}
END
check "a port that is taken ends the start" refused "network.forward tcp:127.0.0.1:$port:80 cannot be set up" \
	hv apply fleet.json second.json --yes --quiet
check "that guest is gone" test "$(guests_running | wc -l)" -eq 1
check "the other one still serves" is_page "the first page"
check "away with it" hv apply fleet.json --on-remove destroy --yes --quiet --reason "the port is taken"

# --- another version ---

page 1.1.0 "the second page"
check "the new version is chosen" compose resolve site.json --registry r --update page
told=$("$program" blueprint site.json --registry r --json)
check "it is built" grep -q '"new": true' <<<"$told"
check "only its part" grep -q '"parts-made": 1,' <<<"$told"
check "the plan tells of a restart" eval 'hv plan fleet.json | grep boot.initrd | grep -q restart'
check "it is taken, to wait for a restart" hv apply fleet.json --yes --quiet
check "what runs is left alone" is_page "the first page"
check "the unit is restarted" hv restart web --quiet
check "it is ready again" hv wait web --wait ready --timeout 240s --quiet
check "with the new page" is_page "the second page"
check "nothing is left to do" hv plan fleet.json --exit-code --quiet

# --- one that promises a port and does not answer on it ---

mkdir r/contracts/service
cat >r/contracts/service/http.json <<'END'
{"hypernix":1,"contract":"service/http","version":"1.2.0","cardinality":"many",
 "fields":{"port":{"type":"uint"}},"checks":[{"tcp":"$port","within":"10s"}]}
END
page 1.2.0 "the third page" '"provides":[{"contract":"service/http","version":"1.2.0","fields":{"port":80}}],' 81
check "one with a contract is chosen" compose resolve site.json --registry r --update page
check "and built" compose blueprint site.json --registry r
check "the plan is to restart" hv apply fleet.json --yes --quiet
hv restart web --wait ready --timeout 240s --json >problem
check "the restart fails as the contract does" test $? -eq 5
said() { # FILE PYTHON: what is so of the JSON in it
	python3 -c 'import json, sys
it = json.load(open(sys.argv[1]))
def facts(error):
    while error:
        yield from error.get("facts", {}).items()
        error = error.get("cause")
assert eval(sys.argv[2]), it' "$@"
}
named='"contract": "service/http", "version": "1.2.0", "component": "page", "blueprint": "site"'
check "its error names the component" said problem '("component", "page") in facts(it["units"][0]["error"])'
check "and the blueprint" said problem '("blueprint", "site") in facts(it["units"][0]["error"])'
check "and has what the guest said" grep -q "80: nobody answers" problem
check "whoever waits for it is told too" refused "component page of blueprint site breaks contract service/http 1.2.0" \
	hv wait web --wait ready --timeout 5s
hv show web --json >shown
check "show has it" said shown "it['broken'] == {$named}"
hv list --json >listed
check "list has it" said listed "[one['broken'] for one in it['units']] == [{$named}]"
hv boot web --json >booted
check "its boot has it" said booted 'it["checks"][0]["component"] == "page" and not it["checks"][0]["ok"]'
hv watch --since 0 --type org.hypernix.compose.contract.failed.v1 --count 1 --json >event
check "the event has it" said event "it['data'] == {$named, 'ms': 5, 'detail': '80: nobody answers'}"
page 1.3.0 "the fourth page" '"provides":[{"contract":"service/http","version":"1.2.0","fields":{"port":80}}],'
check "one that answers is chosen" compose resolve site.json --registry r --update page
check "and built too" compose blueprint site.json --registry r
check "it is taken" hv apply fleet.json --yes --quiet
check "it keeps its contract" hv restart web --wait ready --timeout 240s --quiet
hv show web --json >shown
check "show has nothing of it any more" said shown 'it["broken"] is None'
check "it stops" hv stop web --quiet
check "all of it is removed" eval 'echo "{\"hypernix\":1}" >none.json && hv apply none.json --on-remove destroy --yes --quiet --reason end'
check "no guest is left" test -z "$(guests_running)"
finish
