#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the library exports, what lib/hypernix.map lists and what the headers declare are the same symbols."""
import glob
import os
import re
import sys

import api
import headers
import house

MAP = 'lib/hypernix.map'


def mapped(root):
    """{symbol: (release, line)} of the version map."""
    release, found = None, {}
    for number, line in enumerate(house.read(root, MAP).splitlines(), 1):
        node = re.match(r'HYPERNIX_(\d+\.\d+) \{', line)
        symbol = re.match(r'\s+([\w*]+);$', line)
        if node:
            release = node.group(1)
        elif symbol and symbol.group(1) != '*':
            found[symbol.group(1)] = (release, number)
    return found


def exported(build):
    libraries = sorted(glob.glob(os.path.join(build, 'lib', 'libhypernix.so.*.*.*')))
    libraries = [path for path in libraries if re.search(r'\.so\.\d+\.\d+\.\d+$', path)]
    if not libraries:
        raise house.Skip(f'no built library in {build}/lib')
    status, text = house.run('nm', '-D', '--defined-only', libraries[-1])
    if status:
        raise house.Skip(f'nm: {text.strip()}')
    return {line.split()[2].split('@')[0] for line in text.splitlines() if line.split()[1] in 'TDBRV'}


def check(root, build, report):
    functions, _ = headers.everything(root)
    declared = {function.name: function for function in functions}
    listed = mapped(root)
    rewrite = 'tests/style/api.py --map writes it from the headers'
    for name, function in declared.items():
        if name not in listed:
            report('include/' + function.header, function.line, f'{name} is not in {MAP}; {rewrite}')
        elif function.since and listed[name][0] != function.since:
            report(MAP, listed[name][1], f'{name} is in node {listed[name][0]}, its header says Since: {function.since}')
    for name, (_, line) in listed.items():
        if name not in declared:
            report(MAP, line, f'{name} is declared in no public header; {rewrite}')
    for name in sorted(exported(build) ^ set(declared)) if build else ():
        if name in declared:
            report('include/' + declared[name].header, declared[name].line, f'{name} is declared but the library does not export it')
        elif not name.startswith('HYPERNIX_'):
            report(MAP, 1, f'the library exports {name}, which no public header declares')


def unlist(root):
    house.write(root, MAP, api.version_map(headers.everything(root)[0]))
    text = house.read(root, MAP)
    house.write(root, MAP, re.sub(r'\thn_version;\n', '', text, count=1))


BREAKS = [
    ('a symbol that no header declares', lambda root: house.replace(root, MAP, 'global:\n', 'global:\n\thn_untried;\n')),
    ('a declared function that the map forgot', unlist),
    ('a function declared but not in the library',
     lambda root: house.append(root, 'include/hypernix/base.h', 'HN_API int hn_untried(int x);\n')),
]

if __name__ == '__main__':
    sys.exit(house.main(check, BREAKS))
