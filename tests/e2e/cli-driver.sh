#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# hv-compute from the first apply to the last rm on libvirt's test driver: what is kept between commands
# and what each answers. (That driver forgets its domains with the connection: real guests are tried in
# the other scripts.)
. "$(dirname "$0")/../lib/e2e.sh"

need_program hv-compute
cd "$work" || exit 1
echo '<node/>' >node.xml
export HYPERNIX_URI=test://$work/node.xml HYPERNIX_CALIBRATION=reference:8
cat >one.json <<'END'
{ "hypernix": 1,
  "kinds": { "env": { "exclusive": true } },
  "tags": { "production": { "kind": "env", "set": { "update.restart": "manual" } },
            "staging": { "kind": "env" },
            "batch": { "set": { "compute.units": 50 } } },
  "units": { "web": { "tags": ["production"], "overrides": { "memory.size": "128Mi", "autostart": false } },
             "db": { "overrides": { "memory.size": "256Mi", "autostart": false } } } }
END
sed 's/"256Mi"/"512Mi"/' one.json >two.json

compute() {
	"$program" "$@"
}
# json EXPRESSION COMMAND...: the JSON answer makes the Python expression over `a` true.
json() {
	local expression=$1
	shift
	compute "$@" --json >answer 2>err </dev/null
	python3 -c 'import json, sys
a = json.load(open("answer"))
assert eval(sys.argv[1]), json.dumps(a)[:1500]' "$expression" || {
		cat err
		return 1
	}
}
# says PATTERN COMMAND...
says() {
	local pattern=$1
	shift
	compute "$@" >answer 2>&1 </dev/null
	grep -qE -- "$pattern" answer || {
		cat answer
		return 1
	}
}
# exits STATUS COMMAND...
exits() {
	local expected=$1 status=0
	shift
	compute "$@" >answer 2>&1 </dev/null || status=$?
	[ "$status" = "$expected" ] || {
		echo "exit status $status"
		cat answer
		return 1
	}
}

check "list without a state" exits 4 list
check "plan of a new host has changes" exits 10 plan one.json --exit-code
check "plan as JSON has both units" \
	json '{s["unit"] for s in a["steps"]} == {"web", "db"} and not a["applied"]' plan one.json
check "apply asks" exits 8 apply one.json
check "apply" json 'a["applied"] and all(s["status"] == "done" for s in a["steps"])' apply one.json --yes
check "list has both" json 'sorted(u["name"] for u in a["units"]) == ["db", "web"]' list
check "list with a selector" json '[u["name"] for u in a["units"]] == ["web"]' list --select tag:production
check "select" says '^web$' select 'tag:production and not name:db*'
check "show" json 'a["values"]["memory.size"]["value"] == "128Mi" and a["values"]["memory.size"]["where"].startswith("one.json:6:")' show web
check "get" says '^128Mi$' get web memory.size
check "explain names the line" says 'won +100 +unit:web +one\.json:6:[0-9]+ +128Mi' explain web memory.size
check "explain, what if" json '[c["new"] for c in a["changes"]] == ["50"]' explain web --if +batch
check "what if changes nothing" json 'a == {"compute.units": "100"}' get web compute.units
check "what if two tags exclude each other" exits 5 explain web --if +staging
check "tag, dry run" json 'a["changes"][0]["key"] == "compute.units"' tag web +batch --dry-run
check "nothing to do" exits 0 plan one.json --no-restore --exit-code
check "one generation" json 'len(a["generations"]) == 1 and a["generations"][0]["units"] == 2' generations
first=$(compute generations --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["generations"][0]["number"])')

check "tag" exits 0 tag web +batch --reason night
check "a tag's value" says '^50$' get web compute.units
check "the tag is a runtime one" json '{"name": "batch", "how": "runtime"} in a["tags"]' show web
check "tags survive an apply" sh -c "'$program' apply one.json --yes --no-restore >/dev/null &&
	'$program' get web compute.units | grep -qx 50"
check "untag" exits 0 tag web -batch
check "the value is back" says '^100$' get web compute.units
check "exclusive tags are refused" exits 5 tag web +staging

check "force" exits 0 force web compute.units 300 --for 1h --reason INC-7
check "a force wins" says 'won +50 +force' explain web compute.units
check "a force says who and why" says 'INC-7' explain web compute.units
check "unforce" exits 0 unforce web compute.units --reason INC-7
check "history" json '[h["value"] for h in a["history"]].count("300") == 1' history web compute.units

check "a change is planned with its place" json \
	'[(s["key"], s["old"], s["new"], s["where"][:10]) for s in a["steps"] if s["action"] == "change"] == [("memory.size", "256Mi", "512Mi", "two.json:7")]' \
	plan two.json --no-restore
check "the change is applied" exits 0 apply two.json --yes --no-restore
check "the change is there" says '^512Mi$' get db memory.size
check "two generations" json \
	'len(a["generations"]) == 2 and [g["current"] for g in a["generations"]] == [False, True]' generations
check "rollback" exits 0 rollback "$first" --yes
check "rolled back" says '^256Mi$' get db memory.size
check "a stored plan" sh -c "'$program' plan two.json --no-restore --json >p.json &&
	'$program' apply --plan \$(python3 -c 'import json; print(json.load(open(\"p.json\"))[\"plan\"])') --yes >/dev/null &&
	'$program' get db memory.size | grep -qx 512Mi"

check "create" exits 0 create api --tags batch --set memory.size=128Mi --set autostart=false
check "created" json 'a["owner"] == "api" and a["values"]["compute.units"]["value"] == "50"' show api
check "set" exits 0 set api memory.size 256Mi
check "was set" says '^256Mi$' get api memory.size
check "unset" exits 0 unset api memory.size
check "was unset" says '^512Mi$' get api memory.size
check "capacity" json 'a["capacity"] == 800 and any(h["unit"] == "web" for h in a["holders"])' capacity
check "capacity, what if" json 'any(h["unit"] == "db" and h["reserve"] == 300 for h in a["holders"])' \
	capacity --if db=300
check "xml" says '<name>web</name>' xml web
check "pending is empty" json 'a == {"pending": []}' pending

check "start and stop" exits 0 start web --wait running
check "stop of a unit that does not run" exits 0 stop web --force
check "rm without a reason" exits 8 rm api --yes
check "rm" exits 0 rm api --yes --reason 'end of the test'
check "is gone" exits 4 show api

check "events, one a line" sh -c "'$program' watch --once --since 0 --json >events &&
	python3 -c 'import json
rows = [json.loads(line) for line in open(\"events\")]
assert [r[\"sequence\"] for r in rows] == sorted({r[\"sequence\"] for r in rows})
assert any(r[\"type\"] == \"org.hypernix.unit.tags.changed.v1\" and r[\"name\"] == \"web\" for r in rows)
assert all(isinstance(r[\"data\"], dict) for r in rows)'"
check "events of one type" sh -c "'$program' watch --once --since 0 --json --type '*.tags.changed.v1' >events &&
	test -s events && ! grep -qv 'tags.changed.v1' events"
check "events, counted" sh -c "test \$('$program' watch --since 0 --count 2 --json | wc -l) = 2"
check "a cursor goes on where it was" sh -c "'$program' watch --cursor c --since 0 --count 1 --json >first &&
	'$program' watch --cursor c --count 1 --json >second && ! cmp -s first second && test -s second"
# A watcher that is there before the event gets it.
timeout 120 "$program" watch --count 1 --json --type '*.tags.changed.v1' >event 2>err &
watcher=$!
for ((turn = 0; turn < 1000; turn++)); do
	compute tag web +batch >/dev/null 2>&1
	compute tag web -batch >/dev/null 2>&1
	kill -0 "$watcher" 2>/dev/null || break
done
wait "$watcher"
check "a watcher sees what comes" grep -q tags.changed event

# Who holds the host is named; --lock-wait waits for it.
mkfifo said
"$program" supervise 2>said &
supervisor=$!
exec 9<said
read -r _ <&9
check "a held host says by whom" sh -c "'$program' apply two.json --yes 2>err; test \$? = 7 && grep -q 'process $supervisor' err"
check "reading goes on meanwhile" says '^web ' list
compute apply two.json --yes --no-restore --lock-wait 60s >waited 2>&1 &
waiter=$!
kill -TERM "$supervisor"
wait "$supervisor"
check "a supervisor that is asked to end says it is well" test "$?" = 0
wait "$waiter"
check "who waited got its turn" test "$?" = 0
exec 9<&-

# On a terminal apply asks, and does what is answered. ask ANSWER STATUS
ask() {
	python3 - "$program" "$1" "$2" <<'END'
import os, pty, sys
program, answer, expected = sys.argv[1:]
pid, fd = pty.fork()
if pid == 0:
    os.execv(program, [program, "apply", "two.json", "--no-restore"])
text = b""
while True:
    try:
        got = os.read(fd, 4096)
    except OSError:
        break
    if not got:
        break
    text += got
    if b"[y/N]" in text and answer:
        os.write(fd, answer.encode() + b"\n")
        answer = ""
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
assert b"[y/N]" in text and status == int(expected), (status, text)
END
}
check "the declaration differs again" exits 0 apply one.json --yes --no-restore
check "an apply that is not wanted" ask n 9
check "changed nothing" says '^256Mi$' get db memory.size
check "an apply that is wanted" ask y 0
check "changed it" says '^512Mi$' get db memory.size

check "a reader that leaves is no error" sh -c "'$program' keys | head -n 1 | grep -q KEY"
check "a watcher whose reader leaves ends" bash -c "set -o pipefail; timeout 120 '$program' watch | true"
check "a full disk under the answer is one" sh -c "'$program' keys >/dev/full 2>err; test \$? = 13"
check "colour only when wanted" sh -c "! '$program' list | grep -q \$(printf '\033') &&
	'$program' list --color always | grep -q \$(printf '\033')"
check "check reads standard input" sh -c "'$program' check - <one.json"
# What is pure needs no rights: another uid, no state, no home.
nobody() {
	setpriv --reuid=65534 --regid=65534 --clear-groups env -i "$program" "$@"
}
chmod a+rx "$work"
if nobody --version >/dev/null 2>&1; then
	check "check needs no rights" nobody check one.json
	check "explain --file needs no rights" nobody explain web memory.size --file one.json
	check "apply does" sh -c "! setpriv --reuid=65534 --regid=65534 --clear-groups \
		env -i HYPERNIX_STATE='$work/other' '$program' apply one.json --yes"
else
	skip "cli-driver-nobody another uid cannot run $program here"
fi
# Bash completes names of keys, units and tags from the program itself.
"$program" completion bash >completion
check "completion of units" bash -c "source ./completion; hv-compute() { '$program' \"\$@\"; }
	COMP_WORDS=(hv-compute show w) COMP_CWORD=2; _hv_compute; test \"\${COMPREPLY[*]}\" = web"
check "completion of tags with their sign" bash -c "source ./completion; hv-compute() { '$program' \"\$@\"; }
	COMP_WORDS=(hv-compute tag web +b) COMP_CWORD=3; _hv_compute; test \"\${COMPREPLY[*]}\" = +batch"
finish
