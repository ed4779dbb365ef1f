# SPDX-License-Identifier: MIT
"""Writes what rules.py has decided: the module, its type stubs, the table of keys, and a C program that
prints what the compiler makes of the same headers."""
import os
import re
import textwrap

import rules

HEAD = '''# SPDX-License-Identifier: MIT
# Made by bindings/python/generate.py from the public headers; changes belong there.
'''
BUILTIN = {'InvalidArgumentError': ', ValueError', 'NotFoundError': ', LookupError', 'OutOfMemoryError': ', MemoryError'}


def write(path, text):
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text)


def ctype(binding, c_type, of_struct=False):
    bare, stars = binding.bare(c_type), c_type.count('*') + c_type.count('[')
    inside = re.fullmatch(r'char \[(\w+)\]', c_type)
    if inside and of_struct:
        return f'ctypes.c_char * {binding.surface.constants.get(inside.group(1)[len("HN_"):], inside.group(1))}'
    if stars == 1 and bare == 'char' and c_type.startswith('const'):
        return 'ctypes.c_char_p'
    if bare in binding.surface.callbacks and not stars:
        return 'ctypes.c_void_p'
    if stars:
        return 'ctypes.c_void_p'
    if bare in rules.SCALARS:
        return 'ctypes.' + rules.SCALARS[bare][0]
    if bare in binding.surface.enums:
        return 'ctypes.c_int'
    return {'bool': 'ctypes.c_bool', 'void': 'None'}[bare]


# ---- documentation ----

def pythonic(binding, text):
    """A sentence of a header in Python's words."""
    text = re.sub(r'[;,:]?\s*(?:owned by the caller: |to be )?released? (?:it |them )?with hn_\w+', '', text)
    text = re.sub(r'\bset to (?=\w.* on success)', '', text)
    text = re.sub(r'(?:^|[;,]\s*)set on success(?=$|[;,.:])', '', text)
    text = re.sub(r'[;,]?\s+(?:one reference )?(?:owned by the caller|borrowed)(?=$|[;,.:])', '', text)
    text = re.sub(r'\bHN_(E[A-Z]+)\b', lambda match: error_class(binding, match.group(1)), text)
    text = re.sub(r'\b(hn_\w+)\b', lambda match: python_name(binding, match.group(1)), text)
    text = re.sub(r'\bHN_(\w+)\b', lambda match: constant_name(binding, match.group()), text)
    return re.sub(r'\bNULL\b', 'None', text)


def error_class(binding, name):
    return next((rules.exception_name(error) for error in binding.surface.errors if error.name == name), name)


def python_name(binding, name):
    if name in binding.places and binding.places[name] != '-':
        return binding.places[name]
    known = name in binding.surface.structs or name in binding.surface.enums or name in binding.surface.handles
    return rules.camel(name) if known else name


def constant_name(binding, name):
    for enum in binding.surface.enums.values():
        for member, _, _ in enum.members:
            if member == name:
                return f'{rules.camel(enum.name)}.{member_name(enum, member)}'
    return name


def paragraphs(binding, comment):
    return [pythonic(binding, comment.summary)] + [pythonic(binding, text) for text in comment.text]


def entry(name, text, width=96):
    return textwrap.fill(text or '-', width, initial_indent=f'  {name}: ', subsequent_indent='      ')


def document(binding, member):
    """The docstring of a member, from its header comment."""
    comment = member.function.comment
    parts = [textwrap.fill(text, 100) for text in paragraphs(binding, comment)]
    given = member.parameters()
    lines = [entry(name, pythonic(binding, doc)) for name, _, _, _, doc in given]
    session = comment.params.get('session', '')
    if member.self_name == 'session' and session:
        parts.append(textwrap.fill('This session ' + pythonic(binding, session) + '.', 100))
    if lines:
        parts.append('Parameters:\n' + '\n'.join(lines))
    outs = [entry(name, pythonic(binding, comment.params.get(name.rstrip('_'), '')) or kind) for name, kind in member.outs]
    if member.result != 'status':
        outs.insert(0, entry('result', pythonic(binding, re.sub(r',? or a negative hn_code', '', comment.result or ''))))
    if member.collects():
        outs.append(f'  without a callback, a list of what it would be given ({member.collects()})')
    if outs:
        parts.append('Gives:\n' + '\n'.join(outs))
    fields = [(name, comment.fields.get(name)) for name in ('Errors', 'Threads', 'Blocks', 'Since', 'Source')]
    lines = [textwrap.fill(f'{"Raises" if name == "Errors" else name}: {pythonic(binding, text)}', 100, subsequent_indent='  ')
             for name, text in fields if text]
    parts.append('\n'.join(lines))
    parts.append(textwrap.fill('In C: ' + member.function.declaration.replace('( ', '('), 100, subsequent_indent='  '))
    return '\n\n'.join(parts)


def quote(text, indent):
    text = text.replace('\\', '\\\\').replace('"""', "'''")
    lines = [line and indent + line for line in text.split('\n')]
    lines[0] = lines[0].lstrip()
    body = '\n'.join(lines)
    return f'{indent}"""{body}{" " if body.endswith(chr(34)) else ""}"""' if len(lines) == 1 else f'{indent}"""{body}\n{indent}"""'


# ---- pieces of the module ----

def member_name(enum, member):
    names = [name.split('_') for name, _, _ in enum.members]
    shared = 0
    while len({tuple(name[:shared + 1]) for name in names}) == 1 and all(len(name) > shared + 1 for name in names):
        shared += 1
    short = '_'.join(member.split('_')[shared:])
    return rules.safe(short)


def enum_class(binding, enum):
    parts = paragraphs(binding, enum.comment)
    listing = '\n'.join(f'  {member_name(enum, name)}: {pythonic(binding, doc)}' for name, _, doc in enum.members if doc)
    lines = [f'class {rules.camel(enum.name)}(r.Word):', quote('\n\n'.join(parts + ([listing] if listing else [])), '    '), '']
    lines += [f'    {member_name(enum, name)} = {value}' for name, value, _ in enum.members]
    for member in of_class(binding, rules.camel(enum.name)):
        lines += ['', *definition(binding, member, member.kind)]
    return '\n'.join(lines) + '\n'


def struct_layout(binding, struct):
    lines = [f'class _C_{struct.name}(ctypes.Structure):', '    _fields_ = [']
    for field in struct.fields:
        bare = binding.bare(field.c_type)
        kind = f'_{struct.name}_{field.name}.ctype' if field.params is not None else \
            f'_{bare}.ctype' if bare in binding.surface.callbacks else ctype(binding, field.c_type, of_struct=True)
        lines.append(f"        ('{field.name}', {kind}),")
    return '\n'.join(lines + ['    ]']) + '\n'


def snapshot_class(binding, name):
    struct = binding.surface.structs[name]
    fields = [field for field in struct.fields if field.name != 'size' or not struct.sized]
    slots = [binding.value(field.c_type, field.name, True, field.doc) for field in fields]
    listing = '\n'.join(entry(field.name, pythonic(binding, field.doc) or '-') for field in fields)
    lines = [f'class {rules.camel(name)}(r.Snapshot):',
             quote('\n\n'.join(paragraphs(binding, struct.comment)) + '\n\nAttributes, read-only:\n' + listing, '    '), '',
             f'    __slots__ = ({"".join(repr(rules.safe(field.name)) + ", " for field in fields)})',
             f'    _struct = _C_{name}']
    for member in of_class(binding, rules.camel(name)):
        lines += ['', *definition(binding, member, member.kind)]
    late = f'{rules.camel(name)}._fields = ({"".join(slot.expression + ", " for slot in slots)})'
    return '\n'.join(lines) + '\n', late


def handle_class(binding, name):
    comment = binding.surface.handles[name]
    reference, release = binding.references.get(name), binding.releases.get(name)
    own = of_class(binding, rules.camel(name))
    made = next((member for member in own if member.kind == 'constructor'), None)
    lines = [f'class {rules.camel(name)}(Handle):', quote('\n\n'.join(paragraphs(binding, comment) + [
        'Use it in a `with` statement or call close(). After close every use raises ClosedError; what was made from it goes on.']), '    '),
        '', '    __slots__ = ()', f'    _release = {release!r}']
    if reference:
        lines += [f'    _reference = {reference!r}', '', f'    def ref(self) -> {rules.camel(name)}:',
                  quote(python_doc(binding, reference), '        '), f'        return r.again(self, {release!r})']
    if release:
        lines += ['', '    def close(self) -> None:', quote(python_doc(binding, release) + '\n\nA second call does nothing.', '        '),
                  '        Handle.close(self)']
    if made:
        lines += ['', *definition(binding, made, 'constructor')]
    for member in own:
        if member is not made:
            lines += ['', *definition(binding, member, member.kind)]
    return '\n'.join(lines) + '\n'


def python_doc(binding, c_name):
    function = binding.by_name[c_name]
    return '\n\n'.join(paragraphs(binding, function.comment) + [f'In C: {function.declaration}'])


def of_class(binding, owner):
    return [member for member in binding.members if member.owner == owner]


def signature(member):
    words, star = [], False
    for name, annotation, default, only, _ in member.parameters():
        if only and not star:
            words.append('*')
            star = True
        words.append(f'{name}: {annotation}' + (f' = {default}' if default is not None else ''))
    return ', '.join(words)


def answer(member):
    """The annotation of what a call gives."""
    values = member.returns()
    if member.collects():
        plain = 'int' if member.result == 'number' else 'None'
        if not member.outs:
            return f'Union[{plain}, List[{member.collects()}]]'
        return group_name(member)
    return 'None' if not values else values[0] if len(values) == 1 else group_name(member)


def group_name(member):
    return ''.join(part.capitalize() for part in member.function.name.split('_')[1:]) + 'Result'


def definition(binding, member, kind):
    """The lines of a method, property or function."""
    names = [item[0] for item in member.parameters()]
    indent = '    ' if member.owner else ''
    head, first, call = [], 'self, ', f'{member.self_name}=self' if member.self_name else ''
    if kind in ('property', 'word'):
        head = [indent + '@property']
    elif kind == 'static':
        head, first = [indent + '@staticmethod'], ''
    elif kind == 'function':
        first = ''
    values = ', '.join(filter(None, [call] + [f'{name}={name}' for name in names]))
    parameters = (first + signature(member)).rstrip(', ')
    body = quote(document(binding, member), indent + '    ')
    if kind == 'constructor':
        return [f'{indent}def __init__({parameters}) -> None:', body, f'{indent}    made = _{member.function.name}({values})',
                f'{indent}    self._box, made._box = made._box, None']
    lines = head + [f'{indent}def {member.name}({parameters}) -> {answer(member)}:', body,
                    f'{indent}    return _{member.function.name}({values})']
    return lines + walk_definition(member, indent)


def walk_definition(member, indent):
    if not member.walk:
        return []
    item = re.sub(r'^Optional\[(.*)\]$', r'\1', answer(member))
    given = [entry_ for entry_ in member.parameters() if entry_[0] not in ('index', 'nth')]
    parameters = ', '.join([f'{name}: {annotation}' for name, annotation, _, _, _ in given])
    handed = ', '.join([name for name, *_ in given] + ['index'])
    doc = f'Walks what {member.name}() gives, from the first to the last.'
    if member.kind == 'static':
        return ['', f'{indent}@staticmethod', f'{indent}def {member.walk}({parameters}) -> Iterator[{item}]:', quote(doc, indent + '    '),
                f'{indent}    return r.walk(lambda index: {member.owner}.{member.name}({handed}))']
    lines = ['', f'{indent}def {member.walk}({", ".join(filter(None, ["self", parameters]))}) -> Iterator[{item}]:', quote(doc, indent + '    '),
             f'{indent}    return r.walk(lambda index: self.{member.name}({handed}))']
    if member.walk == '__iter__':
        lines += ['', f'{indent}def __len__(self) -> int:', f'{indent}    return self.count', '',
                  f'{indent}def __getitem__(self, index: int) -> {item}:', f'{indent}    found = self.at(index + len(self) if index < 0 else index)',
                  f'{indent}    if found is None:', f"{indent}        raise IndexError('past the end')", f'{indent}    return found']
    return lines


def prototype(binding, member):
    function = member.function
    arguments = ', '.join(ctype(binding, rules.strip_name(text)) for text, _ in function.params)
    slots = ', '.join(slot.expression for slot in member.slots)
    result = 'None' if member.result == 'status' and not member.fails and function.result == 'void' else f'r.{member.result}'
    more = ''
    if member.fails:
        more += ', fails=True'
    if member.shared:
        more += ', shared=True'
    if function.comment.fields['Threads'].startswith('call it once, before anything else'):
        more += ', first=True'
    if re.match(r'hn_set_', function.name):
        more += ', keeps=True'
    if member.group():
        more += f', group={group_name(member)}'
    return (f"_{function.name} = r.Function({function.name!r}, {ctype(binding, function.result)}, ({arguments}{',' if arguments else ''}),\n"
            f"    ({slots}{',' if slots else ''}), {result}{more})")


def bare_prototype(binding, function):
    arguments = ', '.join(ctype(binding, rules.strip_name(text)) for text, _ in function.params)
    return (f"r.library.{function.name}.restype, r.library.{function.name}.argtypes = "
            f"{ctype(binding, function.result)}, ({arguments}{',' if arguments else ''})")


def callback_kind(binding, name, result, params, group):
    arguments = ', '.join(ctype(binding, item.c_type) for item in params)
    readers = []
    for item in params:
        bare = binding.bare(item.c_type)
        if group == 'False' and item.name != 'arg':
            readers.append('r.as_int')
        elif item.c_type == 'void *':
            readers.append('None')
        elif bare == 'hn_error':
            readers.append('r.as_error')
        elif bare == 'char':
            readers.append('r.as_text')
        elif bare in binding.rows:
            readers.append(f"lambda raw: r.Row('', {rules.camel(bare)}).read(raw)")
        elif bare in binding.surface.structs:
            readers.append(f'lambda raw: {rules.camel(bare)}._from(_C_{bare}.from_address(raw))')
        elif bare in binding.surface.enums:
            readers.append(f'lambda raw: {rules.camel(bare)}(raw)')
        else:
            readers.append('r.as_int')
    more = f', group={group}' if group else ''
    return (f"_{name} = r.CallbackKind({name!r}, {ctype(binding, result)}, ({arguments},),\n"
            f"    ({', '.join(readers)},){more})")


def groups(binding):
    """Named tuples for answers of several values, and for callbacks of several arguments."""
    lines = []
    for callback in binding.surface.callbacks.values():
        seen = binding.visible(callback)
        if len(seen) > 1 and callback.result == 'int':
            name = rules.camel(callback.name[:-len('_fn')])
            lines.append((name, callback.comment.summary, [(item.name, binding.value_type(item.c_type)) for item in seen]))
    for member in binding.members:
        if member.group():
            kinds = member.returns()
            if member.collects():
                kinds = [kind for _, kind in member.outs] + [f'List[{member.collects()}]']
            lines.append((group_name(member), f'What {member.place} gives.', list(zip(member.group(), kinds))))
    return lines


def error_classes(binding):
    lines = []
    for error in binding.surface.errors:
        name = rules.exception_name(error)
        lines += [f'class {name}(r.Error{BUILTIN.get(name, "")}):', quote(f'{error.text[:1].upper()}{error.text[1:]} (HN_{error.name}).', '    '), '',
                  f'    code = Code.{error.name}', '', '', f'r.Known.exceptions[Code.{error.name}] = {name}', '', '']
    return lines


def public_names(binding):
    names = ['Error', 'ClosedError', 'Handle', 'Snapshot', 'Word', 'Text', 'FUNCTIONS']
    names += [rules.exception_name(error) for error in binding.surface.errors]
    names += [rules.camel(name) for name in (*binding.surface.enums, *binding.surface.handles, *sorted(binding.snapshots))
              if name != 'hn_error']
    names += [name for name, _, _ in groups(binding)]
    names += [member.name for member in binding.members if not member.owner] + list(binding.surface.constants)
    return names


def module(binding):
    surface = binding.surface
    lines = [HEAD, '"""The classes and functions of hypernix, one for one as in the C headers."""', 'from __future__ import annotations', '',
             'import ctypes', 'from typing import Any, Callable, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Union', '',
             'from . import _runtime as r', 'from ._handles import Handle', 'from ._runtime import ClosedError, Error, Snapshot, Text, Word', '', '']
    lines += [enum_class(binding, enum) + '\n' for enum in surface.enums.values()]
    lines += ['r.Known.code = Code', '', ''] + error_classes(binding)
    lines += [f'{name} = {value}' for name, value in surface.constants.items()]
    for name, doc, fields in groups(binding):
        lines += ['', '', f'class {name}(NamedTuple):', quote(pythonic(binding, doc), '    '), ''] + [f'    {rules.safe(field)}: {kind}' for field, kind in fields]
    lines += ['', '']
    for struct in surface.structs.values():
        lines += [callback_kind(binding, f'{struct.name}_{field.name}', field.c_type, field.params, 'False')
                  for field in struct.fields if field.params is not None]
    for callback in surface.callbacks.values():
        several = len(binding.visible(callback)) > 1 and callback.result == 'int'
        lines.append(callback_kind(binding, callback.name, callback.result, callback.params,
                                   rules.camel(callback.name[:-3]) if several else ''))
    lines += ['', ''] + [struct_layout(binding, struct) + '\n' for struct in surface.structs.values()]
    late = []
    for name in sorted(binding.snapshots):
        text, fields = snapshot_class(binding, name)
        lines.append(text + '\n')
        late.append(fields)
    lines += [handle_class(binding, name) + '\n' for name in surface.handles if name != 'hn_error']
    for member in binding.members:
        if not member.owner:
            lines += definition(binding, member, 'function') + ['', '']
    lines += late + ['r.Known.fact = _C_hn_fact', '']
    bound = {member.function.name for member in binding.members}
    lines += [bare_prototype(binding, function) for function in surface.functions if function.name not in bound]
    lines += [prototype(binding, member) for member in binding.members]
    lines += ['r.library.hn_code_text.restype = ctypes.c_char_p', '', '# Where each function of the library is here; "-": used by the binding itself.',
              'FUNCTIONS = {'] + [f'    {name!r}: {place!r},' for name, place in sorted(binding.places.items())] + ['}', '']
    lines += [f'STRUCTS = {{{", ".join(f"{name!r}: _C_{name}" for name in surface.structs)}}}',
              f'ENUMS = {{{", ".join(f"{name!r}: {rules.camel(name)}" for name in surface.enums)}}}']
    lines += ['PROTOTYPES = {'] + [f'    {function.name!r}: {function.declaration!r},' for function in surface.functions] + ['}']
    lines += [f'VERSION = {surface.version!r}', '__all__ = [', *textwrap.wrap(', '.join(repr(name) for name in public_names(binding)), 110,
              initial_indent='    ', subsequent_indent='    '), ']', '']
    return re.sub(r'\n{4,}', '\n\n\n', '\n'.join(lines))


# ---- stubs, keys, where ----

def stub_lines(binding, member):
    indent = '    ' if member.owner else ''
    head = {'property': ['@property'], 'word': ['@property'], 'static': ['@staticmethod']}.get(member.kind, [])
    first = '' if member.kind in ('static', 'function') else 'self, '
    name = member.name
    lines = [indent + text for text in head]
    if member.collects() and not member.outs:
        given = [item for item in member.parameters()]
        plain = 'int' if member.result == 'number' else 'None'
        each = next(item[0] for slot in member.slots if slot.collects for item in slot.annotations)
        without = ', '.join([f'{item[0]}: {"None" if item[0] == each else item[1]}' + (f' = {item[2]}' if item[2] else '') for item in given])
        with_ = []
        for item in given:
            if item[0] == each:
                item = (item[0], item[1][len('Optional['):-1], None)
            with_.append((f'{item[0]}: {item[1]}', item[2]))
        star = any(default for _, default in with_)
        words = [text + (f' = {default}' if default else '') for text, default in with_]
        if star:
            position = next(index for index, (_, default) in enumerate(with_) if default)
            if any(default is None for _, default in with_[position:]):
                words.insert(position, '*')
        return [f'{indent}@overload'] + lines + [f'{indent}def {name}({(first + without).rstrip(", ")}) -> List[{member.collects()}]: ...',
                f'{indent}@overload'] + lines + [f'{indent}def {name}({(first + ", ".join(words)).rstrip(", ")}) -> {plain}: ...']
    gives = 'None' if member.kind == 'constructor' else answer(member)
    lines.append(f'{indent}def {name}({(first + signature(member)).rstrip(", ")}) -> {gives}: ...')
    for line in walk_definition(member, indent):
        if re.match(r'\s*(def |@staticmethod)', line):
            lines.append(line if line.strip().startswith('@') else line.rstrip() + ' ...')
    return lines


def shadowed(lines):
    """Inside a class that has a method `int`, the type is builtins.int."""
    own = {match.group(1) for line in lines for match in [re.match(r'\s+def (int|bool|object|bytes|str)\(', line)] if match}
    if not own:
        return lines
    pattern = re.compile(r'(?<!def )(?<!\.)\b(%s)\b(?!\s*:)' % '|'.join(own))
    return [pattern.sub(r'builtins.\1', line) for line in lines]


def stubs(binding):
    surface = binding.surface
    lines = [HEAD, 'import builtins', 'import enum', 'import os',
             'from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, TypeVar, Union, overload', '',
             'Text = Union[str, "os.PathLike[str]"]', '_H = TypeVar("_H", bound="Handle")', '__version__: str', 'FUNCTIONS: Dict[str, str]', '',
             'class Word(enum.IntEnum): ...  # type: ignore[misc]', 'class Snapshot: ...', '', 'class Handle:', '    @property', '    def closed(self) -> bool: ...',
             '    def close(self) -> None: ...', '    def __enter__(self: _H) -> _H: ...', '    def __exit__(self, *_: object) -> None: ...', '',
             'class Error(Exception):', '    code: Code', '    room: str', '    message: str', '    hint: Optional[str]',
             '    facts: Dict[str, Union[str, int]]', '    cause: Optional[Error]', '    @property', '    def name(self) -> str: ...', '    @property',
             '    def exit_status(self) -> int: ...', '', 'class ClosedError(Error, ValueError): ...', '']
    for error in surface.errors:
        name = rules.exception_name(error)
        lines.append(f'class {name}(Error{BUILTIN.get(name, "")}): ...')
    lines += [f'{name}: int' for name in surface.constants]
    for name, _, fields in groups(binding):
        lines += ['', f'class {name}(NamedTuple):'] + [f'    {rules.safe(field)}: {kind}' for field, kind in fields]
    for enum in surface.enums.values():
        lines += ['', f'class {rules.camel(enum.name)}(Word):'] + [f'    {member_name(enum, name)} = {value}' for name, value, _ in enum.members]
        for member in of_class(binding, rules.camel(enum.name)):
            lines += stub_lines(binding, member)
    for name in sorted(binding.snapshots):
        lines += ['', f'class {rules.camel(name)}(Snapshot):']
        fields = [field for field in surface.structs[name].fields if field.name != 'size' or not surface.structs[name].sized]
        kinds = [(rules.safe(field.name), binding.value_type(field.c_type)) for field in fields]
        lines.append('    def __init__(self, *, ' + ', '.join(f'{field}: {kind} = ...' for field, kind in kinds) + ') -> None: ...')
        for field, kind in kinds:
            lines += ['    @property', f'    def {field}(self) -> {kind}: ...']
        for member in of_class(binding, rules.camel(name)):
            lines += stub_lines(binding, member)
    for name in surface.handles:
        if name == 'hn_error':
            continue
        lines += ['', f'class {rules.camel(name)}(Handle):']
        own = [f'    def ref(self) -> {rules.camel(name)}: ...'] if name in binding.references else []
        for member in of_class(binding, rules.camel(name)):
            own += stub_lines(binding, member)
        lines += shadowed(own) or ['    ...']
    for member in binding.members:
        if not member.owner:
            lines += stub_lines(binding, member)
    return '\n'.join(lines) + '\n'


def keys(rows):
    lines = [HEAD, '"""The keys of a unit, as `hypernix.Key.all()` gives them with all their columns.', '']
    for row in rows:
        default = f', default {row["default_text"]}' if row['default_text'] else ''
        text = f'{row["type"].lower()}, {row["merge"].lower()}, {row["class_"].lower().replace("_", "-")}{default}: {row["doc"]}'
        lines.append(textwrap.fill(text, 108, initial_indent=row['name'] + '  ', subsequent_indent='    ').replace('\\', '\\\\'))
    return '\n'.join(lines + ['"""', '', 'NAMES = ('] + [f'    {row["name"]!r},' for row in rows] + [')', ''])


def where(soname, libdir):
    return f'{HEAD}"""Where meson was told to install the library."""\nSONAME = {soname!r}\nLIBDIR = {libdir!r}\n'


# ---- what the C compiler says ----

def layout(surface):
    """A C program: fails to compile when a signature here is not the header's, prints sizes otherwise."""
    lines = ['/* SPDX-License-Identifier: MIT', ' * Made by bindings/python/generate.py: prints what the compiler makes of the headers. */',
             '#include <hypernix/hypernix.h>', '#include <stdio.h>', '', 'int main(void)', '{']
    for function in surface.functions:
        kinds = [rules.strip_name(text) for text, _ in function.params]
        plain = [re.sub(r'\[\w*\]', '*', kind) for kind in kinds]
        lines.append(f'\t_Static_assert(__builtin_types_compatible_p(__typeof__(&{function.name}), {function.result} (*)({", ".join(plain) or "void"})),'
                     f' "{function.name}");')
        words = ' %zu' * len(plain)
        sizes = ', '.join(f'sizeof({kind})' for kind in plain)
        result = '(size_t)0' if function.result == 'void' else f'sizeof({function.result})'
        lines.append(f'\tprintf("function {function.name} %zu{words}\\n", {", ".join(filter(None, [result, sizes]))});')
    for struct in surface.structs.values():
        lines.append(f'\tprintf("struct {struct.name} %zu\\n", sizeof({struct.name}));')
        for field in struct.fields:
            lines.append(f'\tprintf("field {struct.name} {field.name} %zu %zu\\n", offsetof({struct.name}, {field.name}), '
                         f'sizeof((({struct.name} *)0)->{field.name}));')
    for enum in surface.enums.values():
        lines.append(f'\tprintf("enum {enum.name} %zu\\n", sizeof({enum.name}));')
        for name, _, _ in enum.members:
            lines.append(f'\tprintf("value {enum.name} {name} %d\\n", (int){name});')
    for name in surface.constants:
        lines.append(f'\tprintf("constant {name} %d\\n", HN_{name});')
    return '\n'.join(lines + ['\treturn 0;', '}', ''])
