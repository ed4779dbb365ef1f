#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the Python binding from the public headers.

  generate.py --output DIR --soname NAME --libdir DIR   writes _generated.py, __init__.pyi, keys.py, _where.py
  generate.py --layout FILE                             writes a C program that prints what the compiler makes
                                                        of every struct, enum, constant and signature
  generate.py --print                                   where each C function is in Python

The rules: a handle becomes a class, the functions that take it first its methods, `hn_X_new` its
constructor; a struct of options becomes keyword arguments; what the library writes is returned; what can be
NULL by its @param can be None; a callback gets Python values and its `arg` is left out; hn_code becomes
exceptions. surface.txt has what no rule covers.
"""
import argparse
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', '..', 'tests', 'style'))
import declarations  # pylint: disable=wrong-import-position
import emit  # pylint: disable=wrong-import-position
import rules  # pylint: disable=wrong-import-position


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--root', default=os.path.join(HERE, '..', '..'))
    parser.add_argument('--output')
    parser.add_argument('--soname', default='libhypernix.so.0')
    parser.add_argument('--libdir', default='/usr/local/lib')
    parser.add_argument('--layout')
    parser.add_argument('--print', action='store_true')
    given = parser.parse_args()
    surface = declarations.Surface(given.root)
    binding = rules.Binding(surface, os.path.join(HERE, 'surface.txt'))
    if given.output:
        emit.write(os.path.join(given.output, '_generated.py'), emit.module(binding))
        emit.write(os.path.join(given.output, '__init__.pyi'), emit.stubs(binding))
        emit.write(os.path.join(given.output, 'keys.py'), emit.keys(declarations.keys(given.root)))
        emit.write(os.path.join(given.output, '_where.py'), emit.where(given.soname, given.libdir))
    if given.layout:
        emit.write(given.layout, emit.layout(surface))
    if given.print:
        for name, place in sorted(binding.places.items()):
            print(f'{name:32} {place}')


if __name__ == '__main__':
    main()
