# SPDX-License-Identifier: MIT
"""Holds the package that is imported against the headers and against what the C compiler makes of them."""
import ctypes
import inspect
import os
import subprocess
import sys

from support import ROOT

sys.path.insert(0, os.path.join(ROOT, 'tests', 'style'))
import declarations  # pylint: disable=wrong-import-position


def headers():
    return declarations.Surface(ROOT)


def compiled():
    """What tests/bindings' program prints, as lists of words."""
    plain = {name: value for name, value in os.environ.items() if name != 'LD_PRELOAD'}  # it has its own sanitizer
    done = subprocess.run([os.environ['HYPERNIX_LAYOUT']], stdout=subprocess.PIPE, check=True, env=plain)
    return [line.split() for line in done.stdout.decode().splitlines()]


def reach(package, place):
    """What stands at a place such as "View.get_text"."""
    found = package
    for part in place.split('.'):
        found = inspect.getattr_static(found, part) if isinstance(found, type) else getattr(found, part)
    return found


def documentation(found):
    if isinstance(found, (staticmethod, classmethod)):
        found = found.__func__
    return inspect.getdoc(found) or ''


def coverage(package, generated, surface):
    """Public functions that cannot be reached, are not documented, or have another signature in C now."""
    wrong = []
    for function in surface.functions:
        place = package.FUNCTIONS.get(function.name)
        if place is None:
            wrong.append(f'{function.name} is nowhere in the package')
            continue
        if generated.PROTOTYPES[function.name] != function.declaration:
            wrong.append(f'{function.name} was bound as {generated.PROTOTYPES[function.name]}')
        if place == '-' or place.split('.')[0] == 'Error':
            continue
        try:
            found = reach(package, place)
        except AttributeError:
            wrong.append(f'{function.name} should be {place}, which is not there')
            continue
        text = ' '.join(documentation(found).split())
        if ' '.join(('In C: ' + function.declaration.replace('( ', '(')).split()) not in text:
            wrong.append(f'{place} does not show its declaration in C')
        if not place.endswith(('.ref', '.close')) and not all(
                field in text for field in ('Raises: ', 'Threads: ', 'Blocks: ', 'Since: ')):
            wrong.append(f'{place} lacks a part of its documentation')
    known = {function.name for function in surface.functions}
    wrong += [f'{name} is bound and no header has it' for name in package.FUNCTIONS if name not in known]
    return wrong


def layout(generated, library, lines):
    """Differences between the compiler's sizes, offsets and values and those that ctypes will use."""
    wrong, seen = [], set()
    for words in lines:
        kind, name = words[0], words[1]
        seen.add((kind, name) if kind != 'field' else (kind, name, words[2]))
        if kind == 'function':
            prototype = getattr(library, name)
            sizes = [0 if prototype.restype is None else ctypes.sizeof(prototype.restype)]
            sizes += [ctypes.sizeof(argument) for argument in prototype.argtypes]
            if sizes != [int(word) for word in words[2:]]:
                wrong.append(f'{name}: result and parameters have {words[2:]} bytes, not {sizes}')
        elif kind == 'struct' and ctypes.sizeof(generated.STRUCTS[name]) != int(words[2]):
            wrong.append(f'{name} has {words[2]} bytes, not {ctypes.sizeof(generated.STRUCTS[name])}')
        elif kind == 'field':
            field = getattr(generated.STRUCTS[name], words[2], None)
            if field is None or [field.offset, field.size] != [int(word) for word in words[3:]]:
                wrong.append(f'{name}.{words[2]} is at {words[3]} with {words[4]} bytes, not at {field}')
        elif kind == 'enum' and int(words[2]) != 4:
            wrong.append(f'{name} has {words[2]} bytes')
        elif kind == 'value':
            names = {member.name: member.value for member in generated.ENUMS[name]}
            if int(words[3]) not in names.values() or not any(
                    words[2].endswith('_' + short.rstrip('_')) and value == int(words[3]) for short, value in names.items()):
                wrong.append(f'{words[2]} is {words[3]}')
        elif kind == 'constant' and getattr(generated, name) != int(words[2]):
            wrong.append(f'{name} is {words[2]}')
    for name, struct in generated.STRUCTS.items():
        wrong += [f'{name}.{field[0]} is in no header' for field in struct._fields_ if ('field', name, field[0]) not in seen]
    return wrong
