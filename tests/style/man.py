#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every manual page, written or generated, is formatted without one warning and has the sections it needs."""
import glob
import os
import re
import sys

import house

NEEDED = {'1': ('NAME', 'SYNOPSIS', 'DESCRIPTION', 'EXIT STATUS', 'EXAMPLES'), '3': ('NAME', 'SYNOPSIS'),
          '5': ('NAME', 'DESCRIPTION', 'EXAMPLES'), '7': ('NAME', 'DESCRIPTION')}


def pages(root, build):
    found = glob.glob(os.path.join(root, 'man', '*.[1-8]'))
    for folder in ('man', 'man/man3'):
        found += glob.glob(os.path.join(build, folder, '*.[1-8]')) if build else []
    return sorted(found)


def check(root, build, report):
    found = pages(root, build)
    if not found:
        raise house.Skip('no manual pages')
    for start in range(0, len(found), 40):
        check_batch(root, found[start:start + 40], report)


def check_batch(root, batch, report):
    names = {os.path.basename(path): os.path.relpath(path, root) if path.startswith(root) else path for path in batch}
    for path in batch:
        with open(path, encoding='utf-8') as file:
            text = file.read()
        for section in NEEDED.get(path[-1], ()):
            if not re.search(r'^\.SH "?%s"?\s*$' % section, text, re.M | re.I):
                report(names[os.path.basename(path)], 1, f'no section {section}')
        _, output = house.run('groff', '-ww', '-man', '-t', '-K', 'utf8', '-T', 'utf8', '-z', path)
        for line in output.strip().splitlines():
            place = re.match(r'(?:\w+:)?.*?:(\d+): (.*)', line)
            report(names[os.path.basename(path)], int(place.group(1)) if place else 1, place.group(2) if place else line)


BREAKS = [
    ('an unknown macro', lambda root: house.write(root, 'man/x.7', '.TH x 7\n.SH NAME\nx \\- y\n.SH DESCRIPTION\n.XX\n')),
    ('a page without a description', lambda root: house.write(root, 'man/x.7', '.TH x 7\n.SH NAME\nx \\- y\n')),
    ('a program page without exit statuses',
     lambda root: house.write(root, 'man/x.1', '.TH x 1\n.SH NAME\nx\n.SH SYNOPSIS\nx\n.SH DESCRIPTION\nx\n.SH EXAMPLES\nx\n')),
]


def check_with_one(root, build, report):
    """In a self-test there is always a page, so that nothing is skipped."""
    if os.path.isdir(os.path.join(root, 'man')) and not pages(root, build):
        house.write(root, 'man/well.7', '.TH well 7\n.SH NAME\nwell \\- fine\n.SH DESCRIPTION\nFine.\n')
    check(root, build, report)


if __name__ == '__main__':
    sys.exit(house.main(check_with_one if '--self-test' in sys.argv else check, BREAKS))
