# SPDX-License-Identifier: MIT
# Sourced after e2e.sh by the scripts that kill a program on its way. They set `aim`, about the ms that it takes,
# and `killed=0`; HYPERNIX_SEED repeats a run.

seed=${HYPERNIX_SEED:-$$}
RANDOM=$seed

# kill_on_its_way COMMAND...: ends it with kill -9 `after` so many ms, a random number up to a little more than `aim`.
# What it said is in $work/first. The load of the machine changes: a kill that came too late shortens what is aimed
# at, one that hit, counted in `killed`, lengthens it.
kill_on_its_way() {
	local pid
	after=$((RANDOM * (aim + aim / 10) / 32768))
	"$@" >"$work/first" 2>&1 &
	pid=$!
	sleep "$((after / 1000)).$(printf %03d $((after % 1000)))"
	kill -9 "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	if [ $? = 137 ]; then
		killed=$((killed + 1)) aim=$((aim + aim / 32))
	else
		aim=$((after > 50 ? after : 50))
	fi
}
