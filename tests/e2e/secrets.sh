#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Secrets are searched where they must not be: in core files of the programs that handled them, their command lines
# and environments, logs, answers of the API, and the database: the last of group 71 of the negative tests.
. "$(dirname "$0")/../lib/e2e.sh"
. "$(dirname "$0")/../lib/leaks.sh"

need_program e2e-secrets
secrets=$program
need_program hv-signer
signer=$program
chmod 700 "$work"
started=()

cleanup() {
	local pid
	for pid in "${started[@]}"; do
		kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
	done
	e2e_clean
}
trap cleanup EXIT

wait_ready() { # FILE PID
	for _ in $(seq 600); do
		grep -q ready "$1" && return 0
		kill -0 "$2" 2>/dev/null || return 1
		read -r -t 0.1 <> <(:)
	done
	return 1
}

# run_case NAME [SOCKET]
run_case() {
	local name=$1 place=$work/$1 pid
	shift
	mkdir -p "$place/plants" "$place/out"
	chmod 700 "$place"
	head -c 32 /dev/urandom >"$place/plants/secret"
	"$secrets" "$place/state" "$place/plants" "$place/out" "$@" >"$place/out/stdout" 2>"$place/out/log" &
	pid=$!
	started+=("$pid")
	if ! wait_ready "$place/out/stdout" "$pid"; then
		not_ok "$name: the program did not come so far"
		sed 's/^/    /' "$place/out/log"
		return
	fi
	[ -f "$place/state/keys/kek" ] && cp "$place/state/keys/kek" "$place/plants/kek"
	cp "/proc/$pid/cmdline" "/proc/$pid/environ" "$place/out/"
	check "$name: nothing in the command line, the environment, logs and answers" search "$place/plants" "$place"/out/*
	check "$name: nothing in the database and its log" search "$place/plants" "$place"/state/hypernix.db*
	if core_of "$pid" "$place/core"; then
		check "$name: the core has what is no secret" grep -q "looking for leaks" "$place/core"
		check "$name: nothing in a core of the program" search "$place/plants" "$place/core"
	else
		skip "$name no core file could be made here (gcore)"
	fi
}

# The search finds what is there: a plant in a file, in each form.
mkdir -p "$work/self/plants"
head -c 32 /dev/urandom >"$work/self/plants/x"
{ echo before && cat "$work/self/plants/x"; } >"$work/self/raw"
od -An -tx1 -v "$work/self/plants/x" | tr -d ' \n' >"$work/self/hex"
{ printf a && cat "$work/self/plants/x"; } | base64 -w0 >"$work/self/base64"
for form in raw hex base64; do
	if search "$work/self/plants" "$work/self/$form" >/dev/null; then
		not_ok "the search does not find what is there ($form)"
	else
		ok "the search finds what is there ($form)"
	fi
done

run_case in-process

keys=$work/signer-keys
mkdir -m 700 "$keys"
"$signer" --socket "$work/socket" --keys "$keys" --origin hypernix.org/audit/lab/here >"$work/signer.out" 2>"$work/signer.log" &
signer_pid=$!
started+=("$signer_pid")
# The socket is there before anybody listens on it.
until python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])' "$work/socket" 2>/dev/null; do
	kill -0 "$signer_pid" 2>/dev/null || break
done
run_case hv-signer "$work/socket"
cp "$keys/kek" "$work/hv-signer/plants/kek" 2>/dev/null
cp "/proc/$signer_pid/cmdline" "/proc/$signer_pid/environ" "$work/hv-signer/out/"
check "hv-signer: nothing in its command line, environment and log" search "$work/hv-signer/plants" "$work"/signer.* \
	"$work"/hv-signer/out/*
if core_of "$signer_pid" "$work/signer-core"; then
	check "hv-signer: nothing in a core of it" search "$work/hv-signer/plants" "$work/signer-core"
else
	skip "hv-signer cannot be dumped here: $(tail -n 1 "$work/signer-core.log" 2>/dev/null)"
fi
finish
