#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What README.md and its neighbours name is there: links, files, manual pages, commands and options of programs."""
import glob
import os
import re
import sys

import house
import programs as known

PAGES = ('README.md', 'CONTRIBUTING.md', 'CHANGELOG.md')
TOPS = ('bindings', 'examples', 'frontends', 'include', 'lib', 'man', 'nix', 'pkg-config', 'tests')
LINK = re.compile(r'\]\(([^)#\s]+)(?:#[\w-]*)?\)')
PATH = re.compile(r'(?<![\w/.~$-])((?:%s)/[\w./-]*\w)' % '|'.join(TOPS))
COMMAND = re.compile(r'(?<![\w/.-])(hv-[a-z][a-z-]*)((?: +[^\s|;&`)]+)*)')
SCRIPT = re.compile(r'((?:tests/run\.sh|examples/quickstart\.sh))((?: +[^\s|;&`)]+)*)')
PAGE = re.compile(r'\b((?:hv-|hn_|hypernix)[\w-]*)\((\d)\)')


def check(root, build, report):
    build_programs = known.programs(build) if build else {}
    for path in PAGES:
        if not os.path.exists(os.path.join(root, path)):
            report(path, 1, 'is not there')
            continue
        text = house.read(root, path)

        def wrong(match, message, path=path, text=text):
            report(path, house.line_of(text, match.start()), message)

        check_files(root, text, wrong)
        check_scripts(root, text, wrong)
        for match in COMMAND.finditer(text):
            if build_programs:
                check_command(match, build_programs, wrong)


def check_files(root, text, wrong):
    for match in LINK.finditer(text):
        if '://' not in match.group(1) and not os.path.exists(os.path.join(root, match.group(1))):
            wrong(match, f'the link {match.group(1)} leads nowhere')
    for match in PATH.finditer(text):
        if '<' not in text[match.end():match.end() + 2] and not glob.glob(os.path.join(root, match.group(1)) + '*'):
            wrong(match, f'{match.group(1)} is not there')
    sections = ''.join(os.path.basename(path) + '\n' for path in glob.glob(os.path.join(root, 'man', '*')))
    symbols = house.read(root, 'lib/hypernix.map')
    for match in PAGE.finditer(text):
        name, section = match.groups()
        made = name in ('hypernix', 'hypernix-keys') or f'\t{name};' in symbols or \
            os.path.exists(os.path.join(root, 'include/hypernix', name.removeprefix('hypernix-') + '.h'))
        if f'{name}.{section}' not in sections and not made:
            wrong(match, f'{name}({section}) is no manual page')


def check_scripts(root, text, wrong):
    for match in SCRIPT.finditer(text):
        script = house.read(root, match.group(1)) if os.path.exists(os.path.join(root, match.group(1))) else ''
        for option in known.OPTION.findall(match.group(2).split('#')[0]):
            if f'--{option}' not in script:
                wrong(match, f'{match.group(1)} has no option --{option}')


def check_command(match, found, wrong):
    name, rest = match.group(1), match.group(2).split(' #')[0]
    if name not in found:
        wrong(match, f'{name} is no program that meson installs')
        return
    words = [word for word in rest.split() if not word.startswith('-')]
    command = ' '.join(words[:2]) if ' '.join(words[:2]) in found[name].commands else ''.join(words[:1])
    allowed = found[name].commands.get(command, set()) | found[name].common
    for option in known.OPTION.findall(rest):
        if option not in (allowed if command in found[name].commands else found[name].all):
            wrong(match, f'{name} {command} has no option --{option}')


BREAKS = [
    ('a link that leads nowhere', lambda root: house.append(root, 'README.md', 'See [this](lib/untried.md).\n')),
    ('a file that is not there', lambda root: house.append(root, 'README.md', 'Run `examples/untried.sh`.\n')),
    ('a manual page that is not there', lambda root: house.append(root, 'README.md', 'See hypernix-untried(7).\n')),
    ('an option of a script', lambda root: house.append(root, 'README.md', 'Run `tests/run.sh --untried`.\n')),
]
BREAKS_BUILT = [
    ('an option of a command', lambda root: house.append(root, 'README.md', 'Say `hv-compute list --untried`.\n')),
    ('an option of another command', lambda root: house.append(root, 'README.md', 'Say `hv-compute list --on-error stop`.\n')),
    ('a program', lambda root: house.append(root, 'README.md', 'Say `hv-untried`.\n')),
]

if __name__ == '__main__':
    sys.exit(house.main(check, BREAKS + (BREAKS_BUILT if '--build' in sys.argv else [])))
