#!/bin/bash
# SPDX-License-Identifier: MIT
#
# A new version is rolled out to two units. One that does not keep its contract: the first unit goes back to what
# it booted from, the second is not touched. Killed in the middle and called again, a good one reaches both.
. "$(dirname "$0")/../lib/e2e.sh"

need_guest
need_program hv-imgparse
export HYPERNIX_IMGPARSE=$program
need_program hv-compose qemu
for tool in cpio tar sha256sum python3 gzip; do
	command -v "$tool" >/dev/null || {
		skip "compose-upgrade no $tool"
		finish
	}
done
mkdir -p "$machine" "$work/r/manifests/guest" "$work/r/manifests/page" "$work/r/contracts/base" "$work/r/contracts/service" "$work/base"
warm_root
cd "$work" || exit 1

# --- components: the test guest, which says what was added to it; and a page with a contract ---

(cd base && gzip -dc "$guest/initrd" | cpio -idm --quiet && rmdir dev proc sys tmp)
sed -i 's/^if has broken .*; then$/[ ! -r \/page ] || cat \/page\n&/' base/init
check "the guest's init says its page" grep -q 'cat /page' base/init
tar -C base --owner=0 --group=0 --numeric-owner -czf base.tar.gz .
payload() { # FILE KIND MORE
	printf '{"kind":"%s",%s"size":%s,"sha256":"%s"}' "$2" "$3" "$(stat -c %s "$1")" "$(sha256sum <"$1" | cut -d' ' -f1)"
}
cat >r/manifests/guest/1.0.0.json <<END
{"hypernix":1,"component":"guest","version":"1.0.0","kind":"base-os",
 "provides":[{"contract":"base/guest","version":"1.0.0"}],
 "kernel":{"cmdline":["console=ttyS0","panic=-1","quiet"]},"settings":{"memory.size":"128Mi"},
 "files":[{"path":"/dev/.keep","mode":"0644","text":""},{"path":"/proc/.keep","mode":"0644","text":""},
  {"path":"/sys/.keep","mode":"0644","text":""},{"path":"/tmp/.keep","mode":"0644","text":""}],
 "payloads":[$(payload "$guest/vmlinuz" blob '"role":"kernel","path":"/boot/vmlinuz",'),$(payload base.tar.gz tar '')]}
END
page() { # VERSION WORD
	cat >"r/manifests/page/$1.json" <<END
{"hypernix":1,"component":"page","version":"$1","kind":"service","requires":[{"contract":"base/guest","range":"^1"}],
 "provides":[{"contract":"service/http","version":"1.2.0"}],"settings":{"boot.cmdline":["$2"]},
 "files":[{"path":"/page","mode":"0644","text":"HN-PAGE $1\\n"}]}
END
}
contract() { # NAME VERSION CARDINALITY
	printf '{"hypernix":1,"contract":"%s","version":"%s","cardinality":"%s","fields":{},"checks":[]}\n' "$@" >"r/contracts/$1.json"
}
contract base/guest 1.0.0 one
contract service/http 1.2.0 many
page 1.0.0 hn.first
cat >site.json <<'END'
{"hypernix":1,"blueprint":"site","version":"1.0.0","components":[{"component":"guest"},{"component":"page"}],
 "requires":[{"contract":"service/http","range":"^1"}],
 "image":{"root":"initramfs","compression":"zstd:1"},"settings":{"boot.goal":"2min","stop.grace":"9s"}}
END
echo '{"hypernix":1,"units":{"web-1":{"blueprint":"site"},"web-2":{"blueprint":"site"}}}' >fleet.json

# said UNIT: the versions that it booted, one after the other
said() {
	local uuid
	uuid=$(hv show "$1" --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["uuid"])')
	cat "$machine/unit/$uuid"/console.log.{3,2,1} "$machine/unit/$uuid/console.log" 2>/dev/null |
		grep -ao 'HN-PAGE [0-9.]*' | cut -d' ' -f2 | tr '\n' ' '
}
is() { # WANTED COMMAND...
	local wanted=$1 got
	shift
	got=$("$@")
	[ "$got" = "$wanted" ] || {
		echo "\"$got\" and not \"$wanted\""
		return 1
	}
}
upgrade() {
	timeout 1200 "$program" upgrade site.json --registry r "$@"
}
# told FILE: unit, state, contract and component of each
told() {
	python3 -c 'import json, sys
for one in json.load(open(sys.argv[1]))["units"]:
    print(one["unit"], one["state"], one["contract"] or "-", one["component"] or "-", end="; ")' "$1"
}

check "payloads go into the store" "$program" put "$guest/vmlinuz" base.tar.gz --quiet
check "the first version is taken into use" "$program" blueprint site.json --registry r --quiet
check "two units are started" hv apply fleet.json --yes --quiet
check "one is ready" hv wait web-1 --wait ready --timeout 300s --quiet
check "and the other" hv wait web-2 --wait ready --timeout 300s --quiet
check "both have the first version" is "1.0.0 1.0.0 " eval 'said web-1; said web-2'
[ "$e2e_failed" -eq 0 ] || finish
before=$(sha256sum site.lock.json)

# --- one that does not keep its contract ---

page 1.1.0 hn.broken
check "a look at it changes nothing" eval 'upgrade --update page --dry-run --json >look && is "web-1 waiting - -; web-2 waiting - -; " told look'
upgrade --rolling --max-unavailable 1 --update page --json >broken 2>problem
check "the upgrade fails as the contract does" test $? -eq 5
check "the first unit goes back, the second is not touched" is \
	"web-1 back service/http page; web-2 waiting - -; " told broken
check "the report names unit, contract and component" grep -q "unit web-1 did not take the new image of site: contract service/http of component page" problem
check "the first is ready again" hv wait web-1 --wait ready --timeout 300s --quiet
check "it booted the new one, then the one before" is "1.0.0 1.1.0 1.0.0 " said web-1
check "the second was not restarted" is "1.0.0 " said web-2
check "no plan wants anything else" hv plan fleet.json --exit-code --quiet
check "the lock is that of before" is "$before" sha256sum site.lock.json
[ "$e2e_failed" -eq 0 ] || finish

# --- a good one, whose roll is killed ---

page 1.2.0 hn.third
"$program" upgrade site.json --registry r --update page >out 2>killed &
roll=$!
check "the first unit takes it, the second is on its way" timeout 900 grep -qm 1 'web-2 takes the image' <(tail -n +1 -F killed 2>/dev/null)
kill -9 "$roll"
wait "$roll" 2>/dev/null
check "the first was not asked to go back" is "1.0.0 1.1.0 1.0.0 1.2.0 " said web-1
check "the lock is still that of before" is "$before" sha256sum site.lock.json
check "called again it goes on" eval 'upgrade --rolling --update page --json >again'
check "both have taken it" is "web-1 done - -; web-2 done - -; " told again
check "the first was left alone" is "1.0.0 1.1.0 1.0.0 1.2.0 " said web-1
check "the second has the new one" grep -q '1.2.0 $' <(said web-2)
check "which is what is locked" grep -q '"1.2.0"' site.lock.json
check "it is what the blueprint has" eval 'upgrade | grep -q "all units of site boot from it already"'
check "no plan wants anything" hv plan fleet.json --exit-code --quiet

# --- what was told, and the end ---

phases() {
	hv watch --since 0 --type org.hypernix.compose.rollout.v1 --count "$1" --json | grep -o '"phase": *"[a-z]*"' | cut -d'"' -f4 | tr '\n' ' '
}
check "its phases are events" is "begun back stopped begun done begun done done ended " timeout 60 bash -c "$(declare -f phases hv); build=$build phases 9"
check "what nobody needs is collected" "$program" gc --quiet
check "a unit that is restarted still boots from it" hv restart web-2 --wait ready --timeout 300s --quiet
check "and says so" grep -q '1.2.0 1.2.0 $' <(said web-2)
check "all of it is removed" eval 'echo "{\"hypernix\":1}" >none.json && hv apply none.json --on-remove destroy --yes --quiet --reason end'
check "no guest is left" test -z "$(guests_running)"
finish
