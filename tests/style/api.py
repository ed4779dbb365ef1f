#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every public function and type has the header comment of CONTRIBUTING.md; lib/hypernix.map and the manual
pages of section 3 (man/pages.py) are made from these comments.

  api.py          check
  api.py --map    rewrite lib/hypernix.map
  api.py --since  print the table of functions by release
"""
import re
import sys

import headers
import house

MAP = 'lib/hypernix.map'


def error_names(root):
    return set(re.findall(r'^HN_ERROR\((\w+)', house.read(root, 'include/hypernix/errors.def'), re.M))


def versions(root):
    """Releases that may stand after `Since:`: those in meson.build and before it, as the map knows them."""
    project = re.search(r"version: '(\d+\.\d+)", house.read(root, 'meson.build'))
    named = re.findall(r'HYPERNIX_(\d+\.\d+)', house.read(root, MAP))
    return set(named) | ({project.group(1)} if project else set())


def check_function(function, codes, known, report):
    def wrong(message):
        report('include/' + function.header, function.line, f'{function.name}: {message}')

    comment = function.comment
    if not comment:
        wrong('no /** */ comment directly above: see CONTRIBUTING.md for its fields')
        return
    if not comment.summary.endswith('.'):
        wrong('the comment begins with one sentence and its full stop, then an empty line')
    names = [name for _, name in function.params]
    for name in names:
        if name not in comment.params:
            wrong(f'no "@param {name}": say meaning, unit, shape and owner')
        elif not comment.params[name]:
            wrong(f'"@param {name}" says nothing')
    for name in comment.params:
        if name not in names:
            wrong(f'"@param {name}" is not a parameter; they are: {" ".join(names) or "none"}')
    if function.result != 'void' and not comment.result:
        wrong('no "@return"')
    for field in headers.REQUIRED:
        if not comment.fields.get(field):
            wrong(f'no "{field}:"')
    check_order(comment, wrong)
    for code in re.findall(r'\bHN_(E[A-Z]+)\b', comment.fields.get('Errors', '')):
        if code not in codes:
            wrong(f'Errors: HN_{code} is not in errors.def')
    if function.since and function.since not in known:
        wrong(f'Since: {function.since} is no release; they are: {" ".join(sorted(known))}')


def check_order(comment, wrong):
    rank = ('@param', '@return') + headers.FIELDS
    order = [rank.index(item) for item in comment.order]
    if order != sorted(order):
        wrong('the fields stand in the order ' + ', '.join(rank))


def check(root, build, report):
    functions, types = headers.everything(root)
    codes, known = error_names(root), versions(root)
    seen = {}
    for function in functions:
        check_function(function, codes, known, report)
        if function.name in seen:
            report('include/' + function.header, function.line, f'{function.name} is also declared in {seen[function.name]}')
        seen[function.name] = function.header
    documented = {item.name for item in types if item.comment}
    for item in types:
        if item.name not in documented:
            report('include/' + item.header, item.line, f'{item.name}: no "/** One sentence. */" directly above')
        elif item.comment and not item.comment.summary.endswith('.'):
            report('include/' + item.header, item.line, f'{item.name}: the comment is a sentence with a full stop')
    if not functions:
        report('include/hypernix', 1, 'no HN_API declaration found')


def version_map(functions):
    """The text of lib/hypernix.map: one node a release, chained, each symbol by name."""
    releases = {}
    for function in functions:
        releases.setdefault(function.since or '0.1', []).append(function.name)
    text, previous = '', ''
    for release in sorted(releases, key=lambda item: [int(part) for part in item.split('.')]):
        local = '' if previous else 'local:\n\t*;\n'
        names = ''.join(f'\t{name};\n' for name in sorted(releases[release]))
        text += ('\n' if text else '') + f'HYPERNIX_{release} {{\nglobal:\n{names}{local}}}{previous};\n'
        previous = f' HYPERNIX_{release}'
    return text


def options(parser):
    parser.add_argument('--map', action='store_true', help='rewrite lib/hypernix.map from the headers')
    parser.add_argument('--since', action='store_true', help='print which release brought which function')

    def answer(given):
        functions, _ = headers.everything(given.root)
        if given.map:
            house.write(given.root, MAP, version_map(functions))
        elif given.since:
            for function in sorted(functions, key=lambda item: (item.since, item.name)):
                print(f'{function.since or "?":5} {function.name:32} {function.header}')
        else:
            return None
        return 0
    return answer


DOC = '''/**
 * Does nothing of note.
 *
 * @param x  a number, no unit
 * @return 0
 * Errors: none
 * Threads: any
 * Blocks: no
 * Allocates: no
 * Since: 0.1
 */
HN_API int hn_untried(int x);
'''


def with_doc(old, new):
    """Adds a well-made declaration with one thing broken."""
    assert old in DOC
    return lambda root: house.append(root, 'include/hypernix/base.h', DOC.replace(old, new, 1))


BREAKS = [
    ('a function without a comment', lambda root: house.append(root, 'include/hypernix/base.h', 'HN_API int hn_untried(int x);\n')),
    ('no full stop', with_doc('of note.', 'of note')),
    ('a parameter is missing', with_doc(' * @param x  a number, no unit\n', '')),
    ('a parameter that is none', with_doc('@param x', '@param y')),
    ('no @return', with_doc(' * @return 0\n', '')),
    ('an error that is not in the table', with_doc('Errors: none', 'Errors: HN_EWHATEVER when asked')),
    ('fields in another order', with_doc(' * Threads: any\n * Blocks: no\n', ' * Blocks: no\n * Threads: any\n')),
    ('a release that never was', with_doc('Since: 0.1', 'Since: 7.3')),
    ('a struct without a comment', lambda root: house.append(root, 'include/hypernix/base.h', 'typedef struct hn_bare {\n\tint x;\n} hn_bare;\n')),
] + [(f'no {field}:', with_doc(f' * {field}: ', f' * No{field}: ')) for field in headers.REQUIRED]

if __name__ == '__main__':
    sys.exit(house.main(check, BREAKS, options))
