#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The binary interface is that of the committed baseline, or a compatible extension of it (abidiff).

What is compared is what programs are compiled against: every function and type of the public headers, built
into a library of empty functions. That the real library exports the same symbols is what map.py checks, and that it
defines them with these types the compiler. (libabigail 2.2 cannot read its own description of the real one.)

  abi.py --bless    rewrites the baseline of this release; the diff is reviewed
"""
import os
import re
import sys
import tempfile

import headers
import house

FOLDER = 'tests/style/abi'
INCOMPATIBLE = 8  # abidiff's exit status is a set of bits: 1 and 2 errors, 4 changed, 8 incompatible


def baseline(root):
    release = re.search(r"version: '(\d+\.\d+)", house.read(root, 'meson.build')).group(1)
    return f'{FOLDER}/hypernix-{release}.abi'


def hollow_library(root, folder):
    """A library with every public function, all empty."""
    functions, _ = headers.everything(root)
    text = ''.join(f'#include <{header}>\n' for header in sorted({item.header for item in functions}))
    for function in functions:
        params = ', '.join(text for text, _ in function.params) or 'void'
        text += f'{function.result} {function.name}({params}) {{ __builtin_trap(); }}\n'
    house.write(folder, 'hollow.c', text)
    target = os.path.join(folder, 'libhypernix.so.0')
    status, output = house.run('cc', '-std=gnu17', '-g', '-w', '-shared', '-fPIC', '-I', os.path.join(root, 'include'),
                               f'-fdebug-prefix-map={folder}=hollow',  # no name of this run in the baseline
                               '-Wl,-soname,libhypernix.so.0', '-o', target, os.path.join(folder, 'hollow.c'))
    if status:
        raise SystemExit(f'abi: the public headers do not compile: {output}')
    return target


def check(root, build, report):
    path = baseline(root)
    if not os.path.exists(os.path.join(root, path)):
        report(path, 1, 'no baseline: tests/style/abi.py --bless makes it')
        return
    with tempfile.TemporaryDirectory() as folder:
        status, text = house.run('abidiff', '--no-added-syms', os.path.join(root, path), hollow_library(root, folder))
    if status & 3:
        report(path, 1, f'abidiff could not compare: {text.strip()[:200]}')
    elif status:
        kind = 'incompatible' if status & INCOMPATIBLE else 'changed'
        for line in text.strip().splitlines()[:60]:
            print('    ' + line)
        report(path, 1, f'the binary interface is {kind}: keep it, or --bless it and say why in CHANGELOG.md')


def bless(root):
    path = os.path.join(root, baseline(root))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        status, text = house.run('abidw', '--no-corpus-path', '--no-comp-dir-path', '--no-show-locs', '--out-file', path,
                                 hollow_library(root, folder))
    print(text.strip() or f'wrote {baseline(root)}')
    return 1 if status else 0


def options(parser):
    parser.add_argument('--bless', action='store_true', help='rewrite the baseline')
    return lambda given: bless(given.root) if given.bless else None


PUBLIC = 'include/hypernix/untried.h'
HEADER = """#pragma once
typedef struct hn_point { int x; int y; } hn_point;
#define HN_API
HN_API int hn_untried(hn_point *point);
"""


def changed(old, new):
    """Blesses the interface with a small header in it, then changes that header."""
    def break_rule(root):
        house.write(root, PUBLIC, HEADER)
        if bless(root):
            raise house.Skip('abidw failed')
        house.replace(root, PUBLIC, old, new)
    return break_rule


BREAKS = [
    ('a field changes its size', changed('int x;', 'long x;')),
    ('a field is put before others', changed('{ int x;', '{ int w; int x;')),
    ('a parameter changes its type', changed('hn_point *point)', 'hn_point *point, int times)')),
    ('a function disappears', changed('hn_untried', 'hn_renamed')),
]

if __name__ == '__main__':
    sys.exit(house.main(check, BREAKS, options))
