#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a program says of itself is what its manual page says: for every program that meson installs, --help, the
table of commands behind it, man/NAME.1 and the installed completion agree.

  programs.py --build DIR --bless    rewrites the parts of the pages that are made from the tables
"""
import functools
import json
import os
import re
import sys

import house

MADE = re.compile(r'(^\.\\" made by: (hv-[\w-]+) completion man\n)(.*?)(^\.\\" end of what is made)', re.M | re.S)
OPTION = re.compile(r'(?<![\w-])--([a-z][a-z0-9-]*)')
FOREIGN = {'cflags', 'libs'}  # of programs that are not ours


class Program:
    """A program, and what it says of itself."""

    def __init__(self, path):
        self.path, self.name = path, os.path.basename(path)
        self.commands = {name: self.options(*name.split()) for name in self.ask('complete', 'COMMAND').splitlines()}
        self.common = self.options()
        self.made = self.ask('completion', 'man')

    def ask(self, *arguments):
        status, text = house.run(self.path, *arguments)
        return text if status == 0 else ''

    def options(self, *command):
        return set(re.findall(r'^  --([a-z][a-z0-9-]*)', self.ask(*command, '--help'), re.M))

    @property
    def all(self):
        return self.common.union(*self.commands.values())


@functools.lru_cache(maxsize=None)
def introspect(build, what):
    if not build or not os.path.isdir(build):
        raise house.Skip('no build directory: what programs say of themselves cannot be asked')
    status, text = house.run('meson', 'introspect', what, build)
    if status:
        raise house.Skip(f'meson introspect: {text.strip()[:100]}')
    return json.loads(text)


@functools.lru_cache(maxsize=None)
def programs(build):
    """{name: Program} of all that meson installs as a program."""
    installed = introspect(build, '--installed')
    found = {}
    for path, target in installed.items():
        if os.path.basename(os.path.dirname(target)) in ('bin', 'sbin', 'libexec') and path.startswith(os.path.realpath(build)):
            if not os.access(path, os.X_OK):
                raise house.Skip(f'{path} is not built')
            found[os.path.basename(path)] = Program(path)
    return found


def completions(name):
    return f'bash-completion/completions/{name}.bash', f'zsh/site-functions/_{name}', f'fish/vendor_completions.d/{name}.fish'


def check(root, build, report):
    installed = set(introspect(build, '--installed').values())
    found = programs(build)
    if not found:
        report('frontends/meson.build', 1, 'meson installs no program')
    for name, program in found.items():
        page = f'man/{name}.1'
        for script in completions(name):
            if not any(path.endswith(script) for path in installed):
                report('frontends/meson.build', 1, f"{script} is not installed: is {name} in `programs`?")
        if not program.common or not program.commands:
            report('frontends/meson.build', 1, f'{name} --help or {name} complete COMMAND says nothing')
        if not os.path.exists(os.path.join(root, page)):
            report(page, 1, f'{name} has no manual page; begin with the frame of another and --bless')
            continue
        if not any(path.endswith(f'man1/{name}.1') for path in installed):
            report('man/meson.build', 1, f'{page} is not installed')
        check_page(root, page, program, report)
    if os.path.exists(os.path.join(root, PAGE)):
        check_actions(root, report)


def check_actions(root, report):
    """The page's list of what a step may do is the library's."""
    names = re.search(r'hn_action_name\(.*?names\[\] = \{(.*?)\}', house.read(root, NAMES), re.S)
    listed = re.search(r'^\.I action\nis (.*);$', house.read(root, PAGE), re.M)
    if not names or not listed:
        report(PAGE, 1, f'no list of actions here or in {NAMES}')
    elif re.findall(r'\w+', names.group(1)) != re.split(r', | or ', listed.group(1)):
        report(PAGE, house.line_of(house.read(root, PAGE), listed.start()), f'not the actions of {NAMES}')


def plain(text):
    """The words of a page without roff's marks; a change of font and what stands apart in a macro's line is left in."""
    return re.sub(r'\\f[A-Z]', '', text.replace('\\-', '-').replace('\\(aq', "'"))


def check_page(root, page, program, report):
    text = house.read(root, page)
    said = plain(text)
    for option in sorted(program.all - set(OPTION.findall(said))):
        report(page, 1, f'--{option} is in {program.name} --help and not in the page')
    for match in OPTION.finditer(said):
        if match.group(1) not in program.all | FOREIGN:
            report(page, house.line_of(said, match.start()), f'{program.name} has no option --{match.group(1)}')
    made = MADE.search(text)
    if not made or made.group(2) != program.name:
        report(page, 1, f'no part between `.\\" made by: {program.name} completion man` and `.\\" end of what is made`')
    elif made.group(3) != program.made:
        at = next((number for number, (old, new) in enumerate(zip(made.group(3).splitlines(), program.made.splitlines()))
                   if old != new), 0)
        report(page, house.line_of(text, made.start(3)) + at, f'not what {program.name} completion man says: '
               'tests/style/programs.py --build DIR --bless writes it')


def bless(root, build):
    for name, program in programs(build).items():
        page = f'man/{name}.1'
        if os.path.exists(os.path.join(root, page)):
            text = house.read(root, page)
            house.write(root, page, MADE.sub(lambda match: match.group(1) + program.made + match.group(4), text))
            print(f'wrote {page}')
    return 0


def options(parser):
    parser.add_argument('--bless', action='store_true', help='rewrite the parts of the pages that are made')
    return lambda given: bless(given.root, given.build) if given.bless else None


PAGE = 'man/hv-compute.1'
NAMES = 'lib/host/names.c'
BREAKS = [
    ('a program without a page', lambda root: os.unlink(os.path.join(root, PAGE))),
    ('an option that the program does not have', lambda root: house.append(root, PAGE, '.B \\-\\-untried\n')),
    ('an option that the page forgot', lambda root: house.write(root, PAGE, house.read(root, PAGE).replace('\\-\\-select', ''))),
    ('a part that is made, changed by hand', lambda root: house.replace(root, PAGE, 'List the units', 'List all units')),
    ('an action that the page forgot', lambda root: house.replace(root, PAGE, ', forget or untag', ' or forget')),
    ('a page without such a part', lambda root: house.replace(root, PAGE, 'made by: hv-compute', 'written by: me')),
]

if __name__ == '__main__':
    sys.exit(house.main(check, BREAKS, options))
