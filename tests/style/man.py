#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The manual: every exported symbol has a page, no page refers to one that is not there, and groff and mandoc
format each, written or made while building, without one warning."""
import glob
import os
import re
import shutil
import sys
import tempfile

import headers
import house
import map as symbols

NEEDED = {'1': ('NAME', 'SYNOPSIS', 'DESCRIPTION', 'EXIT STATUS', 'EXAMPLES'), '3': ('NAME', 'SYNOPSIS'),
          '5': ('NAME', 'DESCRIPTION', 'EXAMPLES'), '7': ('NAME', 'DESCRIPTION')}
RULES = 'man/meson.build'
OURS = re.compile(r'(?:hn_|hv-|hypernix)')
GROFF = ('groff', '-ww', '-man', '-t', '-K', 'utf8', '-T', 'utf8', '-z')
MANDOC = ('mandoc', '-Tlint', '-Wwarning')


def make_pages(root, folder):
    """Makes the pages of the headers anew, so that what is checked is what the headers say now."""
    date = re.search(r"man_date = '([\d-]+)'", house.read(root, RULES))
    if not date:
        raise SystemExit(f'{RULES}: no man_date')
    for section in ('man3', 'man7'):
        status, text = house.run(sys.executable, os.path.join(root, 'man/pages.py'), section, folder, date.group(1))
        if status:
            raise SystemExit(f'man/pages.py {section}: {text}')
    return date.group(1)


def pages(root, build, folder):
    """{file: how a finding names it} of all pages."""
    found = {path: os.path.relpath(path, root) for path in glob.glob(os.path.join(root, 'man', '*.[1-8]'))}
    found.update({path: os.path.basename(path) for path in glob.glob(os.path.join(folder, '*.[1-8]'))})
    if build:
        found.update({path: os.path.basename(path) for path in glob.glob(os.path.join(build, 'man', '*.[1-8]'))})
    return found


def check(root, build, report):
    with tempfile.TemporaryDirectory(prefix='hn-man-') as folder:
        date = make_pages(root, folder)
        found = pages(root, build, folder)
        texts = {name: house.read('/', path) for path, name in found.items()}
        check_complete(root, {os.path.basename(path) for path in found}, report)
        for name, text in texts.items():
            check_text(name, text, date, report)
        check_references(texts, build, report)
        lint(GROFF, found, report)
        if shutil.which(MANDOC[0]):
            lint(MANDOC, found, report)


def check_complete(root, names, report):
    for symbol, (_, line) in symbols.mapped(root).items():
        if f'{symbol}.3' not in names:
            report(symbols.MAP, line, f'{symbol} is exported and has no manual page: has it its comment in a public header?')
    rules = house.read(root, RULES)
    for path in headers.public_headers(root) + [os.path.relpath(path, root) for path in glob.glob(os.path.join(root, 'man/*.7.in'))]:
        if not re.search(rf"'(?:\.\./)?{re.escape(path.removeprefix('man/'))}'", rules):
            report(RULES, 1, f'{path} is not named, so a change of it does not make its page anew')


def check_text(name, text, date, report):
    for section in NEEDED.get(name[-1], ()):
        if not re.search(r'^\.SH "?%s"?\s*$' % section, text, re.M | re.I):
            report(name, 1, f'no section {section}')
    if not re.search(r'^\.TH .*"%s"' % date, text, re.M):
        report(name, 1, f'the date in .TH is not {date}, that of {RULES}')
    if re.search(r'^\.BR? hypernix\\-\w+ \(7\)\n\.TP|^\.SH NAME\n\S+ \\- *$', text, re.M):
        report(name, 1, 'a header does not say at its head what it is for')


def check_references(texts, build, report):
    there = {os.path.basename(name) for name in texts} | (set() if build else {'hypernix-keys.7'})
    for name, text in texts.items():
        for match in re.finditer(r'([\w\\-]+)(?:\\fR)? ?\((\d)\)', text):
            page = match.group(1).replace('\\-', '-').removeprefix('fB') + '.' + match.group(2)
            if OURS.match(page) and page not in there:
                report(name, house.line_of(text, match.start()), f'refers to {page[:-2]}({page[-1]}), which is not there')


def lint(command, found, report):
    """Runs a formatter over the pages; it prints FILE:LINE: for each warning. A page with a table is formatted by itself, as
    people read it: what stood before it would decide where the table meets the end of a sheet."""
    tables = {path for path in found if '\n.TS' in house.read('/', path)}
    runs = [sorted(set(found) - tables)] + [[path] for path in sorted(tables)]
    output = '\n'.join(house.run(*command, *paths)[1] for paths in runs)
    for line in filter(None, output.splitlines()):
        place = re.match(r'(?:\w+: )?(/.*?):(\d+):(?:\d+:)? (.*)', line)
        report(found.get(place.group(1), place.group(1)) if place else command[0], int(place.group(2)) if place else 1,
               f'{command[0]}: {place.group(3) if place else line}')


def page(path, text):
    head = '.TH x 7 "%s"\n.SH NAME\nx \\- y\n'
    return lambda root: house.write(root, path, head % re.search(r"man_date = '([\d-]+)'", house.read(root, RULES)).group(1) + text)


BREAKS = [
    ('an unknown macro', page('man/x.7', '.SH DESCRIPTION\n.XX\n')),
    ('a page without a description', page('man/x.7', '')),
    ('a program page without exit statuses', page('man/x.1', '.SH SYNOPSIS\nx\n.SH DESCRIPTION\nx\n.SH EXAMPLES\nx\n')),
    ('a page of another day', lambda root: house.write(root, 'man/x.7', '.TH x 7 "1999-12-31"\n.SH NAME\nx \\- y\n.SH DESCRIPTION\nx\n')),
    ('a reference into the void', page('man/x.7', '.SH DESCRIPTION\nSee\n.BR hn_untried (3).\n')),
    ('an exported function without a page', lambda root: house.replace(root, symbols.MAP, 'global:\n', 'global:\n\thn_untried;\n')),
    ('a header that the rules do not name', lambda root: house.write(root, 'include/hypernix/untried.h', '/* For tries. */\n')),
    ('a header that does not say what it is',
     lambda root: house.replace(root, 'include/hypernix/os.h', ' * The operating system: the real one', ' *\n */\n/* The real one')),
] + ([('what only mandoc sees', page('man/x.7', '.SH DESCRIPTION\n.PP\n.PP\nx\n'))] if shutil.which(MANDOC[0]) else [])


def options(parser):
    def answer(given):
        if not shutil.which(MANDOC[0]):
            print('skip man-mandoc mandoc is not installed')
    return answer


if __name__ == '__main__':
    sys.exit(house.main(check, BREAKS, options))
