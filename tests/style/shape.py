#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Functions of at most 70 lines (95th percentile at most 50), files of at most 800, hv-* programs below 400."""
import json
import os
import re
import subprocess
import sys

import house

FUNCTION_LINES = 70
FUNCTION_LINES_95 = 50
FILE_LINES = 800
PROGRAM_LINES = 400


def functions(root, paths):
    """(path, first line, name, lines) of every C function, by universal-ctags."""
    if not paths:
        return []
    try:
        done = subprocess.run(
            ['ctags', '--output-format=json', '--languages=C', '--langmap=C:.c.h', '--kinds-C=f', '--fields=+ne',
             '-f', '-', '-L', '-'], cwd=root, input='\n'.join(paths), capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise house.Skip('universal-ctags is not installed') from None
    found = []
    for line in done.stdout.splitlines():
        tag = json.loads(line)
        if tag.get('kind') == 'function' and 'end' in tag:
            found.append((tag['path'], tag['line'], tag['name'], tag['end'] - tag['line'] + 1))
    if not found:
        raise house.Skip('this ctags finds no functions: universal-ctags with JSON output is needed')
    return found


def percentile(values, percent):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] if ordered else 0


def check_lengths(found, report):
    for path, line, name, lines in found:
        if lines > FUNCTION_LINES:
            report(path, line, f'{name} has {lines} lines; at most {FUNCTION_LINES}: split it where it does a second thing')
    shipped = [item for item in found if item[0].startswith(('lib/', 'frontends/'))]
    worst = percentile([item[3] for item in shipped], 95)
    if worst > FUNCTION_LINES_95:
        path, line, name, lines = max(shipped, key=lambda item: item[3])
        report(path, line, f'95th percentile of function length is {worst} lines; at most {FUNCTION_LINES_95}; '
               f'{name} with {lines} is the longest')


def check(root, build, report):
    paths = house.sources(root, '.c', '.h')
    for path in paths + house.sources(root, '.py', '.sh') + [
            path for path in ('tests/bench/run', 'tests/guest/build', 'tests/guest/init')
            if os.path.exists(os.path.join(root, path))]:
        lines = house.read(root, path).count('\n')
        if lines > FILE_LINES:
            report(path, FILE_LINES + 1, f'{lines} lines; a file has at most {FILE_LINES}: split it by topic')
        elif re.fullmatch(r'frontends/\w+/hv-[\w-]+\.c', path) and lines >= PROGRAM_LINES:
            report(path, PROGRAM_LINES, f'{lines} lines; a program stays under {PROGRAM_LINES}: what it computes '
                   'belongs in the library, what programs share in frontends/common')
    check_lengths(functions(root, paths), report)


def long_function(lines):
    return 'static int long_one(int x)\n{\n' + '\tx++;\n' * (lines - 4) + '\treturn x;\n}\n'


def many_longish(root):
    house.write(root, 'lib/base/longish.c', ''.join(
        long_function(60).replace('long_one', f'longish_{number}') for number in range(13)))
    for number in range(30):
        house.write(root, f'lib/base/longish{number}.c', ''.join(
            long_function(60).replace('long_one', f'longish_{number}_{n}') for n in range(13)))


BREAKS = [
    ('a function of 71 lines', lambda root: house.append(root, 'lib/base/buf.c', long_function(71))),
    ('too many functions of 60 lines', many_longish),
    ('a file of 801 lines', lambda root: house.write(root, 'lib/base/x.c', 'extern int x;\n' * 801)),
    ('a program of 400 lines', lambda root: house.write(root, 'frontends/cli/hv-x.c', 'extern int x;\n' * 400)),
]

if __name__ == '__main__':
    sys.exit(house.main(check, BREAKS))
