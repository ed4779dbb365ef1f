# SPDX-License-Identifier: MIT
"""bench-solve: choosing versions in seeded registries, against libsolv in the same process. It takes medians itself."""
from caps import Table
from tags import find
from table import Row


def measure(build, runs):
    program = find(build, 'bench-solve')
    if not program:
        return [Row('solve', skipped=f'no {build}/tests/bench/bench-solve: build it first')]
    table = Table('solve')
    for _ in range(runs):
        table.take(program)
    return table.rows()
