# SPDX-License-Identifier: MIT
"""Finds libhypernix: HYPERNIX_LIBRARY names it; else the build tree that this package lies in, else where it
was installed, else where the loader looks."""
import ctypes
import os

from . import _where

_HERE = os.path.dirname(os.path.abspath(__file__))


def _candidates():
    named = os.environ.get('HYPERNIX_LIBRARY')
    if named:
        yield named
        return
    built = os.path.join(_HERE, '..', '..', '..', 'lib', _where.SONAME)
    installed = os.path.join(_where.LIBDIR, _where.SONAME)
    for path in (built, installed):
        if os.path.exists(path):
            yield os.path.realpath(path)
    yield _where.SONAME


def load():
    """The library as a ctypes.CDLL, which releases the GIL during each call."""
    problems = []
    for path in _candidates():
        try:
            return ctypes.CDLL(path)
        except OSError as problem:
            problems.append(str(problem))
    raise ImportError('libhypernix cannot be loaded (HYPERNIX_LIBRARY may name it): ' + '; '.join(problems))


library = load()
