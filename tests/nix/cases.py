# SPDX-License-Identifier: MIT
"""Reads right.cases and wrong.cases: their form is at the head of each."""
import os
import re
from collections import namedtuple

HERE = os.path.dirname(os.path.abspath(__file__))

Mark = namedtuple('Mark', 'what unit key value path line texts')

VALUE = re.compile(r'# (=>|lost|same|merged|value) (\S+) (\S+) (.+)$')
TEXT = re.compile(r'# (error:|error\?:|error-:|check:|throws:) (.+)$')


class Case:
    def __init__(self, name, number):
        self.name = name
        self.slug = f'case-{number:03}'
        self.files = [('main.nix', [])]
        self.modules, self.marks = [], []

    def place(self, tool):
        """Writes the modules, and finds the marks' lines in them."""
        self.modules, self.marks = [], []
        for name, lines in self.files:
            text = '\n'.join(lines).rstrip('\n') + '\n'
            if name.endswith('.nix') and not text.startswith('{'):
                text = '{ lib, ... }: { hypervisor.compute = { ' + text + '}; }\n'
            path = tool.write(f'{self.slug}/{name}', text)
            if name.endswith('.nix'):
                self.modules.append(path)
            for number, line in enumerate(text.splitlines(), 1):
                self.marks += marks_of(line, path, number)


def marks_of(line, path, number):
    value, text = VALUE.search(line), TEXT.search(line)
    if value:
        what, unit, key, wanted = value.groups()
        return [Mark(what, unit, key, wanted, path, number, [])]
    if text:
        return [Mark(text.group(1), None, None, None, path, number, text.group(2).split('|'))]
    return []


def read(name):
    table = []
    with open(os.path.join(HERE, name), encoding='utf-8') as file:
        for line in file.read().splitlines():
            if line.startswith('### '):
                table.append(Case(line[4:], len(table)))
            elif table and line.startswith('=== '):
                table[-1].files.append((line[4:], []))
            elif table:
                table[-1].files[-1][1].append(line)
    for case in table:
        # Enough to tell the kinds of case apart; the lines are found when the files are written.
        for name, lines in case.files:
            for number, line in enumerate(lines, 1):
                case.marks += marks_of(line, name, number)
    return table
