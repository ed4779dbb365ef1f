# SPDX-License-Identifier: MIT
"""bench-audit: what a record of the audit log costs, and its verification. It takes the best itself; several runs show their spread."""
import subprocess

from tags import find
from table import Row


def measure(build, runs):
    program = find(build, 'bench-audit')
    if not program:
        return [Row('audit', skipped=f'no {build}/tests/bench/bench-audit: build it first')]
    values, wrong = {}, []
    for _ in range(runs):
        done = subprocess.run([program], stdout=subprocess.PIPE, check=False, encoding='utf-8')
        for line in done.stdout.splitlines():
            cells = line.split('\t')
            if cells[0] == 'FAIL':
                wrong.append(cells[1])
            else:
                values.setdefault((cells[0], cells[2], cells[3]), []).append(float(cells[1]))
        if done.returncode and not wrong:
            wrong.append(f'exit status {done.returncode}')
    rows = [Row(name, unit, measured, target=target) for (name, unit, target), measured in values.items()]
    return rows + [Row('audit', failed=text) for text in sorted(set(wrong))]
