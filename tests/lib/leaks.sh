# SPDX-License-Identifier: MIT
# Sourced after e2e.sh by what looks for secrets where they must not be.
leaks_search=$here/tests/lib/leaks.py

# search DIRECTORY FILE...: fails, and says where, when a plant of DIRECTORY is in one of the files.
search() {
	python3 "$leaks_search" "$@"
}

core_of() { # PID FILE
	command -v gcore >/dev/null && gcore -o "$2" "$1" >"$2.log" 2>&1 && mv "$2.$1" "$2" && [ -s "$2" ]
}
