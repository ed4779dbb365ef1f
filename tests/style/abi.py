#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The binary interface is that of the committed baseline, or a compatible extension of it (abidiff).

  abi.py --build DIR --bless    rewrites the baseline of this release; the diff is reviewed
"""
import glob
import os
import re
import sys

import house

FOLDER = 'tests/style/abi'
INCOMPATIBLE = 8  # abidiff's exit status is a set of bits: 4 changed, 8 incompatible


def library(build):
    found = [path for path in glob.glob(os.path.join(build or '', 'lib', 'libhypernix.so.*'))
             if re.search(r'\.so\.\d+\.\d+\.\d+$', path)]
    if not build or not found:
        raise house.Skip('needs --build with a built library')
    return found[0]


def baseline(root):
    release = re.search(r"version: '(\d+\.\d+)", house.read(root, 'meson.build')).group(1)
    return f'{FOLDER}/hypernix-{release}.abi'


def check(root, build, report):
    path = baseline(root)
    if not os.path.exists(os.path.join(root, path)):
        report(path, 1, 'no baseline: tests/style/abi.py --build DIR --bless makes it')
        return
    status, text = house.run('abidiff', '--headers-dir1', os.path.join(root, 'include'),
                             '--headers-dir2', os.path.join(root, 'include'), '--drop-private-types',
                             '--no-added-syms', os.path.join(root, path), library(build))
    if status & 3:
        report(path, 1, f'abidiff could not compare: {text.strip()[:200]}')
        return
    if status:
        kind = 'incompatible' if status & INCOMPATIBLE else 'changed'
        for line in text.strip().splitlines()[:60]:
            print('    ' + line)
        report(path, 1, f'the binary interface is {kind}: keep it, or --bless it and say why in CHANGELOG.md')


def bless(root, build):
    path = os.path.join(root, baseline(root))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    status, text = house.run('abidw', '--headers-dir', os.path.join(root, 'include'), '--drop-private-types',
                             '--no-corpus-path', '--no-comp-dir-path', '--short-locs', '--out-file', path, library(build))
    print(text.strip() or f'wrote {baseline(root)}')
    return 1 if status else 0


def options(parser):
    parser.add_argument('--bless', action='store_true', help='rewrite the baseline')
    return lambda given: bless(given.root, given.build) if given.bless else None


HEADER = 'struct point { %s x; int y; };\nint hn_one(struct point *point);\n'
SOURCE = '#include "include/hypernix/one.h"\nint %s(struct point *point) { return (int)point->x; }\n'


def build_library(root, build, field, name):
    house.write(root, 'include/hypernix/one.h', HEADER % field)
    house.write(root, 'one.c', SOURCE % name)
    status, output = house.run('cc', '-g', '-shared', '-fPIC', '-o', os.path.join(build, 'lib', 'libhypernix.so.0.1.0'),
                               os.path.join(root, 'one.c'))
    if status:
        raise house.Skip(f'cannot build a library: {output}')


def changed_library(field, name):
    """Blesses a small library, then builds it again with another field or function."""
    def break_rule(root):
        build = os.path.join(root, 'build')
        os.makedirs(os.path.join(build, 'lib'))
        build_library(root, build, 'int', 'hn_one')
        if bless(root, build):
            raise house.Skip('abidw failed')
        build_library(root, build, field, name)
        return {'build': build}
    return break_rule


def check_quiet(root, build, report):
    """The self-test's unbroken copy has no library of its own to look at."""
    if build:
        check(root, build, report)


BREAKS = [
    ('a field changes its size', changed_library('long', 'hn_one')),
    ('a function disappears', changed_library('int', 'hn_two')),
]

if __name__ == '__main__':
    sys.exit(house.main(check_quiet if '--self-test' in sys.argv else check, BREAKS, options))
