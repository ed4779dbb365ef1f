#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What our reader finds in the ELF files of this system, against readelf (Debian: binutils):
elf.py DIFFERENTIAL-ELF [COUNT]. Exit 77: skipped."""
import glob
import os
import re
import shutil
import subprocess
import sys

PLACES = ['/usr/bin/*', '/usr/sbin/*', '/usr/lib/x86_64-linux-gnu/*.so*', '/usr/lib/aarch64-linux-gnu/*.so*', '/usr/lib*/ld-*']


def is_elf(path):
    try:
        with open(path, 'rb') as file:
            return file.read(4) == b'\x7fELF'
    except OSError:
        return False


def files(count):
    found = sorted({os.path.realpath(path) for place in PLACES for path in glob.glob(place) if os.path.isfile(path)})
    found = [path for path in found if is_elf(path)]
    return found[::max(1, len(found) // count)][:count]


def theirs(path):
    text = subprocess.run(['readelf', '-dlW', path], capture_output=True, text=True, env={'LC_ALL': 'C'}).stdout
    lines = [f'needed {name}' for name in re.findall(r'\(NEEDED\).*\[(.*)\]', text)]
    run = re.findall(r'\(RUNPATH\).*\[(.*)\]', text) or re.findall(r'\(RPATH\).*\[(.*)\]', text)
    lines += [f'runpath {run[0]}'] if run else []
    return lines + [f'interpreter {name}' for name in re.findall(r'program interpreter: (.*)\]', text)]


def main():
    if not shutil.which('readelf'):
        print('skip differential-elf there is no readelf, Debian: binutils')
        return 77
    paths = files(int(sys.argv[2]) if len(sys.argv) > 2 else 200)
    ours = {}
    for line in subprocess.run([sys.argv[1], *paths], capture_output=True, text=True, check=True).stdout.splitlines():
        if line.startswith('file '):
            name = line[5:]
            ours[name] = []
        else:
            ours[name].append(line)
    wrong = [path for path in paths if ours[path] != theirs(path)]
    for path in wrong:
        print(f'{path}: ours {ours[path]}, readelf {theirs(path)}')
    if not any(ours.values()):
        print('no file needs anything: this compares nothing')
        return 1
    print(f'checks: {len(paths)}')
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
