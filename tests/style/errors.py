#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each row of errors.def is named by at least one test that provokes it; numbers and names are unique."""
import re
import sys

import house

TABLE = 'include/hypernix/errors.def'
ROW = re.compile(r'^HN_ERROR\((\w+), (-\d+), "[^"]+", (\d+), "[A-Z_]+"\)', re.M)


def check(root, build, report):
    table = house.read(root, TABLE)
    tests = ''.join(house.read(root, path) for path in house.sources(root, '.c', '.h', '.sh', '.py', under=('tests',))
                    if not path.startswith('tests/style/'))
    named = set(re.findall(r'\bHN_(E\w+)', tests))
    last = 0
    for match in ROW.finditer(table):
        name, number, status = match.group(1), int(match.group(2)), int(match.group(3))
        line = house.line_of(table, match.start())
        if name not in named:
            report(TABLE, line, f'no test names HN_{name}: add one that provokes it')
        if number != last - 1:
            report(TABLE, line, f'HN_{name} is {number}; numbers go down by one and are never given twice')
        if status in (0, 10) or status > 64:
            report(TABLE, line, f'exit status {status} of HN_{name}: 0 is success, 10 means "there are changes", at most 64')
        last = number
    if not last:
        report(TABLE, 1, 'no row found: HN_ERROR(NAME, -1, "text", 1, "CODE")')


BREAKS = [
    ('an error without a test', lambda root: house.append(root, TABLE, 'HN_ERROR(EUNTRIED, -999, "x", 1, "X")\n')),
    ('a number given twice', lambda root: house.replace(root, TABLE, '(EINVAL, -2', '(EINVAL, -1')),
    ('an exit status that means something else', lambda root: house.replace(root, TABLE, '"invalid argument", 64', '"invalid argument", 10')),
]

if __name__ == '__main__':
    sys.exit(house.main(check, BREAKS))
