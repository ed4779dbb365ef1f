# SPDX-License-Identifier: MIT
# Sourced by the scripts in examples/: builds the programs in the directory $build, with its log in $work. The script
# gives root, work and the word fail.

build_programs() {
	if [ ! -f "$build/build.ninja" ]; then
		meson setup "$build" "$root" --buildtype=debugoptimized -Dtests=disabled >"$work/build.log" 2>&1 || {
			tail -n 30 "$work/build.log"
			fail "meson setup failed"
		}
	fi
	ninja -C "$build" >"$work/build.log" 2>&1 || {
		tail -n 40 "$work/build.log"
		fail "the build failed"
	}
}

# Where a program of that build is.
built_program() {
	find "$build/frontends" -name "$1" -type f | head -n 1
}
