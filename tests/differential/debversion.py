#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Debian's order of versions against dpkg's own, on random ones: PROGRAM [COUNT] [SEED]."""
import random
import shutil
import subprocess
import sys


def part(chance):
    pieces = ['0', '1', '9', '10', '007', 'a', 'b', 'Z', '.', '+', '~', '~~', 'rc', 'deb12u', 'dfsg', '.0']
    return ''.join(chance.choice(pieces) for _ in range(chance.randrange(5)))


def version(chance):
    epoch = chance.choice(['', '', '', '0:', '1:', '10:'])
    revision = chance.choice(['', '', '-0', '-1', '-1~bpo12+1', '-' + chance.choice('019') + part(chance)])
    return epoch + chance.choice('0129') + part(chance) + revision


def changed(chance, text):
    """Most pairs that differ at all differ soon; these are near to each other."""
    at = chance.randrange(text.find(':') + 2, len(text) + 1)
    return chance.choice([version(chance), text + part(chance), text[:at] + chance.choice('019~+.az') + text[at:]])


def order(a, b):
    for relation, answer in (('lt', -1), ('eq', 0), ('gt', 1)):
        if subprocess.run(['dpkg', '--compare-versions', a, relation, b], check=False).returncode == 0:
            return answer
    raise SystemExit(f'dpkg has no order for {a} {b}')


def main():
    if shutil.which('dpkg') is None:
        print('skip differential-debversion there is no dpkg')
        sys.exit(77)
    count, seed = (int(word) for word in (sys.argv[2:] + ['200', '1'][len(sys.argv) - 2:]))
    chance = random.Random(seed)
    firsts = [version(chance) for _ in range(count)]
    pairs = [(first, changed(chance, first)) for first in firsts]
    lines = ''.join(f'{a} {b}\n' for a, b in pairs)
    answers = subprocess.run([sys.argv[1], 'deb'], input=lines, capture_output=True, text=True, check=True).stdout.split()
    theirs = [order(a, b) for a, b in pairs]
    wrong = [(pair, ours, his) for pair, ours, his in zip(pairs, answers, theirs) if int(ours) != his]
    for pair, ours, his in wrong[:10]:
        print(f'{pair[0]} {pair[1]}: ours {ours}, dpkg {his}')
    print(f'{count} pairs, {theirs.count(0)} equal; {len(wrong)} differ')
    sys.exit(1 if wrong or len(answers) != count else 0)


if __name__ == '__main__':
    main()
