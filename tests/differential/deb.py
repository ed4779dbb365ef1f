#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Packages that dpkg-deb makes, read by us and by dpkg-deb: the same names, types, modes, owners, links and bodies.

  deb.py PROGRAM [COUNT [SEED]]
"""
import hashlib
import io
import os
import random
import shutil
import subprocess
import sys
import tarfile
import tempfile

NAMES = ['a', 'b.conf', 'c-1.2', 'café', 'with space', '.hidden', 'x' * 120, 'UPPER', 'lib.so.1']


def write(path, data, mode):
    with open(path, 'wb') as file:
        file.write(data)
    os.chmod(path, mode)


def make_tree(root, chance):
    os.makedirs(root + '/DEBIAN')
    write(root + '/DEBIAN/control', b'Package: x\nVersion: 1-1\nArchitecture: all\nMaintainer: A <a@example.org>\n'
          b'Description: x\n', 0o644)
    if chance.random() < 0.5:
        write(root + '/DEBIAN/postinst', b'#!/bin/sh\nexit 0\n', 0o755)
    folders = [root + '/usr/bin']
    os.makedirs(folders[0])
    for _ in range(chance.randrange(6)):
        folder = chance.choice(folders) + '/' + chance.choice(NAMES)
        if not os.path.lexists(folder):
            os.mkdir(folder, 0o755)
            folders.append(folder)
    files = []
    for _ in range(chance.randrange(1, 25)):
        path = chance.choice(folders) + '/' + chance.choice(NAMES) + str(chance.randrange(40))
        if os.path.lexists(path):
            continue
        kind = chance.random()
        if kind < 0.15:
            os.symlink(chance.choice(['/etc/passwd', '../../../x', 'a', './b c', '..']), path)
        elif kind < 0.25 and files:
            os.link(chance.choice(files), path)
        else:
            size = chance.choice([0, 1, 511, 512, 513, 65535, 65536, 65537, 200000, chance.randrange(5000)])
            write(path, chance.randbytes(size), chance.choice([0o644, 0o755, 0o600, 0o440]))
            files.append(path)
    if chance.random() < 0.3:
        write(root + '/usr/bin/su', b'su', 0o4755)


def expected(deb):
    """What is in it by dpkg-deb, as lines of the program."""
    plain = subprocess.run(['dpkg-deb', '--fsys-tarfile', deb], check=True, stdout=subprocess.PIPE).stdout
    rows, modes = [], {}
    with tarfile.open(fileobj=io.BytesIO(plain), mode='r|') as tar:
        for item in tar:
            path = '/' + '/'.join(part for part in item.name.split('/') if part not in ('', '.'))
            kind = 'd' if item.isdir() else 'l' if item.issym() else 'h' if item.islnk() else 'f'
            target = item.linkname if kind == 'l' else ''
            mode, digest = item.mode, '-'
            if kind == 'h':
                target = '/' + '/'.join(part for part in item.linkname.split('/') if part not in ('', '.'))
                mode = modes[target]
            if kind == 'l':
                mode = 0o777
            if kind == 'f':
                digest = 'b2:' + hashlib.blake2b(tar.extractfile(item).read(), digest_size=32).hexdigest()
            modes[path] = mode
            size = item.size if kind == 'f' else 0
            rows.append((path.encode(), f'{kind}\t{mode:o}\t{item.uid}\t{item.gid}\t{size}\t{digest}\t{path}\t{target}'))
    return [row for _, row in sorted(rows)]


def listed(deb):
    """How many entries dpkg-deb -c prints."""
    return len(subprocess.run(['dpkg-deb', '-c', deb], check=True, stdout=subprocess.PIPE).stdout.splitlines())


def compare(program, deb):
    run = subprocess.run([program, 'deb', deb], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    ours = [line for line in run.stdout.decode().splitlines() if not line.startswith('#')]
    theirs = expected(deb)
    if run.returncode != 0 or ours != theirs or len(ours) != listed(deb):
        print(f'{deb}: status {run.returncode} {run.stderr.decode()}')
        for line in sorted(set(ours) ^ set(theirs)):
            print('  ours  ' if line in ours else '  theirs', line)
        return False
    return True


def main(program, count=60, seed=1):
    if not shutil.which('dpkg-deb'):
        print('skip differential-deb no dpkg-deb here')
        return 77
    chance = random.Random(int(seed))
    for number in range(int(count)):
        with tempfile.TemporaryDirectory() as folder:
            make_tree(folder + '/tree', chance)
            deb = folder + '/x.deb'
            subprocess.run(['dpkg-deb', '--root-owner-group', '-Z' + chance.choice(['none', 'gzip', 'xz', 'zstd']), '-z1',
                            '-b', folder + '/tree', deb], check=True, stdout=subprocess.DEVNULL)
            if not compare(program, deb):
                print(f'number {number}, seed {seed}')
                return 1
    print(f'checks: {count}')
    return 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
