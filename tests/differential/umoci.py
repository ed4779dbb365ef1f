#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Image layouts that umoci makes, of several layers with whiteouts, opaque directories and hard links, read by us and
unpacked by umoci: the same names, types, modes, owners (as root), bodies and inodes.

  umoci.py PROGRAM [COUNT [SEED]]
"""
import hashlib
import io
import os
import random
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile

NAMES = ['a', 'b.conf', 'c-1.2', 'café', 'with space', '.hidden', 'x' * 110, 'UPPER', 'lib.so.1']
ROOT = os.geteuid() == 0


def umoci(*words):
    run = subprocess.run(['umoci', *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if run.returncode != 0:
        raise RuntimeError(f'umoci {" ".join(words)}: {run.stdout.decode()}')


class Layer:
    """A tar of one layer, and what of the layers below it still is there."""

    def __init__(self, image, chance):
        self.image, self.chance, self.mine = image, chance, {}
        self.out = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.out, mode='w', format=tarfile.PAX_FORMAT)

    def add(self, path, kind, body=b'', link='', mode=0o644):
        item = tarfile.TarInfo(path)
        item.type, item.mode, item.linkname, item.size = kind, mode, link, len(body)
        item.uid, item.gid = (self.chance.choice([0, 0, 33, 65534]), self.chance.choice([0, 42])) if ROOT else (0, 0)
        item.mtime = self.chance.randrange(10**9)
        self.tar.addfile(item, io.BytesIO(body))

    def note(self, path, kind):
        self.image[path] = self.mine[path] = kind

    def forget(self, path, itself):
        for name in [name for name in self.image if name.startswith(path + '/') or itself and name == path]:
            if name not in self.mine:
                del self.image[name]

    def folders(self):
        return [''] + [path for path, kind in self.image.items() if kind == 'd']

    def new_path(self):
        path = f'{self.chance.choice(self.folders())}/{self.chance.choice(NAMES)}{self.chance.randrange(9)}'.lstrip('/')
        return None if path in self.image else path

    def folder(self):
        path = self.new_path()
        if path and path.count('/') < 6:
            self.add(path, tarfile.DIRTYPE, mode=self.chance.choice([0o755, 0o700, 0o1777]))
            self.note(path, 'd')

    def file(self):
        path = self.new_path()
        if path and self.chance.random() < 0.3:  # one that is there is written again, sometimes of another type
            path = self.chance.choice([name for name in self.image if name not in self.mine] or [path])
            if any(name.startswith(path + '/') for name in self.mine):
                return
        if path:
            self.forget(path, True)
            size = self.chance.choice([0, 1, 511, 512, 513, 65537, self.chance.randrange(5000)])
            self.add(path, tarfile.REGTYPE, self.chance.randbytes(size), mode=self.chance.choice([0o644, 0o755, 0o600]))
            self.note(path, 'f')

    def symlink(self):
        path = self.new_path()
        if path:
            self.add(path, tarfile.SYMTYPE, link=self.chance.choice(['/etc/passwd', '../../x', 'a', './b c', '..']), mode=0o777)
            self.note(path, 'l')

    def hard_link(self):
        # Of this layer, and the file itself: we refuse a link into a layer below, and one to another link.
        path, files = self.new_path(), [name for name, kind in self.mine.items() if kind == 'f']
        if path and files:
            self.add(path, tarfile.LNKTYPE, link=self.chance.choice(files))
            self.note(path, 'f')
            self.mine[path] = 'h'

    def whiteout(self):
        below = [name for name in self.image if name not in self.mine and not any(own.startswith(name + '/') for own in self.mine)]
        if below:
            path = self.chance.choice(below)
            folder, _, name = path.rpartition('/')
            self.add(f'{folder}/.wh.{name}'.lstrip('/'), tarfile.REGTYPE)
            self.forget(path, True)

    def opaque(self):
        folders = [path for path in self.folders() if path and path not in self.mine]
        if folders:
            path = self.chance.choice(folders)
            self.add(f'{path}/.wh..wh..opq', tarfile.REGTYPE)
            self.forget(path, False)

    def bytes(self, steps, below):
        acts = [self.folder, self.file, self.file, self.symlink, self.hard_link]
        # What takes away comes first, as all tools have it; then nothing of this layer is meant by it.
        if below:
            for _ in range(self.chance.randrange(4)):
                self.chance.choice([self.whiteout, self.opaque])()
        for _ in range(steps):
            self.chance.choice(acts)()
        self.tar.close()
        return self.out.getvalue()


def change(root, chance):
    """What somebody does in an unpacked image, of which umoci makes a layer by itself."""
    files = [os.path.join(folder, name) for folder, _, names in os.walk(root) for name in names]
    for path in chance.sample(sorted(files), min(3, len(files))):
        if os.path.islink(path) or chance.random() < 0.5:
            os.unlink(path)
        else:
            with open(path, 'ab') as file:
                file.write(b'more')
    folders = [entry.path for entry in sorted(os.scandir(root), key=lambda entry: entry.name) if entry.is_dir(follow_symlinks=False)]
    if folders and chance.random() < 0.5:
        shutil.rmtree(chance.choice(folders))
    os.makedirs(root + '/made/here')
    with open(root + '/made/here/file', 'wb') as file:
        file.write(chance.randbytes(3000))
    os.link(root + '/made/here/file', root + '/made/link')


def row(path, kind, mode, owner, size, digest, target, names):
    return path, kind, f'{mode:o}', owner if ROOT else '', size, digest, target, names


def unpacked(root):
    """What umoci made of it: rows as of_ours has them."""
    found, inodes = [], {}
    for folder, folders, names in os.walk(root):
        for name in folders + names:
            path = os.path.join(folder, name)
            status = os.lstat(path)
            inodes.setdefault(status.st_ino, []).append(path[len(root):])
            found.append((path, status))
    for path, status in found:
        mode, owner = stat.S_IMODE(status.st_mode), f'{status.st_uid}:{status.st_gid}'
        if stat.S_ISLNK(status.st_mode):
            yield row(path[len(root):], 'l', mode, owner, 0, '-', os.readlink(path), '')
        elif stat.S_ISDIR(status.st_mode):
            yield row(path[len(root):], 'd', mode, owner, 0, '-', '', '')
        else:
            with open(path, 'rb') as file:
                digest = 'b2:' + hashlib.blake2b(file.read(), digest_size=32).hexdigest()
            yield row(path[len(root):], 'f', mode, owner, status.st_size, digest, '', ' = '.join(sorted(inodes[status.st_ino])))


def of_ours(text):
    lines = [line.split('\t') for line in text.splitlines() if not line.startswith('#')]
    by_path = {line[6]: line for line in lines}
    groups = {}

    def first(path):
        while by_path[path][0] == 'h':
            path = by_path[path][7]
        return path

    for path, line in by_path.items():
        if line[0] in 'fh':
            groups.setdefault(first(path), []).append(path)
    for path, line in by_path.items():
        names = ' = '.join(sorted(groups[first(path)])) if line[0] in 'fh' else ''
        kind, mode, uid, gid, size, digest = by_path[first(path)][:6]
        if path != '/':
            yield row(path, kind, int(mode, 8), f'{uid}:{gid}', int(size), digest, line[7] if kind == 'l' else '', names)


def make_layout(folder, chance):
    layout, image = folder + '/layout', {}
    umoci('init', '--layout', layout)
    umoci('new', '--image', layout + ':x')
    for number in range(chance.randrange(1, 5)):
        with open(folder + '/layer.tar', 'wb') as file:
            file.write(Layer(image, chance).bytes(chance.randrange(4, 25), number > 0))
        umoci('raw', 'add-layer', '--image', layout + ':x', folder + '/layer.tar')
    rootless = [] if ROOT else ['--rootless']
    if chance.random() < 0.5:
        umoci('unpack', *rootless, '--image', layout + ':x', folder + '/bundle')
        change(folder + '/bundle/rootfs', chance)
        umoci('repack', '--image', layout + ':x', folder + '/bundle')
    umoci('gc', '--layout', layout)
    umoci('raw', 'unpack', *rootless, '--image', layout + ':x', folder + '/rootfs')
    subprocess.run(['tar', '-C', layout, '-cf', folder + '/layout.tar', '.'], check=True)


def compare(program, folder):
    run = subprocess.run([program, 'oci', folder + '/layout.tar'], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    ours, theirs = set(of_ours(run.stdout.decode())), set(unpacked(folder + '/rootfs'))
    if run.returncode == 0 and ours == theirs:
        return True
    print(f'status {run.returncode} {run.stderr.decode()}')
    for line in sorted(ours ^ theirs):
        print('  ours  ' if line in ours else '  theirs', *line)
    return False


def main(program, count=30, seed=1):
    if not shutil.which('umoci'):
        print('skip differential-umoci no umoci here, Debian: umoci')
        return 77
    chance = random.Random(int(seed))
    for number in range(int(count)):
        with tempfile.TemporaryDirectory() as folder:
            make_layout(folder, chance)
            if not compare(program, folder):
                print(f'number {number}, seed {seed}')
                return 1
    print(f'checks: {count}')
    return 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
