# SPDX-License-Identifier: MIT
"""Reads the public headers: functions, types and their doc comments. What api.py, verbs.py, map.py and the
manual pages know about the API, they know from here."""
import os
import re

import house

FIELDS = ('Errors', 'Threads', 'Blocks', 'Allocates', 'Since', 'Source')
REQUIRED = FIELDS[:-1]
TOKENS = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'', re.S)
COMMENT = re.compile(r'/\*.*?\*/', re.S)


class Comment:
    """One /** */ comment in the dialect of CONTRIBUTING.md."""

    def __init__(self, text):
        lines = [re.sub(r'^\s*\* ?', '', line).rstrip() for line in text[3:-2].strip('\n').split('\n')]
        self.summary, self.params, self.result, self.fields, self.order, self.text = '', {}, None, {}, [], []
        current = None
        for line in lines:
            line = line.strip()
            tag = re.match(r'@(param|return)\s+(.*)', line)
            field = re.match(r'(%s):\s*(.*)' % '|'.join(FIELDS), line)
            if tag and tag.group(1) == 'param':
                name, _, rest = tag.group(2).partition(' ')
                self.params[name] = rest.strip()
                self.order.append('@param')
                current = ('params', name)
            elif tag:
                self.result = tag.group(2)
                self.order.append('@return')
                current = ('result', None)
            elif field:
                self.fields[field.group(1)] = field.group(2)
                self.order.append(field.group(1))
                current = ('fields', field.group(1))
            elif not line:
                current = ('text', None)
                self.text.append('')
            else:
                self.extend(current, line)
        self.text = [paragraph for paragraph in self.text if paragraph]

    def extend(self, current, line):
        kind, name = current or ('summary', None)
        if kind == 'summary':
            self.summary = f'{self.summary} {line}'.strip()
        elif kind == 'result':
            self.result = f'{self.result} {line}'
        elif kind == 'text':
            self.text[-1] = f'{self.text[-1]} {line}'.strip()
        else:
            getattr(self, kind)[name] = f'{getattr(self, kind)[name]} {line}'.strip()


class Function:
    def __init__(self, header, line, declaration, comment):
        self.header, self.line, self.comment = header, line, comment
        self.declaration = ' '.join(COMMENT.sub(' ', declaration).removeprefix('HN_API').split())
        match = re.match(r'(.*?)\b(hn_\w+)\s*\((.*)\)\s*(?:__attribute__.*)?;?$', self.declaration)
        if not match:
            raise SystemExit(f'{header}:{line}: cannot read this declaration: {self.declaration}')
        self.result, self.name = match.group(1).strip(), match.group(2)
        self.params = [parameter(text) for text in split_params(match.group(3))]

    @property
    def since(self):
        return self.comment.fields.get('Since', '').rstrip('.') if self.comment else ''

    def takes(self, type_name):
        return any(re.search(r'\b%s\b' % type_name, text) for text, _ in self.params)


class Type:
    def __init__(self, header, line, name, comment, definition=''):
        self.header, self.line, self.name, self.comment, self.definition = header, line, name, comment, definition


def split_params(text):
    parts, depth, part = [], 0, ''
    for char in text:
        depth += (char == '(') - (char == ')')
        if char == ',' and depth == 0:
            parts.append(part.strip())
            part = ''
        else:
            part += char
    parts.append(part.strip())
    return [] if parts in ([''], ['void']) else parts


def parameter(text):
    """(text, name) of one parameter, also of `char out[32]` and `void (*fn)(void *)`."""
    match = re.search(r'\(\s*\*\s*(\w+)\s*\)', text) or re.search(r'(\w+)\s*(?:\[[^\]]*\])?$', text)
    return text, match.group(1) if match else '...'


def blank(text):
    """The text with comments and literals blanked out, same length and lines."""
    return TOKENS.sub(lambda match: re.sub(r'[^\n]', ' ', match.group()), text)


def comment_above(text, offset):
    """The /** */ comment that ends directly above offset, or None."""
    before = text[:offset].rstrip()
    if not before.endswith('*/'):
        return None
    start = before.rfind('/*')
    if not before.startswith('/**', start) or text[start + len(before[start:]):offset].count('\n') > 1:
        return None
    return Comment(before[start:])


def parse(root, path):
    text = house.read(root, path)
    code = blank(text)
    header = path.removeprefix('include/')
    functions, types = [], []
    for match in re.finditer(r'^HN_API\b[^;{]*;', code, re.M):
        functions.append(Function(header, house.line_of(text, match.start()), text[match.start():match.end()],
                                  comment_above(text, match.start())))
    for match in re.finditer(r'^typedef\s+(struct|enum)\s+(\w+)', code, re.M):
        types.append(Type(header, house.line_of(text, match.start()), match.group(2), comment_above(text, match.start()),
                          text[match.start():end_of_declaration(code, match.start())]))
    return functions, types


def callbacks(root, path):
    """The function types of a header."""
    text = house.read(root, path)
    code = blank(text)
    return [Type(path.removeprefix('include/'), house.line_of(text, match.start()), match.group(1), comment_above(text, match.start()),
                 text[match.start():end_of_declaration(code, match.start())])
            for match in re.finditer(r'^typedef\s+(?!struct|enum)[^;(]*\(\*(\w+)\)', code, re.M)]


def end_of_declaration(code, start):
    """Where the declaration that begins at start ends, with its semicolon."""
    depth = 0
    for offset in range(start, len(code)):
        depth += (code[offset] == '{') - (code[offset] == '}')
        if code[offset] == ';' and depth == 0:
            return offset + 1
    return len(code)


def about(root, path):
    """What the comment at the head of a file says, as one text without the licence."""
    comment = COMMENT.match(house.read(root, path))
    lines = [line.strip(' */') for line in comment.group().splitlines()] if comment else []
    return ' '.join(line for line in lines if line and not line.startswith('SPDX'))


def public_headers(root):
    return [path for path in house.sources(root, '.h', under=('include',)) if not path.endswith('/hypernix.h')]


def everything(root):
    functions, types = [], []
    for path in public_headers(root):
        more_functions, more_types = parse(root, path)
        functions += more_functions
        types += more_types
    return functions, types
