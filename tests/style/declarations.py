# SPDX-License-Identifier: MIT
"""What headers.py leaves out, for bindings: the inside of structs and enums, callbacks, constants, the
tables of errors and of keys. Functions and doc comments come from headers.py itself."""
import ast
import re

import headers
import house


class Field:
    """One field of a struct, or one parameter of a callback: C type without its name, name, comment."""

    def __init__(self, c_type, name, doc='', params=None):
        self.c_type, self.name, self.doc, self.params = c_type, name, doc, params


class Struct:
    def __init__(self, header, name, comment, fields):
        self.header, self.name, self.comment, self.fields = header, name, comment, fields

    @property
    def sized(self):
        return bool(self.fields) and (self.fields[0].name, self.fields[0].c_type) == ('size', 'uint32_t')


class Enum:
    def __init__(self, header, name, comment, members):
        self.header, self.name, self.comment, self.members = header, name, comment, members


class Callback:
    def __init__(self, header, name, comment, result, params):
        self.header, self.name, self.comment, self.result, self.params = header, name, comment, result, params


class Surface:
    """All that the public headers declare, by name; method tables for plug-ins in C are left out."""

    def __init__(self, root):
        functions, _ = headers.everything(root)
        self.functions = [item for item in functions if 'plugin/' not in item.header]
        self.structs, self.enums, self.callbacks, self.handles, self.constants, self.initial = {}, {}, {}, {}, {}, {}
        self.errors = errors(root)
        for path in headers.public_headers(root):
            if 'plugin/' not in path:
                self.read(house.read(root, path), path[len('include/'):])
        self.version = re.search(r"version: '([\d.]+)'", house.read(root, 'meson.build')).group(1)

    def read(self, text, header):
        code = headers.blank(text)
        for match in re.finditer(r'^typedef\s+(struct|enum)\s+(\w+)\s*(\{|\2\s*;)', code, re.M):
            kind, name, rest = match.groups()
            comment = headers.comment_above(text, match.start())
            if rest != '{':
                self.handles.setdefault(name, comment)
                continue
            end = code.index('\n}' if '\n' in code[match.end():code.index('}', match.end())] else '}', match.end())
            body, raw = code[match.end():end], text[match.end():end]
            if kind == 'struct':
                self.structs[name] = Struct(header, name, comment, fields(body, raw))
            else:
                self.enums[name] = Enum(header, name, comment, self.members(body, raw))
        for match in re.finditer(r'^typedef\s+([^;{(]+)\(\s*\*\s*(\w+)\s*\)\s*\(([^;]*)\)\s*;', code, re.M):
            result, name, params = (' '.join(part.split()) for part in match.groups())
            self.callbacks[name] = Callback(header, name, headers.comment_above(text, match.start()), result,
                                            parameters(params))
        for match in re.finditer(r'^#define[ \t]+HN_(\w+)[ \t]+(\d+)[ \t]*(?:/\*.*)?$', text, re.M):
            self.constants[match.group(1)] = int(match.group(2))
        for match in re.finditer(r'^#define[ \t]+HN_(\w+)_INIT\b((?:[^\n]*\\\n)*[^\n]*)', text, re.M):
            self.initial['hn_' + match.group(1).lower()] = dict(re.findall(r'\.(\w+) = (-?\d+)', match.group(2)))

    def members(self, body, raw):
        if 'errors.def' in raw:
            return [('HN_OK', 0, 'success')] + [('HN_' + row.name, row.number, row.text) for row in self.errors]
        found, number, start = [], 0, 0
        for piece in re.finditer(r'[^,]*(?:,|$)', body):
            word = re.search(r'(\w+)\s*(?:=\s*(-?\w+))?', piece.group())
            if not word:
                continue
            number = int(word.group(2), 0) if word.group(2) else number
            following = raw[start + word.end():]
            doc = re.match(r'[\s,]*(?:/\*(.*?)\*/)?', following, re.S).group(1) if word.group(1) else ''
            found.append((word.group(1), number, clean(doc)))
            number, start = number + 1, piece.end()
        return found


class Error:
    def __init__(self, name, number, text, exit_status, graphql):
        self.name, self.number, self.text, self.exit_status, self.graphql = name, number, text, exit_status, graphql


def errors(root):
    rows = re.findall(r'^HN_ERROR\((\w+), (-\d+), "([^"]*)", (\d+), "(\w+)"\)',
                      house.read(root, 'include/hypernix/errors.def'), re.M)
    return [Error(name, int(number), text, int(status), graphql) for name, number, text, status, graphql in rows]


KEY_COLUMNS = ('id', 'name', 'type', 'merge', 'class_', 'redact', 'reach', 'default_text', 'range', 'special', 'condition', 'doc', 'since')


def keys(root):
    """The rows of keys.def as dictionaries."""
    text = headers.COMMENT.sub('', house.read(root, 'lib/tags/keys.def'))
    found = []
    for match in re.finditer(r'HN_KEY\(((?:[^"()]|"(?:\\.|[^"\\])*")*)\)', text):
        cells, cell = [], []
        for token in re.findall(r'"(?:\\.|[^"\\])*"|[\w-]+|,', match.group(1)) + [',']:
            if token == ',':
                cells.append(None if cell == ['NULL'] else ''.join(
                    ast.literal_eval(piece) if piece[0] == '"' else piece for piece in cell))
                cell = []
            else:
                cell.append(token)
        found.append(dict(zip(KEY_COLUMNS, cells)))
    return found


def clean(comment):
    return ' '.join(re.sub(r'^\s*\*(?!/)', ' ', comment or '', flags=re.M).replace('/*', ' ').replace('*/', ' ').split())


def parameters(text):
    found = []
    for part in headers.split_params(text):
        whole, name = headers.parameter(part)
        found.append(Field(normal(re.sub(r'\b%s\b' % re.escape(name), '', whole, count=1)), name))
    return found


def normal(c_type):
    """`const char * const*` and the like in one spelling: `const char *const *`."""
    words = ' '.join(re.findall(r'\w+|\*|\[\w*\]', c_type))
    return re.sub(r'\* (?=\*|const)', '*', words).strip()


def fields(body, raw):
    """The fields of a struct; a comment on the line of a field, or before it, is its doc."""
    found, start = [], 0
    for match in re.finditer(r'[^;]*;', body):
        code = ' '.join(match.group()[:-1].split())
        before = ' '.join(headers.COMMENT.findall(raw[start:match.end()]))
        after = re.match(r'[ \t]*(/\*.*?\*/)?', raw[match.end():], re.S).group(1) or ''
        start = match.end() + raw[match.end():].find(after) + len(after) if after else match.end()
        doc = clean(before + ' ' + after)
        pointer = re.match(r'(.*?)\(\s*\*\s*(\w+)\s*\)\s*\((.*)\)$', code)
        if pointer:
            found.append(Field(normal(pointer.group(1)), pointer.group(2), doc, parameters(pointer.group(3))))
            continue
        first, *others = code.split(',')
        base = re.match(r'((?:const\s+)?\w+)', first).group(1)
        for declarator in [first[len(base):]] + others:
            name, array = re.search(r'(\w+)\s*(\[\w+\])?\s*$', declarator).groups()
            found.append(Field(normal(f'{base} {declarator[:declarator.rindex(name)]} {array or ""}'), name, doc))
    return found
