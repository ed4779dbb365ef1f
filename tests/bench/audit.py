# SPDX-License-Identifier: MIT
"""bench-audit: what a record of the audit log costs, and its verification. It takes the best itself; several runs show their spread."""
from caps import Table
from tags import find
from table import Row


def measure(build, runs):
    program = find(build, 'bench-audit')
    if not program:
        return [Row('audit', skipped=f'no {build}/tests/bench/bench-audit: build it first')]
    table = Table('audit')
    for _ in range(runs):
        table.take(program)
    return table.rows()
