#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the manual pages that are made from the public headers and tables, while building.

  pages.py man3 DIR DATE    a page for each public function, and hypernix(3), the list of them
  pages.py man7 DIR DATE    a page for each header; man/*.7.in filled in from errors.def, limits.def, verbs.def
"""
import glob
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'tests', 'style'))
import headers  # noqa: E402
import house  # noqa: E402

FILES = {'errors.def': 'include/hypernix/errors.def', 'limits.def': 'lib/base/limits.def', 'verbs.def': 'lib/base/verbs.def',
         'sandbox-profiles.def': 'lib/os/sandbox-profiles.def'}
SECTION = re.compile(r'^/\* ---- (.*?) ---- \*/$', re.M)
WIDTH = 78
FLAGS = {'M': 'changes something', 'F': 'fresh proof', 'R': 'reason required', 'S': 'audit log sealed first', 'Q': 'quorum'}


# ---- roff ----

def escape(text):
    """Text as roff wants it: what it would change stays as it is, no line begins with a control character."""
    text = text.replace('\\', '\\e').replace('-', '\\-').replace("'", '\\(aq').replace('`', '\\(ga')
    text = text.replace('^', '\\(ha').replace('~', '\\(ti')
    return re.sub(r'^\.', r'\\&.', text)


def quoted(text):
    return '"%s"' % escape(text).replace('"', '\\(dq')


def bold_codes(text):
    return re.sub(r'\b(HN_E[A-Z]+)\b', r'\\fB\1\\fR', escape(text))


def references(names):
    """A list of pages, "name (3)", with commas between them."""
    return [f'.BR {escape(name)} ({section}){" ," if at + 1 < len(names) else ""}' for at, (name, section) in enumerate(names)]


def head(name, section, about, date, version):
    return ['.\\" SPDX-License-Identifier: MIT', '.\\" Made from the headers by man/pages.py; do not edit.',
            f'.TH {escape(name)} {section} "{date}" "hypernix {version}" "hypernix library"',
            '.SH NAME', f'{escape(name)} \\- {escape(about)}']


def code(text):
    """Lines of C, as they stand in the header."""
    return ['.PP', '.in +4n', '.EX'] + [escape(line) for line in text.expandtabs(4).split('\n')] + ['.EE', '.in']


# ---- section 3 ----

def synopsis(function):
    """The declaration in lines that fit a terminal."""
    lines, opening = [], function.declaration.index('(', function.declaration.index(function.name)) + 1
    line = function.declaration[:opening]
    parts = headers.split_params(function.declaration[opening:function.declaration.rindex(')')]) or ['void']
    for at, part in enumerate(parts):
        part += function.declaration[function.declaration.rindex(')'):] if at + 1 == len(parts) else ','
        if len(line) + 1 + len(part) > WIDTH - 7 and line.strip():
            lines.append(line.rstrip())
            line = ' ' * 4
        line += part if line.endswith(('(', '    ')) else ' ' + part
    return [f'.B {quoted(text)}' for text in lines + [line]]


def room_of(header):
    return re.sub(r'^hypernix/(?:plugin/)?(\w+).*', r'\1', header)


def lower_first(text):
    """A summary as the NAME section has it: no capital unless it is an abbreviation, no full stop."""
    return (text if text[1:2].isupper() else text[:1].lower() + text[1:]).rstrip('.')


def function_page(function, functions, date, version):
    """One manual page from one comment."""
    comment = function.comment
    lines = head(function.name, 3, lower_first(comment.summary), date, version)
    lines += ['.SH SYNOPSIS', '.nf', f'.B #include <{function.header}>', '.PP'] + synopsis(function) + ['.fi']
    if comment.text:
        lines += ['.SH DESCRIPTION'] + '\n.PP\n'.join(escape(paragraph) for paragraph in comment.text).split('\n')
    if comment.params:
        lines.append('.SH PARAMETERS')
        for name, meaning in comment.params.items():
            lines += ['.TP', f'.I {name}', escape(meaning)]
    if comment.result:
        lines += ['.SH RETURN VALUE', bold_codes(comment.result)]
    lines += ['.SH ERRORS', bold_codes(comment.fields['Errors']), '.SH NOTES']
    for field in ('Threads', 'Blocks', 'Allocates', 'Source'):
        if field in comment.fields:
            lines += ['.TP', f'.B {field}', escape(comment.fields[field])]
    lines += ['.SH HISTORY', f'Since hypernix {function.since}.', '.SH SEE ALSO']
    beside = [item.name for item in functions if item.header == function.header and item is not function and
              item.name.split('_')[1] == function.name.split('_')[1]]
    also = [('hypernix', 3), ('hypernix-errors', 7), (f'hypernix-{room_of(function.header)}', 7)]
    return lines + references(also + [(name, 3) for name in beside[:8]])


def index_page(functions, date, version):
    lines = head('hypernix', 3, 'tags, policies and units of virtual machines, resolved, explained and run', date, version)
    lines += ['.SH SYNOPSIS', '.nf', '.B #include <hypernix/hypernix.h>', '.PP',
              'cc program.c $(pkg\\-config \\-\\-cflags \\-\\-libs hypernix)', '.fi', '.SH DESCRIPTION',
              'These are the functions of the library, header by header.', '.BR hypernix (7)',
              'says what all of them have in common.']
    for header in sorted({function.header for function in functions}):
        lines.append(f'.SH FUNCTIONS OF {header.upper()}')
        for function in functions:
            if function.header == header:
                lines += ['.TP', f'.BR {function.name} (3)', f'{escape(function.comment.summary)} Since {function.since}.']
    return lines + ['.SH SEE ALSO'] + references([('hypernix', 7), ('hypernix-errors', 7), ('hv-compute', 1)])


def man3(root, date, version):
    functions = [item for item in headers.everything(root)[0] if item.comment and 'Errors' in item.comment.fields]
    pages = {'hypernix.3': index_page(functions, date, version)}
    for function in functions:
        pages[f'{function.name}.3'] = function_page(function, functions, date, version)
    return pages


# ---- section 7: one page a room ----

def items_of(root, path):
    """What a header offers, in its order: (line, lines of roff)."""
    functions, types = headers.parse(root, path)
    found = []
    for item in types + headers.callbacks(root, path):
        if item.comment and not (item.definition.count('{') == 0 and 'struct' in item.definition and
                                 any(other.name == item.name and '{' in other.definition for other in types)):
            found.append((item.line, ['.TP', f'.B {item.name}', escape(item.comment.summary)] + shown(item)))
    for function in functions:
        if function.comment:
            found.append((function.line, ['.TP', f'.BR {function.name} (3)', escape(function.comment.summary)]))
    for match in SECTION.finditer(house.read(root, path)):
        found.append((house.line_of(house.read(root, path), match.start()), [f'.SS {quoted(match.group(1))}']))
    return [lines for _, lines in sorted(found, key=lambda item: item[0])]


def shown(item):
    """The definition of a type, unless all that it says is that there is one."""
    opaque = item.definition.startswith('typedef struct') and '{' not in item.definition
    return ['Opaque.'] if opaque else ['.RS'] + code(item.definition) + ['.RE']


def room_page(root, room, paths, date, version):
    abouts = [headers.about(root, path) for path in paths]
    first = re.split(r'(?<=\.) ', abouts[0])[0]
    lines = head(f'hypernix-{room}', 7, lower_first(first), date, version)
    lines += ['.SH SYNOPSIS', f'.B #include <hypernix/{room}.h>', '.SH DESCRIPTION']
    for path, about in zip(paths, abouts):
        if path != paths[0]:
            lines.append(f'.SH {path.removeprefix("include/").upper()}')
        lines += [escape(sentence) for sentence in re.split(r'(?<=\.) ', about)]
        if path == paths[0]:
            lines.append('.SH CONTENTS')
        for item in items_of(root, path):
            lines += item
    return lines + ['.SH SEE ALSO'] + references([('hypernix', 7), ('hypernix-errors', 7), ('hypernix', 3)])


def rooms(root):
    """{room: its headers}, the one that includes the others first."""
    found = {}
    for path in headers.public_headers(root):
        found.setdefault(room_of(path.removeprefix('include/')), []).append(path)
    return {room: sorted(paths, key=lambda path: (path.count('/'), path != f'include/hypernix/{room}.h', path))
            for room, paths in found.items()}


# ---- section 7: what is filled into man/*.7.in ----

def table(root, name, pattern):
    rows = re.findall(pattern, house.read(root, FILES[name]), re.M)
    if not rows:
        raise SystemExit(f'{FILES[name]}: no row found')
    return rows


def users(functions, wanted):
    """Which functions have the word in a field: their pages, or how many there are."""
    names = [function.name for function in functions if function.comment and wanted(function.comment)]
    if not names:
        return []
    if len(names) > 12:
        return [f'{len(names)} functions.']
    return [line + ('' if at + 1 < len(names) else ' .') for at, line in enumerate(references([(name, 3) for name in names]))]


def fill_errors(root, functions):
    lines = []
    for name, number, text, status, graphql in table(
            root, 'errors.def', r'^HN_ERROR\((\w+), (-\d+), "([^"]+)", (\d+), "(\w+)"\)'):
        lines += ['.TP', f'.B HN_{name}', f'{escape(text[:1].upper() + text[1:])}.',
                  f'Number {escape(number)}; exit status {status}; {escape(graphql)} in GraphQL.']
        given = users(functions, lambda comment, code=name: re.search(rf'\bHN_{code}\b', comment.fields.get('Errors', '')))
        lines += ['.br', 'Given by'] + given if given else []
    return lines


def fill_statuses(root, functions):
    text = headers.about(root, FILES['errors.def'])
    lines = []
    for number, meaning in re.findall(r'(\d+) ([^;]+)', re.search(r'Exit statuses: (.*?)\.(?: |$)', text).group(1)):
        lines += ['.TP', number, escape(meaning) + '.']
    return lines


def fill_limits(root, functions):
    lines = []
    for name, value, unit, what in table(root, 'limits.def', r'^HN_LIMIT\((\w+), (\d+), "([^"]+)", "([^"]+)"\)'):
        lines += ['.TP', f'.B {name}', f'{value} {escape(unit)}: {escape(what)}.']
    return lines


def fill_verbs(root, functions):
    lines = []
    for text, flags in table(root, 'verbs.def', r'^HN_VERB\(\w+, "([\w.]+)", ([^)]*)\)'):
        meanings = [FLAGS[flag] for flag in flags.split(' | ') if flag in FLAGS]
        given = users(functions, lambda comment, verb=text: re.search(rf'\b{re.escape(verb)}\b', comment.params.get('session', '')))
        lines += ['.TP', f'.B {text}', (', '.join(meanings)[:1].upper() + ', '.join(meanings)[1:] if meanings else 'Reads') + '.']
        lines += ['.br', 'Needed by'] + given if given else []
    return lines


def fill_rooms(root, functions):
    lines = []
    for room, paths in rooms(root).items():
        lines += ['.TP', f'.BR hypernix\\-{room} (7)'] + [escape(headers.about(root, paths[0]))]
    return lines


def fill_profiles(root, functions):
    lines = []
    for name, what, rest in re.findall(r'^SANDBOX_PROFILE\((\w+), "([^"]+)",\s*(.*?)\)$',
                                       house.read(root, FILES['sandbox-profiles.def']), re.M | re.S):
        sets, kept, *limits = [part.strip() for part in rest.split(',')]
        lines += ['.TP', f'.B HN_SANDBOX_{name}', escape(what[:1].upper() + what[1:]) + '.',
                  'System calls: ' + ', '.join(re.findall(r'SET.(\w+)', sets)) + '.']
        kept = re.findall(r'CAP.(\w+)', kept)
        lines += [f'Capabilities kept, if it has them: {escape(", ".join("CAP_" + item for item in kept))}.'] if kept else []
        said = [text.format(limit) for text, limit in zip(
            ('{} s of CPU time', '{} MiB of memory', 'files of {} MiB', '{} descriptors', '{} processes more'), limits) if limit != 'AS_IS']
        lines += [f'At most {", ".join(said)}.'] if said else []
    return lines


def condition(call, argument, mask, value):
    where = f'argument {int(argument) + 1}'
    mask, value = (text.replace('SANDBOX_PR_', 'PR_').replace('SANDBOX_SELF', 'its own process').replace(
        'SANDBOX_NAMESPACES', 'all flags of namespaces') for text in (mask, value))
    if mask == 'SANDBOX_ALL':
        return f'{call}, {where} is {value}'
    return f'{call}, {where} has of {mask} {"none" if value == "0" else value}'


def fill_calls(root, functions):
    text, lines = house.read(root, FILES['sandbox-profiles.def']), []
    for name, what, calls in re.findall(r'^SANDBOX_SET\((\w+), "([^"]+)",\s*((?:"[^"]*"\s*)+)\)$', text, re.M):
        lines += ['.TP', f'.B {name}', escape(what[:1].upper() + what[1:]) + ':',
                  escape(', '.join(''.join(re.findall(r'"([^"]*)"', calls)).split())) + '.']
        conditions = [condition(*(part.strip() for part in row.split(',')))
                      for row in re.findall(rf'^SANDBOX_IF\({name}, (.*)\)$', text, re.M)]
        lines += ['.br', 'With a condition: ' + escape('; '.join(conditions)) + '.'] if conditions else []
        answers = [f'{call} ({error})' for call, error in re.findall(rf'^SANDBOX_ANSWER\({name}, (\w+), (\w+)\)$', text, re.M)]
        lines += ['.br', 'Answered with an error instead of killing: ' + escape(', '.join(answers)) + '.'] if answers else []
    return lines


FILLS = {'errors': fill_errors, 'statuses': fill_statuses, 'limits': fill_limits, 'verbs': fill_verbs, 'rooms': fill_rooms,
         'profiles': fill_profiles, 'calls': fill_calls}


def filled(root, path, date, version):
    """A page of man/*.7.in: each line `.\\" made here: WORD` stands for what is made."""
    functions, _ = headers.everything(root)
    lines = []
    for line in house.read(root, path).replace('@DATE@', date).replace('@VERSION@', version).splitlines():
        made = re.match(r'\.\\" made here: (\w+)$', line)
        lines += FILLS[made.group(1)](root, functions) if made else [line]
    return lines


def man7(root, date, version):
    pages = {f'hypernix-{room}.7': room_page(root, room, paths, date, version) for room, paths in rooms(root).items()}
    for path in sorted(glob.glob(os.path.join(root, 'man', '*.7.in'))):
        pages[os.path.basename(path)[:-3]] = filled(root, os.path.relpath(path, root), date, version)
    return pages


def write(root, section, target, date):
    version = re.search(r"version: '([\d.]+)'", house.read(root, 'meson.build')).group(1)
    os.makedirs(target, exist_ok=True)
    for old in glob.glob(os.path.join(target, f'*.{section[-1]}')):
        os.unlink(old)
    for name, lines in {'man3': man3, 'man7': man7}[section](root, date, version).items():
        house.write(target, name, '\n'.join(lines) + '\n')


if __name__ == '__main__':
    write(house.ROOT, *sys.argv[1:])
