#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# SIGKILL at every call by which the audit path writes or sends, with a real kernel and a real database: of the
# program that changes things, at its first start and later, and of hv-signer. Each acknowledged step is on record, the
# log verifies, the signer does not take it for a fork, and the next change works. What a power failure loses of what the
# kernel was given is tested by tests/torture/audit.c.
. "$(dirname "$0")/../lib/e2e.sh"

need_program e2e-write-kill.so
shim=$program
need_program hv-signer
signer=$program
need_program hv-cap
hvcap=$program
need_program e2e-audit-kill
umask 077
cd "$work" || exit 1
socket=$work/socket
pid=

seed=${HYPERNIX_SEED:-$$}

listens() {
	python3 -c '
import socket, sys
socket.socket(socket.AF_UNIX).connect(sys.argv[1])' "$socket" 2>/dev/null
}
# start_signer [VARIABLE=VALUE...]: waits until it answers or has ended.
start_signer() {
	env "$@" "$signer" --socket "$socket" --keys "$work/now/keys" --origin hypernix.org/audit/lab/n1 >>signer.log 2>&1 &
	pid=$!
	until listens; do
		kill -0 "$pid" 2>/dev/null || return 1
	done
}
# end_signer SIGNAL: 0 when it was this that ended it, in order if it can be. Not what kill(1) says is asked: that takes
# one that is about to end, or has ended and was not waited for, for one that is there.
end_signer() {
	local ended=0
	[ -n "$pid" ] || return 0
	kill "-$1" "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null || ended=$?
	pid=
	[ "$1" = KILL ] || [ "$ended" = 0 ]
}
trap 'end_signer KILL; e2e_clean' EXIT

verifies() { # [SIGNER]
	HYPERNIX_STATE=$work/now "$hvcap" audit verify ${1:+--signer "$1"} >verified 2>&1 && return
	echo "hv-cap audit verify:"
	cat verified
	return 1
}
# The whole of what must be so after a kill; says what is not. Before the first answer there may be no log yet.
is_whole() { # [SIGNER]
	if grep -q '^did' answers; then verifies "$@" || return; fi
	"$program" check "$work/now" answers "$@" && verifies "$@"
}

# A round: fresh_round NAME, then the killed part sets `status`, 137 or 159 when it was killed.
fresh_round() {
	rm -rf now answers
	cp -a "$1" now
	: >answers
}
kill_program() { # N HOW STEPS [SIGNER]
	local n=$1 how=$2 steps=$3
	shift 3
	status=0
	{ LD_PRELOAD=$shim HN_KILL_AT=$n HN_KILL_HOW=$how "$program" work "$work/now" "$steps" "$@" >answers 2>errors; } 2>/dev/null || status=$?
}

# points LABEL ROUND STRIDE: ROUND N HOW for n = 1, 2, 3 ... until one passes undisturbed, in a long run; else for one n in
# STRIDE, beginning at another one each time, so that runs add up.
points() {
	local label=$1 round=$2 stride=$3 how n killed bad=0
	[ -z "${HYPERNIX_LONG-}" ] || stride=1
	for how in before half after; do
		killed=0
		for ((n = 1 + seed % stride; ; n += stride)); do
			if ! "$round" "$n" "$how" >said 2>&1; then
				not_ok "$label, killed $how call $n: $(head -c 600 said)"
				bad=$((bad + 1))
			fi
			[ "$status" != 0 ] || break
			killed=$((killed + 1))
			[ "$bad" -lt 5 ] || return
		done
		if [ "$killed" -eq 0 ]; then
			not_ok "$label: no kill $how a call hit"
		elif [ "$bad" -eq 0 ]; then
			ok "$label, killed $how each of $killed calls (one in $stride, seed $seed)"
		fi
	done
}

by_kill() {
	[ "$status" = 0 ] || [ "$status" = 137 ] || [ "$status" = 159 ] && return
	echo "exit status $status, no kill"
	cat answers errors
	return 1
}

# --- the program, with the keys in its own hands ---

first_start() {
	fresh_round empty
	kill_program "$1" "$2" 3
	by_kill && is_whole
}
later() {
	fresh_round trusted
	kill_program "$1" "$2" 6
	by_kill && is_whole
}

# --- the program and hv-signer ---

is_whole_beside() {
	local bad=0
	is_whole "$socket" || bad=1
	end_signer TERM || bad=1
	return "$bad"
}
beside() {
	fresh_round asking
	start_signer || return
	kill_program "$1" "$2" 6 "$socket"
	by_kill && is_whole_beside
}
signer_dies() {
	fresh_round asking
	start_signer LD_PRELOAD="$shim" HN_KILL_AT="$1" HN_KILL_HOW="$2"
	"$program" work "$work/now" 6 "$socket" >answers 2>errors || {
		cat answers errors
		return 1
	}
	status=0
	end_signer TERM || status=137
	start_signer || {
		echo "hv-signer does not start again: $(tail -n 1 signer.log)"
		return 1
	}
	is_whole_beside
}

mkdir empty
HYPERNIX_STATE=$work/trusted "$hvcap" init --cluster lab --root-key root.key >out 2>&1 || not_ok "init: $(cat out)"
mkdir now
start_signer || not_ok "hv-signer: $(cat signer.log)"
HYPERNIX_STATE=$work/now "$hvcap" init --cluster lab --root-key root2.key --signer "$socket" >out 2>&1 || not_ok "init by the signer: $(cat out)"
end_signer TERM
mv now asking

points "the first start" first_start 41
points "a program with its keys" later 41
points "a program beside hv-signer" beside 41
points "hv-signer" signer_dies 7
finish
