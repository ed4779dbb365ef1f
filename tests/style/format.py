#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every C source is as clang-format-14 writes it with the .clang-format of the root."""
import os
import re
import sys

import house

TOOL = 'clang-format-14'
PROBLEM = re.compile(r'^(.+?):(\d+):\d+: error: ', re.M)


def check(root, build, report):
    paths = [os.path.join(root, path) for path in house.sources(root, '.c', '.h')]
    for start in range(0, len(paths), 50):
        status, text = house.run(TOOL, '--dry-run', '-Werror', *paths[start:start + 50])
        seen = set()
        for match in PROBLEM.finditer(text):
            path = os.path.relpath(match.group(1), root)
            if path not in seen:
                report(path, int(match.group(2)), f'not as the house writes it: {TOOL} -i {path}')
                seen.add(path)
        if status and not seen:
            report('.clang-format', 1, f'{TOOL} failed: {text.strip()[:200]}')


BREAKS = [
    ('a line indented with spaces',
     lambda root: house.append(root, 'lib/base/buf.c', 'int x(void)\n{\n    return 1;\n}\n')),
    ('a line of 120 columns',
     lambda root: house.append(root, 'lib/base/buf.c', f'/* {"x " * 60}*/\nint {"y" * 60}(int {"z" * 60});\n')),
]

if __name__ == '__main__':
    sys.exit(house.main(check, BREAKS))
