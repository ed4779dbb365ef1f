# SPDX-License-Identifier: MIT
# Sourced after e2e.sh by the scripts about hv-activate: `program` is its path, `guest` that of the test guest.

# unit NAME MORE: a guest that boots from the test kernel. MORE begins with a comma.
unit() {
	cat <<END
"$1": { "resources": { "memory": { "size": "128Mi" } }, "overrides": { "boot.profile": "direct",
  "boot.kernel": "$guest/vmlinuz", "boot.initrd": "$guest/initrd", "restart.policy": "no", "stop.grace": "1s",
  "boot.cmdline": ["console=ttyS0", "quiet", "panic=-1"]$2 } }
END
}

# declare_units FILE UNIT...
declare_units() {
	local file=$1 text
	shift
	text=$(IFS=,; echo "$*")
	echo "{ \"hypernix\": 1, \"tags\": { \"night\": { \"set\": { \"compute.limit\": 60 } } }, \"units\": { $text } }" >"$file"
}

# as_unit OPTION...: what systemd gives a service: a short environment, / as the directory, no standard
# input. Answers in $work/out and $work/err.
as_unit() {
	(
		cd / && exec env -i PATH="$PATH" LANG=C.UTF-8 INVOCATION_ID=0123456789abcdef0123456789abcdef \
			SYSTEMD_EXEC_PID=1 HYPERNIX_STATE="$state" HYPERNIX_ROOT="$machine" \
			HYPERNIX_CALIBRATION="$HYPERNIX_CALIBRATION" \
			"$program" "$@" <&- >"$work/out" 2>"$work/err"
	)
}
# hook CONFIG OPTION...
hook() {
	local config=$1
	shift
	as_unit --config "$work/$config" "$@"
}

pid_of() {
	cat "$machine/run/qemu/$1.pid" 2>/dev/null
}

# Every row of the database.
database() {
	python3 -c 'import sqlite3, sys
db = sqlite3.connect("file:%s/hypernix.db?mode=ro" % sys.argv[1], uri=True)
for line in db.iterdump():
    print(line)' "$state"
}
sql() {
	python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1] + "/hypernix.db")
db.execute(sys.argv[2])
db.commit()' "$state" "$1"
}

# Names, states and every value of all units that are declared.
values() {
	hv list --json --values --stored | python3 -c 'import json, sys
for unit in json.load(sys.stdin)["units"]:
    if unit["undeclared"]:
        continue
    print(unit["name"], unit["status"], unit["pending"], unit["inconsistent"])
    for key, value in sorted(unit["values"].items()):
        print("   ", key, json.dumps(value, sort_keys=True))'
}
