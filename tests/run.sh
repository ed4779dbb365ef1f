#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Runs every test: installs what is missing, builds, runs, and ends with "N passed, N failed, N skipped".
set -u

usage() {
	cat <<'END'
usage: tests/run.sh [OPTION...] [SUITE...]

  SUITE        unit torture sim fuzz golden differential bindings nix e2e style asan tsan; all when none is given
  --quick      only what needs no sanitizer build and no guest
  --long       longer random runs (HYPERNIX_LONG=1)
  --bless      rewrite golden files, the ABI baseline and the made parts of man/*.1 from what the code says now; review the diff
  --coverage   measure branch coverage and compare it with the floors
  --help

Environment: HYPERNIX_TEST_DATA  directory of larger data sets, used where it is there
             HYPERNIX_BUILDS     where build directories go (build/ in the tree)
             HYPERNIX_GUEST      where the test guest is or goes (~/.cache/hypernix/guest)
             NIX_PATH            with nixpkgs-lib=DIR or nixpkgs=DIR the suite nix evaluates; else most of it is skipped
END
}

root=$(cd "$(dirname "$0")/.." && pwd)
HYPERNIX_ARGUMENTS=("$@")
builds=${HYPERNIX_BUILDS:-$root/build}
guest=${HYPERNIX_GUEST:-${XDG_CACHE_HOME:-$HOME/.cache}/hypernix/guest}
jobs=$(nproc)
passed=0 failed=0 skipped=0
quick='' coverage=''
suites=()
# Under the sanitizers, as "suite name": all programs without a hypervisor (torture only in a long run: its
# hundreds of thousands of calls are too slow there); what runs threads.
asan_tests='^(unit|golden|fuzz|bindings) '
tsan_tests='^unit unit-(os|base|machine|host-calibrat|host-(session|quota)-threads|caps-verify)'
. "$root/tests/lib/packages.sh"

say() {
	printf '== %s\n' "$*"
}

add_result() { # PASSED FAILED SKIPPED
	passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
}

give_up() {
	say "$*"
	echo "$passed passed, $((failed + 1)) failed, $skipped skipped"
	exit 1
}

wanted() { # SUITE
	local suite
	[ ${#suites[@]} -eq 0 ] && return 0
	for suite in "${suites[@]}"; do
		[ "$suite" = "$1" ] && return 0
	done
	return 1
}

# ---- building ----

build() { # NAME PATTERN OPTION...: all, or what the tests need whose "suite name" matches
	local name=$1 pattern=$2 dir="$builds/$1" log="$results/$1.build" targets=()
	shift 2
	if [ ! -f "$dir/build.ninja" ]; then
		meson setup "$dir" "$root" -Dtests=enabled -Dwerror=true "$@" >"$log" 2>&1 || {
			tail -n 40 "$log"
			return 1
		}
	fi
	if [ -n "$pattern" ]; then
		mapfile -t targets < <(meson_targets "$dir" "$pattern")
		[ ${#targets[@]} -gt 0 ] || return 1
	fi
	ninja -C "$dir" "${targets[@]}" >"$log" 2>&1 || {
		grep -A12 -E 'FAILED|error:' "$log" | head -n 60
		return 1
	}
}

# ---- programs that meson knows ----

# meson_tests DIR: "suite name" of every test.
meson_tests() {
	meson introspect --tests "$1" | python3 -c '
import json, sys
for test in json.load(sys.stdin):
    for suite in test["suite"] or ["other"]:
        print(suite.split(":")[-1], test["name"])'
}

# meson_targets DIR PATTERN: the files that the tests need whose "suite name" matches.
meson_targets() {
	meson introspect --tests --targets "$1" | python3 -c '
import json, os, re, sys
directory, pattern = os.path.realpath(sys.argv[1]), sys.argv[2]
about = json.load(sys.stdin)
files = {target["id"]: target["filename"] for target in about["targets"]}
needed = set()
for test in about["tests"]:
    if any(re.search(pattern, suite.split(":")[-1] + " " + test["name"]) for suite in test["suite"] or ["other"]):
        needed.update(file for target in test["depends"] for file in files.get(target, []))
for file in sorted(needed):
    print(os.path.relpath(os.path.realpath(file), directory))' "$1" "$2"
}

# run_programs LABEL DIR MULTIPLIER NAME...: runs tests by name and adds up what tests/lib/counted wrote.
run_programs() {
	local label=$1 dir=$2 times=$3 folder="$results/$1" file counts ok=0 bad=0 left=0
	shift 3
	[ $# -gt 0 ] || return 0
	mkdir -p "$folder"
	HYPERNIX_RESULTS=$folder meson test -C "$dir" --no-rebuild --num-processes "$jobs" -t "$times" --wrapper "$root/tests/lib/counted" \
		--print-errorlogs "$@" >"$folder.log" 2>&1
	for file in "$folder"/*; do
		case $file in *.out | *.tap | *'*') continue ;; esac
		read -r counts <"$file" || counts='0 1 0'
		[ -s "$file" ] || echo "not ok $(basename "${file%.*}"): did not end (time limit?)" >"$file.late"
		set -- $counts
		ok=$((ok + $1)) bad=$((bad + $2)) left=$((left + $3))
	done
	grep -qs '^Fail: *[1-9]\|^Timeout: *[1-9]' "$folder.log" && [ "$bad" -eq 0 ] && bad=1
	add_result "$ok" "$bad" "$left"
	printf '%-14s %5d passed %3d failed %3d skipped\n' "$label" "$ok" "$bad" "$left"
	cat "$folder"/* 2>/dev/null | grep -E '^skip|# *SKIP' | sed 's/^/    /'
	if [ "$bad" -gt 0 ]; then
		cat "$folder"/* 2>/dev/null | grep '^not ok' | sed 's/^/    /'
		grep -vE '^ *[0-9]+/[0-9]+ |^$' "$folder.log" | head -n 80 | sed 's/^/    | /'
	fi
}

run_release() {
	local suite names
	for suite in $(meson_tests "$builds/release" | cut -d' ' -f1 | sort -u); do
		wanted "$suite" || continue
		mapfile -t names < <(meson_tests "$builds/release" | awk -v suite="$suite" '$1 == suite { print $2 }')
		run_programs "$suite" "$builds/release" 1 "${names[@]}"
	done
}

# run_again LABEL PATTERN DIR: the tests whose "suite name" matches, under a sanitizer.
run_again() {
	local names
	mapfile -t names < <(meson_tests "$3" | grep -E "$2" | cut -d' ' -f2)
	run_programs "$1" "$3" 5 "${names[@]}"
}

# ---- style ----

run_style() {
	local check name output status ok=0 bad=0 left=0
	for check in "$root"/tests/style/*.py; do
		name=$(basename "$check" .py)
		[ -x "$check" ] || continue
		output=$("$check" --build "$builds/release" 2>&1)
		status=$?
		case $status in
		0)
			ok=$((ok + 1)) left=$((left + $(printf '%s\n' "$output" | grep -c '^skip ')))
			printf '%s\n' "$output" | grep '^skip ' | sed 's/^/    /' ;;
		77) left=$((left + 1)) && echo "    $output" ;;
		*) bad=$((bad + 1)) && printf '%s\n' "$output" | head -n 40 | sed "s/^/    $name: /" ;;
		esac
		output=$("$check" --build "$builds/release" --self-test 2>&1)
		status=$?
		if [ "$status" = 77 ]; then
			left=$((left + 1)) && echo "    $output"
			continue
		fi
		ok=$((ok + $(printf '%s\n' "$output" | grep -c '^ok ')))
		if [ "$status" != 0 ]; then
			bad=$((bad + 1))
			printf '%s\n' "$output" | grep -v '^ok \|^    caught' | sed "s/^/    $name: /"
		fi
	done
	add_result "$ok" "$bad" "$left"
	printf '%-14s %5d passed %3d failed %3d skipped\n' style "$ok" "$bad" "$left"
}

# ---- real programs, real guests ----

run_one_e2e() { # SCRIPT OUTPUT
	local status=0 minutes=20
	[ -z "${HYPERNIX_LONG-}" ] || minutes=60 # all points of a kill, one after the other
	timeout -k 20 "${minutes}m" "$1" >"$2" 2>&1 </dev/null || status=$?
	if [ "$status" = 124 ]; then
		echo "not ok $(basename "$1" .sh): not done after $minutes minutes" >>"$2"
	elif [ "$status" != 0 ] && ! grep -q '^not ok' "$2"; then
		echo "not ok $(basename "$1" .sh): exit status $status" >>"$2"
	fi
}

run_e2e() { # LABEL DIR
	local label=$1 script name output ok=0 bad=0 left=0
	mkdir -p "$results/$label"
	"$root/tests/guest/build" "$guest" || echo "    no test guest: what needs one is skipped"
	export HYPERNIX_BUILD=$2 HYPERNIX_GUEST=$guest
	for script in "$root"/tests/e2e/*.sh; do
		[ -x "$script" ] || continue
		while [ "$(jobs -pr | wc -l)" -ge "$jobs" ]; do wait -n; done
		run_one_e2e "$script" "$results/$label/$(basename "$script" .sh)" &
	done
	wait
	for output in "$results/$label"/*; do
		[ -f "$output" ] || continue
		name=$(basename "$output")
		ok=$((ok + $(grep -c '^ok ' "$output")))
		left=$((left + $(grep -c '^skip ' "$output")))
		grep '^skip ' "$output" | sed 's/^/    /'
		if grep -q '^not ok' "$output"; then
			bad=$((bad + $(grep -c '^not ok' "$output")))
			grep -v '^ok ' "$output" | sed "s/^/    $name: /" | tail -n 60
		fi
	done
	add_result "$ok" "$bad" "$left"
	printf '%-14s %5d passed %3d failed %3d skipped\n' "$label" "$ok" "$bad" "$left"
}

# ---- coverage ----

# coverage_of LABEL FLOOR FILTER...
coverage_of() {
	local label=$1 floor=$2 filters=() filter percent
	shift 2
	for filter in "$@"; do filters+=(--filter "$root/lib/$filter/"); done
	# An assert says what is proven impossible: its other branch is no branch.
	percent=$(gcovr -r "$root" "$builds/coverage" "${filters[@]}" --exclude-unreachable-branches --exclude-throw-branches \
		--exclude-branches-by-pattern '\s*assert\(.*' --branches --gcov-ignore-parse-errors 2>/dev/null | awk '/^TOTAL/ { sub("%", "", $4); print $4 }')
	if [ "${percent:-0}" -ge "$floor" ]; then
		echo "    $label: $percent % of branches (floor $floor)"
		add_result 1 0 0
	else
		echo "    $label: ${percent:-no} % of branches, below the floor of $floor"
		add_result 0 1 0
	fi
}

run_coverage() {
	local names
	say "coverage build"
	build coverage '' -Db_coverage=true --buildtype=debug || give_up "the coverage build failed"
	find "$builds/coverage" -name '*.gcda' -delete
	mapfile -t names < <(meson_tests "$builds/coverage" | cut -d' ' -f2)
	run_programs coverage "$builds/coverage" 3 "${names[@]}"
	# What drives a real hypervisor runs only with real guests.
	[ -n "$quick" ] || run_e2e coverage-e2e "$builds/coverage"
	coverage_of library 85 base os codec crypto state events caps tags machine host
	coverage_of codec 95 codec
	coverage_of tags 95 tags
	coverage_of crypto 95 crypto
	coverage_of caps 95 caps
}

# ---- all ----

main() {
	results=$(mktemp -d)
	trap 'rm -rf "$results"' EXIT
	local groups=(build test)
	[ -n "$quick" ] || { ! wanted e2e && [ -z "$coverage" ]; } || groups+=(run guest)
	[ -z "$coverage" ] || groups+=(coverage)
	need_packages tests/run.sh "${groups[@]}" || give_up "packages are missing"
	say "release build (gcc, -Werror)"
	CC=gcc build release '' --buildtype=debugoptimized || give_up "the release build failed"
	if [ -n "$HYPERNIX_BLESS" ] && wanted style; then
		"$root/tests/style/abi.py" --build "$builds/release" --bless
		"$root/tests/style/programs.py" --build "$builds/release" --bless
	fi
	run_release
	if wanted style; then run_style; fi
	if [ -z "$quick" ] && wanted e2e; then run_e2e e2e "$builds/release"; fi
	if [ -z "$quick" ] && wanted asan; then
		say "ASan and UBSan build (clang)"
		CC=clang-14 build asan "$asan_tests" -Db_sanitize=address,undefined -Db_lundef=false --buildtype=debugoptimized ||
			give_up "the ASan build failed"
		# LeakSanitizer stumbles over thread storage of libraries that were loaded late: libvirt comes first here.
		HYPERNIX_PRELOAD=libvirt-qemu.so.0 run_again asan '^(unit|golden) ' "$builds/asan"
		run_again asan-more "${asan_tests/unit|golden|/}" "$builds/asan"
	fi
	if [ -z "$quick" ] && wanted tsan; then
		say "TSan build (clang)"
		CC=clang-14 build tsan "$tsan_tests" -Db_sanitize=thread -Db_lundef=false --buildtype=debugoptimized ||
			give_up "the TSan build failed"
		gcc -std=gnu17 -D_GNU_SOURCE -Wall -Wextra -Werror -shared -fPIC -o "$builds/tsan/direct.so" "$root/tests/lib/direct.c" ||
			give_up "the runner for TSan did not build"
		HYPERNIX_PRELOAD=$builds/tsan/direct.so run_again tsan "$tsan_tests" "$builds/tsan"
	fi
	[ -z "$coverage" ] || run_coverage
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ]
}

HYPERNIX_BLESS=${HYPERNIX_BLESS-}
for argument in "$@"; do
	case $argument in
	--quick) quick=1 ;;
	--long) export HYPERNIX_LONG=1 asan_tests='^(unit|golden|fuzz|bindings|torture) ' ;;
	--bless) export HYPERNIX_BLESS=1 ;;
	--coverage) coverage=1 ;;
	--help) usage && exit 0 ;;
	-*) usage >&2 && exit 64 ;;
	*) suites+=("$argument") ;;
	esac
done
export ASAN_OPTIONS=${ASAN_OPTIONS-abort_on_error=1:detect_stack_use_after_return=1:allocator_may_return_null=1}
export TSAN_OPTIONS=${TSAN_OPTIONS-die_after_fork=0:allocator_may_return_null=1:suppressions=$root/tests/lib/tsan.supp:print_suppressions=0}
export LSAN_OPTIONS=${LSAN_OPTIONS-suppressions=$root/tests/lib/lsan.supp:print_suppressions=0}
export UBSAN_OPTIONS=${UBSAN_OPTIONS-halt_on_error=1:print_stacktrace=1}
main
