# SPDX-License-Identifier: MIT
"""bench-caps: reading and verifying tokens, against the plain signatures of libsodium in the same run."""
import subprocess

from tags import find
from table import Row


def measure(build, runs):
    program = find(build, 'bench-caps')
    if not program:
        return [Row('caps', skipped=f'no {build}/tests/bench/bench-caps: build it first')]
    values, wrong = {}, []
    for _ in range(runs):
        done = subprocess.run([program], stdout=subprocess.PIPE, check=False, encoding='utf-8')
        for line in done.stdout.splitlines():
            cells = line.split('\t')
            if cells[0] == 'FAIL':
                wrong.append(cells[1])
                continue
            name, ours, unit, target, peer, theirs = cells
            mine, its = values.setdefault((name, unit, target, peer), ([], []))
            mine.append(float(ours))
            its.append(float(theirs))
        if done.returncode and not wrong:
            wrong.append(f'exit status {done.returncode}')
    rows = [Row(name, unit, mine, its, target, peer_name=peer) for (name, unit, target, peer), (mine, its) in values.items()]
    return rows + [Row('caps', failed=text) for text in sorted(set(wrong))]
